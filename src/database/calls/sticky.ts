/**
 * Sticky records of one database (docs/database.md, "Sticky records"): a record that was passed on many
 * times before a call found it is hot. For StickyDuration seconds it then rests, each time that it
 * comes here, for StickyPindown ms before it may leave again, so that the clients of this node get
 * their work done; calls of other nodes for it wait meanwhile.
 *
 * Invariants:
 * 1. Calls that wait run again in their order when the rest is over, whatever becomes of the record.
 * 2. No timer runs unless a call waits for it; a record that is not hot any more is forgotten later.
 */
import type { Timer } from "../../platform/types/time.ts";
import type { DatabaseHost } from "../host.ts";
import { KeyMap } from "../record/key_map.ts";
import { STICKY_RECORDS_MAX } from "./limits.ts";
import type { WaitingCall, WaitingCalls } from "./waiting_calls.ts";

export interface StickyRecord {
  untilMs: number;
  pinnedUntilMs: number;
  timer: Timer | undefined;
  readonly waiting: WaitingCall[];
}

export class StickyRecords {
  readonly #host: DatabaseHost;
  readonly #waiting: WaitingCalls;
  readonly #records = new KeyMap<StickyRecord>();

  constructor(host: DatabaseHost, waiting: WaitingCalls) {
    this.#host = host;
    this.#waiting = waiting;
  }

  get size(): number {
    return this.#records.size;
  }

  /** A call for the record arrived here after `hopcount` hops. */
  counted(hash: number, key: Uint8Array, hopcount: number): void {
    if (hopcount < this.#host.tunable("HopcountMakeSticky")) return;
    const nowMs = this.#host.clock.monotonicMs();
    const known = this.#records.get(hash, key);
    if (known !== undefined && nowMs < known.untilMs) return;
    if (known === undefined && this.#records.size >= STICKY_RECORDS_MAX) {
      this.#records.deleteWhere((record) => nowMs >= record.untilMs && record.timer === undefined);
      if (this.#records.size >= STICKY_RECORDS_MAX) return;
    }
    const durationSec = this.#host.tunable("StickyDuration");
    this.#host.log.info(`Making a record sticky for ${durationSec} s after ${hopcount} hops`);
    const untilMs = nowMs + durationSec * 1000;
    if (known !== undefined) known.untilMs = untilMs;
    else this.#records.set(hash, key, newRecord(untilMs));
  }

  /** This node became data master of the record. */
  arrived(hash: number, key: Uint8Array): void {
    const record = this.#records.get(hash, key);
    if (record === undefined) return;
    const nowMs = this.#host.clock.monotonicMs();
    if (nowMs >= record.untilMs) {
      if (record.timer === undefined) this.#records.delete(hash, key);
      return;
    }
    if (nowMs < record.pinnedUntilMs) return;
    record.pinnedUntilMs = nowMs + this.#host.tunable("StickyPindown");
  }

  /** The record if it may not leave now. */
  pinned(hash: number, key: Uint8Array): StickyRecord | undefined {
    const record = this.#records.get(hash, key);
    if (record === undefined) return undefined;
    return this.#host.clock.monotonicMs() < record.pinnedUntilMs ? record : undefined;
  }

  /** For a record that is pinned. */
  wait(record: StickyRecord, call: WaitingCall): void {
    this.#waiting.add(record.waiting, call);
    const leftMs = record.pinnedUntilMs - this.#host.clock.monotonicMs();
    record.timer ??= this.#host.timers.after(leftMs, () => this.#unpin(record));
  }

  #unpin(record: StickyRecord): void {
    record.timer = undefined;
    record.pinnedUntilMs = 0;
    this.#waiting.resume(record.waiting);
  }

  dropClient(clientId: number): void {
    for (const { waiting } of this.#records.values()) this.#waiting.dropClient(waiting, clientId);
  }

  close(reason: string): void {
    for (const record of this.#records.values()) {
      record.timer?.cancel();
      this.#waiting.drop(record.waiting, reason);
    }
    this.#records.clear();
  }
}

function newRecord(untilMs: number): StickyRecord {
  return { untilMs, pinnedUntilMs: 0, timer: undefined, waiting: [] };
}
