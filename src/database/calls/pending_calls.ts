/**
 * Calls of this node that wait for another node.
 *
 * Invariants:
 * 1. A call is here from the moment it is sent until it is answered, refused or its client has gone.
 * 2. After a recovery every call of the database is sent again under a new request id, so that a late
 *    answer to the old one finds nobody (docs/database.md, "Recovery"); also while the call waits to be sent
 *    again, since many do not go in one turn.
 */
import { sameBytes } from "../../base/same_bytes.ts";
import { CALL_FLAGS, FETCH_FUNC, FETCH_WITH_HEADER_FUNC } from "../../wire/constants.ts";
import { newOperationPacket, OPERATIONS, type PacketView } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import type { RecordHeader } from "../record/record_header.ts";
import { SlicedQueue } from "../sliced_queue.ts";
import type { CollapsedFetch, FetchCollapse } from "./fetch_collapse.ts";
import { RESEND_SLICE_MS } from "./limits.ts";
import type { Replies } from "./replies.ts";

export interface PendingCall {
  reqid: number;
  /** It is to be sent again: who answers speaks of what was before the recovery. */
  isResending: boolean;
  readonly database: Database;
  /** 0: a call of our own, nobody is answered. */
  readonly clientId: number;
  readonly clientReqid: number;
  /** What the client is answered with: nothing, the data, or header and data. */
  readonly callid: number;
  readonly flags: number;
  /** Asked for with header and data, whatever the client wants, so that a copy can be kept. */
  readonly wantsReadonly: boolean;
  /** The request as we send it; its bytes are ours. */
  readonly packet: PacketView;
  readonly startedMs: number;
  readonly collapse: CollapsedFetch | undefined;
  readonly ended: (() => void) | undefined;
}

export interface NewCall {
  readonly database: Database;
  readonly clientId: number;
  readonly clientReqid: number;
  readonly flags: number;
  readonly callid: number;
  readonly key: Uint8Array;
  readonly calldata: Uint8Array;
  readonly destnode: number;
  readonly startedMs: number;
  readonly collapse: CollapsedFetch | undefined;
  /** Runs when the call has ended, however it did. */
  readonly ended?: () => void;
}

/**
 * A call for which a copy is enough is answered with header and data; FETCH_FUNC with the data alone.
 */
export function answerForm(flags: number, callid: number): number {
  if ((flags & CALL_FLAGS.WANT_READONLY) === 0 || callid === FETCH_FUNC) return callid;
  return FETCH_WITH_HEADER_FUNC;
}

export class PendingCalls {
  readonly #host: DatabaseHost;
  readonly #replies: Replies;
  readonly #collapse: FetchCollapse;
  readonly #byReqid = new Map<number, PendingCall>();
  readonly #resending: SlicedQueue<PendingCall>;

  constructor(host: DatabaseHost, replies: Replies, collapse: FetchCollapse) {
    this.#host = host;
    this.#replies = replies;
    this.#collapse = collapse;
    this.#resending = new SlicedQueue(host, "resent calls", RESEND_SLICE_MS, (pending) =>
      this.#resendOne(pending),
    );
  }

  get size(): number {
    return this.#byReqid.size;
  }

  /** Sends a call and remembers it. */
  send(call: NewCall): void {
    const reqid = this.#host.newReqid();
    const pending: PendingCall = {
      reqid,
      isResending: false,
      database: call.database,
      clientId: call.clientId,
      clientReqid: call.clientReqid,
      callid: answerForm(call.flags, call.callid),
      flags: call.flags,
      wantsReadonly: (call.flags & CALL_FLAGS.WANT_READONLY) !== 0,
      packet: this.#buildRequest(reqid, call),
      startedMs: call.startedMs,
      collapse: call.collapse,
      ended: call.ended,
    };
    this.#byReqid.set(reqid, pending);
    this.#host.sendToNode(call.destnode, pending.packet);
  }

  #buildRequest(reqid: number, call: NewCall): PacketView {
    const { key, calldata } = call;
    const length = REQ_CALL_AT.KEY + key.length + calldata.length;
    const header = {
      generation: call.database.generation,
      destnode: call.destnode,
      srcnode: this.#host.pnn,
      reqid,
    };
    const packet = newOperationPacket(OPERATIONS.REQ_CALL, header, length);
    packet.setU32(REQ_CALL_AT.FLAGS, call.flags);
    packet.setU32(REQ_CALL_AT.DB_ID, call.database.dbId);
    const wantsReadonly = (call.flags & CALL_FLAGS.WANT_READONLY) !== 0;
    packet.setU32(REQ_CALL_AT.CALLID, wantsReadonly ? FETCH_WITH_HEADER_FUNC : call.callid);
    packet.setU32(REQ_CALL_AT.KEY_LENGTH, key.length);
    packet.setU32(REQ_CALL_AT.DATA_LENGTH, calldata.length);
    packet.set(REQ_CALL_AT.KEY, key);
    if (calldata.length > 0) packet.set(REQ_CALL_AT.KEY + key.length, calldata);
    return packet;
  }

  find(reqid: number): PendingCall | undefined {
    const pending = this.#byReqid.get(reqid);
    return pending?.isResending === true ? undefined : pending;
  }

  /** The call of that id, if it is about this record. */
  findForKey(reqid: number, database: Database, key: Uint8Array): PendingCall | undefined {
    const pending = this.find(reqid);
    if (pending === undefined || pending.database !== database) return undefined;
    const keyLength = pending.packet.u32(REQ_CALL_AT.KEY_LENGTH);
    return sameBytes(pending.packet.slice(REQ_CALL_AT.KEY, keyLength), key) ? pending : undefined;
  }

  /** The record has come here. */
  finishWithRecord(pending: PendingCall, header: RecordHeader, data: Uint8Array): void {
    this.#answered(pending);
    const { clientId, clientReqid, callid, startedMs } = pending;
    this.#replies.record(clientId, clientReqid, callid, header, data, startedMs);
  }

  /** Another node answered. */
  finish(pending: PendingCall, status: number, data: Uint8Array): void {
    this.#answered(pending);
    const { clientId, clientReqid, startedMs } = pending;
    const hasHeader = pending.wantsReadonly && data.length >= LTDB_HEADER_BYTES;
    const answer =
      hasHeader && pending.callid === FETCH_FUNC ? data.subarray(LTDB_HEADER_BYTES) : data;
    this.#replies.call(clientId, clientReqid, status, answer, startedMs);
  }

  finishWithError(pending: PendingCall, message: string): void {
    this.#forget(pending);
    this.#replies.error(pending.clientId, pending.clientReqid, message, pending.startedMs);
  }

  #answered(pending: PendingCall): void {
    const durationMs = this.#host.clock.monotonicMs() - pending.startedMs;
    pending.database.statistics.migrated(durationMs);
    this.#forget(pending);
  }

  #forget(pending: PendingCall): void {
    this.#byReqid.delete(pending.reqid);
    if (pending.collapse !== undefined) this.#collapse.end(pending.collapse);
    pending.ended?.();
  }

  /** The records that they fetch may still arrive; they are kept then, and nobody is answered. */
  cancelClient(clientId: number): void {
    for (const pending of [...this.#byReqid.values()]) {
      if (pending.clientId !== clientId) continue;
      this.#forget(pending);
      this.#replies.ended(pending.startedMs);
    }
  }

  refuseAll(database: Database, message: string): void {
    for (const pending of [...this.#byReqid.values()]) {
      if (pending.database === database) this.finishWithError(pending, message);
    }
  }

  /** After a recovery of the database. How many; they leave in later turns. */
  resend(database: Database): number {
    const calls: PendingCall[] = [];
    let count = 0;
    for (const pending of this.#byReqid.values()) {
      if (pending.database !== database) continue;
      count += 1;
      // One that still waits since the last recovery goes with the generation that counts then.
      if (!pending.isResending) calls.push(pending);
      pending.isResending = true;
    }
    this.#resending.add(calls);
    return count;
  }

  /** To ourselves, from where it is redirected as needed. */
  #resendOne(pending: PendingCall): void {
    if (this.#byReqid.get(pending.reqid) !== pending) return;
    this.#byReqid.delete(pending.reqid);
    pending.reqid = this.#host.newReqid();
    pending.isResending = false;
    this.#byReqid.set(pending.reqid, pending);
    const { packet } = pending;
    packet.reqid = pending.reqid;
    packet.generation = pending.database.generation;
    packet.destnode = this.#host.pnn;
    packet.setU32(REQ_CALL_AT.HOPCOUNT, 0);
    this.#host.sendToNode(this.#host.pnn, packet);
  }
}
