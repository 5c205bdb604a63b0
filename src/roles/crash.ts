/** How a process of ours ends by a bug of ours: an exception that nobody caught, a failed assertion. */

/** EX_SOFTWARE of sysexits.h. */
export const CRASH_STATUS = 70;

/** One line, with the stack. */
export function uncaughtText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return `uncaught ${text.trim().replaceAll(/\s*\n\s*/g, " | ")}`;
}
