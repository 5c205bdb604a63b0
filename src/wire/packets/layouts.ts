/**
 * Where the fields of each operation lie, and how long its packets must be (docs/protocol.md,
 * "Operations"). The offsets are for those who peek and patch without decoding (the router); a
 * packet without a `packetProblem` can be read at every fixed offset of its operation.
 *
 * Inner lengths are u32 and their sum is a double, so that it never wraps. Bytes behind the counted
 * ones are padding and are not looked at.
 */
import { HEADER_BYTES, OPERATIONS, type OperationName, type PacketView } from "../packet.ts";

export const REQ_CALL_AT = {
  FLAGS: 32,
  DB_ID: 36,
  CALLID: 40,
  HOPCOUNT: 44,
  KEY_LENGTH: 48,
  DATA_LENGTH: 52,
  KEY: 56,
} as const;
export const REPLY_CALL_AT = { STATUS: 32, DATA_LENGTH: 36, DATA: 40 } as const;
export const REQ_DMASTER_AT = {
  DB_ID: 32,
  RSN: 40,
  DMASTER: 48,
  KEY_LENGTH: 52,
  DATA_LENGTH: 56,
  KEY: 60,
} as const;
export const REPLY_DMASTER_AT = {
  DB_ID: 32,
  RSN: 40,
  KEY_LENGTH: 48,
  DATA_LENGTH: 52,
  KEY: 56,
} as const;
export const REPLY_ERROR_AT = { STATUS: 32, MESSAGE_LENGTH: 36, MESSAGE: 40 } as const;
export const REQ_MESSAGE_AT = { SRVID: 32, DATA_LENGTH: 40, DATA: 44 } as const;
export const REQ_CONTROL_AT = {
  OPCODE: 32,
  SRVID: 40,
  CLIENT_ID: 48,
  FLAGS: 52,
  DATA_LENGTH: 56,
  DATA: 60,
} as const;
export const REPLY_CONTROL_AT = {
  STATUS: 32,
  DATA_LENGTH: 36,
  ERROR_LENGTH: 40,
  DATA: 44,
} as const;
export const REQ_KEEPALIVE_AT = { VERSION: 32, UPTIME: 36, END: 40 } as const;
export const REQ_TUNNEL_AT = { TUNNEL_ID: 32, FLAGS: 40, DATA_LENGTH: 44, DATA: 48 } as const;

export interface OperationLayout {
  readonly name: OperationName;
  readonly operation: number;
  /** Header and fixed fields in bytes: the shortest packet. */
  readonly fixedBytes: number;
  /** Offsets of the length fields, 0 for none. */
  readonly length0: number;
  readonly length1: number;
}

function layout(
  name: OperationName,
  fixedBytes: number,
  length0 = 0,
  length1 = 0,
): OperationLayout {
  return { name, operation: OPERATIONS[name], fixedBytes, length0, length1 };
}

export const LAYOUTS = {
  REQ_CALL: layout("REQ_CALL", REQ_CALL_AT.KEY, REQ_CALL_AT.KEY_LENGTH, REQ_CALL_AT.DATA_LENGTH),
  REPLY_CALL: layout("REPLY_CALL", REPLY_CALL_AT.DATA, REPLY_CALL_AT.DATA_LENGTH),
  REQ_DMASTER: layout(
    "REQ_DMASTER",
    REQ_DMASTER_AT.KEY,
    REQ_DMASTER_AT.KEY_LENGTH,
    REQ_DMASTER_AT.DATA_LENGTH,
  ),
  REPLY_DMASTER: layout(
    "REPLY_DMASTER",
    REPLY_DMASTER_AT.KEY,
    REPLY_DMASTER_AT.KEY_LENGTH,
    REPLY_DMASTER_AT.DATA_LENGTH,
  ),
  REPLY_ERROR: layout("REPLY_ERROR", REPLY_ERROR_AT.MESSAGE, REPLY_ERROR_AT.MESSAGE_LENGTH),
  REQ_MESSAGE: layout("REQ_MESSAGE", REQ_MESSAGE_AT.DATA, REQ_MESSAGE_AT.DATA_LENGTH),
  REQ_CONTROL: layout("REQ_CONTROL", REQ_CONTROL_AT.DATA, REQ_CONTROL_AT.DATA_LENGTH),
  REPLY_CONTROL: layout(
    "REPLY_CONTROL",
    REPLY_CONTROL_AT.DATA,
    REPLY_CONTROL_AT.DATA_LENGTH,
    REPLY_CONTROL_AT.ERROR_LENGTH,
  ),
  /** Very old senders send the bare header. */
  REQ_KEEPALIVE: layout("REQ_KEEPALIVE", HEADER_BYTES),
  REQ_TUNNEL: layout("REQ_TUNNEL", REQ_TUNNEL_AT.DATA, REQ_TUNNEL_AT.DATA_LENGTH),
} as const satisfies Record<OperationName, OperationLayout>;

const byOperation: (OperationLayout | undefined)[] = [];
for (const entry of Object.values(LAYOUTS)) byOperation[entry.operation] = entry;

/** undefined for numbers that are no operation. */
export function layoutOfOperation(operation: number): OperationLayout | undefined {
  return byOperation[operation];
}

/** Why the packet is too short for what it says, or undefined. Does not look at the operation field. */
export function bodyProblem(packet: PacketView, layout: OperationLayout): string | undefined {
  const room = packet.length - layout.fixedBytes;
  if (room < 0) {
    return `${layout.name} of ${packet.length} bytes, at least ${layout.fixedBytes} are expected`;
  }
  if (layout.length0 === 0) return undefined;
  const first = packet.u32(layout.length0);
  const second = layout.length1 === 0 ? 0 : packet.u32(layout.length1);
  if (first + second <= room) return undefined;
  const counted = layout.length1 === 0 ? `${first}` : `${first}+${second}`;
  return `${layout.name} says ${counted} bytes of data, ${room} are there`;
}

/** The same for a packet of any operation; numbers that are no operation are a problem. */
export function packetProblem(packet: PacketView): string | undefined {
  const layout = layoutOfOperation(packet.operation);
  if (layout === undefined) return `operation ${packet.operation} is not known`;
  return bodyProblem(packet, layout);
}
