/**
 * Memory that a burst of work has left behind, given back when the process has become quiet.
 *
 * The runtime collects as memory is allocated: what is garbage at the end of a burst stays until the next one. And
 * pages of a mapped file that were touched count as this process's until somebody else needs the memory.
 *
 * Invariants:
 * 1. Nothing is done unless the thread used less than QUIET_PROCESSOR_MS since the last look: a collection stops it
 *    for some ten milliseconds.
 * 2. Nothing is done unless memory has grown by GROWN_BYTES since it was last looked through: what stays then is
 *    needed, and is not looked through again.
 * 3. Mapped files are given back in pieces, each in a turn of its own.
 */
import type { Timer, Timers } from "../platform/types/time.ts";

export interface ResidentMemory {
  /** Of this process alone: the heap, buffers, code. */
  readonly ownBytes: number;
  /** Of mapped files, the executable among them. */
  readonly mappedBytes: number;
}

export interface QuietProcess {
  readonly timers: Pick<Timers, "every" | "nextTurn">;
  /** Processor time that this thread has used. */
  processorMs(): number;
  memory(): ResidentMemory;
  collect(): void;
  /** Lets go of the pages of mapped files, a piece at each step. The files keep their content. */
  releaseMapped(): Iterator<void>;
}

export const LOOK_MS = 10_000;
/** An idle daemon uses a tenth of it. */
export const QUIET_PROCESSOR_MS = 200;
export const GROWN_BYTES = 16 * 1024 * 1024;

export class QuietCollector {
  readonly #process: QuietProcess;
  #timer: Timer | undefined;
  #usedMs = 0;
  /** What was there when it was last looked through. */
  #ownBytes = 0;
  #mappedBytes = 0;
  #releasing = false;

  constructor(process: QuietProcess) {
    this.#process = process;
  }

  /** From now on; what is used now counts as needed. */
  start(): void {
    const { timers } = this.#process;
    this.#usedMs = this.#process.processorMs();
    ({ ownBytes: this.#ownBytes, mappedBytes: this.#mappedBytes } = this.#process.memory());
    this.#timer = timers.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const usedMs = this.#process.processorMs();
    const quiet = usedMs - this.#usedMs < QUIET_PROCESSOR_MS;
    this.#usedMs = usedMs;
    if (!quiet || this.#releasing) return;
    const { ownBytes, mappedBytes } = this.#process.memory();
    if (ownBytes >= this.#ownBytes + GROWN_BYTES) {
      this.#process.collect();
      this.#ownBytes = this.#process.memory().ownBytes;
    } else {
      this.#ownBytes = Math.min(this.#ownBytes, ownBytes);
    }
    if (mappedBytes >= this.#mappedBytes + GROWN_BYTES) this.#release();
    else this.#mappedBytes = Math.min(this.#mappedBytes, mappedBytes);
  }

  #release(): void {
    const pieces = this.#process.releaseMapped();
    this.#releasing = true;
    const next = (): void => {
      if (this.#timer === undefined) return;
      if (pieces.next().done !== true) {
        this.#process.timers.nextTurn(next);
        return;
      }
      this.#releasing = false;
      this.#mappedBytes = this.#process.memory().mappedBytes;
    };
    next();
  }
}
