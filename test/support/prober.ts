/**
 * A client that asks a node for a sign of life all the time, and how long it waited.
 *
 * It lives in the process that makes the load: what this process itself was late (its own work, a busy machine) is
 * measured by a timer and taken off, and so is what the node waited for a processor: its main thread, and one more
 * thread for which the main thread may have waited, as it does in a collection.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { CtdbClient } from "../../src/client/types.ts";

const PAUSE_MS = 3;
const LAG_TIMER_MS = 5;
const TIMEOUT_MS = 10_000;

/** A loop that is stuck takes seconds. */
export const ANSWER_MS_MAX = 200;

export class Prober {
  count = 0;
  slowestMs = 0;
  failure: string | undefined;
  readonly #client: CtdbClient;
  readonly #nodePid: number;
  #stopped = false;
  /** Sum of the delays of our own timer since the start. */
  #lateMs = 0;
  /** When the timer is due. */
  #timerMs = 0;

  constructor(client: CtdbClient, nodePid: number) {
    this.#client = client;
    this.#nodePid = nodePid;
  }

  /** Ends, with the first failure if there was one, some milliseconds after `stop`. */
  async run(): Promise<void> {
    this.#timerMs = performance.now() + LAG_TIMER_MS;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      this.#lateMs = this.#lateUntil(nowMs);
      this.#timerMs = nowMs + LAG_TIMER_MS;
    }, LAG_TIMER_MS);
    while (!this.#stopped && this.failure === undefined) {
      const waitedBefore = waitsForProcessor(this.#nodePid);
      const startMs = performance.now();
      const lateMs = this.#lateUntil(startMs);
      const answer = await this.#client.control("PING", undefined, { timeoutMs: TIMEOUT_MS });
      if (!answer.ok) this.failure = `probe ${this.count}: ${answer.error.reason}`;
      this.count += 1;
      const endMs = performance.now();
      const ownLateMs = this.#lateUntil(endMs) - lateMs;
      const elapsedMs = endMs - startMs;
      const nodeLateMs = this.#nodeLateMs(waitedBefore);
      this.slowestMs = Math.max(this.slowestMs, elapsedMs - ownLateMs - nodeLateMs);
      await Bun.sleep(PAUSE_MS);
    }
    clearInterval(timer);
  }

  stop(): void {
    this.#stopped = true;
  }

  #nodeLateMs(before: ReadonlyMap<number, number>): number {
    let ofMain = 0;
    let ofAnother = 0;
    for (const [thread, waitedMs] of waitsForProcessor(this.#nodePid)) {
      const lateMs = waitedMs - (before.get(thread) ?? waitedMs);
      if (thread === this.#nodePid) ofMain = lateMs;
      else ofAnother = Math.max(ofAnother, lateMs);
    }
    return ofMain + ofAnother;
  }

  /** With what the timer is late now: answers are heard before it. */
  #lateUntil(nowMs: number): number {
    return this.#lateMs + Math.max(0, nowMs - this.#timerMs);
  }
}

/** How long each thread of a process could have run but did not, in ms since it began; none where nobody counts. */
function waitsForProcessor(pid: number): ReadonlyMap<number, number> {
  const waits = new Map<number, number>();
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
      waits.set(Number(thread), Number(text.split(" ")[1] ?? 0) / 1e6);
    }
  } catch {
    // It, or one of its threads, has ended.
  }
  return waits;
}
