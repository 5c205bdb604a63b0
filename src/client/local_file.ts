/**
 * The file of a database on this node, as clients use it beside ctdbd: opened with the flags that ctdbd has it
 * open with; a lock that is busy is tried again on timers with growing delays, until the deadline.
 */
import { err, type Result } from "../base/result.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import type { Tdb, TdbError, TdbOpener, TdbResult } from "../tdb/types.ts";
import type { AttachedDatabase } from "./database.ts";
import type { ClientFailure } from "./types.ts";

export interface RecordFailure {
  readonly kind:
    | ClientFailure["kind"]
    /** A lock of the file was held elsewhere until the deadline. */
    | "busy"
    /** The file cannot be opened, or is damaged. */
    | "file"
    /** Written through a read-only copy, or a database that is not volatile. */
    | "not_allowed";
  readonly reason: string;
  readonly status: number;
}

export interface RecordEnvironment {
  readonly tdbs: TdbOpener;
  readonly timers: Pick<Timers, "after">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

const FIRST_DELAY_MS = 1;
const DELAY_MAX_MS = 20;

/** The local file, with exactly the flags that the node has it open with. */
export function openAttachedFile(
  environment: RecordEnvironment,
  { path, openFlags }: AttachedDatabase,
  timeoutMs: number,
): Promise<Result<Tdb, RecordFailure>> {
  const options = { path, flags: openFlags, hashSize: 0, create: false };
  return whileBusy(environment, timeoutMs, () => environment.tdbs.open(options));
}

/** Repeats an operation of the file while it is busy, with growing delays. */
export async function whileBusy<T>(
  environment: RecordEnvironment,
  timeoutMs: number,
  attempt: () => TdbResult<T>,
): Promise<Result<T, RecordFailure>> {
  const { clock, timers } = environment;
  let outcome = attempt();
  let deadlineMs: number | undefined;
  for (let delayMs = FIRST_DELAY_MS; !outcome.ok; delayMs *= 2) {
    if (outcome.error.code !== "busy") return fileFailure(outcome.error);
    deadlineMs ??= clock.monotonicMs() + timeoutMs;
    if (clock.monotonicMs() >= deadlineMs) {
      return busy(`A lock was held elsewhere for ${timeoutMs} ms`);
    }
    await new Promise<void>((resolve) => {
      timers.after(Math.min(delayMs, DELAY_MAX_MS), resolve);
    });
    outcome = attempt();
  }
  return outcome;
}

interface Failed {
  readonly ok: false;
  readonly error: RecordFailure;
}

export function fileFailure(error: TdbError): Failed {
  return err({ kind: "file", reason: error.reason, status: 0 });
}
export function busy(reason: string): Failed {
  return err({ kind: "busy", reason, status: 0 });
}
export function notAllowed(reason: string): Failed {
  return err({ kind: "not_allowed", reason, status: 0 });
}
