import { expect, test } from "bun:test";
import { VirtualTime } from "../../../test/database/virtual_time.ts";
import type { MutableStatistics } from "../../database/host.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import { SLICE_PACKETS_MAX } from "../../transport/limits.ts";
import type { NodeLinks } from "../../transport/node_links.ts";
import { textBytes } from "../../wire/codec.ts";
import type { PacketView } from "../../wire/packet.ts";
import { REQ_MESSAGE_AT } from "../../wire/packets/layouts.ts";
import { buildReqMessage } from "../../wire/packets/message.ts";
import { NodeOutput } from "./node_output.ts";

const PNN = 3;

function looping(handle: (text: string) => void = () => {}) {
  const time = new VirtualTime();
  const handled: string[] = [];
  const loopback = (packet: PacketView) => {
    const length = packet.u32(REQ_MESSAGE_AT.DATA_LENGTH);
    const text = new TextDecoder().decode(packet.slice(REQ_MESSAGE_AT.DATA, length));
    handled.push(text);
    handle(text);
  };
  const output = new NodeOutput(
    { ownPnn: PNN } as NodeTable,
    {} as NodeLinks,
    time,
    { node_packets_sent: 0 } as MutableStatistics,
    loopback,
  );
  const send = (text: string) => {
    const header = { generation: 1, destnode: PNN, srcnode: PNN, reqid: 0 };
    const message = { srvid: { hi: 0, lo: 1 }, data: textBytes(text) };
    output.send(PNN, buildReqMessage(header, message));
  };
  return { time, handled, output, send };
}

test("NodeOutput.send() to this node is handled in later turns, so many packets in each", () => {
  const { time, handled, output, send } = looping();
  const texts = Array.from({ length: 2 * SLICE_PACKETS_MAX + 1 }, (_, i) => String(i));
  for (const text of texts) send(text);
  const bytes = output.queuedBytes(PNN);
  expect(handled).toEqual([]);
  time.settle();
  expect(handled).toEqual(texts.slice(0, SLICE_PACKETS_MAX));
  expect(output.queuedBytes(PNN)).toBeLessThan(bytes);
  time.runNextTimer();
  expect(handled.length).toBe(2 * SLICE_PACKETS_MAX);
  time.runNextTimer();
  expect(handled).toEqual(texts);
  expect([output.queuedBytes(PNN), time.runNextTimer(), time.soonCount]).toEqual([0, false, 0]);
});

test("NodeOutput.send() keeps the order of what is sent while others are handled", () => {
  const { time, handled, send } = looping((text) => {
    if (text === "0") send("last");
  });
  const texts = Array.from({ length: SLICE_PACKETS_MAX + 9 }, (_, i) => String(i));
  for (const text of texts) send(text);
  time.settle();
  while (time.runNextTimer()) time.settle();
  expect(handled).toEqual([...texts, "last"]);
});

test("NodeOutput.afterLooped() runs when what was sent before has been handled, and not before", () => {
  const { time, handled, output, send } = looping();
  for (let i = 0; i < SLICE_PACKETS_MAX; i++) send("before");
  let handledThen = -1;
  output.afterLooped(() => {
    handledThen = handled.length;
  });
  send("after");
  time.settle();
  expect(handledThen).toBe(-1);
  time.runNextTimer();
  expect(handledThen).toBe(SLICE_PACKETS_MAX);
  expect(handled.at(-1)).toBe("after");
  output.afterLooped(() => {
    handledThen = -2;
  });
  expect(handledThen).toBe(SLICE_PACKETS_MAX);
  time.settle();
  expect(handledThen).toBe(-2);
});

test("NodeOutput.send() to this node keeps small and large packets whole, whatever happens to the sender's", () => {
  const { time, handled, send } = looping();
  const texts = Array.from({ length: 300 }, (_, i) => String(i).repeat(i % 7 === 0 ? 40_000 : i));
  for (const text of texts) send(text);
  time.settle();
  while (time.runNextTimer());
  expect(handled).toEqual(texts);
});
