/**
 * Taking back the read-only copies of a record, because somebody wants to write it: every delegate is
 * sent the record as an ordinary, older copy (UPDATE_RECORD), and when all have answered the record is
 * without delegations again (docs/database.md, "Read-only copies").
 *
 *     asking ── all answered ──▶ finishing ── record stored ──▶ granting ── a moment later ──▶ gone
 *       ▲             │ one failed    │ not as expected
 *       └── again ── pausing ◀────────┘
 *
 * Invariants:
 * 1. At most one revoke of a record runs. While it runs nobody gets a copy or the record; who asks
 *    waits here in the order of arrival.
 * 2. The record is free to write only after every delegate of this generation has said that its copy
 *    is none any more.
 * 3. Then those who write run at once, those who read after a second; so neither starves.
 * 4. A revoke ends: by success, or by a recovery, which takes all copies back anyway. After some
 *    failures in a row it asks for one. It waits between tries.
 */
import type { Timer } from "../../platform/types/time.ts";
import type { TdbError } from "../../tdb/types.ts";
import { encode } from "../../wire/codec.ts";
import { DB_FLAGS, RECORD_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";
import { LTDB_HEADER_BYTES, recBuffer } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { ControlAnswered, DatabaseHost } from "../host.ts";
import { KeyMap } from "../record/key_map.ts";
import { RecordHeader } from "../record/record_header.ts";
import {
  NO_COPIES_AFTER_REVOKE_MS,
  READERS_AFTER_REVOKE_MS,
  REVOKE_FAILURES_MAX,
  REVOKE_RETRY_MS,
} from "./limits.ts";
import { lmasterOf } from "./replies.ts";
import { Revoke, type Revokes } from "./revoke_state.ts";
import type { WaitingCall, WaitingCalls } from "./waiting_calls.ts";

/** Readers that give those who write a second. */
interface Delayed {
  readonly calls: WaitingCall[];
  timer: Timer | undefined;
}

export class DatabaseRevokes implements Revokes {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #waiting: WaitingCalls;
  readonly #running = new KeyMap<Revoke>();
  readonly #delayed = new Set<Delayed>();
  readonly #header = new RecordHeader();

  constructor(host: DatabaseHost, database: Database, waiting: WaitingCalls) {
    this.#host = host;
    this.#database = database;
    this.#waiting = waiting;
  }

  get size(): number {
    return this.#running.size;
  }

  find(hash: number, key: Uint8Array): Revoke | undefined {
    return this.#running.get(hash, key);
  }

  wait(revoke: Revoke, call: WaitingCall): void {
    this.#waiting.add(call.wantsReadonly ? revoke.readers : revoke.writers, call);
  }

  begin(hash: number, key: Uint8Array): Revoke | "free" | TdbError {
    const delegates = this.#delegatesOf(key);
    if (!Array.isArray(delegates)) return delegates;
    if (delegates.length === 0) return this.#clear(hash, key) ?? "free";
    const before = this.#running.get(hash, key);
    const revoke = new Revoke(hash, key.slice(), this.#database.generation);
    this.#running.set(hash, revoke.key, revoke);
    if (before !== undefined) {
      before.state = "ended";
      before.timer?.cancel();
      revoke.readers.push(...before.readers.splice(0));
    }
    this.#ask(revoke, delegates);
    return revoke;
  }

  #delegatesOf(key: Uint8Array): number[] | TdbError {
    const { delegations } = this.#database;
    if (delegations === undefined) return [];
    const known = delegations.delegates(key);
    return known.ok ? known.value.filter((pnn) => pnn !== this.#host.pnn) : known.error;
  }

  /** The record that was just read has no copies any more. */
  #clear(hash: number, key: Uint8Array): TdbError | undefined {
    const { records, delegations, statistics, name } = this.#database;
    const { header, data } = records;
    header.flags = (header.flags & ~RECORD_FLAGS_RO) >>> 0;
    const stored = records.store(hash, key, header, data, lmasterOf(this.#host, hash));
    if (!stored.ok) return stored.error;
    const removed = delegations?.remove(key);
    if (removed?.ok === false) {
      this.#host.log.warning(
        `Cannot forget the delegates of a record of database "${name}": ${removed.error.reason}`,
      );
    }
    this.#host.statistics.total_ro_revokes += 1;
    statistics.revokes += 1;
    return undefined;
  }

  // --- asking

  /** Sends the record that was just read to all delegates, as a copy that is none. */
  #ask(revoke: Revoke, delegates: readonly number[]): void {
    // It would leave under the generation that this node has been told of already, and be taken for new.
    if (this.#host.recovering()) {
      this.#pause(revoke, "a recovery runs");
      return;
    }
    const { header } = this.#database.records;
    revoke.state = "asking";
    revoke.problem = undefined;
    revoke.rsnHi = header.rsnHi;
    revoke.rsnLo = header.rsnLo;
    revoke.open = delegates.length;
    const data = this.#updateFor(revoke.key);
    const timeoutMs = this.#host.tunable("ControlTimeout") * 1000;
    const attempt = revoke.failures;
    for (const pnn of delegates) {
      this.#host.requestControl(pnn, "UPDATE_RECORD", data, timeoutMs, (outcome) => {
        if (revoke.state !== "asking" || revoke.failures !== attempt) return;
        const { trace } = this.#host;
        const startMs = trace.begin();
        this.#answered(revoke, pnn, outcome);
        trace.end("revoke answered", startMs);
      });
    }
  }

  /** Above the delegate's number, below ours. */
  #updateFor(key: Uint8Array): Uint8Array {
    const { records, dbId } = this.#database;
    const { header, data } = records;
    const flags = (header.flags & ~RECORD_FLAGS_RO) | RECORD_FLAGS.MIGRATED_WITH_DATA;
    const update = this.#header;
    update.set(header.rsnHi, header.rsnLo, header.dmaster, flags >>> 0);
    update.addToRsn(-1);
    const value = new Uint8Array(LTDB_HEADER_BYTES + data.length);
    update.writeTo(value);
    value.set(data, LTDB_HEADER_BYTES);
    return encode(recBuffer, { db_id: dbId, records: [{ reqid: 0, key, data: value }] });
  }

  #answered(revoke: Revoke, pnn: number, outcome: ControlAnswered): void {
    if (!outcome.ok) revoke.problem ??= `node ${pnn}: ${outcome.error}`;
    else if (outcome.value.status !== 0) {
      revoke.problem ??= `node ${pnn} answers ${outcome.value.status}`;
    }
    revoke.open -= 1;
    if (revoke.open > 0) return;
    if (revoke.problem !== undefined) {
      this.#pause(revoke, revoke.problem);
      return;
    }
    revoke.state = "finishing";
    this.#withChain(revoke, () => this.#finish(revoke));
  }

  // --- finishing

  /** `work` answers false when a lock was busy and nothing was done. */
  #withChain(revoke: Revoke, work: () => boolean): void {
    const { gate, tdb } = this.#database;
    const chain = tdb.chainOf(revoke.key, revoke.hash);
    const run = (): boolean => revoke.state === "ended" || work();
    const locked = gate.enter(chain);
    if (locked === "granted") {
      const handled = run();
      gate.leave(chain);
      if (handled) return;
    } else if (locked !== "busy") {
      this.#pause(revoke, locked.reason);
      return;
    }
    const drop = (reason: string): void => {
      if (revoke.state !== "ended") this.#pause(revoke, reason);
    };
    gate.park(chain, { bytes: 0, clientId: 0, run, drop });
  }

  /** With the chain locked. */
  #finish(revoke: Revoke): boolean {
    const { records } = this.#database;
    const found = this.#read(revoke);
    if (typeof found !== "boolean") return found !== "busy";
    if (!found) return true;
    const { header } = records;
    if (header.rsnHi !== revoke.rsnHi || header.rsnLo !== revoke.rsnLo) {
      this.#pause(revoke, "the record has changed meanwhile");
      return true;
    }
    const error = this.#clear(revoke.hash, revoke.key);
    if (error === undefined) this.#grant(revoke);
    else if (error.code === "busy") return false;
    else this.#pause(revoke, error.reason);
    return true;
  }

  /** With the chain locked: a try that failed is made again. */
  #askAgain(revoke: Revoke): boolean {
    const found = this.#read(revoke);
    if (typeof found !== "boolean") return found !== "busy";
    if (!found) return true;
    const delegates = this.#delegatesOf(revoke.key);
    if (!Array.isArray(delegates)) this.#pause(revoke, delegates.reason);
    else if (delegates.length > 0) this.#ask(revoke, delegates);
    else this.#end(revoke);
    return true;
  }

  /**
   * True: the record is still ours to revoke, and has been read. False: it is not, the revoke has
   * ended. "failed": it pauses.
   */
  #read(revoke: Revoke): boolean | "busy" | "failed" {
    const { records, generation } = this.#database;
    if (revoke.generation !== generation) {
      this.#end(revoke);
      return false;
    }
    const { hash, key } = revoke;
    const error = records.read(hash, key, lmasterOf(this.#host, hash));
    if (error !== undefined) {
      if (error.code === "busy") return "busy";
      this.#pause(revoke, error.reason);
      return "failed";
    }
    const { header } = records;
    if (header.dmaster === this.#host.pnn && (header.flags & RECORD_FLAGS_RO) !== 0) return true;
    this.#end(revoke);
    return false;
  }

  #grant(revoke: Revoke): void {
    revoke.state = "granting";
    this.#waiting.resume(revoke.writers);
    this.#delayReaders(revoke);
    revoke.timer = this.#host.timers.after(NO_COPIES_AFTER_REVOKE_MS, () => this.#end(revoke));
  }

  #delayReaders(revoke: Revoke): void {
    if (revoke.readers.length === 0) return;
    const delayed: Delayed = { calls: revoke.readers.splice(0), timer: undefined };
    this.#delayed.add(delayed);
    delayed.timer = this.#host.timers.after(READERS_AFTER_REVOKE_MS, () => {
      this.#delayed.delete(delayed);
      this.#waiting.resume(delayed.calls);
    });
  }

  // --- what does not go well

  #pause(revoke: Revoke, problem: string): void {
    const { name, generation } = this.#database;
    revoke.state = "pausing";
    revoke.failures += 1;
    this.#host.log.warning(
      `Cannot take back the read-only copies of a record of database "${name}" (try ${revoke.failures}): ${problem}`,
    );
    const isTooMuch = revoke.failures % REVOKE_FAILURES_MAX === 0;
    if (isTooMuch && !this.#host.recovering() && revoke.generation === generation) {
      this.#host.forceRecovery(
        `read-only copies of a record of database "${name}" cannot be taken back`,
      );
    }
    revoke.timer = this.#host.timers.after(REVOKE_RETRY_MS, () =>
      this.#withChain(revoke, () => this.#askAgain(revoke)),
    );
  }

  /** Everybody who still waits decides anew. */
  #end(revoke: Revoke): void {
    revoke.state = "ended";
    revoke.timer?.cancel();
    this.#running.delete(revoke.hash, revoke.key);
    this.#waiting.resume(revoke.writers);
    this.#waiting.resume(revoke.readers);
  }

  forgetCopies(): string | undefined {
    const database = this.#database;
    const cleared = database.delegations?.clear();
    if (cleared === undefined || cleared.ok) return undefined;
    database.delegations?.close();
    database.delegations = undefined;
    database.flags &= ~DB_FLAGS.READONLY;
    return `Cannot empty the tracking database of "${database.name}", no read-only copies from now on: ${cleared.error.reason}`;
  }

  thawed(): void {
    for (const revoke of [...this.#running.values()]) {
      if (revoke.generation !== this.#database.generation) this.#end(revoke);
    }
  }

  dropClient(clientId: number): void {
    for (const { writers, readers } of this.#running.values()) {
      this.#waiting.dropClient(writers, clientId);
      this.#waiting.dropClient(readers, clientId);
    }
    for (const { calls } of this.#delayed) this.#waiting.dropClient(calls, clientId);
  }

  close(reason: string): void {
    for (const revoke of this.#running.values()) {
      revoke.state = "ended";
      revoke.timer?.cancel();
      this.#waiting.drop(revoke.writers, reason);
      this.#waiting.drop(revoke.readers, reason);
    }
    this.#running.clear();
    for (const { calls, timer } of this.#delayed) {
      timer?.cancel();
      this.#waiting.drop(calls, reason);
    }
    this.#delayed.clear();
  }
}
