/** What clients and nodes may leave waiting in the daemon, and that nobody is held for ever. */
import { expect, test } from "bun:test";
import { CONTROLS_PER_CLIENT_MAX } from "../../src/control/limits.ts";
import { Client } from "../../src/daemon/routing/client_table.ts";
import {
  CLIENT_QUEUE_BYTES_MAX,
  CLIENTS_MAX,
  NOTIFICATIONS_PER_CLIENT_MAX,
  SRVIDS_PER_CLIENT_MAX,
} from "../../src/daemon/routing/limits.ts";
import type { Stream } from "../../src/platform/types/network.ts";
import { NODE_QUEUE_BYTES_MAX } from "../../src/transport/limits.ts";
import { PacketLink } from "../../src/transport/packet_link.ts";
import { EMPTY, textBytes } from "../../src/wire/codec.ts";
import { CURRENT_NODE } from "../../src/wire/packet.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { configuredNodes, FakeNode, messagePacket, startCluster } from "./fake_cluster.ts";

const SRVID = { hi: 0xae000000, lo: 7 };

function startOne() {
  const { world, nodes } = startCluster(1);
  world.streamBytesMax = 64 << 20;
  const node = nodes[0] as FakeNode;
  const daemonNode = node.daemon.node;
  if (daemonNode === undefined) throw new Error("the node has not started");
  return { world, node, daemonNode };
}

/** Streams take so much before their reader must read. */
function taking(world: FakeWorld, bytes: number, action: () => void): void {
  const before = world.streamBytesMax;
  world.streamBytesMax = bytes;
  action();
  world.streamBytesMax = before;
}

/** Every link says that so much waits in its queue: nobody wants to have it all here. */
function whileQueuesHold(bytes: number, action: () => void): void {
  const real = Object.getOwnPropertyDescriptor(PacketLink.prototype, "queuedBytes");
  if (real === undefined) throw new Error("PacketLink has no queuedBytes");
  Object.defineProperty(PacketLink.prototype, "queuedBytes", { ...real, get: () => bytes });
  try {
    action();
  } finally {
    Object.defineProperty(PacketLink.prototype, "queuedBytes", real);
  }
}

test("ControlRouter reads no more from a client with CONTROLS_PER_CLIENT_MAX controls unanswered", () => {
  const { world, node } = startOne();
  const client = node.client();
  for (let i = 0; i < CONTROLS_PER_CLIENT_MAX; i++) client.sendControl("DB_ATTACH", "a.tdb");
  world.settle();
  const ping = client.sendControl("PING", undefined);
  world.settle();
  expect(node.records.deferred.length).toBe(CONTROLS_PER_CLIENT_MAX);
  expect(client.reply(ping)).toBeUndefined();
  expect(node.client().control("PING", undefined).ok).toBe(true);
  node.records.deferred[0]?.({ status: 0, data: EMPTY });
  world.settle();
  expect(client.reply(ping)?.status).toBe(2);
});

test("REGISTER_SRVID and REGISTER_NOTIFY are refused beyond the limit of one client", () => {
  const { node, daemonNode } = startOne();
  const client = node.client();
  const [inside] = daemonNode.routing.clients.all();
  if (inside === undefined) throw new Error("no client is connected");
  const register = () => client.control("REGISTER_SRVID", undefined, { srvid: SRVID }).ok;
  const notify = (lo: number) =>
    client.control("REGISTER_NOTIFY", { srvid: { hi: 1, lo }, data: textBytes("x") }).ok;
  for (let lo = 1; lo < SRVIDS_PER_CLIENT_MAX; lo++) inside.srvids.push({ hi: 9, lo });
  for (let lo = 1; lo < NOTIFICATIONS_PER_CLIENT_MAX; lo++) {
    inside.notifications.push({ hi: 9, lo, data: EMPTY });
  }
  expect([register(), notify(1)]).toEqual([true, true]);
  expect([register(), notify(2)]).toEqual([false, false]);
});

test("ClientService refuses connections beyond CLIENTS_MAX, and takes one when one has gone", () => {
  const { world, node, daemonNode } = startOne();
  const { clients } = daemonNode.routing;
  const first = node.client();
  const [{ link }] = [...clients.all()] as [Client];
  for (let id = 1; clients.size < CLIENTS_MAX - 1; id++) {
    clients.add(new Client(id, id, link, "clients", () => undefined));
  }
  expect([node.client().closed, node.client().closed]).toEqual([false, true]);
  first.stream?.close();
  world.settle();
  expect(node.client().control("PING", undefined).ok).toBe(true);
});

test("ClientService reads no more from a client that takes no answers, until it does", () => {
  const { world, node, daemonNode } = startOne();
  const client = node.client();
  const { client: handled } = daemonNode.statistics.current;
  const data = new Uint8Array(1 << 20);
  client.stream?.pause();
  for (let i = 0; i < 45; i++) {
    taking(world, 64 << 20, () => client.sendControl("ECHO_DATA", { timeout: 0, data }));
    taking(world, 1000, () => world.settle());
  }
  expect(handled.req_control).toBeLessThan(40);
  client.stream?.resume();
  world.settle();
  expect(client.received.length).toBe(45);
  expect(client.control("PING", undefined).ok).toBe(true);
});

test("ClientService drops a client for which more than CLIENT_QUEUE_BYTES_MAX wait", () => {
  const { world, node } = startOne();
  const [reader, sender] = [node.client(1), node.client(2)];
  reader.register(SRVID);
  const send = () => {
    sender.send(messagePacket(CURRENT_NODE, SRVID, EMPTY));
    world.settle();
  };
  whileQueuesHold(CLIENT_QUEUE_BYTES_MAX, send);
  expect(reader.closed).toBe(false);
  whileQueuesHold(CLIENT_QUEUE_BYTES_MAX + 1, send);
  expect([reader.closed, sender.closed]).toEqual([true, false]);
});

test("NodeLinks restarts the link of a node for which more than NODE_QUEUE_BYTES_MAX wait", () => {
  const { world, nodes } = startCluster(2);
  const client = nodes[0]?.client();
  const send = () => {
    client?.send(messagePacket(1, SRVID, EMPTY));
    world.settle();
  };
  whileQueuesHold(NODE_QUEUE_BYTES_MAX, send);
  expect(nodes[0]?.records.lost).toEqual([]);
  whileQueuesHold(NODE_QUEUE_BYTES_MAX + 1, send);
  expect(nodes[0]?.records.lost).toEqual([1]);
});

test("NodeLinks lets clients go on that waited for a link that ended", () => {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(2), 0);
  const streams: Stream[] = [];
  // Node 1 takes the connection, and nothing that comes over it.
  world.listeners.set("tcp:127.0.0.2:4379", (stream) => {
    streams.push(stream);
    stream.pause();
    return { onData() {}, onDrain() {}, onClose() {} };
  });
  node.start();
  world.run(1500);
  const client = node.client();
  const data = new Uint8Array(1 << 20);
  for (let i = 0; i < 12; i++) {
    taking(world, 64 << 20, () => client.sendMessage(1, SRVID, data));
    taking(world, 1000, () => world.settle());
  }
  world.streamBytesMax = 64 << 20;
  const ping = client.sendControl("PING", undefined);
  taking(world, 1000, () => world.settle());
  expect(client.reply(ping)).toBeUndefined();
  for (const stream of streams) stream.close();
  world.settle();
  expect(client.reply(ping)?.status).toBe(1);
});
