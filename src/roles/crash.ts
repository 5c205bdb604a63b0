/** How a process of ours ends by what nobody caught. */
import { OutputFailure } from "./buffered_output.ts";

/** EX_SOFTWARE of sysexits.h: a bug of ours, an exception or a failed assertion. */
export const CRASH_STATUS = 70;
const OUTPUT_FAILURE_STATUS = 1;

export interface Ending {
  readonly status: number;
  /** What to say; nothing when output ended because its reader has gone, as `head` does. */
  readonly line: string | undefined;
}

export function endingOf(error: unknown): Ending {
  if (error instanceof OutputFailure) {
    const line = error.code === "EPIPE" ? undefined : error.message;
    return { status: OUTPUT_FAILURE_STATUS, line };
  }
  return { status: CRASH_STATUS, line: uncaughtText(error) };
}

/** One line, with the stack. */
function uncaughtText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return `uncaught ${text.trim().replaceAll(/\s*\n\s*/g, " | ")}`;
}
