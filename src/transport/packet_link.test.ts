import { expect, test } from "bun:test";
import { FakeWorld } from "../../test/support/fake_world.ts";
import { TracedTurns } from "../base/trace.ts";
import type { Stream, StreamHandlers } from "../platform/types/network.ts";
import type { PacketView } from "../wire/packet.ts";
import { buildReqMessage } from "../wire/packets/message.ts";
import { PacketFramer } from "./framer.ts";
import { SLICE_BYTES_MAX, SLICE_PACKETS_MAX, WRITTEN_AT_ONCE_BYTES_MIN } from "./limits.ts";
import { PacketLink } from "./packet_link.ts";
import { Turns } from "./turns.ts";

interface Peer {
  stream: Stream;
  received: number;
  closed: boolean;
}

/** A link on one side, a raw stream on the other. */
function makeLink(onPacket: (packet: PacketView, link: PacketLink) => void) {
  const world = new FakeWorld();
  const turns = new Turns(new TracedTurns(world.clock, () => {}), world.timers);
  const events: string[] = [];
  let link: PacketLink | undefined;
  world.network("127.0.0.1", 1).listenUnix("/s", 0o700, (stream) => {
    const made: PacketLink = new PacketLink(
      stream,
      turns,
      {
        onPacket: (packet) => onPacket(packet, made),
        onClosed: (reason, malformed) => events.push(`closed ${malformed} ${reason}`),
        onRelieved: () => events.push("relieved"),
      },
      { name: "test", mode: "client", congestedBytes: 10_000, relievedBytes: 1000 },
    );
    link = made;
    return made.handlers;
  });
  let peer: Peer | undefined;
  world.network("127.0.0.1", 2).connectUnix("/s", (outcome): StreamHandlers | undefined => {
    if (!outcome.ok) return undefined;
    const connected: Peer = { stream: outcome.value, received: 0, closed: false };
    peer = connected;
    return {
      onData: (chunk) => {
        connected.received += chunk.length;
      },
      onDrain() {},
      onClose: () => {
        connected.closed = true;
      },
    };
  });
  world.settle();
  if (link === undefined || peer === undefined) throw new Error("not connected");
  return { world, turns, link, peer, events };
}

function message(length: number): PacketView {
  const header = { generation: 1, destnode: 0, srcnode: 0, reqid: 0 };
  return buildReqMessage(header, { srvid: { hi: 0, lo: 1 }, data: new Uint8Array(length) });
}

test("PacketLink hands out a long burst in slices, with other work between them", () => {
  const order: string[] = [];
  const { world, peer } = makeLink(() => {
    order.push("packet");
    if (order.length === 1) world.timers.soon(() => order.push("other"));
  });
  const burst = message(4).bytes();
  const all = new Uint8Array(burst.length * SLICE_PACKETS_MAX * 3);
  for (let at = 0; at < all.length; at += burst.length) all.set(burst, at);
  peer.stream.write(all);
  world.settle();
  expect(order.filter((what) => what === "packet")).toHaveLength(SLICE_PACKETS_MAX * 3);
  expect(order.indexOf("other")).toBe(SLICE_PACKETS_MAX);
});

test("PacketLink.hold() stops in the middle of a slice, and release() goes on", () => {
  let packets = 0;
  const { world, link, peer } = makeLink((_, self) => {
    packets += 1;
    if (packets === 5) self.hold();
  });
  for (let i = 0; i < 12; i++) peer.stream.write(message(i).bytes());
  world.settle();
  expect(packets).toBe(5);
  link.hold();
  link.release();
  world.settle();
  expect(packets).toBe(5);
  link.release();
  world.settle();
  expect(packets).toBe(12);
});

test("PacketLink reports a congested queue and its relief once", () => {
  const { world, turns, link, peer, events } = makeLink(() => {});
  world.streamBytesMax = 4096;
  turns.run("test", () => {
    for (let i = 0; i < 20; i++) link.send(message(1000));
  });
  expect(link.congested).toBe(true);
  world.settle();
  expect(link.congested).toBe(false);
  expect(events).toEqual(["relieved"]);
  expect(peer.received).toBe(20 * 1048);
});

test("PacketLink writes once per turn, and outside of turns in the next", () => {
  const { world, turns, link } = makeLink(() => {});
  const writes: number[] = [];
  const stream = {
    write: (bytes: Uint8Array) => {
      writes.push(bytes.length);
      return bytes.length;
    },
    pause() {},
    resume() {},
    close() {},
    peer: undefined,
    remoteAddress: undefined,
  };
  const owner = { onPacket() {}, onClosed() {}, onRelieved() {} };
  const options = { name: "t", mode: "node", congestedBytes: 1e6, relievedBytes: 1 } as const;
  const counted = new PacketLink(stream, turns, owner, options);
  turns.run("outer", () => {
    turns.run("inner", () => counted.send(message(4)));
    counted.send(message(4));
    expect(writes).toEqual([]);
  });
  expect(writes).toEqual([96]);
  counted.send(message(4));
  counted.send(message(4));
  expect(writes).toEqual([96]);
  world.settle();
  expect(writes).toEqual([96, 96]);
  link.close();
});

test("PacketLink.close() still writes what was sent, and says nothing", () => {
  const { world, turns, link, peer, events } = makeLink(() => {});
  turns.run("test", () => {
    link.send(message(4));
    link.close();
  });
  world.settle();
  expect([peer.received, peer.closed, events]).toEqual([48, true, []]);
});

test("PacketLink reports the end of the stream, and packets that are none, once", () => {
  const ended = makeLink(() => {});
  ended.peer.stream.close();
  ended.world.settle();
  expect(ended.events).toHaveLength(1);
  expect(ended.events[0]).toStartWith("closed false");
  const broken = makeLink(() => {});
  broken.peer.stream.write(new Uint8Array(64));
  broken.peer.stream.write(new Uint8Array(64));
  broken.world.settle();
  expect(broken.events).toHaveLength(1);
  expect(broken.events[0]).toStartWith("closed true");
  expect(broken.peer.closed).toBe(true);
});

test("PacketLink hands out what arrived before the end of the stream", () => {
  let packets = 0;
  const { world, peer, events } = makeLink(() => {
    packets += 1;
  });
  const burst = message(4).bytes();
  const all = new Uint8Array(burst.length * SLICE_PACKETS_MAX * 3);
  for (let at = 0; at < all.length; at += burst.length) all.set(burst, at);
  peer.stream.write(all);
  peer.stream.close();
  world.settle();
  expect(packets).toBe(SLICE_PACKETS_MAX * 3);
  expect(events).toHaveLength(1);
});

test("PacketLink.send() keeps the order of large packets that the stream takes in parts, and of small ones", () => {
  const world = new FakeWorld();
  const turns = new Turns(new TracedTurns(world.clock, () => {}), world.timers);
  const written: number[] = [];
  /** Calls of write, and how much each may take. */
  const takes = [Number.POSITIVE_INFINITY, 100_000, 0];
  const stream: Stream = {
    write: (bytes) => {
      const taken = Math.min(bytes.length, takes.shift() ?? Number.POSITIVE_INFINITY);
      for (const byte of bytes.subarray(0, taken)) written.push(byte);
      return taken;
    },
    pause() {},
    resume() {},
    close() {},
  } as Stream;
  const link = new PacketLink(
    stream,
    turns,
    { onPacket() {}, onClosed() {}, onRelieved() {} },
    { name: "test", mode: "client", congestedBytes: 1e9, relievedBytes: 1 },
  );
  const sent = [WRITTEN_AT_ONCE_BYTES_MIN, 3 * WRITTEN_AT_ONCE_BYTES_MIN, 20, 2e5].map((length) => {
    const packet = message(length);
    packet.bytes().fill(length & 0xff, 60, 70);
    return packet;
  });
  for (const packet of sent) link.send(packet);
  expect(written.length).toBe((sent[0] as PacketView).length + 100_000);
  link.handlers.onDrain();
  link.handlers.onDrain();
  const framer = new PacketFramer("client");
  framer.push(Uint8Array.from(written));
  const marks = sent.map(() => framer.next()?.bytes()[65]);
  expect(marks).toEqual(sent.map((packet) => packet.bytes()[65]));
  expect(link.queuedBytes).toBe(0);
});

test("PacketLink hands out at most SLICE_BYTES_MAX in a turn, also of large packets", () => {
  const bytes = SLICE_BYTES_MAX / 4;
  const turnsOf: number[] = [];
  const { world, peer } = makeLink(() => turnsOf.push(turn));
  let turn = 0;
  const packet = message(bytes);
  world.streamBytesMax = 64 << 20;
  const together = new Uint8Array(20 * packet.length);
  for (let i = 0; i < 20; i++) together.set(packet.bytes(), i * packet.length);
  peer.stream.write(together);
  // A turn is what runs between two looks.
  const count = () => {
    turn += 1;
    if (turn < 100) world.timers.soon(count);
  };
  world.timers.soon(count);
  world.settle();
  expect(turnsOf.length).toBe(20);
  for (const one of new Set(turnsOf)) {
    expect(turnsOf.filter((other) => other === one).length).toBeLessThanOrEqual(4);
  }
});

test("PacketLink hands out what arrived before the end of the stream, more than a slice too", () => {
  let received = 0;
  const { world, link, events } = makeLink(() => {
    received += 1;
    expect(events).toEqual([]);
  });
  const count = 3 * SLICE_PACKETS_MAX;
  const packet = message(20);
  const together = new Uint8Array(count * packet.length);
  for (let i = 0; i < count; i++) together.set(packet.bytes(), i * packet.length);
  // Some streams tell of their end although nobody reads from them at the moment.
  link.handlers.onData(together);
  link.handlers.onClose(undefined);
  world.settle();
  expect(received).toBe(count);
  expect(events.length).toBe(1);
});
