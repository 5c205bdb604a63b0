/** What a node must do with bytes that come on one of its sockets, as far as their form tells. */
import { PacketFramer } from "../../../src/transport/framer.ts";
import { OPERATIONS, type PacketView } from "../../../src/wire/packet.ts";
import { layoutOfOperation, packetProblem } from "../../../src/wire/packets/layouts.ts";
import type { Entrance, Knowledge } from "./live_packets.ts";

export interface Expectation {
  /** Packets that are counted and leave the connection as it is. */
  readonly dropped: number;
  /** The sender loses its connection, and the packet is counted; or the rest of a packet is waited for. */
  readonly end: "handled" | "refused" | "incomplete";
}

const FROM_CLIENTS: ReadonlySet<number> = new Set([
  OPERATIONS.REQ_MESSAGE,
  OPERATIONS.REQ_CALL,
  OPERATIONS.REQ_CONTROL,
  OPERATIONS.REQ_TUNNEL,
]);

export function expectationOf(
  bytes: Uint8Array,
  entrance: Entrance,
  knowledge: Knowledge,
): Expectation {
  const framer = new PacketFramer(entrance);
  framer.push(bytes);
  let framed = 0;
  let dropped = 0;
  for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
    framed += packet.length;
    const fate = entrance === "client" ? ofClientPacket(packet) : ofNodePacket(packet, knowledge);
    if (fate === "refused") return { dropped, end: "refused" };
    if (fate === "dropped") dropped += 1;
  }
  if (framer.error !== undefined) return { dropped, end: "refused" };
  return { dropped, end: framed < bytes.length || bytes.length === 0 ? "incomplete" : "handled" };
}

/** Others may be handed on, with the number of the node that began. */
const NAME_THEIR_SENDER: ReadonlySet<number> = new Set([
  OPERATIONS.REQ_KEEPALIVE,
  OPERATIONS.REQ_CONTROL,
  OPERATIONS.REPLY_CONTROL,
]);

type Fate = "handled" | "refused" | "dropped";

function ofClientPacket(packet: PacketView): Fate {
  const sound = packetProblem(packet) === undefined && FROM_CLIENTS.has(packet.operation);
  return sound ? "handled" : "refused";
}

function ofNodePacket(packet: PacketView, { ownPnn, peerPnn }: Knowledge): Fate {
  if (layoutOfOperation(packet.operation) === undefined) return "dropped";
  const handedOn = !NAME_THEIR_SENDER.has(packet.operation);
  const known = packet.srcnode === peerPnn || (handedOn && packet.srcnode === ownPnn);
  const sound = packetProblem(packet) === undefined && packet.destnode === ownPnn && known;
  return sound ? "handled" : "refused";
}
