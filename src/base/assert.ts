/**
 * Assertions on our own reasoning; they stay on. Never for what a peer, a file or a user sent:
 * that is validated and answered (DESIGN rule 4). A failed assertion is a bug of ours, and the role
 * that owns the process logs it and exits.
 */
class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${what}`);
}

/** End of an exhaustive switch over a union. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable state ${JSON.stringify(value)}`);
}
