/**
 * What the fuzzer feeds: every decoder of bytes that a peer can send, with a generator of valid inputs.
 * A target takes bytes and either refuses them with a reason or decodes them and encodes the value
 * again; the oracles (oracles.ts) are the same for all.
 */
import { assert } from "../../src/base/assert.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { type FramerMode, PacketFramer } from "../../src/transport/framer.ts";
import {
  type AnyCodec,
  type Codec,
  decodeExact,
  decodePadded,
  encode,
} from "../../src/wire/codec.ts";
import { CONTROL_NAMES, CONTROLS } from "../../src/wire/controls.ts";
import {
  decodeEventReply,
  decodeEventRequest,
  encodeEventReply,
  encodeEventRequest,
} from "../../src/wire/event_protocol.ts";
import { HEADER_BYTES, OPERATIONS, PacketView } from "../../src/wire/packet.ts";
import { packetProblem } from "../../src/wire/packets.ts";
import { RecBufferBuilder, RecBufferCursor } from "../../src/wire/records/rec_buffer.ts";
import { recBuffer } from "../../src/wire/structs/records.ts";
import { generatorOf, STRUCTS } from "./generators.ts";
import {
  anyEventReply,
  anyEventRequest,
  OPERATION_TARGETS,
  type OperationTarget,
} from "./packet_samples.ts";
import type { SeededRandom } from "./seeded_random.ts";

export interface FuzzTarget {
  readonly name: string;
  /** Bytes of a valid input. */
  sample(random: SeededRandom): Uint8Array;
  reencode(bytes: Uint8Array): Result<Uint8Array>;
}

function codecTarget(name: string, anyCodec: AnyCodec): FuzzTarget {
  const codec = anyCodec as Codec<unknown>;
  const generate = generatorOf(codec);
  return {
    name,
    sample: (random) => encode(codec, generate(random)),
    reencode(bytes) {
      const value = decodeExact(codec, bytes);
      return value.ok ? ok(encode(codec, value.value)) : value;
    },
  };
}

/** The packet lies between other bytes, so that a read past its end would show. */
function packetIn(bytes: Uint8Array): PacketView {
  const around = 64;
  const buffer = new Uint8Array(bytes.length + 2 * around).fill(0xa5);
  buffer.set(bytes, around);
  const packet = new PacketView();
  packet.moveTo(buffer, around, bytes.length);
  return packet;
}

function packetTarget(operation: OperationTarget): FuzzTarget {
  return {
    name: `packet:${operation.name}`,
    sample: (random) => operation.sample(random).bytes(),
    reencode(bytes) {
      if (bytes.length < HEADER_BYTES) return err("the framer gives no such packet");
      const packet = packetIn(bytes);
      const rebuilt = operation.rebuild(packet);
      if (packet.operation === OPERATIONS[operation.name]) {
        const agreed = rebuilt.ok === (packetProblem(packet) === undefined);
        assert(
          agreed || operation.name === "REQ_KEEPALIVE",
          "packetProblem() agrees with the reader",
        );
      }
      return rebuilt.ok ? ok(rebuilt.value.bytes()) : rebuilt;
    },
  };
}

function framerTarget(mode: FramerMode): FuzzTarget {
  return {
    name: `framer:${mode}`,
    sample(random) {
      const parts = Array.from({ length: 1 + random.below(4) }, () =>
        mode === "event"
          ? encodeEventRequest(random.u32(), anyEventRequest(random))
          : random
              .pick(OPERATION_TARGETS as [OperationTarget, ...OperationTarget[]])
              .sample(random)
              .bytes(),
      );
      return Buffer.concat(parts);
    },
    reencode(bytes) {
      const packets = frame(mode, bytes);
      // Whatever the chunks, the packets are what the stream began with.
      assert(
        Buffer.compare(packets, bytes.subarray(0, packets.length)) === 0,
        "packets are a prefix",
      );
      return ok(packets);
    },
  };
}

/** All packets of a stream, fed in chunks whose sizes come from the stream itself. */
function frame(mode: FramerMode, bytes: Uint8Array): Uint8Array {
  const framer = new PacketFramer(mode);
  const packets: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && framer.error === undefined) {
    const size = 1 + ((bytes[at] as number) % 61);
    framer.push(bytes.subarray(at, at + size));
    at += size;
    for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
      packets.push(packet.bytes().slice());
    }
    assert(framer.bufferBytes <= 4096 + 2 * at, "a framer's buffer follows what arrived");
  }
  return Buffer.concat(packets);
}

const recBufferTarget: FuzzTarget = {
  name: "rec_buffer",
  sample: (random) => encode(recBuffer, generatorOf(recBuffer)(random) as never),
  reencode(bytes) {
    const cursor = new RecBufferCursor(bytes);
    const builder = new RecBufferBuilder(cursor.db_id);
    while (cursor.next()) builder.add(cursor.reqid, cursor.key(), cursor.data());
    const slow = decodePadded(recBuffer, bytes);
    assert(slow.ok === (cursor.error === undefined), "cursor and codec agree");
    return cursor.error === undefined ? ok(builder.finish().slice()) : err(cursor.error);
  },
};

const eventTargets: FuzzTarget[] = [
  {
    name: "event:request",
    sample: (random) => encodeEventRequest(random.u32(), anyEventRequest(random)),
    reencode(bytes) {
      const packet = decodeEventRequest(bytes);
      return packet.ok ? ok(encodeEventRequest(packet.value.reqid, packet.value.body)) : packet;
    },
  },
  {
    name: "event:reply",
    sample: (random) => encodeEventReply(random.u32(), anyEventReply(random)),
    reencode(bytes) {
      const packet = decodeEventReply(bytes);
      return packet.ok ? ok(encodeEventReply(packet.value.reqid, packet.value.body)) : packet;
    },
  },
];

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  framerTarget("node"),
  framerTarget("client"),
  framerTarget("event"),
  ...OPERATION_TARGETS.map(packetTarget),
  ...CONTROL_NAMES.flatMap((name) => [
    codecTarget(`control:${name}:request`, CONTROLS[name].request),
    codecTarget(`control:${name}:reply`, CONTROLS[name].reply),
  ]),
  ...STRUCTS.map(([name, codec]) => codecTarget(`struct:${name}`, codec)),
  recBufferTarget,
  ...eventTargets,
];
