/** Waits for a condition that only asking can tell, and says in the end what it waited for. */

const PAUSE_MS = 50;

/** Asks until the answer is not undefined; throws after `timeoutMs` with the last `reason()`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  reason: () => string = () => "",
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) {
      throw new Error(`waited ${timeoutMs} ms in vain until ${what}; ${reason()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** For `until`: a condition without a value. */
export function when(condition: boolean): true | undefined {
  return condition ? true : undefined;
}
