/**
 * Calls that wait until something about their record is over (a revoke, a pindown), kept by whoever
 * makes them wait in queues of its own. This object counts them and runs them again.
 *
 * Invariants:
 * 1. A call that was added runs again or is dropped with a reason, once.
 * 2. Calls that are resumed run in the order in which they were resumed, in later turns, for at most
 *    one slice's time a turn.
 * 3. Bounded in number and bytes: what is beyond is refused at once.
 */
import type { DatabaseHost } from "../host.ts";
import { SLICE_BUDGET_MS } from "../limits.ts";
import { SlicedQueue } from "../sliced_queue.ts";
import { DEFERRED_BYTES_MAX, DEFERRED_CALLS_MAX } from "./limits.ts";

export interface WaitingCall {
  readonly bytes: number;
  /** Local client that it serves, 0 for none. */
  readonly clientId: number;
  /** A read-only copy is enough for it. */
  readonly wantsReadonly: boolean;
  /** Is handled as if it had just come. */
  resume(): void;
  /** It will never run. */
  drop(reason: string): void;
}

export class WaitingCalls {
  readonly #name: string;
  readonly #ready: SlicedQueue<WaitingCall>;
  #count = 0;
  #bytes = 0;

  constructor(host: DatabaseHost, databaseName: string) {
    this.#name = databaseName;
    this.#ready = new SlicedQueue(host, "deferred calls", SLICE_BUDGET_MS, (call) => {
      this.#uncount(call);
      call.resume();
    });
  }

  get count(): number {
    return this.#count;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** To the end of `queue`; refused when too many wait. */
  add(queue: WaitingCall[], call: WaitingCall): void {
    if (this.#count >= DEFERRED_CALLS_MAX || this.#bytes + call.bytes > DEFERRED_BYTES_MAX) {
      call.drop(
        `database "${this.#name}" has ${this.#count} calls (${this.#bytes} bytes) waiting for records, no more are accepted`,
      );
      return;
    }
    this.#count += 1;
    this.#bytes += call.bytes;
    queue.push(call);
  }

  /** The calls of `queue` run again; it is empty then. */
  resume(queue: WaitingCall[]): void {
    this.#ready.add(queue.splice(0));
  }

  /** Of a queue and of those that are about to run. */
  dropClient(queue: WaitingCall[], clientId: number): void {
    this.#dropWhere(queue, (call) => call.clientId === clientId, "the client has gone");
  }
  drop(queue: WaitingCall[], reason: string): void {
    this.#dropWhere(queue, () => true, reason);
  }
  dropReadyOf(clientId: number): void {
    const gone = this.#ready.removeWhere((call) => call.clientId === clientId);
    this.#drop(gone, "the client has gone");
  }
  dropReady(reason: string): void {
    this.#drop(
      this.#ready.removeWhere(() => true),
      reason,
    );
  }

  #dropWhere(
    queue: WaitingCall[],
    condition: (call: WaitingCall) => boolean,
    reason: string,
  ): void {
    const dropped = queue.filter(condition);
    if (dropped.length === 0) return;
    // No spread of what is kept: its arguments would have to fit on the stack.
    let kept = 0;
    for (const call of queue) if (!condition(call)) queue[kept++] = call;
    queue.length = kept;
    this.#drop(dropped, reason);
  }

  #drop(dropped: readonly WaitingCall[], reason: string): void {
    for (const call of dropped) {
      this.#uncount(call);
      call.drop(reason);
    }
  }

  #uncount(call: WaitingCall): void {
    this.#count -= 1;
    this.#bytes -= call.bytes;
  }
}
