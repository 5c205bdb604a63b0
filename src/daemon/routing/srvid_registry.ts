/**
 * Who listens to which srvid, for messages and (in a second instance) for tunnels.
 *
 * Invariants:
 * 1. Lists are replaced, never changed: a delivery that makes a listener go away does not disturb the
 *    delivery.
 * 2. The same listener may be registered several times for one srvid, and is then called as often.
 */
import { SRVID } from "../../wire/constants.ts";
import type { PacketView } from "../../wire/packet.ts";

export interface MessageSink {
  /** The view is valid during the call only. */
  deliver(packet: PacketView): void;
  /** What it has been sent and has not taken yet. */
  readonly backlogBytes: number;
}

const NOBODY: readonly MessageSink[] = [];

export class SrvidRegistry {
  /** High half → low half → listeners. */
  readonly #sinks = new Map<number, Map<number, readonly MessageSink[]>>();
  #count = 0;

  get size(): number {
    return this.#count;
  }

  add(hi: number, lo: number, sink: MessageSink): void {
    let byLow = this.#sinks.get(hi);
    if (byLow === undefined) {
      byLow = new Map();
      this.#sinks.set(hi, byLow);
    }
    byLow.set(lo, [...(byLow.get(lo) ?? NOBODY), sink]);
    this.#count += 1;
  }

  /** Removes one registration; false when there is none. */
  remove(hi: number, lo: number, sink: MessageSink): boolean {
    const byLow = this.#sinks.get(hi);
    const sinks = byLow?.get(lo);
    const at = sinks?.indexOf(sink) ?? -1;
    if (byLow === undefined || sinks === undefined || at < 0) return false;
    this.#count -= 1;
    if (sinks.length > 1) {
      byLow.set(lo, sinks.toSpliced(at, 1));
      return true;
    }
    byLow.delete(lo);
    if (byLow.size === 0) this.#sinks.delete(hi);
    return true;
  }

  find(hi: number, lo: number): readonly MessageSink[] {
    return this.#sinks.get(hi)?.get(lo) ?? NOBODY;
  }

  has(hi: number, lo: number, sink: MessageSink): boolean {
    return this.find(hi, lo).includes(sink);
  }

  /** Of the listener that is most behind. */
  backlogBytes(hi: number, lo: number): number {
    let most = 0;
    for (const sink of this.find(hi, lo)) most = Math.max(most, sink.backlogBytes);
    return most;
  }

  /** Delivers to those who registered for the srvid and to those who want all. Returns how many. */
  deliver(hi: number, lo: number, packet: PacketView): number {
    const sinks = this.find(hi, lo);
    for (const sink of sinks) sink.deliver(packet);
    if (hi === SRVID.ALL.hi && lo === SRVID.ALL.lo) return sinks.length;
    const all = this.find(SRVID.ALL.hi, SRVID.ALL.lo);
    for (const sink of all) sink.deliver(packet);
    return sinks.length + all.length;
  }
}
