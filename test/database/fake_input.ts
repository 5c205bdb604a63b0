/** Packets of nodes as the daemon's PacketInput lets them through to the databases. */
import type { DatabaseSet } from "../../src/database/database_set.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { OPERATIONS, type PacketView } from "../../src/wire/packet.ts";
import { packetProblem } from "../../src/wire/packets/layouts.ts";
import type { FakeHost } from "./fake_host.ts";

export function nodePacketArrives(host: FakeHost, set: DatabaseSet, packet: PacketView): void {
  const problem = packetProblem(packet);
  if (problem !== undefined) throw new Error(problem);
  const banned = (host.nodeFlags(host.pnn) & NODE_FLAGS.BANNED) !== 0;
  const isCurrent = !banned && packet.generation === host.generation();
  if (isCurrent || packet.operation === OPERATIONS.REPLY_ERROR) set.nodePacket(packet);
}
