/**
 * Packets about records: calls, migration of records, and errors (docs/protocol.md, "Operations").
 *
 * Invariants:
 * 1. A reader checks every inner length against the packet before it makes a view, never throws and
 *    never copies: key and data are views that live as long as the packet does. The functions named …Of are
 *    for packets that were checked already (packetProblem).
 * 2. A builder returns a packet that is complete, zero-padded, and ready for any queue.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { U64 } from "../../base/u64.ts";
import { bytesText, textBytes } from "../codec.ts";
import { newOperationPacket, OPERATIONS, type PacketHeader, type PacketView } from "../packet.ts";
import {
  bodyProblem,
  LAYOUTS,
  REPLY_CALL_AT,
  REPLY_DMASTER_AT,
  REPLY_ERROR_AT,
  REQ_CALL_AT,
  REQ_DMASTER_AT,
} from "./layouts.ts";

export interface ReqCall {
  readonly flags: number;
  readonly db_id: number;
  readonly callid: number;
  readonly hopcount: number;
  readonly key: Uint8Array;
  readonly calldata: Uint8Array;
}

export function buildReqCall(header: PacketHeader, body: ReqCall): PacketView {
  const keyLength = body.key.length;
  const dataLength = body.calldata.length;
  const length = REQ_CALL_AT.KEY + keyLength + dataLength;
  const packet = newOperationPacket(OPERATIONS.REQ_CALL, header, length);
  packet.setU32(REQ_CALL_AT.FLAGS, body.flags);
  packet.setU32(REQ_CALL_AT.DB_ID, body.db_id);
  packet.setU32(REQ_CALL_AT.CALLID, body.callid);
  packet.setU32(REQ_CALL_AT.HOPCOUNT, body.hopcount);
  packet.setU32(REQ_CALL_AT.KEY_LENGTH, keyLength);
  packet.setU32(REQ_CALL_AT.DATA_LENGTH, dataLength);
  packet.set(REQ_CALL_AT.KEY, body.key);
  packet.set(REQ_CALL_AT.KEY + keyLength, body.calldata);
  return packet;
}

export function readReqCall(packet: PacketView): Result<ReqCall> {
  const problem = bodyProblem(packet, LAYOUTS.REQ_CALL);
  if (problem !== undefined) return err(problem);
  const keyLength = packet.u32(REQ_CALL_AT.KEY_LENGTH);
  return ok({
    flags: packet.u32(REQ_CALL_AT.FLAGS),
    db_id: packet.u32(REQ_CALL_AT.DB_ID),
    callid: packet.u32(REQ_CALL_AT.CALLID),
    hopcount: packet.u32(REQ_CALL_AT.HOPCOUNT),
    key: packet.slice(REQ_CALL_AT.KEY, keyLength),
    calldata: packet.slice(REQ_CALL_AT.KEY + keyLength, packet.u32(REQ_CALL_AT.DATA_LENGTH)),
  });
}

export interface ReplyCall {
  readonly status: number;
  readonly data: Uint8Array;
}

export function buildReplyCall(header: PacketHeader, body: ReplyCall): PacketView {
  const length = REPLY_CALL_AT.DATA + body.data.length;
  const packet = newOperationPacket(OPERATIONS.REPLY_CALL, header, length);
  packet.setU32(REPLY_CALL_AT.STATUS, body.status);
  packet.setU32(REPLY_CALL_AT.DATA_LENGTH, body.data.length);
  packet.set(REPLY_CALL_AT.DATA, body.data);
  return packet;
}

export function readReplyCall(packet: PacketView): Result<ReplyCall> {
  const problem = bodyProblem(packet, LAYOUTS.REPLY_CALL);
  return problem === undefined ? ok(replyCallOf(packet)) : err(problem);
}

/** Of a packet whose body was checked. */
export function replyCallOf(packet: PacketView): ReplyCall {
  return {
    status: packet.i32(REPLY_CALL_AT.STATUS),
    data: packet.slice(REPLY_CALL_AT.DATA, packet.u32(REPLY_CALL_AT.DATA_LENGTH)),
  };
}

export interface ReqDmaster {
  readonly db_id: number;
  readonly rsn: U64;
  /** The node that is to become the data master. */
  readonly dmaster: number;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  /** Flags of the record header; 0 when the sender did not append them. */
  readonly recordFlags: number;
}

export function buildReqDmaster(header: PacketHeader, body: ReqDmaster): PacketView {
  const keyLength = body.key.length;
  const end = REQ_DMASTER_AT.KEY + keyLength + body.data.length;
  const packet = newOperationPacket(OPERATIONS.REQ_DMASTER, header, end + RECORD_FLAGS_BYTES);
  packet.setU32(REQ_DMASTER_AT.DB_ID, body.db_id);
  packet.setU64(REQ_DMASTER_AT.RSN, body.rsn);
  packet.setU32(REQ_DMASTER_AT.DMASTER, body.dmaster);
  packet.setU32(REQ_DMASTER_AT.KEY_LENGTH, keyLength);
  packet.setU32(REQ_DMASTER_AT.DATA_LENGTH, body.data.length);
  packet.set(REQ_DMASTER_AT.KEY, body.key);
  packet.set(REQ_DMASTER_AT.KEY + keyLength, body.data);
  packet.setU32(end, body.recordFlags);
  return packet;
}

export function readReqDmaster(packet: PacketView): Result<ReqDmaster> {
  const problem = bodyProblem(packet, LAYOUTS.REQ_DMASTER);
  return problem === undefined ? ok(reqDmasterOf(packet)) : err(problem);
}

/** Of a packet whose body was checked. */
export function reqDmasterOf(packet: PacketView): ReqDmaster {
  const keyLength = packet.u32(REQ_DMASTER_AT.KEY_LENGTH);
  const dataLength = packet.u32(REQ_DMASTER_AT.DATA_LENGTH);
  const dataAt = REQ_DMASTER_AT.KEY + keyLength;
  return {
    db_id: packet.u32(REQ_DMASTER_AT.DB_ID),
    rsn: packet.u64(REQ_DMASTER_AT.RSN),
    dmaster: packet.u32(REQ_DMASTER_AT.DMASTER),
    key: packet.slice(REQ_DMASTER_AT.KEY, keyLength),
    data: packet.slice(dataAt, dataLength),
    recordFlags: trailingFlags(packet, dataAt + dataLength),
  };
}

export interface ReplyDmaster {
  readonly db_id: number;
  readonly rsn: U64;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  /** As in ReqDmaster. */
  readonly recordFlags: number;
}

export function buildReplyDmaster(header: PacketHeader, body: ReplyDmaster): PacketView {
  const keyLength = body.key.length;
  const end = REPLY_DMASTER_AT.KEY + keyLength + body.data.length;
  const packet = newOperationPacket(OPERATIONS.REPLY_DMASTER, header, end + RECORD_FLAGS_BYTES);
  packet.setU32(REPLY_DMASTER_AT.DB_ID, body.db_id);
  packet.setU64(REPLY_DMASTER_AT.RSN, body.rsn);
  packet.setU32(REPLY_DMASTER_AT.KEY_LENGTH, keyLength);
  packet.setU32(REPLY_DMASTER_AT.DATA_LENGTH, body.data.length);
  packet.set(REPLY_DMASTER_AT.KEY, body.key);
  packet.set(REPLY_DMASTER_AT.KEY + keyLength, body.data);
  packet.setU32(end, body.recordFlags);
  return packet;
}

export function readReplyDmaster(packet: PacketView): Result<ReplyDmaster> {
  const problem = bodyProblem(packet, LAYOUTS.REPLY_DMASTER);
  return problem === undefined ? ok(replyDmasterOf(packet)) : err(problem);
}

/** Of a packet whose body was checked. */
export function replyDmasterOf(packet: PacketView): ReplyDmaster {
  const keyLength = packet.u32(REPLY_DMASTER_AT.KEY_LENGTH);
  const dataLength = packet.u32(REPLY_DMASTER_AT.DATA_LENGTH);
  const dataAt = REPLY_DMASTER_AT.KEY + keyLength;
  return {
    db_id: packet.u32(REPLY_DMASTER_AT.DB_ID),
    rsn: packet.u64(REPLY_DMASTER_AT.RSN),
    key: packet.slice(REPLY_DMASTER_AT.KEY, keyLength),
    data: packet.slice(dataAt, dataLength),
    recordFlags: trailingFlags(packet, dataAt + dataLength),
  };
}

const RECORD_FLAGS_BYTES = 4;

/**
 * The word behind the data of a DMASTER packet, in no length field: the record's flags when the
 * packet is long enough, and otherwise (an old sender) none.
 */
function trailingFlags(packet: PacketView, at: number): number {
  return at + RECORD_FLAGS_BYTES <= packet.length ? packet.u32(at) : 0;
}

export interface ReplyError {
  readonly status: number;
  /** Without NUL. */
  readonly message: string;
}

export function buildReplyError(header: PacketHeader, body: ReplyError): PacketView {
  const text = textBytes(body.message);
  const length = REPLY_ERROR_AT.MESSAGE + text.length + 1;
  const packet = newOperationPacket(OPERATIONS.REPLY_ERROR, header, length);
  packet.setU32(REPLY_ERROR_AT.STATUS, body.status);
  packet.setU32(REPLY_ERROR_AT.MESSAGE_LENGTH, text.length + 1);
  packet.set(REPLY_ERROR_AT.MESSAGE, text);
  return packet;
}

export function readReplyError(packet: PacketView): Result<ReplyError> {
  const problem = bodyProblem(packet, LAYOUTS.REPLY_ERROR);
  return problem === undefined ? ok(replyErrorOf(packet)) : err(problem);
}

/** Of a packet whose body was checked. */
export function replyErrorOf(packet: PacketView): ReplyError {
  const length = packet.u32(REPLY_ERROR_AT.MESSAGE_LENGTH);
  return {
    status: packet.i32(REPLY_ERROR_AT.STATUS),
    message: textUpToNul(packet.slice(REPLY_ERROR_AT.MESSAGE, length)),
  };
}

/** Text of a peer, whether it counted a NUL or not. */
export function textUpToNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return bytesText(end < 0 ? bytes : bytes.subarray(0, end));
}
