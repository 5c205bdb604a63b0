/** How a node stands: frozen or not, recovering or not, healthy or not, and what its recovery daemon does. */
import { expect, test } from "bun:test";
import { silentLogger } from "../../src/base/log.ts";
import { done, ok, type Result } from "../../src/base/result.ts";
import type { ConfiguredNode } from "../../src/config/types.ts";
import type { DaemonDependencies } from "../../src/daemon/dependencies.ts";
import { NodeFreeze } from "../../src/daemon/lifecycle/node_freeze.ts";
import { takeoverBeforeShutdown } from "../../src/daemon/lifecycle/shutdown_takeover.ts";
import type { MessageRouter } from "../../src/daemon/routing/message_router.ts";
import type { Timers } from "../../src/platform/types/time.ts";
import {
  EVENT_TIMED_OUT,
  type EventFailure,
  type EventRunner,
  type RunningEvent,
  type ScriptRun,
} from "../../src/services/event_runner.ts";
import { decodeExact, encode, i32Codec, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { PING_HEALTH } from "../../src/wire/controls.ts";
import type { EventName } from "../../src/wire/events.ts";
import { HEALTH_BYTES_MAX } from "../../src/wire/limits.ts";
import { BROADCAST_CONNECTED, OPERATIONS } from "../../src/wire/packet.ts";
import { DURATION_UNKNOWN, HEALTH_MAGIC, nodeHealth } from "../../src/wire/structs/cluster.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { must } from "../support/must.ts";
import {
  configuredNodes,
  FakeDatabase,
  FakeNode,
  fakeConfig,
  recover,
  startCluster,
} from "./fake_cluster.ts";

function startOne(
  overrides: ConstructorParameters<typeof FakeNode>[3] = {},
  world = new FakeWorld(),
) {
  const node = new FakeNode(world, configuredNodes(1), 0, overrides);
  node.start();
  world.settle();
  return { world, node };
}

test("NodeFreeze is not frozen when a thaw came before the freeze was over", () => {
  const { node } = startOne();
  const freeze = new NodeFreeze(node.records);
  const finish: ((outcome: Result<void>) => void)[] = [];
  node.records.freezeForInactive = (finished) => void finish.push(finished);
  const answers: boolean[] = [];
  freeze.freeze((outcome) => answers.push(outcome.ok));
  freeze.thaw();
  finish[0]?.(done);
  expect([freeze.frozen, answers]).toEqual([false, [true]]);
  freeze.freeze(() => undefined);
  finish[1]?.(done);
  expect(freeze.frozen).toBe(true);
});

test("SET_RECMODE NORMAL thaws a node that was frozen as a whole", () => {
  const { world, node } = startOne();
  recover(node, [0], 99);
  const client = node.client();
  client.control("STOP_NODE", undefined);
  world.settle();
  expect(node.records.frozen).toBe(true);
  client.control("CONTINUE_NODE", undefined);
  expect(node.records.frozen).toBe(true);
  recover(node, [0], 100);
  expect(node.records.frozen).toBe(false);
});

test("SET_RECMODE NORMAL looks at the generations again after the check of the cluster lock", () => {
  const cluster = { ...fakeConfig.cluster, clusterLock: "/lock" };
  const { world, node } = startOne({
    config: { ...fakeConfig, cluster },
    clusterLockProbe: { probe: (probed) => node.probe().probe(probed) },
  });
  const client = node.client();
  client.control("SETVNNMAP", { generation: 77, map: [0] });
  const reqid = client.sendControl("SET_RECMODE", 0);
  world.run(50);
  node.records.otherGeneration = "locking.tdb";
  world.run(200);
  expect(client.reply(reqid)?.status).toBe(-1);
  expect(node.daemon.node?.state.recovering).toBe(true);
});

test("MODIFY_FLAGS of a node that becomes healthy asks a node that starts up for a recovery", () => {
  const { nodes } = startCluster(2);
  const client = nodes[0]?.client();
  const recovering = () => nodes[0]?.daemon.node?.state.recovering;
  const modify = (new_flags: number) =>
    client?.control("MODIFY_FLAGS", { pnn: 1, new_flags, old_flags: 0 });
  modify(NODE_FLAGS.UNHEALTHY);
  client?.control("SETVNNMAP", { generation: 77, map: [0, 1] });
  client?.control("SET_RECMODE", 0);
  modify(NODE_FLAGS.PERMANENTLY_DISABLED);
  expect(recovering()).toBe(false);
  modify(0);
  expect(recovering()).toBe(true);
});

test("MODIFY_FLAGS of a node that neither leads nor is meant is refused and counted", () => {
  const { world, nodes } = startCluster(4);
  const table = nodes[0]?.daemon.node?.nodes;
  const flags = () => table?.flags(2);
  const told = (by: number, new_flags: number) =>
    nodes[by]
      ?.client()
      .control("MODIFY_FLAGS", { pnn: 2, new_flags, old_flags: 0 }, { destnode: 0 }).ok;
  // Before anybody leads, everybody is heard.
  expect([told(3, NODE_FLAGS.STOPPED), flags()]).toEqual([true, NODE_FLAGS.STOPPED]);
  nodes[1]?.client(77).sendMessage(BROADCAST_CONNECTED, SRVID.LEADER, encode(u32Codec, 1));
  world.settle();
  expect([told(3, 0), flags(), table?.refusals]).toEqual([false, NODE_FLAGS.STOPPED, 1]);
  expect([told(2, 0), flags()]).toEqual([true, 0]);
  expect([told(1, NODE_FLAGS.BANNED), flags()]).toEqual([true, NODE_FLAGS.BANNED]);
  expect([told(0, 0), flags(), table?.refusals]).toEqual([true, 0, 1]);
  // Whether a node is deleted the nodes file says, and nobody else.
  const deleted = NODE_FLAGS.DELETED | NODE_FLAGS.UNHEALTHY;
  expect([told(1, deleted), flags(), table?.refusals]).toEqual([true, NODE_FLAGS.UNHEALTHY, 2]);
  // A leader that has long been silent may be another one by now.
  world.run(6000);
  expect(told(3, 0)).toBe(true);
});

test("LeaderCache shows nobody a leader whose node is lost", () => {
  const { world, nodes } = startCluster(2);
  const recoverd = nodes[1]?.client(77);
  recoverd?.sendMessage(BROADCAST_CONNECTED, SRVID.LEADER, encode(u32Codec, 1));
  world.settle();
  const shown = () => {
    const client = nodes[0]?.client();
    client?.register(SRVID.LEADER);
    world.settle();
    return client?.received.some(({ operation }) => operation === OPERATIONS.REQ_MESSAGE);
  };
  expect(shown()).toBe(true);
  nodes[1]?.daemon.shutdown(0, "test");
  world.run(100);
  expect(shown()).toBe(false);
});

test("RecoverdWatch does not count the late end of a recovery daemon that it has replaced", () => {
  const { world, node } = startOne();
  node.tunables.set("RecdPingTimeout", 2);
  node.tunables.set("RecdFailCount", 1);
  node.client().control("RECD_PING", undefined);
  world.run(5500);
  expect(node.recoverds).toHaveLength(2);
  node.recoverds[0]?.exited("killed");
  node.client().control("RECD_PING", undefined);
  world.run(1500);
  expect(node.recoverds).toHaveLength(2);
});

test("RecoverdWatch starts no recovery daemon when the daemon has ended", () => {
  const { world, node } = startOne();
  node.recoverds[0]?.exited("killed");
  node.daemon.shutdown(0, "test");
  world.run(5000);
  expect([node.exitCode, node.recoverds.length]).toEqual([0, 1]);
});

test("RELOAD_NODES_FILE is refused when this node has another address in it, or none", () => {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(2), 0);
  node.start();
  world.run(1000);
  const client = node.client();
  const [own, other] = configuredNodes(2) as [ConfiguredNode, ConfiguredNode];
  const status = (lines: readonly ConfiguredNode[]) => {
    node.nodesFile = ok(lines);
    const reqid = client.sendControl("RELOAD_NODES_FILE", undefined);
    world.settle();
    return client.reply(reqid)?.status;
  };
  expect(status([{ ...own, address: "127.0.0.9" }, other])).toBe(-1);
  expect(status([{ ...own, address: "", deleted: true }, other])).toBe(-1);
  expect(status([])).toBe(-1);
  expect(status([own, other])).toBe(0);
});

test("takeoverBeforeShutdown() waits for the takeover run, but not for ever", () => {
  for (const answered of [true, false]) {
    const world = new FakeWorld();
    let hear: (data: Uint8Array) => void = () => undefined;
    let asked = 0;
    let gone = 0;
    const messages = {
      listen: (_srvid: unknown, handler: (data: Uint8Array) => void) => {
        hear = handler;
        return () => undefined;
      },
      send: () => {
        asked += 1;
      },
    } as unknown as MessageRouter;
    const { timers } = world;
    const times = { failoverTimeoutSec: 10, extraTimeoutSec: 3 };
    const parts = { pnn: 0, messages, timers, log: silentLogger, ...times };
    takeoverBeforeShutdown(parts, () => {
      gone += 1;
    });
    world.run(9000);
    expect([asked, gone]).toEqual([1, 0]);
    if (answered) hear(encode(i32Codec, 1));
    world.run(1500);
    // After a run that was made the clients get some seconds more.
    expect(gone).toBe(answered ? 0 : 1);
    world.run(3000);
    expect(gone).toBe(1);
  }
});

test("A node whose ipreallocated event hangs bans itself; other hung events count for nothing", () => {
  for (const [event, status, banned] of [
    ["ipreallocated", 1, false],
    ["ipreallocated", EVENT_TIMED_OUT, true],
    ["recovered", EVENT_TIMED_OUT, false],
    ["startrecovery", EVENT_TIMED_OUT, false],
  ] as const) {
    const { node, events } = startWithEvents();
    events.told[event] = status;
    recover(node, [0], 99);
    const reply = node.client().control("IPREALLOCATED", undefined);
    const flags = node.daemon.node?.nodes.own.flags ?? 0;
    expect([event, (flags & NODE_FLAGS.BANNED) !== 0]).toEqual([event, banned]);
    const answered = reply.ok ? 0 : reply.error;
    expect([event, answered]).toEqual([event, event === "ipreallocated" ? `status ${-status}` : 0]);
  }
});

/** Events of which the test says how they end. */
class ToldEvents implements EventRunner {
  readonly runsScripts = true;
  readonly ran: EventName[] = [];
  status = 0;
  failure: EventFailure | undefined;
  scripts: readonly ScriptRun[] = [];
  readonly told: Partial<Record<EventName, number>> = {};
  monitorMs = 0;
  startupMs = 0;
  readonly cancelled: EventName[] = [];

  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  run(
    event: EventName,
    _args: readonly string[],
    _timeoutMs: number,
    finished: (status: number) => void,
  ): RunningEvent {
    this.ran.push(event);
    const told = { monitor: this.status, ...this.told };
    const delays: Partial<Record<EventName, number>> = {
      monitor: this.monitorMs,
      startup: this.startupMs,
    };
    const delayMs = delays[event] ?? 0;
    const timer = this.#timers.after(delayMs, () => finished(told[event] ?? 0));
    return {
      cancel: () => {
        this.cancelled.push(event);
        timer.cancel();
      },
    };
  }
  explain(_event: EventName, done: (failure: EventFailure | undefined) => void): void {
    const { failure } = this;
    this.#timers.soon(() => done(failure));
  }
  lastRun(_event: EventName, done: (scripts: readonly ScriptRun[]) => void): void {
    const { scripts } = this;
    this.#timers.soon(() => done(scripts));
  }
  count(event: EventName): number {
    return this.ran.filter((one) => one === event).length;
  }
}

type Notify = NonNullable<DaemonDependencies["notify"]>;

function startWithEvents(notify?: Notify) {
  const world = new FakeWorld();
  const events = new ToldEvents(world.timers);
  return { ...startOne({ events, notify }, world), events };
}

function monitored(notify?: Notify) {
  const { world, node, events } = startWithEvents(notify);
  node.tunables.set("MonitorInterval", 1);
  node.tunables.set("MonitorTimeoutCount", 3);
  recover(node, [0], 99);
  world.run(10_000);
  return { world, node, events };
}

test("Health runs no monitor event in a recovery", () => {
  const { world, node, events } = monitored();
  const before = events.count("monitor");
  expect(before).toBeGreaterThan(0);
  const flags = () => node.daemon.node?.nodes.own.flags;
  expect(flags()).toBe(0);
  node.client().control("SET_RECMODE", 1);
  world.run(20_000);
  expect(events.count("monitor")).toBe(before);
  // An event that is not allowed in a recovery fails, which says nothing of the node.
  expect(flags()).toBe(0);
  recover(node, [0], 100);
  world.run(20_000);
  expect(events.count("monitor")).toBeGreaterThan(before);
});

test("Health cancels the monitor event that runs when the node ends", () => {
  const { world, node, events } = monitored();
  events.monitorMs = 60_000;
  const before = events.count("monitor");
  for (let i = 0; i < 600 && events.count("monitor") === before; i++) world.run(100);
  expect(events.count("monitor")).toBe(before + 1);
  expect(events.cancelled).toEqual([]);
  node.daemon.shutdown(0, "for a test");
  world.run(60_000);
  expect([events.cancelled, node.exitCode]).toEqual([["monitor"], 0]);
});

test("A node that is asked to end during its startup event does not become RUNNING", () => {
  const { world, node, events } = startWithEvents();
  events.startupMs = 3000;
  recover(node, [0], 99);
  for (let i = 0; i < 600 && events.count("startup") === 0; i++) world.run(100);
  node.daemon.shutdown(0, "for a test");
  world.run(60_000);
  expect([events.cancelled, events.count("monitor"), node.exitCode]).toEqual([["startup"], 0, 0]);
});

test("Health keeps why the node is unhealthy, and tells the notification script of each change", () => {
  const told: string[] = [];
  const { world, node, events } = monitored((what) => void told.push(what));
  const problem = () => node.daemon.node?.membership.health.problem;
  expect([problem(), told]).toEqual([undefined, ["init", "setup", "startup", "healthy"]]);
  events.status = 1;
  events.failure = { script: "50.samba", result: 1, line: "smbd is not running", durationMs: 12 };
  world.run(10_000);
  expect(node.daemon.node?.nodes.own.flags).toBe(NODE_FLAGS.UNHEALTHY);
  expect(problem()).toEqual(events.failure);
  events.status = 0;
  world.run(10_000);
  expect([problem(), node.daemon.node?.nodes.own.flags]).toEqual([undefined, 0]);
  expect(told.slice(4)).toEqual(["unhealthy", "healthy"]);
});

test("PING with PING_HEALTH tells which script made the node unhealthy, and is bounded", () => {
  const { world, node, events } = monitored();
  const health = () => {
    const answer = must(node.client().control("PING", undefined, { flags: PING_HEALTH }));
    expect(answer.data.length).toBeLessThanOrEqual(HEALTH_BYTES_MAX);
    return must(decodeExact(nodeHealth, answer.data));
  };
  expect(health()).toMatchObject({ magic: HEALTH_MAGIC, failures: [] });
  const before = health().monitor_events;
  expect(before).toBeGreaterThan(0);
  events.status = 1;
  events.failure = { script: "50.samba", result: 3, line: "smbd is gone", durationMs: 1234.9 };
  world.run(10_000);
  const failure = { script: "50.samba", result: 3, line: "smbd is gone", duration_ms: 1234 };
  expect(health()).toMatchObject({ magic: HEALTH_MAGIC, failures: [failure] });
  expect(health().monitor_events).toBeGreaterThan(before);
  events.failure = {
    script: "s".repeat(300),
    result: -EVENT_TIMED_OUT,
    line: "ä".repeat(32_000),
    durationMs: undefined,
  };
  world.run(10_000);
  expect(health().failures).toEqual([
    {
      script: "s".repeat(255),
      result: -EVENT_TIMED_OUT,
      line: "ä".repeat(300),
      duration_ms: DURATION_UNKNOWN,
    },
  ]);
  events.failure = { script: "50.samba", result: 1, line: undefined, durationMs: 0 };
  world.run(10_000);
  expect(health().failures[0]?.line).toBe("");
  events.status = 0;
  world.run(10_000);
  expect(health().failures).toEqual([]);
  expect(must(node.client().control("PING", undefined)).data).toHaveLength(0);
});

test("Health counts MonitorTimeoutCount timeouts in a row, but any failure at once", () => {
  const { world, node, events } = monitored();
  const unhealthyAfter = (status: number) => {
    events.status = status;
    const before = events.count("monitor");
    for (let i = 0; i < 3000 && node.daemon.node?.nodes.own.flags === 0; i++) world.run(100);
    const after = events.count("monitor") - before;
    events.status = 0;
    world.run(30_000);
    return after;
  };
  expect(node.daemon.node?.nodes.own.flags).toBe(0);
  expect(unhealthyAfter(EVENT_TIMED_OUT)).toBe(3);
  expect(unhealthyAfter(1)).toBe(1);
  expect(unhealthyAfter(EVENT_TIMED_OUT)).toBe(3);
});

test("Health ends the node when a persistent database stays unhealthy", () => {
  const { world, node } = startOne({
    createDatabase: (host) => {
      const database = new FakeDatabase(host);
      database.unhealthyReason = () => "persistent db 'p.tdb': it is damaged";
      return database;
    },
  });
  node.client().control("SETVNNMAP", { generation: 77, map: [0] });
  node.client().control("SET_RECMODE", 0);
  world.run(20_000);
  expect(node.exitCode).toBe(11);
});
