/** The packets that a client sends, written in place behind what waits already. */
import { type U64, U64_ZERO } from "../base/u64.ts";
import { type Codec, EMPTY, encode } from "../wire/codec.ts";
import { CONTROLS, type ControlName, type ControlRequestOf } from "../wire/controls.ts";
import { CURRENT_NODE, OPERATIONS } from "../wire/packet.ts";
import {
  REQ_CALL_AT,
  REQ_CONTROL_AT,
  REQ_MESSAGE_AT,
  REQ_TUNNEL_AT,
} from "../wire/packets/layouts.ts";
import type { PacketOutput } from "./packet_output.ts";
import type { CallRequest, RequestOptions } from "./types.ts";

export function writeControl<N extends ControlName>(
  output: PacketOutput,
  srcnode: number,
  reqid: number,
  name: N,
  request: ControlRequestOf<N>,
  flags: number,
  { pnn = CURRENT_NODE, srvid = U64_ZERO }: RequestOptions,
): void {
  const codec = CONTROLS[name].request as Codec<ControlRequestOf<N>>;
  const data = codec.minSize === 0 && request === undefined ? EMPTY : encode(codec, request);
  const length = REQ_CONTROL_AT.DATA + data.length;
  output.begin(OPERATIONS.REQ_CONTROL, pnn, srcnode, reqid, length);
  output.setU32(REQ_CONTROL_AT.OPCODE, CONTROLS[name].opcode);
  output.setU64(REQ_CONTROL_AT.SRVID, srvid);
  output.setU32(REQ_CONTROL_AT.FLAGS, flags);
  output.setU32(REQ_CONTROL_AT.DATA_LENGTH, data.length);
  output.setBytes(REQ_CONTROL_AT.DATA, data);
}

export function writeCall(
  output: PacketOutput,
  srcnode: number,
  reqid: number,
  request: CallRequest,
): void {
  const { key, calldata = EMPTY } = request;
  const length = REQ_CALL_AT.KEY + key.length + calldata.length;
  output.begin(OPERATIONS.REQ_CALL, CURRENT_NODE, srcnode, reqid, length);
  output.setU32(REQ_CALL_AT.FLAGS, request.flags);
  output.setU32(REQ_CALL_AT.DB_ID, request.db_id);
  output.setU32(REQ_CALL_AT.CALLID, request.callid);
  output.setU32(REQ_CALL_AT.KEY_LENGTH, key.length);
  output.setU32(REQ_CALL_AT.DATA_LENGTH, calldata.length);
  output.setBytes(REQ_CALL_AT.KEY, key);
  output.setBytes(REQ_CALL_AT.KEY + key.length, calldata);
}

export function writeMessage(
  output: PacketOutput,
  srcnode: number,
  destnode: number,
  srvid: U64,
  data: Uint8Array,
): void {
  output.begin(OPERATIONS.REQ_MESSAGE, destnode, srcnode, 0, REQ_MESSAGE_AT.DATA + data.length);
  output.setU64(REQ_MESSAGE_AT.SRVID, srvid);
  output.setU32(REQ_MESSAGE_AT.DATA_LENGTH, data.length);
  output.setBytes(REQ_MESSAGE_AT.DATA, data);
}

export function writeTunnel(
  output: PacketOutput,
  srcnode: number,
  reqid: number,
  destnode: number,
  packet: { readonly id: U64; readonly flags: number; readonly data: Uint8Array },
): void {
  const { id, flags, data } = packet;
  output.begin(OPERATIONS.REQ_TUNNEL, destnode, srcnode, reqid, REQ_TUNNEL_AT.DATA + data.length);
  output.setU64(REQ_TUNNEL_AT.TUNNEL_ID, id);
  output.setU32(REQ_TUNNEL_AT.FLAGS, flags);
  output.setU32(REQ_TUNNEL_AT.DATA_LENGTH, data.length);
  output.setBytes(REQ_TUNNEL_AT.DATA, data);
}
