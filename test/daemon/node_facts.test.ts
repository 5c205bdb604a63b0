/** NODE_FACTS, as the one that makes metrics of it asks a ctdbd. */
import { expect, test } from "bun:test";
import { u64 } from "../../src/base/u64.ts";
import { SRVID } from "../../src/wire/constants.ts";
import {
  decodeNodeFacts,
  encodeNodeFactsRequest,
  NODE_FACTS_MAX,
} from "../../src/wire/node_facts.ts";
import { OPERATIONS } from "../../src/wire/packet.ts";
import { readReqMessage } from "../../src/wire/packets/message.ts";
import { must } from "../support/must.ts";
import { type FakeNode, type RawClient, recover, startCluster } from "./fake_cluster.ts";

const ANSWER = u64(0xdc20_0000, 7);

function asker(node: FakeNode): RawClient {
  const client = node.client(77);
  client.register(ANSWER);
  return client;
}

function ask(client: RawClient, id: number, destnode: number): void {
  client.sendMessage(destnode, SRVID.NODE_FACTS, encodeNodeFactsRequest({ id, answer: ANSWER }));
}

function answers({ received }: RawClient) {
  return received.flatMap((packet) => {
    if (packet.operation !== OPERATIONS.REQ_MESSAGE) return [];
    return [must(decodeNodeFacts(must(readReqMessage(packet)).data))];
  });
}

test("NODE_FACTS is answered to the own node's clients with what no control has", () => {
  const { world, nodes } = startCluster(2);
  const node = nodes[0] as FakeNode;
  recover(node, [0, 1], 99);
  world.run(5000);
  const client = asker(node);
  ask(client, 5, 0);
  world.run(1000);
  const [facts, ...more] = answers(client);
  expect(more).toEqual([]);
  expect(facts).toMatchObject({
    id: 5,
    node: 0,
    pid: 1000,
    version: "0",
    memory: { resident_bytes: 4096, heap_bytes: 1000, external_bytes: 2000 },
    queues: { peers: [{ node: 1, bytes: 0 }], clients: 1 },
    databases: [],
    recoveries: { succeeded: 0, failed: 0, steps: [] },
    scripts: [],
  });
  expect(facts?.uptime_ms).toBeGreaterThan(5000);
  expect(facts?.journal).toMatchObject({
    ring: node.daemon.journal.name,
    last: node.daemon.journal.last,
    kinds: { link_up: 1, process_started: 2 },
  });
  const spans = facts?.turns.spans ?? [];
  expect(spans.find(({ name }) => name === "keepalive")?.count).toBeGreaterThan(0);
  for (const { count, buckets } of spans) {
    expect(buckets.reduce((sum, each) => sum + each, 0)).toBe(count);
  }
});

test("NODE_FACTS of another node's client, or that is none, is not answered", () => {
  const { world, nodes } = startCluster(2);
  // An answer would go to the node that was asked.
  const there = asker(nodes[0] as FakeNode);
  const client = asker(nodes[1] as FakeNode);
  ask(client, 5, 0);
  client.sendMessage(1, SRVID.NODE_FACTS, new Uint8Array(3));
  world.run(2000);
  expect([answers(client), answers(there)]).toEqual([[], []]);
  ask(client, 6, 1);
  world.run(2000);
  expect(answers(client).map(({ id, node }) => [id, node])).toEqual([[6, 1]]);
});

test("NODE_FACTS tells of as many clients as there is room for, those with the longest queues first", () => {
  const { world, nodes } = startCluster(1);
  const node = nodes[0] as FakeNode;
  const clients = Array.from({ length: NODE_FACTS_MAX.CLIENTS + 4 }, (_, i) =>
    node.client(100 + i),
  );
  world.settle();
  for (const [at, { pid, link }] of [
    ...(node.daemon.node?.routing.clients.all() ?? []),
  ].entries()) {
    Object.defineProperty(link, "queuedBytes", { get: () => (pid === 0 ? 0 : at * 10) });
  }
  const client = asker(node);
  ask(client, 1, 0);
  world.run(1000);
  const [facts] = answers(client);
  expect(facts?.queues.clients).toBe(clients.length + 1);
  expect(facts?.queues.longest).toHaveLength(NODE_FACTS_MAX.CLIENTS);
  expect(facts?.queues.longest[0]).toEqual({ pid: 119, bytes: 190 });
});
