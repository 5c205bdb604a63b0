import { expect, test } from "bun:test";
import { SeededRandom, withSeed } from "../../test/fuzz/seeded_random.ts";
import {
  FRAMER_BUFFER_KEPT_BYTES_MAX,
  FRAMER_LARGE_BUFFER_BYTES_MAX,
  FRAMER_SMALL_FILLS_MAX,
} from "../wire/limits.ts";
import { newPacket, OPERATIONS, type PacketView } from "../wire/packet.ts";
import { type FramerMode, PacketFramer } from "./framer.ts";

/** A packet of `length` bytes whose body is random; unpadded lengths keep their length field. */
function packetBytes(random: SeededRandom, length: number, reqid: number): Uint8Array {
  const operation = OPERATIONS.REQ_MESSAGE;
  const header = { generation: 7, operation, destnode: 1, srcnode: 0, reqid };
  const packet = newPacket(header, length);
  packet.set(32, random.bytes(length - 32));
  packet.setU32(0, length);
  return packet.bytes().slice(0, length);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function flipBit(bytes: Uint8Array, at: number, bit: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
}

function streamOf(random: SeededRandom, mode: FramerMode, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const body = random.chance(0.1) ? random.below(20000) : random.below(200);
    return packetBytes(random, mode === "node" ? 32 + (body & ~7) : 32 + body, i + 1);
  });
}

function copied(packet: PacketView | undefined): Uint8Array | undefined {
  return packet?.bytes().slice();
}

function drain(framer: PacketFramer): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
    packets.push(packet.bytes().slice());
  }
  return packets;
}

for (const mode of ["node", "client"] as const) {
  test(`PacketFramer.next() gives every packet of a ${mode} stream fed one byte at a time`, () => {
    withSeed((random) => {
      const sent = streamOf(random, mode, 20);
      const framer = new PacketFramer(mode);
      const received: Uint8Array[] = [];
      const chunk = new Uint8Array(1);
      for (const byte of concatenate(sent)) {
        chunk[0] = byte;
        framer.push(chunk);
        received.push(...drain(framer));
        chunk[0] = 0xee;
      }
      expect(received).toEqual(sent);
      expect(framer.pendingBytes).toBe(0);
    });
  });

  test(`PacketFramer.next() gives every packet of a ${mode} stream in random chunks and turns`, () => {
    withSeed((random) => {
      for (let round = 0; round < 50; round++) {
        const sent = streamOf(random, mode, random.below(60));
        const stream = concatenate(sent);
        const framer = new PacketFramer(mode);
        const received: Uint8Array[] = [];
        let at = 0;
        while (at < stream.length) {
          const size = 1 + random.below(random.pick([8, 100, 3000, 70000]));
          const chunk = stream.slice(at, at + size);
          at += chunk.length;
          framer.push(chunk);
          let budget = random.below(10);
          while (budget-- > 0) {
            const packet = framer.next();
            if (packet === undefined) break;
            received.push(packet.bytes().slice());
          }
          framer.hold();
          chunk.fill(0xee);
        }
        received.push(...drain(framer));
        expect(framer.error).toBeUndefined();
        expect(received).toEqual(sent);
      }
    });
  });
}

test("PacketFramer.hasMore says exactly whether next() would give a packet or an error", () => {
  withSeed((random) => {
    for (let round = 0; round < 200; round++) {
      const stream = concatenate(streamOf(random, "node", 6));
      if (random.chance(0.5)) flipBit(stream, random.below(stream.length), random.below(8));
      const framer = new PacketFramer("node");
      for (let at = 0; at < stream.length && framer.error === undefined; ) {
        const size = 1 + random.below(90);
        framer.push(stream.subarray(at, at + size));
        at += size;
        const promised = framer.hasMore;
        const packet = framer.next();
        expect(packet !== undefined || framer.error !== undefined).toBe(promised);
      }
    }
  });
});

test("PacketFramer.next() does not copy packets that lie within a large chunk", () => {
  const random = new SeededRandom(1);
  const lengths = [8000, 40, 9000, 32, 8];
  const stream = concatenate(lengths.map((length, i) => packetBytes(random, 32 + length, i)));
  const framer = new PacketFramer("node");
  framer.push(stream);
  let packet = framer.next();
  const first = packet;
  let count = 0;
  while (packet !== undefined) {
    count += 1;
    expect(packet === first).toBe(true);
    expect(packet.bytes().buffer).toBe(stream.buffer);
    packet = framer.next();
  }
  expect(count).toBe(5);
  expect(framer.bufferBytes).toBe(0);
});

test("PacketFramer.hold() keeps the rest of a chunk for later turns", () => {
  const random = new SeededRandom(2);
  const sent = streamOf(random, "node", 3);
  const chunk = concatenate(sent);
  const framer = new PacketFramer("node");
  framer.push(chunk);
  expect([copied(framer.next())]).toEqual(sent.slice(0, 1));
  framer.hold();
  chunk.fill(0);
  expect(framer.hasMore).toBe(true);
  expect(drain(framer)).toEqual(sent.slice(1));
});

const goodHeader = () => packetBytes(new SeededRandom(3), 40, 1);

function changed(offset: number, value: number): Uint8Array {
  const bytes = goodHeader();
  new DataView(bytes.buffer).setUint32(offset, value, true);
  return bytes;
}

const badStreams: readonly [string, FramerMode, Uint8Array, string][] = [
  ["length 0", "client", changed(0, 0), "packet length 0, at least 32 bytes are expected"],
  ["length 31", "client", changed(0, 31), "packet length 31, at least 32"],
  ["length 36 between nodes", "node", changed(0, 36), "a multiple of 8 is expected between nodes"],
  ["length 0xffffffff", "client", changed(0, 0xffffffff), "at most 268435456 bytes are accepted"],
  ["wrong magic", "node", changed(4, 0x42), "packet magic 0x42, 0x43544442 is expected"],
  ["wrong version", "node", changed(8, 2), "protocol version 2, 1 is expected"],
];

for (const [name, mode, bytes, reason] of badStreams) {
  test(`PacketFramer.error names the fault: ${name}`, () => {
    for (const size of [1, 5, bytes.length]) {
      const framer = new PacketFramer(mode);
      for (let at = 0; at < bytes.length; at += size) {
        framer.push(bytes.subarray(at, at + size));
        expect(framer.next()).toBeUndefined();
      }
      expect(framer.error).toContain(reason);
      framer.push(goodHeader());
      expect(framer.next()).toBeUndefined();
      expect(framer.pendingBytes).toBe(0);
    }
  });
}

test("PacketFramer.next() hands out the packets in front of a fault", () => {
  const good = goodHeader();
  const framer = new PacketFramer("node");
  framer.push(concatenate([good, changed(4, 1), good]));
  expect([copied(framer.next())]).toEqual([good]);
  expect(framer.next()).toBeUndefined();
  expect(framer.error).toContain("magic");
});

test("PacketFramer accepts unpadded lengths of clients only", () => {
  const bytes = packetBytes(new SeededRandom(4), 45, 1);
  const client = new PacketFramer("client");
  client.push(bytes);
  expect(client.next()?.length).toBe(45);
  const node = new PacketFramer("node");
  node.push(bytes);
  expect(node.next()).toBeUndefined();
  expect(node.error).toContain("multiple of 8");
});

test("PacketFramer.push() does not reserve memory for a length that only was promised", () => {
  const framer = new PacketFramer("node");
  const bytes = changed(0, 200 * 1024 * 1024);
  framer.push(bytes);
  expect(framer.next()).toBeUndefined();
  expect(framer.error).toBeUndefined();
  expect(framer.bufferBytes).toBeLessThanOrEqual(4096);
});

/** Pushes in pieces that are assembled; how many bytes the framer holds after the packet. */
function bytesHeldAfter(framer: PacketFramer, sent: Uint8Array): number {
  let received: Uint8Array | undefined;
  for (let at = 0; at < sent.length; at += 8192) {
    framer.push(sent.subarray(at, at + 8192));
    received = copied(framer.next());
  }
  expect([received]).toEqual([sent]);
  return framer.bufferBytes;
}

test("PacketFramer keeps a large buffer for further large packets, and gives it back for small ones", () => {
  const random = new SeededRandom(6);
  const framer = new PacketFramer("node");
  const large = packetBytes(random, FRAMER_BUFFER_KEPT_BYTES_MAX, 1);
  const held = bytesHeldAfter(framer, large);
  expect(held).toBeGreaterThan(FRAMER_BUFFER_KEPT_BYTES_MAX);
  expect(bytesHeldAfter(framer, large)).toBe(held);
  const small = packetBytes(random, 12 * 1024, 2);
  for (let i = 1; i < FRAMER_SMALL_FILLS_MAX; i++) {
    expect(bytesHeldAfter(framer, small)).toBe(held);
  }
  expect(bytesHeldAfter(framer, small)).toBe(0);
});

test("PacketFramer.next() gives a very large buffer back after the packet", () => {
  const sent = packetBytes(new SeededRandom(5), 2 * FRAMER_LARGE_BUFFER_BYTES_MAX, 1);
  const framer = new PacketFramer("node");
  let received: Uint8Array | undefined;
  for (let at = 0; at < sent.length; at += 65536) {
    framer.push(sent.subarray(at, at + 65536));
    received = copied(framer.next());
    expect(framer.bufferBytes).toBeLessThanOrEqual(Math.max(4096, 2 * (at + 65536)));
  }
  expect([received]).toEqual([sent]);
  expect(framer.bufferBytes).toBe(0);
});

test("PacketFramer.next() gives packets whose slices and copies are copies, from a Buffer too", () => {
  const sent = goodHeader();
  const chunk = Buffer.from(sent);
  const framer = new PacketFramer("node");
  framer.push(chunk);
  const packet = framer.next();
  const copy = packet?.copy();
  const slice = packet?.slice(0, 40).slice();
  chunk.fill(0);
  expect([copied(copy), slice]).toEqual([sent, sent]);
  expect(copy?.u32(0)).toBe(40);
});
