/** What a ctdbd writes down of its life (base/journal_event.ts), each event where it happens and with its cause. */
import { expect, test } from "bun:test";
import type { JournalEvent, JournalKind } from "../../src/base/journal_event.ts";
import { ok } from "../../src/base/result.ts";
import { STATE_INTERVAL_MS } from "../../src/daemon/journal/limits.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { configuredNodes, FakeNode, fakeConfig, recover, startCluster } from "./fake_cluster.ts";

type Fields = Record<string, unknown>;

/** Events of these kinds since the last look, without their kinds when there is one only. */
class Reader {
  readonly #node: FakeNode;
  #seen = 0;

  constructor(node: FakeNode) {
    this.#node = node;
  }

  take(...kinds: readonly JournalKind[]): readonly Fields[] {
    const { journal } = this.#node.daemon;
    const entries = journal.peek(Math.max(journal.first, this.#seen + 1), 10_000);
    this.#seen = journal.last;
    return entries
      .map(({ event }) => event)
      .filter(({ kind }) => kinds.includes(kind))
      .map((event: JournalEvent) => {
        const { kind, ...fields } = event;
        return kinds.length === 1 ? fields : { kind, ...fields };
      });
  }
}

function running(count = 1) {
  const { world, nodes } = startCluster(count);
  const node = nodes[0] as FakeNode;
  for (const each of nodes) {
    recover(
      each,
      nodes.map(({ pnn }) => pnn),
      99,
    );
  }
  world.run(10_000);
  return { world, nodes, node, reader: new Reader(node) };
}

test("A ctdbd writes down its start, its children, how far it came, and its end", () => {
  const { world, node, reader } = running();
  expect(reader.take("process_started", "process_ended", "runstate")).toEqual([
    { kind: "process_started", process: "ctdbd", pid: 1000, version: "0" },
    { kind: "runstate", runstate: "INIT" },
    { kind: "runstate", runstate: "SETUP" },
    { kind: "process_started", process: "recoverd", pid: 1, version: "0" },
    { kind: "runstate", runstate: "FIRST_RECOVERY" },
    { kind: "runstate", runstate: "STARTUP" },
    { kind: "runstate", runstate: "RUNNING" },
  ]);
  node.recoverds[0]?.exited("SIGSEGV");
  world.run(1500);
  expect(reader.take("process_started", "process_ended")).toEqual([
    { kind: "process_ended", process: "recoverd", pid: 1, how: "SIGSEGV" },
    { kind: "process_started", process: "recoverd", pid: 1, version: "0" },
  ]);
  node.client(55).control("SHUTDOWN", undefined);
  expect(reader.take("shutdown", "runstate")).toEqual([
    { kind: "shutdown", reason: "asked to shut down by process 55 of this node" },
    { kind: "runstate", runstate: "SHUTDOWN" },
  ]);
});

test("A ctdbd ends a recovery daemon that is silent, and writes down why", () => {
  const { world, node, reader } = running();
  node.tunables.set("RecdPingTimeout", 1);
  node.tunables.set("RecdFailCount", 0);
  node.client().control("RECD_PING", undefined);
  reader.take();
  world.run(1100);
  expect(reader.take("process_ended")).toEqual([
    { process: "recoverd", pid: 1, how: "it was ended: it was silent for too long" },
  ]);
});

test("A ctdbd writes down links and the flags that follow from them", () => {
  const { world, nodes, reader } = running(2);
  const seen = { node: 0 };
  expect(reader.take("link_up", "link_down", "flags").slice(0, 2)).toEqual([
    { kind: "link_up", peer: 1 },
    {
      kind: "flags",
      target: 1,
      before: NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY,
      after: NODE_FLAGS.UNHEALTHY,
      reason: "both connections with it are up",
      by: seen,
    },
  ]);
  nodes[1]?.daemon.shutdown(0, "for a test");
  world.run(15_000);
  expect(reader.take("link_down", "flags")).toMatchObject([
    { kind: "link_down", peer: 1 },
    { kind: "flags", target: 1, reason: expect.stringContaining("its link is lost: "), by: seen },
  ]);
});

test("A ctdbd writes down when nothing came from a node for too long", () => {
  const { node, reader } = running(2);
  reader.take();
  node.daemon.node?.membership.nodeLost(1, "no packet came for too long");
  expect(reader.take("link_down")).toEqual([{ peer: 1, reason: "no packet came for too long" }]);
});

test("Flags have the one who set them, and each change is written down once", () => {
  const { node, reader } = running(2);
  const client = node.client(4711);
  reader.take();
  const by = { node: 0, pid: 4711 };
  const asked = "asked for by process 4711 of this node";
  for (const name of ["DISABLE_NODE", "DISABLE_NODE", "ENABLE_NODE", "STOP_NODE"] as const) {
    client.control(name, undefined);
  }
  client.control("CONTINUE_NODE", undefined);
  const { PERMANENTLY_DISABLED, STOPPED, UNHEALTHY } = NODE_FLAGS;
  expect(reader.take("flags")).toEqual([
    { target: 0, before: 0, after: PERMANENTLY_DISABLED, reason: asked, by },
    { target: 0, before: PERMANENTLY_DISABLED, after: 0, reason: asked, by },
    { target: 0, before: 0, after: STOPPED, reason: asked, by },
    { target: 0, before: STOPPED, after: 0, reason: asked, by },
  ]);
  const before = node.daemon.node?.nodes.flags(1) ?? -1;
  const change = { pnn: 1, new_flags: before ^ UNHEALTHY, old_flags: before };
  client.control("MODIFY_FLAGS", change);
  client.control("MODIFY_FLAGS", change);
  expect(reader.take("flags")).toEqual([
    {
      target: 1,
      before,
      after: before ^ UNHEALTHY,
      reason: "process 4711 of this node says so",
      by,
    },
  ]);
});

test("A change of flags that came from another node names that node", () => {
  const { world, nodes, node, reader } = running(2);
  reader.take();
  const client = nodes[1]?.client(8);
  client?.control("DISABLE_NODE", undefined, { destnode: 0 });
  world.run(100);
  expect(reader.take("flags")).toMatchObject([
    { target: 0, reason: "asked for by node 1", by: { node: 1 } },
  ]);
  expect(node.daemon.node?.nodes.own.flags).toBe(NODE_FLAGS.PERMANENTLY_DISABLED);
});

test("The flags that a node is configured to start with are written down", () => {
  const world = new FakeWorld();
  const config = { ...fakeConfig, legacy: { ...fakeConfig.legacy, startAsStopped: true } };
  const node = new FakeNode(world, configuredNodes(1), 0, { config });
  node.start();
  world.run(100);
  expect(new Reader(node).take("flags")).toMatchObject([
    {
      target: 0,
      after: NODE_FLAGS.UNHEALTHY | NODE_FLAGS.STOPPED,
      reason: "the configuration says so",
    },
  ]);
});

test("Bans are written down with who asked, and how they end", () => {
  const { world, node, reader } = running();
  const client = node.client(7);
  reader.take();
  client.control("SET_BAN_STATE", { pnn: 0, time: 5 });
  world.run(6000);
  const by = { node: 0, pid: 7 };
  const reason = "asked for by process 7 of this node";
  expect(reader.take("ban", "unban", "flags", "recovery_mode")).toEqual([
    { kind: "ban", target: 0, seconds: 5, reason, by },
    {
      kind: "flags",
      target: 0,
      before: 0,
      after: NODE_FLAGS.BANNED,
      reason: `banned for 5 s: ${reason}`,
      by,
    },
    {
      kind: "recovery_mode",
      active: true,
      generation: expect.any(Number),
      reason: `this node was banned: ${reason}`,
    },
    { kind: "unban", target: 0, how: "expired", by: { node: 0 } },
    {
      kind: "flags",
      target: 0,
      before: NODE_FLAGS.BANNED,
      after: 0,
      reason: "its ban is over",
      by: { node: 0 },
    },
  ]);
  node.daemon.node?.membership.standing.banOurselves('event "ipreallocated" timed out');
  client.control("SET_BAN_STATE", { pnn: 0, time: 0 });
  client.control("SET_BAN_STATE", { pnn: 0, time: 0 });
  expect(reader.take("ban", "unban")).toEqual([
    {
      kind: "ban",
      target: 0,
      seconds: 300,
      reason: 'event "ipreallocated" timed out',
      by: { node: 0 },
    },
    { kind: "unban", target: 0, how: "asked", by },
  ]);
});

test("A ban of another node is written down by the node whose client asks, and by the one that is banned", () => {
  const { world, nodes, node, reader } = running(2);
  const other = new Reader(nodes[1] as FakeNode);
  reader.take();
  other.take();
  const client = node.client(7);
  for (const time of [9, 0]) client.control("SET_BAN_STATE", { pnn: 1, time }, { destnode: 1 });
  world.run(100);
  const by = { node: 0, pid: 7 };
  const asked = { seconds: 9, reason: "asked for by process 7 of this node", by };
  expect(reader.take("ban", "unban")).toEqual([
    { kind: "ban", target: 1, ...asked },
    { kind: "unban", target: 1, how: "asked", by },
  ]);
  expect(other.take("ban", "unban")).toEqual([
    { kind: "ban", target: 1, seconds: 9, reason: "asked for by node 0", by: { node: 0 } },
    { kind: "unban", target: 1, how: "asked", by: { node: 0 } },
  ]);
});

test("Recovery mode is written down with its generation and who changed it", () => {
  const { node, reader } = running();
  reader.take();
  node.client(9).control("SET_RECMODE", 1);
  recover(node, [0], 100);
  node.daemon.node?.forceRecovery("a link was lost");
  expect(reader.take("recovery_mode")).toEqual([
    { active: true, generation: 99, reason: "process 9 of this node asked for it" },
    { active: false, generation: 100, reason: "process 9999 of this node has ended the recovery" },
    { active: true, generation: 100, reason: "a link was lost" },
  ]);
});

test("The state of the node is written down at its start, after the first recovery and from time to time", () => {
  const { world, node, reader } = running();
  expect(reader.take("state")).toMatchObject([
    { runstate: "SETUP", recovering: true, leader: null, generation: 1 },
    {
      runstate: "FIRST_RECOVERY",
      recovering: false,
      generation: 99,
      nodes: [{ node: 0, address: "127.0.0.1", flags: NODE_FLAGS.UNHEALTHY }],
      addresses: [],
      databases: [],
    },
  ]);
  recover(node, [0], 100);
  expect(reader.take("state")).toEqual([]);
  world.run(STATE_INTERVAL_MS);
  expect(reader.take("state")).toHaveLength(1);
});

test("A new nodes file is written down, and what the node is after it", () => {
  const { world, node, reader } = running(2);
  reader.take();
  const [first, second] = configuredNodes(3);
  node.nodesFile = ok([first, { ...second, deleted: true }, configuredNodes(3)[2]] as never);
  node.client(6).control("RELOAD_NODES_FILE", undefined);
  world.run(100);
  const found = reader.take("nodes_file", "state", "flags");
  expect(found.map(({ kind }) => kind)).toContain("state");
  expect(found.find(({ kind }) => kind === "nodes_file")).toEqual({
    kind: "nodes_file",
    added: [2],
    removed: [1],
  });
  expect(found.find(({ kind }) => kind === "flags")).toMatchObject({
    target: 1,
    reason: "the nodes file was read again",
    by: { node: 0, pid: 6 },
  });
});

test("A tunable is written down when it changes", () => {
  const { node, reader } = running();
  const client = node.client(5);
  reader.take();
  client.control("SET_TUNABLE", { name: "MonitorInterval", value: 7 });
  client.control("SET_TUNABLE", { name: "MonitorInterval", value: 7 });
  client.control("SET_TUNABLE", { name: "NoSuchTunable", value: 7 });
  expect(reader.take("tunable")).toEqual([
    { name: "MonitorInterval", before: 15, after: 7, by: { node: 0, pid: 5 } },
  ]);
});

test("A client that dies in the middle of something is written down", () => {
  const { world, node, reader } = running();
  const client = node.client(4712);
  node.client(4713).stream?.close();
  world.settle();
  expect(reader.take("client_died")).toEqual([]);
  client.control("START_PERSISTENT_UPDATE", undefined);
  node.records.committing = ["secrets.tdb"];
  client.stream?.close();
  world.settle();
  const died = { pid: 4712, program: "" };
  expect(reader.take("client_died", "recovery_mode")).toMatchObject([
    { ...died, database: "secrets.tdb", during: "a commit of a transaction" },
    { ...died, database: null, during: "an update of persistent databases" },
    { reason: "client 4712 ended with persistent updates in flight" },
  ]);
});

test("A turn that takes long is written down with its spans", () => {
  const { world, node, reader } = running();
  node.tunables.set("LogLatencyMs", 10);
  node.daemon.node?.tunablesChanged();
  reader.take();
  node.daemon.turns.run("timer", () =>
    node.daemon.turns.run("vacuum", () => {
      world.nowMs += 30;
    }),
  );
  expect(reader.take("long_turn")).toEqual([
    {
      duration_ms: 30,
      busy_ms: 30,
      spans: [
        { name: "vacuum", depth: 1, duration_ms: 30 },
        { name: "timer", depth: 0, duration_ms: 30 },
      ],
    },
  ]);
});
