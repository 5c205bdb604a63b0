/** Names the part of a long test that failed, and shows with CTDB_TEST_VERBOSE=1 how long each took. */

export type Step = <T>(name: string, action: () => Promise<T>) => Promise<T>;

export const step: Step = async (name, action) => {
  const startMs = performance.now();
  try {
    return await action();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${name}: ${reason}`, { cause });
  } finally {
    if (process.env["CTDB_TEST_VERBOSE"] !== undefined) {
      const seconds = (performance.now() - startMs) / 1000;
      process.stderr.write(`  ${seconds.toFixed(1).padStart(5)} s  ${name}\n`);
    }
  }
};
