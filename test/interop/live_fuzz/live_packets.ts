/**
 * Packets for a running node: valid ones with what is really there (databases, generation, nodes, request
 * ids), ones whose body is changed inside a sound packet, and ones whose bytes are changed anywhere.
 *
 * Left out are the few requests that are no attack but an order to do what the test forbids: to end, to stop, to
 * forget the counters or to silence the log that it reads.
 */
import { PacketFramer } from "../../../src/transport/framer.ts";
import { type AnyCodec, type Codec, encode } from "../../../src/wire/codec.ts";
import { SRVID } from "../../../src/wire/constants.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../../../src/wire/controls.ts";
import {
  BROADCAST_ALL,
  BROADCAST_CONNECTED,
  CURRENT_NODE,
  OPERATIONS,
  type PacketHeader,
  type PacketView,
} from "../../../src/wire/packet.ts";
import { REQ_CALL_AT, REQ_CONTROL_AT, REQ_DMASTER_AT } from "../../../src/wire/packets/layouts.ts";
import { buildReqControl, buildReqMessage } from "../../../src/wire/packets.ts";
import { anyU32, anyU64, generatorOf, STRUCTS } from "../../fuzz/generators.ts";
import { mutate } from "../../fuzz/mutations.ts";
import { OPERATION_TARGETS, type OperationTarget } from "../../fuzz/packet_samples.ts";
import type { SeededRandom } from "../../fuzz/seeded_random.ts";

/** What a sender may know about the node. */
export interface Knowledge {
  readonly databases: readonly [number, ...number[]];
  generation: number;
  /** The node's own number, and the one that the fuzzer plays. */
  readonly ownPnn: number;
  readonly peerPnn: number;
}

/** Which of the node's sockets the packets are for. */
export type Entrance = "client" | "node";

const NOT_SENT: ReadonlySet<number> = new Set(
  (["SHUTDOWN", "STOP_NODE", "STATISTICS_RESET", "SET_DEBUG"] as const).map(
    (name) => CONTROLS[name].opcode,
  ),
);
/** Requests of the node itself are numbered from here (a daemon counts from near the largest int). */
const FIRST_REQUEST_ID = 0x7fffffff - 200;

const CLIENT_OPERATIONS: ReadonlySet<number> = new Set([
  OPERATIONS.REQ_CALL,
  OPERATIONS.REQ_MESSAGE,
  OPERATIONS.REQ_CONTROL,
  OPERATIONS.REQ_TUNNEL,
]);
const CLIENT_TARGETS = OPERATION_TARGETS.filter(({ name }) =>
  CLIENT_OPERATIONS.has(OPERATIONS[name]),
);
const RECORD_TARGETS = OPERATION_TARGETS.filter(({ name }) =>
  ["REQ_CALL", "REQ_DMASTER", "REPLY_DMASTER"].includes(name),
);
const SRVIDS = Object.values(SRVID);

type AtLeastOne<T> = readonly [T, ...T[]];
function pick<T>(random: SeededRandom, values: readonly T[]): T {
  return random.pick(values as AtLeastOne<T>);
}

/** Calls and moves of records count only in the node's generation: sent before anything else disturbs it. */
export type Choice = "anything" | "records";

export class LivePackets {
  readonly #random: SeededRandom;
  readonly #entrance: Entrance;
  readonly #knowledge: Knowledge;

  constructor(random: SeededRandom, entrance: Entrance, knowledge: Knowledge) {
    this.#random = random;
    this.#entrance = entrance;
    this.#knowledge = knowledge;
  }

  next(choice: Choice): Uint8Array {
    for (;;) {
      const bytes = this.#any(choice);
      if (!isNotSent(bytes)) return bytes;
    }
  }

  #any(choice: Choice): Uint8Array {
    const random = this.#random;
    const packet = this.#sound(choice);
    return random.chance(0.6) ? packet : mutate(random, packet, this.#sound(choice));
  }

  /** Lengths fit; what is inside may not. */
  #sound(choice: Choice): Uint8Array {
    const random = this.#random;
    if (choice === "records") return this.#operation(RECORD_TARGETS);
    const kind = random.below(10);
    if (kind < 5) return this.#control();
    if (kind < 7) return this.#message();
    const rarely = this.#entrance === "client" && !random.chance(0.05);
    return this.#operation(rarely ? CLIENT_TARGETS : OPERATION_TARGETS);
  }

  #operation(targets: readonly OperationTarget[]): Uint8Array {
    const random = this.#random;
    const target = pick(random, targets);
    const { packet } = target.build(this.#header(), random);
    this.#giveLiveDatabase(packet);
    return packet.bytes().slice();
  }

  #control(): Uint8Array {
    const random = this.#random;
    const name: ControlName = pick(random, CONTROL_NAMES);
    const request: AnyCodec = CONTROLS[name].request;
    let data = encode(request as Codec<unknown>, generatorOf(request)(random));
    // The first word of many requests is a database.
    if (data.length >= 4 && random.chance(0.4)) setU32(data, 0, this.#database());
    if (random.chance(0.3)) data = mutate(random, data, random.bytes(64));
    const body = {
      opcode: random.chance(0.97) ? CONTROLS[name].opcode : random.below(200),
      srvid: random.chance(0.5) ? pick(random, SRVIDS) : anyU64(random),
      client_id: random.chance(0.5) ? 0 : anyU32(random),
      flags: random.pick([0, 0, 1, anyU32(random)]),
      data,
    };
    return buildReqControl(this.#header(), body).bytes().slice();
  }

  #message(): Uint8Array {
    const random = this.#random;
    const [, codec] = pick(random, STRUCTS);
    let data = encode(codec as Codec<unknown>, generatorOf(codec)(random));
    if (random.chance(0.3)) data = mutate(random, data, random.bytes(64));
    const srvid = random.chance(0.7) ? pick(random, SRVIDS) : anyU64(random);
    return buildReqMessage(this.#header(), { srvid, data }).bytes().slice();
  }

  #header(): PacketHeader {
    const random = this.#random;
    const { generation, ownPnn, peerPnn } = this.#knowledge;
    const fromNode = this.#entrance === "node";
    const strange = random.chance(0.05);
    const destinations = [CURRENT_NODE, ownPnn, peerPnn, BROADCAST_ALL, BROADCAST_CONNECTED];
    const destnode = fromNode ? ownPnn : pick(random, destinations);
    return {
      generation: random.chance(0.8) ? generation : anyU32(random),
      destnode: strange ? anyU32(random) : destnode,
      srcnode: random.chance(0.95) ? peerPnn : random.pick([ownPnn, 2, anyU32(random)]),
      reqid: random.chance(0.5) ? FIRST_REQUEST_ID + random.below(600) : anyU32(random),
    };
  }

  #giveLiveDatabase(packet: PacketView): void {
    if (this.#random.chance(0.2)) return;
    const { operation } = packet;
    if (operation === OPERATIONS.REQ_CALL) packet.setU32(REQ_CALL_AT.DB_ID, this.#database());
    if (operation === OPERATIONS.REQ_DMASTER || operation === OPERATIONS.REPLY_DMASTER) {
      packet.setU32(REQ_DMASTER_AT.DB_ID, this.#database());
    }
  }

  #database(): number {
    return this.#random.pick(this.#knowledge.databases as [number, ...number[]]);
  }
}

function setU32(bytes: Uint8Array, at: number, word: number): void {
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(at, word, true);
}

/** Also after mutations, and in a packet that hangs on the end of another. */
function isNotSent(bytes: Uint8Array): boolean {
  const framer = new PacketFramer("client");
  framer.push(bytes);
  for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
    const { operation, length } = packet;
    if (operation !== OPERATIONS.REQ_CONTROL || length < REQ_CONTROL_AT.DATA) continue;
    if (NOT_SENT.has(packet.u32(REQ_CONTROL_AT.OPCODE))) return true;
  }
  return false;
}
