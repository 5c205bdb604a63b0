/**
 * A mutex helper of ours answers the recovery daemon that asks whether it still has the lock (lock/lock_proof.ts), and ends
 * as soon as that is gone: the pipe on which it is asked ends with it. Helpers that another recovery daemon started are
 * not asked, and have no such pipe.
 */
import { bytesText } from "../base/byte_text.ts";
import { HELPER_PROVES, NO_LEASE, PROOF_VARIABLE } from "../lock/lock_proof.ts";
import type { EventLoop } from "../platform/loop/event_loop.ts";
import { drainPipe } from "../platform/loop/pipe_reader.ts";
import { printOut } from "./buffered_output.ts";
import { ownEnvironment } from "./own_process.ts";

const STANDARD_INPUT = 0;

export interface ProvenLock {
  /**
   * Of the lease, by the helper's own clock; undefined for a lock without one. What is over is told by the helper's end,
   * which comes before any answer: then this does not return.
   */
  leftMs(): number | undefined;
  parentGone(): void;
}

/** Says that the lock is held, and answers from then on. */
export function tellHeld(loop: EventLoop, lock: ProvenLock): void {
  if (ownEnvironment()[PROOF_VARIABLE] === undefined) {
    printOut("0");
    return;
  }
  drainPipe(
    loop,
    STANDARD_INPUT,
    (chunk) => {
      for (const letter of bytesText(chunk)) {
        if (letter !== "?") continue;
        const leftMs = lock.leftMs();
        printOut(leftMs === undefined ? `${NO_LEASE}\n` : `${Math.floor(leftMs)}\n`);
      }
    },
    () => lock.parentGone(),
  );
  printOut(`0${HELPER_PROVES}`);
}
