/** What a reply of ctdbd says: the outcome of a control or a call. */
import { err, ok, type Result } from "../base/result.ts";
import { bytesText, type Codec, decodePadded } from "../wire/codec.ts";
import type { ControlName } from "../wire/controls.ts";
import { OPERATIONS, type PacketView } from "../wire/packet.ts";
import { REPLY_CALL_AT, REPLY_CONTROL_AT, REPLY_ERROR_AT } from "../wire/packets/layouts.ts";
import type { ClientFailure, ControlOutcome } from "./types.ts";

function malformed(reason: string): { readonly ok: false; readonly error: ClientFailure } {
  return err({ kind: "malformed", reason, status: 0 });
}

/** Text that the daemon sends with or without a NUL at its end. */
function errorText(bytes: Uint8Array, otherwise: string): string {
  const end = bytes.indexOf(0);
  return bytesText(end < 0 ? bytes : bytes.subarray(0, end)) || otherwise;
}

export function readControlReply<T>(
  name: ControlName,
  codec: Codec<T>,
  packet: PacketView,
): ControlOutcome<T> {
  if (packet.operation !== OPERATIONS.REPLY_CONTROL) {
    return malformed(`Operation ${packet.operation} answers the control ${name}`);
  }
  const status = packet.i32(REPLY_CONTROL_AT.STATUS);
  const length = packet.u32(REPLY_CONTROL_AT.DATA_LENGTH);
  if (status < 0) {
    const textLength = packet.u32(REPLY_CONTROL_AT.ERROR_LENGTH);
    const text = packet.slice(REPLY_CONTROL_AT.DATA + length, textLength);
    return err({ kind: "refused", reason: errorText(text, `${name} gave ${status}`), status });
  }
  // A copy: the value outlives the packet, and its parts are views of these bytes.
  const value = decodePadded(codec, packet.slice(REPLY_CONTROL_AT.DATA, length).slice());
  if (!value.ok) {
    // Some refusals are positive (GET_TCP_TICKLE_LIST for an unknown address); none has an answer's data.
    if (status > 0) return err({ kind: "refused", reason: `${name} gave ${status}`, status });
    return malformed(`Cannot decode the reply to ${name}: ${value.error}`);
  }
  return ok({ status, data: value.value });
}

export function readCallReply(packet: PacketView): Result<Uint8Array, ClientFailure> {
  if (packet.operation === OPERATIONS.REPLY_ERROR) {
    const length = packet.u32(REPLY_ERROR_AT.MESSAGE_LENGTH);
    const text = packet.slice(REPLY_ERROR_AT.MESSAGE, length);
    const status = packet.i32(REPLY_ERROR_AT.STATUS);
    return err({ kind: "refused", reason: errorText(text, `The call gave ${status}`), status });
  }
  if (packet.operation !== OPERATIONS.REPLY_CALL) {
    return malformed(`Operation ${packet.operation} answers a call`);
  }
  const status = packet.i32(REPLY_CALL_AT.STATUS);
  if (status !== 0) return err({ kind: "refused", reason: `The call gave ${status}`, status });
  const data = packet.slice(REPLY_CALL_AT.DATA, packet.u32(REPLY_CALL_AT.DATA_LENGTH));
  return ok(data.slice());
}
