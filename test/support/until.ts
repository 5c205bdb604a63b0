/** Waiting in tests: for a condition that only asking can tell, or for a promise, never longer than allowed. */

/** Asks soon at first, then more rarely. */
const PAUSE_MS_MIN = 1;
const PAUSE_MS_MAX = 100;

/** Asks until the answer is not undefined; throws after `timeoutMs`, with the last `reason()`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  reason: () => string = () => "",
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > endMs) throw tooLate(what, timeoutMs, reason);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** For `until`: a condition without a value. */
export function when(condition: boolean): true | undefined {
  return condition ? true : undefined;
}

/** What `promise` brings; throws after `timeoutMs`, with the `reason()` of that moment. */
export async function within<T>(
  what: string,
  timeoutMs: number,
  promise: Promise<T>,
  reason: () => string = () => "",
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate(what, timeoutMs, reason)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(what: string, timeoutMs: number, reason: () => string): Error {
  const why = reason();
  return new Error(`waited ${timeoutMs} ms in vain until ${what}${why === "" ? "" : `: ${why}`}`);
}
