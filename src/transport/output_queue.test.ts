import { expect, test } from "bun:test";
import { textBytes } from "../wire/codec.ts";
import type { PacketView } from "../wire/packet.ts";
import { buildReqMessage } from "../wire/packets/message.ts";
import { PacketFramer } from "./framer.ts";
import { OutputQueue } from "./output_queue.ts";

function message(data: Uint8Array): PacketView {
  const header = { generation: 1, destnode: 0, srcnode: 0, reqid: 0 };
  return buildReqMessage(header, { srvid: { hi: 0, lo: 1 }, data });
}

/** Writes that take a little each time. */
function slowly(limit: () => number) {
  const chunks: Uint8Array[] = [];
  return {
    chunks,
    write: (bytes: Uint8Array) => {
      const taken = Math.min(bytes.length, limit());
      if (taken > 0) chunks.push(bytes.slice(0, taken));
      return taken;
    },
  };
}

test("OutputQueue.push() copies, pads to 8 bytes and rewrites the length", () => {
  const queue = new OutputQueue();
  const packet = message(textBytes("abc"));
  // As a client may send it: its length is not padded.
  packet.length = 47;
  packet.setU32(0, 47);
  queue.push(packet);
  packet.setU32(4, 0);
  const sink = slowly(() => 1000);
  expect(queue.flush(sink.write)).toBe(true);
  const written = sink.chunks[0] as Uint8Array;
  expect(written).toHaveLength(48);
  expect([...written.subarray(0, 8)]).toEqual([48, 0, 0, 0, 0x42, 0x44, 0x54, 0x43]);
  expect(written[47]).toBe(0);
  expect([queue.bytes, queue.packets]).toEqual([0, 0]);
});

test("OutputQueue.flush() keeps the order, whatever the stream takes", () => {
  const seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000);
  let state = seed || 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % below;
  };
  const queue = new OutputQueue();
  const framer = new PacketFramer("node");
  const lengths: number[] = [];
  const got: number[] = [];
  const sink = slowly(() => random(100_000));
  const receive = () => {
    for (const chunk of sink.chunks.splice(0)) {
      framer.push(chunk);
      for (let packet = framer.next(); packet; packet = framer.next()) got.push(packet.u32(40));
      framer.hold();
    }
  };
  for (let i = 0; i < 2000; i++) {
    const length = random(20) === 0 ? random(200_000) : random(500);
    lengths.push(length);
    queue.push(message(new Uint8Array(length)));
    if (random(3) === 0) queue.flush(sink.write);
    receive();
  }
  while (!queue.flush(sink.write)) receive();
  receive();
  expect([seed, got]).toEqual([seed, lengths]);
  expect([queue.bytes, queue.packets, queue.empty]).toEqual([0, 0, true]);
});

test("OutputQueue.push() pads with zeros, also in memory that was used before", () => {
  const queue = new OutputQueue();
  const sink = slowly(() => 1000);
  queue.push(message(new Uint8Array(100).fill(0xff)));
  queue.flush(sink.write);
  const packet = message(textBytes("abc"));
  packet.length = 45;
  packet.setU32(0, 45);
  queue.push(packet);
  expect(queue.flush(sink.write)).toBe(true);
  const written = sink.chunks.at(-1) as Uint8Array;
  expect([...written.subarray(45)]).toEqual([0, 0, 0]);
});

test("OutputQueue pads no packets of a kind that knows no padding", () => {
  const queue = new OutputQueue(false);
  const packet = message(textBytes("abc"));
  packet.length = 47;
  packet.setU32(0, 47);
  queue.push(packet);
  queue.push(packet);
  const sink = slowly(() => 1000);
  expect(queue.flush(sink.write)).toBe(true);
  const written = sink.chunks[0] as Uint8Array;
  expect([written.length, written[0], written[47]]).toEqual([94, 47, 47]);
});
