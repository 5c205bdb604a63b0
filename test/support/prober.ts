/**
 * A client that asks a node for a sign of life all the time, and how long it waited.
 *
 * It lives in the process that makes the load: what this process itself was late (its own work, a busy machine) is
 * measured by a timer and taken off, and so is what the node waited for a processor.
 */
import { readFileSync } from "node:fs";
import type { CtdbClient } from "../../src/client/types.ts";

const PAUSE_MS = 3;
const LAG_TIMER_MS = 5;
const TIMEOUT_MS = 10_000;

/**
 * A loop that is stuck takes seconds. On a busy machine a collection takes 100 ms, as its threads wait for a
 * processor.
 */
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
      const waitedMs = waitedForProcessorMs(this.#nodePid);
      const startMs = performance.now();
      const lateMs = this.#lateUntil(startMs);
      const answer = await this.#client.control("PING", undefined, { timeoutMs: TIMEOUT_MS });
      if (!answer.ok) this.failure = `probe ${this.count}: ${answer.error.reason}`;
      this.count += 1;
      const endMs = performance.now();
      const ownLateMs = this.#lateUntil(endMs) - lateMs;
      const elapsedMs = endMs - startMs;
      const nodeLateMs = waitedForProcessorMs(this.#nodePid) - waitedMs;
      this.slowestMs = Math.max(this.slowestMs, elapsedMs - ownLateMs - nodeLateMs);
      await Bun.sleep(PAUSE_MS);
    }
    clearInterval(timer);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** With what the timer is late now: answers are heard before it. */
  #lateUntil(nowMs: number): number {
    return this.#lateMs + Math.max(0, nowMs - this.#timerMs);
  }
}

/** How long the main thread of a process could have run but did not, since it began; 0 where nobody counts. */
function waitedForProcessorMs(pid: number): number {
  try {
    const waitedNs = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1];
    return Number(waitedNs ?? 0) / 1e6;
  } catch {
    return 0;
  }
}
