import { expect, test } from "bun:test";
import { decodeExact, EMPTY, encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, RECOVERY_ACTIVE, SRVID } from "../../src/wire/constants.ts";
import {
  PING_BACKLOG,
  PING_KNOWLEDGE,
  PING_LISTENERS,
  PING_TURNS,
} from "../../src/wire/controls.ts";
import {
  BROADCAST_ACTIVE,
  BROADCAST_ALL,
  BROADCAST_CONNECTED,
  CURRENT_NODE,
  OPERATIONS,
  UNKNOWN_PNN,
} from "../../src/wire/packet.ts";
import { buildReqTunnel, readReqTunnel } from "../../src/wire/packets/message.ts";
import { Reader } from "../../src/wire/reader.ts";
import { nodeKnowledge, nodeTurns, TURNS_MAGIC } from "../../src/wire/structs/cluster.ts";
import { must } from "../support/must.ts";
import { type FakeNode, messagePacket, recover, startCluster } from "./fake_cluster.ts";

const TEST_SRVID = { hi: 0xae000000, lo: 7 };

function listeners(nodes: readonly FakeNode[]) {
  return nodes.map((node) => {
    const client = node.client();
    client.register(TEST_SRVID);
    return client;
  });
}

test("MessageRouter.fromClient() reaches clients of this node and of others", () => {
  const { world, nodes } = startCluster(3);
  const [one, two, three] = listeners(nodes);
  one?.sendMessage(1, TEST_SRVID, textBytes("to one"));
  one?.sendMessage(CURRENT_NODE, TEST_SRVID, textBytes("to self"));
  one?.sendMessage(9, TEST_SRVID, textBytes("to nobody"));
  world.settle();
  expect(one?.messages()).toEqual(["to self"]);
  expect(two?.messages()).toEqual(["to one"]);
  expect(three?.messages()).toEqual([]);
  expect(two?.received.at(-1)?.srcnode).toBe(0);
});

test("MessageRouter.fromClient() keeps the order of a sender, broadcast or not", () => {
  const { world, nodes } = startCluster(2);
  const [one, two] = listeners(nodes);
  const sent: string[] = [];
  const packets = Array.from({ length: 500 }, (_, i) => {
    const destination = [BROADCAST_ALL, i % 2, BROADCAST_CONNECTED][i % 3] as number;
    const text = `${destination < 2 ? destination : "all"} ${i}`;
    sent.push(text);
    return messagePacket(destination, TEST_SRVID, textBytes(text));
  });
  one?.sendTogether(packets);
  world.settle();
  expect(one?.messages()).toEqual(sent.filter((text) => !text.startsWith("1")));
  expect(two?.messages()).toEqual(sent.filter((text) => !text.startsWith("0")));
});

test("MessageRouter.fromClient() broadcasts to all, connected and active nodes", () => {
  const { world, nodes } = startCluster(3);
  const clients = listeners(nodes);
  const heard = (index: number) => clients[index]?.messages();
  // Node 2 is stopped as node 0 sees it: connected, but not active.
  const change = { pnn: 2, new_flags: NODE_FLAGS.STOPPED, old_flags: 0 };
  expect(clients[0]?.control("MODIFY_FLAGS", change).ok).toBe(true);
  clients[0]?.sendMessage(BROADCAST_ALL, TEST_SRVID, textBytes("all"));
  clients[0]?.sendMessage(BROADCAST_CONNECTED, TEST_SRVID, textBytes("connected"));
  clients[0]?.sendMessage(BROADCAST_ACTIVE, TEST_SRVID, textBytes("active"));
  world.settle();
  expect(heard(0)).toEqual(["all", "connected", "active"]);
  expect(heard(1)).toEqual(["all", "connected", "active"]);
  expect(heard(2)).toEqual(["all", "connected"]);
});

test("SrvidRegistry.deliver() gives listeners of all srvids every message once", () => {
  const { world, nodes } = startCluster(1);
  const client = nodes[0]?.client();
  client?.register(SRVID.ALL);
  client?.sendMessage(CURRENT_NODE, TEST_SRVID, textBytes("a"));
  client?.sendMessage(CURRENT_NODE, SRVID.ALL, textBytes("b"));
  world.settle();
  expect(client?.messages()).toEqual(["a", "b"]);
});

test("DEREGISTER_SRVID ends delivery, and refuses what is not registered", () => {
  const { world, nodes } = startCluster(1);
  const client = nodes[0]?.client();
  client?.register(TEST_SRVID);
  expect(client?.control("DEREGISTER_SRVID", undefined, { srvid: TEST_SRVID })).toMatchObject({
    value: { status: 0 },
  });
  expect(client?.control("DEREGISTER_SRVID", undefined, { srvid: TEST_SRVID })).toMatchObject({
    value: { status: 2 },
  });
  client?.sendMessage(CURRENT_NODE, TEST_SRVID, textBytes("a"));
  world.settle();
  expect(client?.messages()).toEqual([]);
});

test("REGISTER_NOTIFY is broadcast when the client goes, not when it deregistered", () => {
  const { world, nodes } = startCluster(2);
  const clients = listeners(nodes);
  const watched = nodes[0]?.client(5000);
  const second = { hi: TEST_SRVID.hi, lo: 8 };
  watched?.control("REGISTER_NOTIFY", { srvid: TEST_SRVID, data: textBytes("gone") });
  watched?.control("REGISTER_NOTIFY", { srvid: second, data: textBytes("never") });
  expect(watched?.control("REGISTER_NOTIFY", { srvid: second, data: textBytes("x") }).ok).toBe(
    false,
  );
  expect(watched?.control("DEREGISTER_NOTIFY", second).ok).toBe(true);
  watched?.stream?.close();
  world.settle();
  expect(clients.map((client) => client.messages())).toEqual([["gone"], ["gone"]]);
  expect(nodes[0]?.records.gone).toHaveLength(1);
});

test("LeaderCache shows a new listener the last fresh broadcast", () => {
  const { world, nodes } = startCluster(2);
  const recoverd = nodes[1]?.client(77);
  const broadcast = (leader: number) => {
    recoverd?.sendMessage(BROADCAST_CONNECTED, SRVID.LEADER, encode(u32Codec, leader));
    world.settle();
  };
  const leaderSeenAt = (node: FakeNode | undefined) => {
    const client = node?.client();
    client?.register(SRVID.LEADER);
    world.settle();
    const message = client?.received.find(({ operation }) => operation === OPERATIONS.REQ_MESSAGE);
    client?.stream?.close();
    return message?.u32(44);
  };
  broadcast(1);
  expect(leaderSeenAt(nodes[0])).toBe(1);
  expect(leaderSeenAt(nodes[1])).toBe(1);
  world.run(1600);
  expect(leaderSeenAt(nodes[0])).toBeUndefined();
  broadcast(1);
  broadcast(0xffffffff);
  expect(leaderSeenAt(nodes[0])).toBeUndefined();
});

test("TunnelRouter joins one client a node, and drops what nobody registered", () => {
  const { world, nodes } = startCluster(2);
  const [one, two] = nodes.map((node) => node.client());
  const srvid = { hi: 0xffffffff, lo: 0 };
  const packet = (text: string) =>
    buildReqTunnel(
      { generation: 0, destnode: 1, srcnode: 0, reqid: 42 },
      { tunnel_id: srvid, flags: 1, data: textBytes(text) },
    );
  one?.send(packet("unregistered sender"));
  expect(one?.control("TUNNEL_REGISTER", undefined, { srvid }).ok).toBe(true);
  one?.send(packet("unregistered receiver"));
  world.settle();
  expect(two?.control("TUNNEL_REGISTER", undefined, { srvid }).ok).toBe(true);
  expect(nodes[1]?.client().control("TUNNEL_REGISTER", undefined, { srvid }).ok).toBe(false);
  one?.send(packet("through"));
  world.settle();
  const tunnels = two?.received.filter(({ operation }) => operation === OPERATIONS.REQ_TUNNEL);
  expect(tunnels).toHaveLength(1);
  const received = tunnels?.[0];
  const read = received === undefined ? undefined : readReqTunnel(received);
  expect(read).toMatchObject({ value: { flags: 1, data: textBytes("through") } });
  expect([received?.reqid, received?.srcnode]).toEqual([42, 0]);
});

test("PacketLink hands out messages that arrive one byte at a time", () => {
  const { world, nodes } = startCluster(2);
  const [one, two] = listeners(nodes);
  world.chunkBytes = 1;
  for (let i = 0; i < 20; i++) one?.sendMessage(1, TEST_SRVID, textBytes(`m${i}`));
  world.settle();
  expect(two?.messages()).toEqual(Array.from({ length: 20 }, (_, i) => `m${i}`));
});

test("PacketLink has a client that fills a slow node's link wait, and loses nothing", () => {
  const { world, nodes } = startCluster(2);
  const [one, two] = listeners(nodes);
  const data = new Uint8Array(1 << 20);
  world.streamBytesMax = 64 << 10;
  let sent = 0;
  for (; sent < 40; sent++) {
    data[0] = sent;
    world.streamBytesMax = 64 << 20;
    one?.sendMessage(1, TEST_SRVID, data);
    world.streamBytesMax = 64 << 10;
  }
  world.settle();
  expect(
    two?.received.filter(({ operation }) => operation === OPERATIONS.REQ_MESSAGE),
  ).toHaveLength(sent);
});

test("Node drops a client that does not read when MaxQueueDropMsg packets wait", () => {
  const { world, nodes } = startCluster(1);
  const reader = nodes[0]?.client(1);
  const sender = nodes[0]?.client(2);
  reader?.register(TEST_SRVID);
  nodes[0]?.tunables.set("MaxQueueDropMsg", 100);
  reader?.stream?.pause();
  world.streamBytesMax = 1 << 30;
  const data = new Uint8Array(60_000);
  const other = nodes[0]?.client(3);
  other?.register(TEST_SRVID);
  for (let i = 0; i < 300; i++) sender?.sendMessage(CURRENT_NODE, TEST_SRVID, data);
  world.streamBytesMax = 1 << 20;
  world.settle();
  expect(nodes[0]?.records.gone).toHaveLength(1);
  const heard = other?.received.filter(({ operation }) => operation === OPERATIONS.REQ_MESSAGE);
  expect(heard).toHaveLength(300);
  expect(sender?.control("PING", undefined).ok).toBe(true);
});

test("PING with PING_BACKLOG tells how much waits for the listener of a srvid, to other nodes too", () => {
  const { world, nodes } = startCluster(2);
  const reader = nodes[0]?.client(1);
  const sender = nodes[0]?.client(2);
  const asker = nodes[1]?.client();
  const backlog = () => {
    const options = { destnode: 0, srvid: TEST_SRVID, flags: PING_BACKLOG };
    const reqid = asker?.sendControl("PING", undefined, options) ?? 0;
    world.settle();
    const reply = asker?.reply(reqid);
    expect(reply?.status).toBe(2);
    return new Reader(reply?.data ?? EMPTY).u32();
  };
  expect(backlog()).toBe(0);
  reader?.register(TEST_SRVID);
  reader?.stream?.pause();
  world.streamBytesMax = 1 << 20;
  for (let i = 0; i < 50; i++) {
    sender?.sendMessage(CURRENT_NODE, TEST_SRVID, new Uint8Array(60_000));
    world.settle();
  }
  expect(backlog()).toBeGreaterThan(1_000_000);
  expect(backlog()).toBeLessThan(3_100_000);
  expect(asker?.control("PING", undefined, { destnode: 0 })).toMatchObject({
    value: { status: 2 },
  });
});

test("PING with PING_LISTENERS tells how many listen to a srvid, to other nodes too", () => {
  const { world, nodes } = startCluster(2);
  const asker = nodes[1]?.client();
  const listeners = () => {
    const options = { destnode: 0, srvid: TEST_SRVID, flags: PING_LISTENERS };
    const reqid = asker?.sendControl("PING", undefined, options) ?? 0;
    world.settle();
    return must(decodeExact(u32Codec, asker?.reply(reqid)?.data ?? EMPTY));
  };
  nodes[0]?.client(1)?.register(SRVID.ALL);
  expect(listeners()).toBe(0);
  nodes[0]?.client(2)?.register(TEST_SRVID);
  nodes[1]?.client(3)?.register(TEST_SRVID);
  world.settle();
  expect(listeners()).toBe(1);
});

test("PING with PING_TURNS tells how long turns of the event loop took", () => {
  const { world, nodes } = startCluster(1);
  const asker = nodes[0]?.client();
  const turns = () => {
    const reqid = asker?.sendControl("PING", undefined, { flags: PING_TURNS }) ?? 0;
    world.settle();
    return must(decodeExact(nodeTurns, asker?.reply(reqid)?.data ?? EMPTY));
  };
  const before = turns();
  world.run(5_000);
  const after = turns();
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  expect(after.magic).toBe(TURNS_MAGIC);
  expect(sum(after.buckets)).toBeGreaterThan(sum(before.buckets));
});

test("PING with PING_KNOWLEDGE tells how long ago the others were heard, and the leader", () => {
  const { world, nodes } = startCluster(2);
  const asker = nodes[0]?.client();
  const knowledge = () => {
    const reqid = asker?.sendControl("PING", undefined, { flags: PING_KNOWLEDGE }) ?? 0;
    world.settle();
    return must(decodeExact(nodeKnowledge, asker?.reply(reqid)?.data ?? EMPTY));
  };
  // Ticks of the keepalive are 5 s apart: what was counted since the last one is younger than that.
  world.run(17_000);
  expect(knowledge().leader).toBe(UNKNOWN_PNN);
  expect(knowledge().heard[0]).toBe(0);
  // The nodes of a test announce the same release; the other's is known from its first keepalive on.
  const [own, other] = knowledge().versions;
  expect([own === 0, other]).toEqual([false, own]);
  expect(knowledge().heard[1]).toBeLessThanOrEqual(7_000);
  // One more keepalive is under way, and none after it.
  nodes[1]?.tunables.set("KeepaliveInterval", 1000);
  world.run(5_000);
  world.run(7_000);
  // After a leader that is silent for longer is asked, and those questions are heard, too.
  const recoverd = nodes[0]?.client(77);
  recoverd?.sendMessage(BROADCAST_CONNECTED, SRVID.LEADER, encode(u32Codec, 0));
  world.settle();
  world.run(2_000);
  const later = knowledge();
  expect([later.leader, later.leader_age]).toEqual([0, 2_000]);
  expect(later.heard[1]).toBeGreaterThanOrEqual(9_000);
  expect(later.heard[1]).toBeLessThanOrEqual(14_000);
});

test("DatabaseHost.queuedBytes() counts messages to this node that are not delivered yet", () => {
  const { world, nodes } = startCluster(1);
  const host = nodes[0]?.database?.host;
  const heard = nodes[0]?.client();
  heard?.register(TEST_SRVID);
  for (let i = 0; i < 3; i++) host?.sendMessage(0, TEST_SRVID, new Uint8Array(100_000));
  expect(host?.queuedBytes(0, TEST_SRVID)).toBeGreaterThan(300_000);
  world.settle();
  expect(host?.queuedBytes(0, TEST_SRVID)).toBe(0);
  expect(heard?.messages()).toHaveLength(3);
});

test("Nodes on which a client has left databases frozen, and no others, are in recovery mode when it ends", () => {
  const { world, nodes } = startCluster(3);
  for (const node of nodes) recover(node, [0, 1, 2]);
  const [DB_A, DB_B] = [1, 2];
  const endClient = (
    frozen: readonly (readonly [pnn: number, dbId: number])[],
    thawed = frozen,
  ) => {
    const client = nodes[0]?.client();
    for (const [destnode, dbId] of frozen) client?.control("DB_FREEZE", dbId, { destnode });
    for (const [destnode, dbId] of thawed) client?.control("DB_THAW", dbId, { destnode });
    client?.stream?.close();
    world.settle();
    return nodes.map((node) => node.daemon.node?.state.recovering);
  };
  const both = [0, 1].flatMap((pnn) => [[pnn, DB_A] as const, [pnn, DB_B] as const]);
  expect(endClient(both)).toEqual([false, false, false]);
  expect(endClient([])).toEqual([false, false, false]);
  expect(endClient([...both, [2, DB_A]], both)).toEqual([false, false, true]);
  expect(endClient([...both, [2, DB_A]], both.slice(1))).toEqual([true, false, true]);
});

test("A client that has frozen databases before a recovery ends without another one", () => {
  const { world, nodes } = startCluster(1);
  const node = nodes[0] as FakeNode;
  recover(node, [0]);
  const client = node.client();
  client.control("DB_FREEZE", 1);
  client.control("SET_RECMODE", RECOVERY_ACTIVE);
  recover(node, [0], 1235);
  client.stream?.close();
  world.settle();
  expect(node.daemon.node?.state.recovering).toBe(false);
});

test("Node asks for a recovery when a client ends amidst persistent updates that it has announced", () => {
  const { world, nodes } = startCluster(1);
  const node = nodes[0] as FakeNode;
  recover(node, [0]);
  const endClient = (announced: number, cancelled: number) => {
    const client = node.client();
    for (let i = 0; i < announced; i++) client.control("START_PERSISTENT_UPDATE", undefined);
    for (let i = 0; i < cancelled; i++) client.control("CANCEL_PERSISTENT_UPDATE", undefined);
    client.stream?.close();
    world.settle();
    return node.daemon.node?.state.recovering;
  };
  expect([endClient(0, 0), endClient(1, 1), endClient(1, 2)]).toEqual([false, false, false]);
  expect(endClient(2, 1)).toBe(true);
});
