/**
 * REQ_CALL of a local client: answered here when this node is data master of the record, otherwise
 * the record is fetched (docs/database.md, "Life of a record").
 *
 * Invariants:
 * 1. Each call ends in exactly one answer, or its client has gone.
 * 2. A call for a record that is here changes nothing in the file (a missing one is created by its
 *    lmaster, so that the client finds it).
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { EMPTY } from "../../wire/codec.ts";
import { CALL_FLAGS, DB_FLAGS, RECORD_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";
import { INVALID_GENERATION, type PacketView } from "../../wire/packet.ts";
import { bodyProblem, LAYOUTS, REQ_CALL_AT } from "../../wire/packet_layouts.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import type { FetchCollapse } from "./fetch_collapse.ts";
import { answerForm, type PendingCalls } from "./pending_calls.ts";
import { lmasterOf, type Replies, recordError } from "./replies.ts";
import { Revoke } from "./revoke_state.ts";
import type { WaitingCall } from "./waiting_calls.ts";

export interface ClientCallParts {
  readonly host: DatabaseHost;
  readonly replies: Replies;
  readonly pending: PendingCalls;
  readonly collapse: FetchCollapse;
  findDatabase(dbId: number): Database | undefined;
}

export class ClientCalls {
  readonly #parts: ClientCallParts;
  readonly #host: DatabaseHost;

  constructor(parts: ClientCallParts) {
    this.#parts = parts;
    this.#host = parts.host;
  }

  /** The reason when the packet is malformed; then nothing was done. */
  handle(clientId: number, packet: PacketView): string | undefined {
    const problem = bodyProblem(packet, LAYOUTS.REQ_CALL);
    if (problem !== undefined) return problem;
    this.#host.statistics.total_calls += 1;
    this.#host.statistics.pending_calls += 1;
    this.route(clientId, packet, this.#host.clock.monotonicMs());
    return undefined;
  }

  /** Also for calls that waited behind a fetch of the same record. */
  route(clientId: number, packet: PacketView, startedMs: number): void {
    const dbId = packet.u32(REQ_CALL_AT.DB_ID);
    const database = this.#parts.findDatabase(dbId);
    if (database === undefined) {
      const id = `0x${dbId.toString(16).padStart(8, "0")}`;
      const message = `Unknown database in request. db_id==${id}`;
      this.#parts.replies.error(clientId, packet.reqid, message, startedMs);
      return;
    }
    const key = packet.slice(REQ_CALL_AT.KEY, packet.u32(REQ_CALL_AT.KEY_LENGTH));
    const hash = jenkinsHash(key);
    if (this.deferred(database, clientId, packet, key, hash, startedMs)) return;
    const chain = database.tdb.chainOf(key);
    const locked = database.gate.enter(chain);
    if (locked === "granted") {
      const handled = this.perform(database, clientId, packet, key, hash, startedMs);
      database.gate.leave(chain);
      if (handled) return;
    } else if (locked !== "busy") {
      const message = recordError("lock", database.name, locked);
      this.#parts.replies.error(clientId, packet.reqid, message, startedMs);
      return;
    }
    database.gate.park(
      chain,
      new HeldClientCall(this, this.#parts, database, clientId, packet, hash, startedMs),
    );
  }

  /** Behind a fetch of the same record that brings what this call wants. */
  deferred(
    database: Database,
    clientId: number,
    packet: PacketView,
    key: Uint8Array,
    hash: number,
    startedMs: number,
  ): boolean {
    const fetch = database.collapsed.get(hash, key);
    if (fetch === undefined) return false;
    if (fetch.wantsReadonly && (callFlags(database, packet) & CALL_FLAGS.WANT_READONLY) === 0) {
      return false;
    }
    return this.#parts.collapse.defer(fetch, clientId, packet, startedMs);
  }

  /** With the chain locked. False: a lock was busy, nothing was done. */
  perform(
    database: Database,
    clientId: number,
    packet: PacketView,
    key: Uint8Array,
    hash: number,
    startedMs: number,
  ): boolean {
    const { records } = database;
    const { pnn } = this.#host;
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(key, lmaster);
    if (error !== undefined) {
      if (error.code === "busy") return false;
      const message = recordError("read", database.name, error);
      this.#parts.replies.error(clientId, packet.reqid, message, startedMs);
      return true;
    }
    const isHere = records.found && records.header.dmaster === pnn;
    if (!isHere && database.kind !== "persistent" && !this.#mapIsOf(database)) {
      this.#fetch(database, clientId, packet, key, hash, startedMs);
      return true;
    }
    if (!records.found && (lmaster === pnn || database.kind === "persistent")) {
      const stored = records.store(hash, key, records.header, EMPTY, lmaster);
      if (!stored.ok) {
        if (stored.error.code === "busy") return false;
        // With an answer the client would look for the record in the file, and call again, for ever.
        const message = recordError("create", database.name, stored.error);
        this.#parts.replies.error(clientId, packet.reqid, message, startedMs);
        return true;
      }
    }
    const flags = callFlags(database, packet);
    const wantsReadonly = (flags & CALL_FLAGS.WANT_READONLY) !== 0;
    if (records.header.dmaster !== pnn) {
      const hasCopy = (records.header.flags & RECORD_FLAGS.RO_HAVE_READONLY) !== 0;
      if (!(wantsReadonly && hasCopy && this.#mapIsOf(database))) {
        this.#fetch(database, clientId, packet, key, hash, startedMs);
        return true;
      }
    } else if (!wantsReadonly && (records.header.flags & RECORD_FLAGS_RO) !== 0) {
      const outcome = this.#takeBack(database, clientId, packet, key, hash, startedMs);
      if (outcome !== "free") return outcome === "waits";
    }
    const callid = answerForm(flags, packet.u32(REQ_CALL_AT.CALLID));
    const data = records.data;
    this.#parts.replies.record(clientId, packet.reqid, callid, records.header, data, startedMs);
    return true;
  }

  /** The client wants to write a record of which others have copies. */
  #takeBack(
    database: Database,
    clientId: number,
    packet: PacketView,
    key: Uint8Array,
    hash: number,
    startedMs: number,
  ): "free" | "waits" | "busy" {
    const { revokes } = database;
    const running = revokes.find(hash, key);
    const revoke = running?.holdsBack(false) ? running : revokes.begin(hash, key);
    if (revoke === "free") return "free";
    if (revoke instanceof Revoke) {
      const call = new HeldClientCall(
        this,
        this.#parts,
        database,
        clientId,
        packet,
        hash,
        startedMs,
      );
      revokes.wait(revoke, call);
      return "waits";
    }
    if (revoke.code === "busy") return "busy";
    const message = recordError("take back", database.name, revoke);
    this.#parts.replies.error(clientId, packet.reqid, message, startedMs);
    return "waits";
  }

  /**
   * Not between the new vnn map and the freeze of a recovery: by the old map somebody else may be
   * lmaster of a record, and have it. Then the call waits for the thaw like all others that are
   * under way.
   */
  #mapIsOf(database: Database): boolean {
    const generation = this.#host.generation();
    return database.generation === generation && generation !== INVALID_GENERATION;
  }

  /**
   * Calls that wait for the end of a revoke, of a pindown or of a fetch; those that wait for locks or answers
   * are dropped elsewhere.
   */
  clientGone(database: Database, clientId: number): void {
    database.revokes.dropClient(clientId);
    database.sticky.dropClient(clientId);
    database.waiting.dropReadyOf(clientId);
    this.#parts.collapse.dropClient(database.collapsed, clientId, ({ startedMs }) =>
      this.#parts.replies.ended(startedMs),
    );
  }

  /** To the node that the local copy names; that one or the lmaster knows further. */
  #fetch(
    database: Database,
    clientId: number,
    packet: PacketView,
    key: Uint8Array,
    hash: number,
    startedMs: number,
  ): void {
    const { collapse, pending } = this.#parts;
    const calldataAt = REQ_CALL_AT.KEY + key.length;
    const flags = callFlags(database, packet);
    const wantsReadonly = (flags & CALL_FLAGS.WANT_READONLY) !== 0;
    pending.send({
      database,
      clientId,
      clientReqid: packet.reqid,
      flags,
      callid: packet.u32(REQ_CALL_AT.CALLID),
      key,
      calldata: packet.slice(calldataAt, packet.u32(REQ_CALL_AT.DATA_LENGTH)),
      destnode: database.records.header.dmaster,
      startedMs,
      collapse:
        this.#host.tunable("FetchCollapse") === 1
          ? collapse.begin(database.collapsed, hash, key, startedMs, wantsReadonly)
          : undefined,
    });
  }
}

/** Without a tracking database here the record itself is fetched. */
function callFlags(database: Database, packet: PacketView): number {
  const flags = packet.u32(REQ_CALL_AT.FLAGS);
  if ((database.flags & DB_FLAGS.READONLY) !== 0) return flags;
  return (flags & ~CALL_FLAGS.WANT_READONLY) >>> 0;
}

/** A call that waits, for a lock of its chain or for the end of a revoke, with its own bytes. */
class HeldClientCall implements ChainWork, WaitingCall {
  readonly bytes: number;
  readonly clientId: number;
  readonly wantsReadonly = false;
  readonly #calls: ClientCalls;
  readonly #parts: ClientCallParts;
  readonly #database: Database;
  readonly #packet: PacketView;
  readonly #hash: number;
  readonly #startedMs: number;

  constructor(
    calls: ClientCalls,
    parts: ClientCallParts,
    database: Database,
    clientId: number,
    packet: PacketView,
    hash: number,
    startedMs: number,
  ) {
    this.bytes = packet.length;
    this.clientId = clientId;
    this.#calls = calls;
    this.#parts = parts;
    this.#database = database;
    this.#packet = packet.copy();
    this.#hash = hash;
    this.#startedMs = startedMs;
  }

  /** The chain is locked for it. */
  run(): boolean {
    const packet = this.#packet;
    const key = packet.slice(REQ_CALL_AT.KEY, packet.u32(REQ_CALL_AT.KEY_LENGTH));
    // Another call may have begun to fetch the record while this one waited for the lock.
    const calls = this.#calls;
    const database = this.#database;
    const { clientId } = this;
    if (calls.deferred(database, clientId, packet, key, this.#hash, this.#startedMs)) return true;
    return calls.perform(database, clientId, packet, key, this.#hash, this.#startedMs);
  }
  /** The revoke is over. */
  resume(): void {
    this.#calls.route(this.clientId, this.#packet, this.#startedMs);
  }
  drop(reason: string): void {
    this.#parts.replies.error(this.clientId, this.#packet.reqid, reason, this.#startedMs);
  }
}
