/**
 * Sorts captured packets by what they are and keeps a few of each: by the operation, for controls by the
 * control (a reply is named after its request), for messages by the srvid's upper bits.
 */
import { CONTROL_NOREPLY, controlName } from "../../../src/wire/controls.ts";
import { OPERATIONS, PacketView } from "../../../src/wire/packet.ts";
import { REQ_CONTROL_AT, REQ_MESSAGE_AT } from "../../../src/wire/packet_layouts.ts";

/** "node": between daemons; "to_daemon" and "to_client": on a unix socket. */
export type Side = "node" | "to_daemon" | "to_client";

export interface KeptPacket {
  readonly side: Side;
  readonly operation: string;
  /** Control or srvid; "-" for operations that have none. */
  readonly detail: string;
  readonly bytes: Uint8Array;
}

const KEPT_OF_EACH = 3;
/** Packets longer than this are kept once. */
const LONG_BYTES = 4096;
const LONGEST_BYTES = 60_000;

const operationNames = new Map<number, string>(
  Object.entries(OPERATIONS).map(([name, value]) => [value, name]),
);

export class Collection {
  readonly #kept = new Map<string, KeptPacket[]>();

  get packets(): readonly KeptPacket[] {
    return [...this.#kept.keys()].sort().flatMap((key) => this.#kept.get(key) ?? []);
  }

  /**
   * Requests of one direction, and the other direction's stream, which holds their replies among others.
   * Both ends choose request ids from the same range, so a reply is named by the requests of the other
   * end only, in their order.
   */
  addConversation(
    requests: { bytes: Uint8Array; side: Side },
    replies: { bytes: Uint8Array; side: Side },
  ): void {
    const controls = new Map<number, string[]>();
    for (const packet of split(requests.bytes)) {
      noteControl(packet, controls);
      if (packet.operation !== OPERATIONS.REPLY_CONTROL)
        this.#add(packet, requests.side, undefined);
    }
    for (const packet of split(replies.bytes)) {
      const isReply = packet.operation === OPERATIONS.REPLY_CONTROL;
      this.#add(packet, replies.side, isReply ? controls.get(packet.reqid)?.shift() : undefined);
    }
  }

  #add(packet: PacketView, side: Side, answered: string | undefined): void {
    const operation = operationNames.get(packet.operation) ?? `${packet.operation}`;
    const detail = detailOf(packet, answered);
    if (detail === undefined || packet.length > LONGEST_BYTES) return;
    const key = `${side} ${operation} ${detail}`;
    const kept = this.#kept.get(key) ?? [];
    this.#kept.set(key, kept);
    const limit = packet.length > LONG_BYTES ? 1 : KEPT_OF_EACH;
    if (kept.length >= limit) return;
    // Another length says something new; the same length says little.
    if (kept.some((other) => other.bytes.length === packet.length)) return;
    kept.push({ side, operation, detail, bytes: packet.copy().bytes() });
  }
}

function noteControl(packet: PacketView, controls: Map<number, string[]>): void {
  if (packet.operation !== OPERATIONS.REQ_CONTROL) return;
  if ((packet.u32(REQ_CONTROL_AT.FLAGS) & CONTROL_NOREPLY) !== 0) return;
  const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
  const names = controls.get(packet.reqid) ?? [];
  names.push(controlName(opcode) ?? `${opcode}`);
  controls.set(packet.reqid, names);
}

/** undefined for a reply whose request was not captured. */
function detailOf(packet: PacketView, answered: string | undefined): string | undefined {
  switch (packet.operation) {
    case OPERATIONS.REQ_CONTROL: {
      const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
      return controlName(opcode) ?? `${opcode}`;
    }
    case OPERATIONS.REPLY_CONTROL:
      return answered;
    case OPERATIONS.REQ_MESSAGE: {
      const srvid = packet.u64(REQ_MESSAGE_AT.SRVID);
      const prefix = srvid.hi >>> 16;
      // Process ids and counters are the sender's choice; well-known srvids begin with F.
      return `0x${(prefix >= 0xf000 ? prefix : prefix >>> 8).toString(16)}`;
    }
    default:
      return "-";
  }
}

export function* split(bytes: Uint8Array): Generator<PacketView> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 32 <= bytes.length) {
    const length = view.getUint32(at, true);
    if (length < 32 || at + length > bytes.length) return;
    const packet = new PacketView();
    packet.moveTo(bytes, at, length);
    yield packet;
    at += length;
  }
}
