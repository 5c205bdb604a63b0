import { expect, test } from "bun:test";
import type { Stream } from "../../src/platform/types/network.ts";
import { ANSWER_INTERVAL_MS, CONNECT_INTERVAL_MS, FLAPS_MIN } from "../../src/transport/limits.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { newPacket, OPERATIONS } from "../../src/wire/packet.ts";
import { buildReqCall } from "../../src/wire/packets/call.ts";
import { buildReqKeepalive, buildReqMessage } from "../../src/wire/packets/message.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { configuredNodes, FakeNode, recover, startCluster } from "./fake_cluster.ts";

const flagsOf = (node: FakeNode | undefined, pnn: number) => node?.daemon.node?.nodes.flags(pnn);
const isConnected = (node: FakeNode | undefined, pnn: number) =>
  ((flagsOf(node, pnn) ?? 1) & NODE_FLAGS.DISCONNECTED) === 0;

/** A connection to the node port, as from the address. */
function connectAs(world: FakeWorld, from: string, to: string) {
  const raw: { stream?: Stream; closed: boolean; bytes: number } = { closed: false, bytes: 0 };
  world.network(from, 1).connectTcp({ address: to, port: 4379, timeoutMs: 1000 }, (outcome) => {
    if (!outcome.ok) {
      raw.closed = true;
      return undefined;
    }
    raw.stream = outcome.value;
    return {
      onData: (chunk) => {
        raw.bytes += chunk.length;
      },
      onDrain() {},
      onClose: () => {
        raw.closed = true;
      },
    };
  });
  world.settle();
  return raw;
}

test("NodeLinks connects all nodes to each other, whoever starts first", () => {
  const world = new FakeWorld();
  const nodes = configuredNodes(3).map(({ pnn }) => new FakeNode(world, configuredNodes(3), pnn));
  for (const node of nodes) {
    node.start();
    world.run(700);
  }
  world.run(1100);
  for (const node of nodes) {
    for (const pnn of [0, 1, 2])
      expect([node.pnn, pnn, isConnected(node, pnn)]).toEqual([node.pnn, pnn, true]);
  }
});

test("NodeLinks refuses strangers and second connections", () => {
  const { world } = startCluster(2);
  expect(connectAs(world, "127.0.0.77", "127.0.0.1").closed).toBe(true);
  expect(connectAs(world, "127.0.0.2", "127.0.0.1").closed).toBe(true);
});

test("NodeLinks notices a lost node and connects again", () => {
  const { world, nodes } = startCluster(2);
  nodes[0]?.daemon.shutdown(0, "test");
  world.run(100);
  expect(isConnected(nodes[1], 0)).toBe(false);
  const again = new FakeNode(world, configuredNodes(2), 0);
  again.start();
  world.run(2500);
  expect(isConnected(nodes[1], 0)).toBe(true);
  expect(isConnected(again, 1)).toBe(true);
});

test("NodeLinks tries a node that comes and goes no more often than it answers one", () => {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(2), 0);
  node.start();
  let attempts = 0;
  world.network("127.0.0.2", 1).listenTcp("127.0.0.2", 4379, (stream) => {
    attempts += 1;
    stream.close();
    return { onData() {}, onDrain() {}, onClose() {} };
  });
  world.run(CONNECT_INTERVAL_MS + ANSWER_INTERVAL_MS);
  attempts = 0;
  // Fewer than make it a link that breaks all the time: that one is left alone.
  for (let round = 1; round < FLAPS_MIN; round++) {
    connectAs(world, "127.0.0.2", "127.0.0.1").stream?.close();
    world.run(ANSWER_INTERVAL_MS / FLAPS_MIN);
  }
  expect(attempts).toBe(1);
});

test("Keepalive declares a silent node dead after KeepaliveLimit intervals", () => {
  const world = new FakeWorld();
  const nodes = configuredNodes(2);
  const node = new FakeNode(world, nodes, 0);
  node.tunables.set("KeepaliveInterval", 1);
  node.tunables.set("KeepaliveLimit", 3);
  node.start();
  world.settle();
  // Node 1 only accepts connections and makes one, and never says anything.
  world.listeners.set("tcp:127.0.0.2:4379", () => ({ onData() {}, onDrain() {}, onClose() {} }));
  const silent = connectAs(world, "127.0.0.2", "127.0.0.1");
  world.run(1500);
  expect(isConnected(node, 1)).toBe(true);
  world.run(3000);
  expect(isConnected(node, 1)).toBe(false);
  expect(silent.closed).toBe(true);
  expect(flagsOf(node, 1)).toBe(NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY);
});

test("Keepalive keeps quiet nodes connected", () => {
  const { world, nodes } = startCluster(2);
  world.run(120_000);
  expect(isConnected(nodes[0], 1)).toBe(true);
  expect(isConnected(nodes[1], 0)).toBe(true);
});

test("of two Samba versions the younger process goes, unless mixed versions are allowed", () => {
  const exits = (allowed: number) => {
    const world = new FakeWorld();
    const [old, young] = [17, 25].map((minor, pnn) => {
      const announcedVersion = { version: (4 << 16) | minor, fixed: true };
      return new FakeNode(world, configuredNodes(2), pnn, { announcedVersion });
    }) as [FakeNode, FakeNode];
    for (const node of [old, young]) node.tunables.set("AllowMixedVersions", allowed);
    old.start();
    world.run(3000);
    young.start();
    world.run(20_000);
    return [old.exitCode, young.exitCode];
  };
  expect(exits(0)).toEqual([undefined, 0]);
  expect(exits(1)).toEqual([undefined, undefined]);
});

test("A node hears its own Samba version, whoever was there first, and only one that is known", () => {
  const exits = (minors: readonly [number | undefined, number | undefined], laterMs: number) => {
    const world = new FakeWorld();
    const nodes = minors.map((minor, pnn) => {
      const announcedVersion = { version: (4 << 16) | (minor ?? 25), fixed: minor !== undefined };
      return new FakeNode(world, configuredNodes(2), pnn, { announcedVersion });
    });
    nodes[0]?.start();
    world.run(laterMs);
    nodes[1]?.start();
    world.run(60_000);
    expect(nodes.map((node, pnn) => isConnected(node, 1 - pnn))).toEqual(
      nodes.map(() => nodes.every(({ exitCode }) => exitCode === undefined)),
    );
    return nodes.map(({ exitCode }) => exitCode);
  };
  for (const laterMs of [3000, 4900, 7500]) {
    expect(exits([17, undefined], laterMs)).toEqual([undefined, undefined]);
    expect(exits([undefined, 17], laterMs)).toEqual([undefined, undefined]);
    expect(exits([undefined, undefined], laterMs)).toEqual([undefined, undefined]);
    expect(exits([16, undefined], laterMs)).toEqual([undefined, 0]);
    expect(exits([undefined, 26], laterMs)).toEqual([undefined, 0]);
  }
});

test("malformed packets cost their sender the connection, and nobody else", () => {
  const { world, nodes } = startCluster(2);
  const [node] = nodes;
  const good = node?.client(1);
  const header = { generation: 1, destnode: 0, srcnode: 0, reqid: 1 };
  const lying = buildReqMessage(header, { srvid: { hi: 0, lo: 1 }, data: textBytes("abc") });
  lying.setU32(40, 0xfffffff0);
  const wrongMagic = newPacket({ ...header, operation: OPERATIONS.REQ_MESSAGE }, 64);
  wrongMagic.setU32(4, 1);
  const short = newPacket({ ...header, operation: OPERATIONS.REQ_MESSAGE }, 64);
  short.setU32(0, 8);
  const reply = newPacket({ ...header, operation: OPERATIONS.REPLY_CONTROL }, 64);
  const unknown = newPacket({ ...header, operation: 99 }, 64);
  const huge = newPacket({ ...header, operation: OPERATIONS.REQ_MESSAGE }, 64);
  huge.setU32(0, 0xffffffff);
  for (const packet of [lying, wrongMagic, short, reply, unknown, huge]) {
    const bad = node?.client(2);
    bad?.send(packet);
    world.settle();
    expect(bad?.closed).toBe(true);
  }
  expect(good?.control("PING", undefined)).toMatchObject({ value: { status: 1 } });
  expect(node?.daemon.node?.input.refused.client).toBe(6);
  expect(isConnected(node, 1)).toBe(true);
});

test("a malformed packet between nodes restarts their link", () => {
  const { world, nodes } = startCluster(2);
  const header = { generation: 1, destnode: 0, srcnode: 1, reqid: 0 };
  const lying = buildReqMessage(header, { srvid: { hi: 0, lo: 1 }, data: textBytes("abc") });
  lying.setU32(40, 1000);
  nodes[1]?.daemon.node?.routing.output.send(0, lying);
  world.run(10);
  expect(nodes[0]?.records.lost).toEqual([1]);
  expect(nodes[0]?.daemon.node?.input.refused.node).toBe(1);
  world.run(3000);
  expect(isConnected(nodes[0], 1)).toBe(true);
  expect(isConnected(nodes[1], 0)).toBe(true);
});

test("calls of other nodes pass in the current generation only, and not while banned", () => {
  const { world, nodes } = startCluster(2);
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new Error("two nodes");
  for (const node of nodes) recover(node, [0, 1], 500);
  const call = (generation: number) => {
    const header = { generation, destnode: 1, srcnode: 0, reqid: 3 };
    const body = {
      flags: 0,
      db_id: 1,
      callid: 1,
      hopcount: 0,
      key: textBytes("k"),
      calldata: new Uint8Array(0),
    };
    one.daemon.node?.routing.output.send(1, buildReqCall(header, body));
    world.settle();
    return two.records.nodePackets.length;
  };
  expect(call(499)).toBe(0);
  expect(call(500)).toBe(1);
  two.client().control("SET_BAN_STATE", { pnn: 1, time: 100 });
  expect(call(500)).toBe(1);
  expect(call(1)).toBe(1);
});

test("a keepalive without version is refused in a cluster of one version", () => {
  const { world, nodes } = startCluster(2);
  const header = { generation: 1, destnode: 0, srcnode: 1, reqid: 0 };
  nodes[1]?.daemon.node?.routing.output.send(
    0,
    buildReqKeepalive(header, { version: 0, uptime: 0 }),
  );
  world.settle();
  expect(nodes[0]?.exitCode).toBe(0);
});

test("NodeLinks leaves a link alone that breaks all the time, and takes it back afterwards", () => {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(2), 0);
  node.start();
  world.settle();
  let attempts = 0;
  world.listeners.set("tcp:127.0.0.2:4379", () => {
    attempts += 1;
    return { onData() {}, onDrain() {}, onClose() {} };
  });
  const connect = () => connectAs(world, "127.0.0.2", "127.0.0.1");
  for (let round = 0; round < 5; round++) {
    const raw = connect();
    world.run(1500);
    expect([round, isConnected(node, 1)]).toEqual([round, true]);
    raw.stream?.close();
    world.settle();
    expect([round, isConnected(node, 1)]).toEqual([round, false]);
  }
  attempts = 0;
  connect();
  world.run(4000);
  expect([attempts, isConnected(node, 1)]).toEqual([0, false]);
  world.run(2000);
  expect([attempts, isConnected(node, 1)]).toEqual([1, true]);
});
