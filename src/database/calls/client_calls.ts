/**
 * REQ_CALL of a local client: answered here when this node is data master of the record, otherwise
 * the record is fetched (docs/database.md, "Life of a record").
 *
 * Invariants:
 * 1. Each call ends in exactly one answer, or its client has gone.
 * 2. A call for a record that is here changes nothing in the file (a missing one is created by its
 *    lmaster, so that the client finds it).
 */
import { EMPTY } from "../../wire/codec.ts";
import { CALL_FLAGS, RECORD_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";
import { INVALID_GENERATION, type PacketView } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import { ClientCall } from "./client_call.ts";
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
  /** The object of the next call. */
  #spare: ClientCall | undefined;

  constructor(parts: ClientCallParts) {
    this.#parts = parts;
    this.#host = parts.host;
  }

  /** A call that has just come; its body was checked where it came in. */
  handle(clientId: number, packet: PacketView): void {
    this.#host.statistics.total_calls += 1;
    this.#host.statistics.pending_calls += 1;
    this.route(clientId, packet, this.#host.clock.monotonicMs());
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
    // Taken away meanwhile, so that a call within this one finds none.
    let call = this.#spare;
    this.#spare = undefined;
    if (call === undefined) call = new ClientCall(database, clientId, packet, startedMs);
    else call.become(database, clientId, packet, startedMs);
    this.#route(call);
    this.#spare = call;
  }

  #route(call: ClientCall): void {
    if (this.deferred(call)) return;
    const { gate, tdb, name } = call.database;
    const chain = tdb.chainOf(call.key, call.hash);
    const locked = gate.enter(chain);
    if (locked === "granted") {
      const handled = this.perform(call);
      gate.leave(chain);
      if (handled) return;
    } else if (locked !== "busy") {
      this.refuse(call, recordError("lock", name, locked));
      return;
    }
    gate.park(chain, new HeldClientCall(this, call));
  }

  /** Behind a fetch of the same record that brings what this call wants. */
  deferred(call: ClientCall): boolean {
    const fetch = call.database.collapsed.get(call.hash, call.key);
    if (fetch === undefined) return false;
    if (fetch.wantsReadonly && !call.wantsReadonly) return false;
    return this.#parts.collapse.defer(fetch, call);
  }

  /** With the chain locked. False: a lock was busy, nothing was done. */
  perform(call: ClientCall): boolean {
    const { database, key, hash } = call;
    const { records, name } = database;
    const { pnn } = this.#host;
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(hash, key, lmaster);
    if (error !== undefined) {
      if (error.code === "busy") return false;
      this.refuse(call, recordError("read", name, error));
      return true;
    }
    const isHere = records.found && records.header.dmaster === pnn;
    if (!isHere && database.kind !== "persistent" && !this.#mapIsOf(database)) {
      this.#fetch(call);
      return true;
    }
    if (!records.found && (lmaster === pnn || database.kind === "persistent")) {
      const stored = records.store(hash, key, records.header, EMPTY, lmaster);
      if (!stored.ok) {
        if (stored.error.code === "busy") return false;
        // With an answer the client would look for the record in the file, and call again, for ever.
        this.refuse(call, recordError("create", name, stored.error));
        return true;
      }
    }
    const { flags } = call;
    const wantsReadonly = (flags & CALL_FLAGS.WANT_READONLY) !== 0;
    if (records.header.dmaster !== pnn) {
      const hasCopy = (records.header.flags & RECORD_FLAGS.RO_HAVE_READONLY) !== 0;
      if (!(wantsReadonly && hasCopy && this.#mapIsOf(database))) {
        this.#fetch(call);
        return true;
      }
    } else if (!wantsReadonly && (records.header.flags & RECORD_FLAGS_RO) !== 0) {
      const outcome = this.#takeBack(call);
      if (outcome !== "free") return outcome === "waits";
    }
    const { clientId, reqid, startedMs } = call;
    const callid = answerForm(flags, call.callid);
    this.#parts.replies.record(clientId, reqid, callid, records.header, records.data, startedMs);
    return true;
  }

  /** The client wants to write a record of which others have copies. */
  #takeBack(call: ClientCall): "free" | "waits" | "busy" {
    const { database, key, hash } = call;
    const { revokes } = database;
    const running = revokes.find(hash, key);
    const revoke = running?.holdsBack(false) ? running : revokes.begin(hash, key);
    if (revoke === "free") return "free";
    if (revoke instanceof Revoke) {
      revokes.wait(revoke, new HeldClientCall(this, call));
      return "waits";
    }
    if (revoke.code === "busy") return "busy";
    this.refuse(call, recordError("take back", database.name, revoke));
    return "waits";
  }

  refuse({ clientId, reqid, startedMs }: ClientCall, message: string): void {
    this.#parts.replies.error(clientId, reqid, message, startedMs);
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
  #fetch(call: ClientCall): void {
    const { collapse, pending } = this.#parts;
    const { database, key, hash, startedMs, wantsReadonly } = call;
    pending.send({
      database,
      clientId: call.clientId,
      clientReqid: call.reqid,
      flags: call.flags,
      callid: call.callid,
      key,
      calldata: call.calldata,
      destnode: database.records.header.dmaster,
      startedMs,
      collapse:
        this.#host.tunable("FetchCollapse") === 1
          ? collapse.begin(database.collapsed, hash, key, startedMs, wantsReadonly)
          : undefined,
    });
  }
}

/** A call that waits, for a lock of its chain or for the end of a revoke, with its own bytes. */
class HeldClientCall implements ChainWork, WaitingCall {
  readonly bytes: number;
  readonly clientId: number;
  readonly wantsReadonly = false;
  readonly #calls: ClientCalls;
  readonly #call: ClientCall;

  constructor(calls: ClientCalls, call: ClientCall) {
    this.bytes = call.packet.length;
    this.clientId = call.clientId;
    this.#calls = calls;
    this.#call = call.copy();
  }

  /** The chain is locked for it. Another call may have begun to fetch the record meanwhile. */
  run(): boolean {
    return this.#calls.deferred(this.#call) || this.#calls.perform(this.#call);
  }
  /** The revoke is over. */
  resume(): void {
    const { clientId, packet, startedMs } = this.#call;
    this.#calls.route(clientId, packet, startedMs);
  }
  drop(reason: string): void {
    this.#calls.refuse(this.#call, reason);
  }
}
