/**
 * Packets that are not about records: messages, controls, keepalives and tunnels
 * (docs/protocol.md, "Operations"). Same invariants as call.ts.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { U64 } from "../../base/u64.ts";
import { EMPTY, textBytes } from "../codec.ts";
import {
  HEADER_BYTES,
  newOperationPacket,
  OPERATIONS,
  type PacketHeader,
  type PacketView,
} from "../packet.ts";
import { textUpToNul } from "./call.ts";
import {
  bodyProblem,
  LAYOUTS,
  REPLY_CONTROL_AT,
  REQ_CONTROL_AT,
  REQ_KEEPALIVE_AT,
  REQ_MESSAGE_AT,
  REQ_TUNNEL_AT,
} from "./layouts.ts";

export interface ReqMessage {
  readonly srvid: U64;
  readonly data: Uint8Array;
}

export function buildReqMessage(header: PacketHeader, body: ReqMessage): PacketView {
  const length = REQ_MESSAGE_AT.DATA + body.data.length;
  const packet = newOperationPacket(OPERATIONS.REQ_MESSAGE, header, length);
  packet.setU64(REQ_MESSAGE_AT.SRVID, body.srvid);
  packet.setU32(REQ_MESSAGE_AT.DATA_LENGTH, body.data.length);
  packet.set(REQ_MESSAGE_AT.DATA, body.data);
  return packet;
}

export function readReqMessage(packet: PacketView): Result<ReqMessage> {
  const problem = bodyProblem(packet, LAYOUTS.REQ_MESSAGE);
  if (problem !== undefined) return err(problem);
  return ok({
    srvid: packet.u64(REQ_MESSAGE_AT.SRVID),
    data: packet.slice(REQ_MESSAGE_AT.DATA, packet.u32(REQ_MESSAGE_AT.DATA_LENGTH)),
  });
}

export interface ReqControl {
  readonly opcode: number;
  readonly srvid: U64;
  /** Number of the client at the daemon that it sent this to; clients send 0. */
  readonly client_id: number;
  /** CONTROL_NOREPLY and opcode-specific bits. */
  readonly flags: number;
  readonly data: Uint8Array;
}

export function buildReqControl(header: PacketHeader, body: ReqControl): PacketView {
  const length = REQ_CONTROL_AT.DATA + body.data.length;
  const packet = newOperationPacket(OPERATIONS.REQ_CONTROL, header, length);
  packet.setU32(REQ_CONTROL_AT.OPCODE, body.opcode);
  packet.setU64(REQ_CONTROL_AT.SRVID, body.srvid);
  packet.setU32(REQ_CONTROL_AT.CLIENT_ID, body.client_id);
  packet.setU32(REQ_CONTROL_AT.FLAGS, body.flags);
  packet.setU32(REQ_CONTROL_AT.DATA_LENGTH, body.data.length);
  packet.set(REQ_CONTROL_AT.DATA, body.data);
  return packet;
}

export function readReqControl(packet: PacketView): Result<ReqControl> {
  const problem = bodyProblem(packet, LAYOUTS.REQ_CONTROL);
  if (problem !== undefined) return err(problem);
  return ok({
    opcode: packet.u32(REQ_CONTROL_AT.OPCODE),
    srvid: packet.u64(REQ_CONTROL_AT.SRVID),
    client_id: packet.u32(REQ_CONTROL_AT.CLIENT_ID),
    flags: packet.u32(REQ_CONTROL_AT.FLAGS),
    data: packet.slice(REQ_CONTROL_AT.DATA, packet.u32(REQ_CONTROL_AT.DATA_LENGTH)),
  });
}

export interface ReplyControl {
  readonly status: number;
  readonly data: Uint8Array;
  /** Text for the asker's log, without NUL; empty for none. */
  readonly error: string;
}

export function buildReplyControl(header: PacketHeader, body: ReplyControl): PacketView {
  const error = body.error === "" ? EMPTY : textBytes(body.error);
  const dataLength = body.data.length;
  const length = REPLY_CONTROL_AT.DATA + dataLength + error.length;
  const packet = newOperationPacket(OPERATIONS.REPLY_CONTROL, header, length);
  packet.setU32(REPLY_CONTROL_AT.STATUS, body.status);
  packet.setU32(REPLY_CONTROL_AT.DATA_LENGTH, dataLength);
  packet.setU32(REPLY_CONTROL_AT.ERROR_LENGTH, error.length);
  packet.set(REPLY_CONTROL_AT.DATA, body.data);
  packet.set(REPLY_CONTROL_AT.DATA + dataLength, error);
  return packet;
}

export function readReplyControl(packet: PacketView): Result<ReplyControl> {
  const problem = bodyProblem(packet, LAYOUTS.REPLY_CONTROL);
  if (problem !== undefined) return err(problem);
  const dataLength = packet.u32(REPLY_CONTROL_AT.DATA_LENGTH);
  const errorLength = packet.u32(REPLY_CONTROL_AT.ERROR_LENGTH);
  const errorAt = REPLY_CONTROL_AT.DATA + dataLength;
  return ok({
    status: packet.i32(REPLY_CONTROL_AT.STATUS),
    data: packet.slice(REPLY_CONTROL_AT.DATA, dataLength),
    error: errorLength === 0 ? "" : textUpToNul(packet.slice(errorAt, errorLength)),
  });
}

export interface ReqKeepalive {
  /** Samba release, major << 16 | minor; 0 from senders of the bare header. */
  readonly version: number;
  /** Seconds since the sender's start. */
  readonly uptime: number;
}

export function buildReqKeepalive(header: PacketHeader, body: ReqKeepalive): PacketView {
  const packet = newOperationPacket(OPERATIONS.REQ_KEEPALIVE, header, REQ_KEEPALIVE_AT.END);
  packet.setU32(REQ_KEEPALIVE_AT.VERSION, body.version);
  packet.setU32(REQ_KEEPALIVE_AT.UPTIME, body.uptime);
  return packet;
}

export function readReqKeepalive(packet: PacketView): Result<ReqKeepalive> {
  if (packet.length === HEADER_BYTES) return ok({ version: 0, uptime: 0 });
  if (packet.length < REQ_KEEPALIVE_AT.END) {
    return err(`REQ_KEEPALIVE of ${packet.length} bytes, 32 or 40 are expected`);
  }
  return ok({
    version: packet.u32(REQ_KEEPALIVE_AT.VERSION),
    uptime: packet.u32(REQ_KEEPALIVE_AT.UPTIME),
  });
}

export interface ReqTunnel {
  readonly tunnel_id: U64;
  readonly flags: number;
  readonly data: Uint8Array;
}

export function buildReqTunnel(header: PacketHeader, body: ReqTunnel): PacketView {
  const length = REQ_TUNNEL_AT.DATA + body.data.length;
  const packet = newOperationPacket(OPERATIONS.REQ_TUNNEL, header, length);
  packet.setU64(REQ_TUNNEL_AT.TUNNEL_ID, body.tunnel_id);
  packet.setU32(REQ_TUNNEL_AT.FLAGS, body.flags);
  packet.setU32(REQ_TUNNEL_AT.DATA_LENGTH, body.data.length);
  packet.set(REQ_TUNNEL_AT.DATA, body.data);
  return packet;
}

export function readReqTunnel(packet: PacketView): Result<ReqTunnel> {
  const problem = bodyProblem(packet, LAYOUTS.REQ_TUNNEL);
  if (problem !== undefined) return err(problem);
  return ok({
    tunnel_id: packet.u64(REQ_TUNNEL_AT.TUNNEL_ID),
    flags: packet.u32(REQ_TUNNEL_AT.FLAGS),
    data: packet.slice(REQ_TUNNEL_AT.DATA, packet.u32(REQ_TUNNEL_AT.DATA_LENGTH)),
  });
}
