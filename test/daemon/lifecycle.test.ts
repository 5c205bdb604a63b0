import { expect, test } from "bun:test";
import { err, ok } from "../../src/base/result.ts";
import { NODE_FLAGS, RUNSTATES } from "../../src/wire/constants.ts";
import { FakeWorld } from "../support/fake_world.ts";
import {
  configuredNodes,
  FakeDatabase,
  FakeNode,
  fakeConfig,
  recover,
  startCluster,
} from "./fake_cluster.ts";

function startOne(overrides: ConstructorParameters<typeof FakeNode>[3] = {}) {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(1), 0, overrides);
  node.start();
  world.settle();
  return { world, node };
}

const runstate = (node: FakeNode) => RUNSTATES[node.daemon.node?.state.runstateNumber ?? 0];

test("Daemon.start() goes through the runstates to RUNNING and healthy", () => {
  const { world, node } = startOne();
  expect(node.started).toEqual(ok(undefined));
  expect(runstate(node)).toBe("FIRST_RECOVERY");
  expect(node.recoverds).toHaveLength(1);
  world.run(5000);
  expect(runstate(node)).toBe("FIRST_RECOVERY");
  const client = node.client();
  expect(client.control("GET_RECMODE", undefined)).toMatchObject({ value: { status: 1 } });
  recover(node, [0]);
  world.run(10);
  expect(runstate(node)).toBe("RUNNING");
  expect(node.daemon.node?.nodes.own.flags).toBe(NODE_FLAGS.UNHEALTHY);
  world.run(2000);
  expect(node.daemon.node?.nodes.own.flags).toBe(0);
  expect(client.control("GET_RECMODE", undefined)).toMatchObject({ value: { status: 0 } });
  expect(client.control("UPTIME", undefined)).toMatchObject({
    value: { data: { ctdbd_start_time: { sec: 1_700_000_001 } } },
  });
});

test("Daemon.start() names what is wrong, and leaves nothing behind", () => {
  const failures = [
    { pidFile: { acquire: () => err("held by 17"), release() {}, writer: () => 17 } },
    { nodes: configuredNodes(2).map((n) => ({ ...n, address: `10.0.0.${n.pnn}` })) },
    { config: { ...fakeConfig, cluster: { ...fakeConfig.cluster, nodeAddress: "10.9.9.9" } } },
    {
      config: { ...fakeConfig, database: { ...fakeConfig.database, stateDirectory: "/missing" } },
    },
    { nodes: configuredNodes(2).map((n) => ({ ...n, address: "", deleted: true })) },
  ];
  const reasons = failures.map((overrides) => {
    const { world, node } = startOne(overrides);
    expect(node.started?.ok).toBe(false);
    expect(node.daemon.node).toBeUndefined();
    expect(world.listeners.size).toBe(0);
    return node.started?.ok === false ? node.started.error : "";
  });
  expect(reasons[0]).toContain("17");
  expect(reasons[1]).toContain("10.0.0.0, 10.0.0.1");
  expect(reasons[2]).toContain('"10.9.9.9"');
  expect(reasons[3]).toContain('"/missing"');
  expect(reasons[4]).toContain("all of its 2 lines are comments");
});

test("Daemon.start() refuses a socket that is in use and replaces a dead one", () => {
  const { world, node } = startOne();
  // The socket file is there; the first daemon answers on it.
  const files = { "/run/0/ctdbd.socket": "" };
  const second = new FakeNode(world, configuredNodes(2), 1);
  const socket = second.files;
  for (const [path, text] of Object.entries(files)) socket.writeText(path, text);
  const same = new FakeNode(world, configuredNodes(2), 1, {
    files: socket,
    paths: { ...pathsOf(0) },
  });
  same.start();
  world.settle();
  expect(same.started?.ok === false && same.started.error).toContain("another daemon listens");
  expect(socket.exists("/run/0/ctdbd.socket")).toBe(true);
  node.daemon.shutdown(0, "test");
  world.settle();
  expect(node.exitCode).toBe(0);
  const third = new FakeNode(world, configuredNodes(2), 1, {
    files: socket,
    paths: { ...pathsOf(0) },
  });
  third.start();
  world.settle();
  expect(third.started).toEqual(ok(undefined));
});

function pathsOf(pnn: number) {
  return {
    testMode: true,
    etcDirectory: "/etc",
    dataDirectory: "/usr/share",
    socket: `/run/${pnn}/ctdbd.socket`,
    recoverdSocket: "/r",
    eventSocket: "/e",
    pidFile: "/p",
    logDirectory: "/log",
    variableDirectory: "/var",
    runDirectory: "/run",
    lockDirectory: "/run",
    helperDirectory: "/helpers",
  };
}

test("clients that connect before the databases are frozen are served afterwards", () => {
  const world = new FakeWorld();
  let frozen = () => {};
  const waits = new FakeNode(world, configuredNodes(1), 0, {
    createDatabase: (host) => {
      const database = new FakeDatabase(host);
      database.freezeAll = (done) => {
        frozen = () => done(ok(undefined));
      };
      return database;
    },
  });
  waits.start();
  world.run(10);
  const client = waits.client();
  const reqid = client.sendControl("GET_PNN", undefined);
  world.run(1000);
  expect(client.reply(reqid)).toBeUndefined();
  frozen();
  world.run(10);
  expect(client.reply(reqid)).toMatchObject({ status: 0 });
});

test("SHUTDOWN ends recovery daemon, links and clients, and exits once", () => {
  const { world, nodes } = startCluster(2);
  const [one, two] = nodes;
  const client = one?.client();
  client?.sendControl("SHUTDOWN", undefined, { flags: 1 });
  client?.sendControl("SHUTDOWN", undefined, { flags: 1 });
  world.run(100);
  expect(one?.exitCode).toBe(0);
  expect(client?.closed).toBe(true);
  expect(one?.recoverds[0]?.running).toBe(false);
  expect(two?.daemon.node?.nodes.flags(0)).toBe(NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY);
  expect(two?.records.lost).toEqual([0]);
});

test("SET_RECMODE NORMAL needs the generation of all databases, and a cluster lock that is held", () => {
  const lock = { ...fakeConfig.cluster, clusterLock: "/lock" };
  const { world, node } = startOne({
    config: { ...fakeConfig, cluster: lock },
    clusterLockProbe: { probe: (done) => node.probe().probe(done) },
  });
  const client = node.client();
  client.control("SETVNNMAP", { generation: 77, map: [0] });
  node.records.otherGeneration = "locking.tdb";
  const setNormal = () => {
    const reqid = client.sendControl("SET_RECMODE", 0);
    world.run(200);
    return client.reply(reqid)?.status;
  };
  const mode = () => node.daemon.node?.state.recovering;
  expect(setNormal()).toBe(-1);
  node.records.otherGeneration = undefined;
  node.probeOutcome = "taken";
  expect(setNormal()).toBe(-1);
  node.probeOutcome = "error";
  expect(setNormal()).toBe(-1);
  expect(mode()).toBe(true);
  node.probeOutcome = "timeout";
  expect(setNormal()).toBe(0);
  expect(mode()).toBe(false);
  // Another recovery has replaced the database meanwhile: that one is not over.
  node.records.otherGeneration = "locking.tdb";
  expect(setNormal()).toBe(-1);
  node.records.otherGeneration = undefined;
  // Not in recovery: the map is fixed.
  expect(client.control("SETVNNMAP", { generation: 78, map: [0] }).ok).toBe(false);
  expect(client.control("SET_RECMODE", 7).ok).toBe(false);
});

test("A recovery that is asked for while one runs follows it, if that one had set its vnn map", () => {
  const { world, node } = startOne();
  const client = node.client();
  const mode = () => node.daemon.node?.state.recovering;
  const recover = (before: () => void, after: () => void) => {
    before();
    client.control("SETVNNMAP", { generation: ++generation, map: [0] });
    after();
    client.control("SET_RECMODE", 0);
    world.run(200);
    return mode();
  };
  let generation = 76;
  const ask = () => node.daemon.node?.forceRecovery("for a test");
  expect(recover(ask, () => {})).toBe(false);
  client.control("SET_RECMODE", 1);
  expect(recover(() => {}, ask)).toBe(true);
  expect(
    recover(
      () => {},
      () => {},
    ),
  ).toBe(false);
});

test("START_RECOVERY shuts a node down whose cluster lock is not the leader's", () => {
  const world = new FakeWorld();
  const lock = { ...fakeConfig.cluster, clusterLock: "/other" };
  const nodes = [
    new FakeNode(world, configuredNodes(2), 0),
    new FakeNode(world, configuredNodes(2), 1, { config: { ...fakeConfig, cluster: lock } }),
  ];
  for (const node of nodes) node.start();
  world.run(1500);
  const client = nodes[0]?.client();
  expect(client?.control("START_RECOVERY", undefined).ok).toBe(true);
  expect(client?.control("START_RECOVERY", undefined, { destnode: 1 }).ok).toBe(false);
  expect(nodes[1]?.exitCode).toBe(1);
  expect(nodes[0]?.exitCode).toBeUndefined();
});

test("STOP_NODE, CONTINUE_NODE, DISABLE_NODE and ENABLE_NODE change our own flags", () => {
  const { world, node } = startOne();
  recover(node, [0], 99);
  world.run(3000);
  const client = node.client();
  const flags = () => node.daemon.node?.nodes.own.flags;
  client.control("DISABLE_NODE", undefined);
  expect(flags()).toBe(NODE_FLAGS.PERMANENTLY_DISABLED);
  client.control("ENABLE_NODE", undefined);
  expect(flags()).toBe(0);
  // Nobody else decides about them.
  expect(client.control("MODIFY_FLAGS", { pnn: 0, new_flags: 0x20, old_flags: 0 }).ok).toBe(true);
  expect(flags()).toBe(0);
  client.control("STOP_NODE", undefined);
  expect(flags()).toBe(NODE_FLAGS.STOPPED);
  expect(client.control("GET_RECMODE", undefined)).toMatchObject({ value: { status: 1 } });
  expect(client.control("GETVNNMAP", undefined)).toMatchObject({
    value: { data: { generation: 1 } },
  });
  expect(node.records.freezes).toBe(1);
  expect(node.records.invalidated).toBe(1);
  client.control("CONTINUE_NODE", undefined);
  expect(flags()).toBe(0);
});

test("SET_BAN_STATE bans for a time, and ends only when all is frozen", () => {
  const { world, node } = startOne();
  recover(node, [0], 99);
  world.run(3000);
  const client = node.client();
  const banned = () => ((node.daemon.node?.nodes.own.flags ?? 0) & NODE_FLAGS.BANNED) !== 0;
  expect(client.control("SET_BAN_STATE", { pnn: 1, time: 5 }).ok).toBe(false);
  client.control("SET_BAN_STATE", { pnn: 0, time: 5 });
  expect(banned()).toBe(true);
  expect(client.control("GET_BAN_STATE", undefined)).toMatchObject({
    value: { data: { pnn: 0, time: 5 } },
  });
  world.run(5100);
  expect(banned()).toBe(false);
  client.control("SET_BAN_STATE", { pnn: 0, time: 5 });
  client.control("SET_BAN_STATE", { pnn: 0, time: 0 });
  expect(banned()).toBe(false);
  node.tunables.set("EnableBans", 0);
  client.control("SET_BAN_STATE", { pnn: 0, time: 5 });
  expect(banned()).toBe(false);
});

test("A ban that ends after a recovery has taken the node in forces another one", () => {
  for (const isTakenIn of [false, true]) {
    const { world, node } = startOne();
    recover(node, [0], 99);
    world.run(3000);
    const client = node.client();
    client.control("SET_BAN_STATE", { pnn: 0, time: 60 });
    world.run(100);
    // It had begun before the ban.
    if (isTakenIn) recover(node, [0], 100);
    const mode = () => node.daemon.node?.state.recovering;
    expect(mode()).toBe(!isTakenIn);
    client.control("SET_BAN_STATE", { pnn: 0, time: 0 });
    expect(mode()).toBe(true);
    recover(node, [0], 101);
    expect(mode()).toBe(false);
  }
});

test("A ban that ends before all databases are frozen is prolonged", () => {
  const { world, node } = startOne();
  recover(node, [0], 99);
  world.run(3000);
  node.tunables.set("RecoveryBanPeriod", 7);
  const frozen: (() => void)[] = [];
  node.records.freezeForInactive = (done) => void frozen.push(() => done(ok(undefined)));
  const client = node.client();
  const banned = () => ((node.daemon.node?.nodes.own.flags ?? 0) & NODE_FLAGS.BANNED) !== 0;
  client.control("SET_BAN_STATE", { pnn: 0, time: 5 });
  world.run(5100);
  expect(banned()).toBe(true);
  expect(client.control("GET_BAN_STATE", undefined)).toMatchObject({
    value: { data: { time: 7 } },
  });
  world.run(7100);
  expect(banned()).toBe(true);
  for (const finish of frozen) finish();
  world.run(7100);
  expect(banned()).toBe(false);
});

test("RecoverdWatch starts the recovery daemon anew when it ends or is silent", () => {
  const { world, node } = startOne();
  node.tunables.set("RecdPingTimeout", 2);
  node.tunables.set("RecdFailCount", 3);
  const client = node.client();
  node.recoverds[0]?.exited("killed");
  world.run(1100);
  expect(node.recoverds).toHaveLength(2);
  for (let i = 0; i < 30; i++) {
    client.control("RECD_PING", undefined);
    world.run(1000);
  }
  expect(node.recoverds).toHaveLength(2);
  world.run(10_000);
  expect(node.recoverds).toHaveLength(3);
  expect(node.recoverds.map(({ running }) => running)).toEqual([true, false, true]);
});
