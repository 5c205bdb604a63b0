/** Whatever a client or a peer does again and again is a few lines in the log, and exact in the counters. */
import { expect, test } from "bun:test";
import type { Stream } from "../../src/platform/types/network.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { CONTROLS } from "../../src/wire/controls.ts";
import { newPacket, OPERATIONS } from "../../src/wire/packet.ts";
import { buildReqTunnel } from "../../src/wire/packets/message.ts";
import { CollectedLog, occurrencesIn } from "../support/collected_log.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { configuredNodes, FakeNode, type RawClient } from "./fake_cluster.ts";

const FLOOD_PACKETS = 5000;
const FLOOD_MS = 8000;
/** Up to 16 different texts, counts after 1, 3, 7 and 15 s, and what a node says that waits for others. */
const LINES_MAX = 60;

function startNode() {
  const world = new FakeWorld();
  const log = new CollectedLog(world.clock, world.timers);
  const node = new FakeNode(world, configuredNodes(2), 0, { log });
  node.start();
  world.run(100);
  log.lines.length = 0;
  return { world, log, node };
}

const HEADER = { generation: 1, destnode: 0, srcnode: 0, reqid: 9 };
const BROADCAST_ALL = 0xf0000002;

const FLOODS: readonly (readonly [string, (client: RawClient, at: number) => void])[] = [
  [
    "controls that are broadcast and want a reply",
    (client) =>
      client.sendRawControl(CONTROLS.PING.opcode, new Uint8Array(0), { destnode: BROADCAST_ALL }),
  ],
  [
    "controls with a malformed body",
    (client) => client.sendRawControl(CONTROLS.SET_TUNABLE.opcode, new Uint8Array(3)),
  ],
  [
    "obsolete tunables",
    (client) => client.sendControl("SET_TUNABLE", { name: "RecoverPDBBySeqNum", value: 1 }),
  ],
  [
    "tunnel packets for a node that does not exist",
    (client, at) =>
      client.send(
        buildReqTunnel(
          { ...HEADER, destnode: 50 + at },
          { tunnel_id: { hi: at, lo: 3 }, flags: 1, data: textBytes("x") },
        ),
      ),
  ],
];

for (const [what, send] of FLOODS) {
  test(`a flood of ${what} is a few lines in the log`, () => {
    const { world, log, node } = startNode();
    const client = node.client();
    for (let at = 0; at < FLOOD_PACKETS; at++) {
      send(client, at);
      if (at % 500 === 0) world.run(FLOOD_MS / (FLOOD_PACKETS / 500));
    }
    world.run(10_000);
    expect(log.lines.length).toBeGreaterThan(0);
    expect(log.lines.length).toBeLessThan(LINES_MAX);
    expect(log.occurrences).toBeGreaterThanOrEqual(FLOOD_PACKETS);
    expect(client.closed).toBe(false);
  });
}

test("clients that send nonsense and connect again are a few lines, and each is counted", () => {
  const { world, log, node } = startNode();
  const nonsense = newPacket({ ...HEADER, operation: 99 }, 64);
  for (let pid = 5000; pid < 5700; pid++) node.client(pid).send(nonsense);
  world.run(10_000);
  expect(node.daemon.node?.input.refused.client).toBe(700);
  expect(log.lines.length).toBeLessThan(LINES_MAX);
  expect(log.occurrences).toBeGreaterThanOrEqual(700);
});

test("700 refused connections to the node port are a few lines with the count", () => {
  const { world, log } = startNode();
  let closed = 0;
  for (let at = 0; at < 700; at++) {
    const target = { address: "127.0.0.1", port: 4379, timeoutMs: 1000 };
    world.network("127.0.0.77", 1).connectTcp(target, (outcome) => {
      const stream: Stream | undefined = outcome.ok ? outcome.value : undefined;
      if (stream === undefined) return undefined;
      const onClose = () => {
        closed += 1;
      };
      return { onData() {}, onDrain() {}, onClose };
    });
  }
  world.run(1500);
  expect(closed).toBe(700);
  const lines = log.lines.filter((line) => line.includes("127.0.0.77"));
  expect(lines.map(occurrencesIn)).toEqual([1, 699]);
});

test("a control with malformed body costs its sender a reply, whatever the log says", () => {
  const { world, node } = startNode();
  const client = node.client();
  for (let i = 0; i < 100; i++) client.sendRawControl(CONTROLS.SET_TUNABLE.opcode, textBytes("?"));
  world.settle();
  const replies = client.received.filter(({ operation }) => operation === OPERATIONS.REPLY_CONTROL);
  expect(replies.length).toBe(100);
});
