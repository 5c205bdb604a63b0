import { expect, test } from "bun:test";
import { u64 } from "../../src/base/u64.ts";
import { decodeExact, encode, i32Codec, u32Codec } from "../../src/wire/codec.ts";
import { CAPABILITIES, NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { electionMessage, srvidMessage } from "../../src/wire/structs/cluster.ts";
import { RecoverdWorld } from "./recoverd_world.ts";

for (const lock of [false, true]) {
  const how = lock ? "with a cluster lock" : "without a cluster lock";

  test(`Recoverd elects one leader, recovers, and stays calm ${how}`, () => {
    const world = new RecoverdWorld({ lock });
    world.untilHealthy(20_000);
    const leader = world.leader;
    world.cluster.run(30_000);
    expect(world.recoveries.length).toBe(1);
    world.cluster.run(60_000);
    expect({ leader: world.leader, recoveries: world.recoveries.length }).toEqual({
      leader,
      recoveries: 1,
    });
  });

  test(`Recoverd hands leadership over when the leader is stopped, ${how}`, () => {
    const world = new RecoverdWorld({ lock });
    world.untilHealthy();
    world.cluster.run(15_000);
    const old = world.leader;
    world.cluster.node(old).flags |= NODE_FLAGS.STOPPED;
    world.cluster.until("another leader", () => ![old, UNKNOWN_PNN].includes(world.leader), 6000);
    world.untilHealthy(5000);
    expect(world.recoverd(old).election.leading).toBe(false);
    // Databases of the stopped node are locked.
    expect(world.cluster.node(old)).toMatchObject({ recoveryMode: 1, frozen: true });
    world.cluster.run(15_000);
    world.cluster.node(old).flags = 0;
    world.untilHealthy(20_000);
    expect(world.leader).not.toBe(old);
  });

  test(`Recoverd hands leadership over when the leader loses the capability, ${how}`, () => {
    const world = new RecoverdWorld({ lock });
    world.untilHealthy();
    const old = world.leader;
    world.cluster.node(old).capabilities = CAPABILITIES.LMASTER;
    world.cluster.until("another leader", () => ![old, UNKNOWN_PNN].includes(world.leader), 6000);
    world.cluster.run(20_000);
    expect(world.leader).not.toBe(old);
    world.untilHealthy();
  });

  test(`Recoverd replaces a leader that was killed, ${how}`, () => {
    const world = new RecoverdWorld({ lock });
    world.untilHealthy();
    world.cluster.run(15_000);
    const old = world.leader;
    const generation = world.cluster.node(old).vnnMap.generation;
    world.cluster.node(old).kill();
    world.cluster.until("another leader", () => ![old, UNKNOWN_PNN].includes(world.leader), 15_000);
    world.untilHealthy();
    expect(world.cluster.node(world.leader).vnnMap.generation).not.toBe(generation);
  });

  test(`Recoverd survives a leader that stalls and comes back, ${how}`, () => {
    const world = new RecoverdWorld({ lock });
    world.untilHealthy();
    const old = world.leader;
    world.cluster.node(old).process.pause();
    world.cluster.run(12_000);
    world.cluster.node(old).process.resume();
    world.untilHealthy(60_000);
    world.cluster.run(30_000);
    expect(world.healthy).toBe(true);
    expect(world.recoverds.filter((recoverd) => recoverd.election.mayAct).length).toBe(1);
  });

  test(`Recoverd recovers together again after a partition, ${how}`, () => {
    const world = new RecoverdWorld({ lock, count: 4 });
    world.untilHealthy();
    world.cluster.run(15_000);
    world.cluster.partition([0, 1], [2, 3]);
    world.cluster.run(40_000);
    const leaders = world.recoverds.filter((recoverd) => recoverd.election.mayAct);
    // With a lock one side has no leader; without, each has one.
    expect(leaders.length).toBe(lock ? 1 : 2);
    world.cluster.partition([0, 1, 2, 3]);
    world.untilHealthy(30_000);
    world.cluster.run(30_000);
    expect(world.healthy).toBe(true);
  });
}

test("Recoverd.election prefers the node that has been running longest", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(20_000);
  // All started at the same time: the tie goes to the higher pnn.
  expect(world.leader).toBe(2);
  world.cluster.node(2).flags |= NODE_FLAGS.BANNED;
  world.untilHealthy(20_000);
  expect(world.leader).toBe(1);
  world.cluster.node(2).flags = 0;
  world.untilHealthy(20_000);
  world.cluster.node(1).kill();
  world.untilHealthy(20_000);
  expect(world.leader).toBe(0);
});

test("Recoverd elects at once in a new cluster, once all nodes are there", () => {
  const world = new RecoverdWorld({ testMode: true });
  world.cluster.partition([0, 1], [2]);
  world.cluster.run(3000);
  for (const recoverd of world.recoverds) expect(recoverd.election.inProgress).toBe(false);
  world.cluster.partition([0, 1, 2]);
  world.untilHealthy(2500);
});

test("Recoverd waits for the leader timeout when a node may know of a leader", () => {
  const world = new RecoverdWorld({ testMode: true });
  world.cluster.node(1).vnnMap = { generation: 99, map: [1] };
  const candidates = new Set<number>();
  world.cluster.node(0).subscribe(SRVID.ELECTION, (_data, srcnode) => candidates.add(srcnode));
  world.cluster.run(4900);
  expect(candidates).toEqual(new Set());
  world.untilHealthy(2500);
  expect(candidates.size).toBeGreaterThan(0);
});

test("Recoverd.election takes ElectionTimeout outside of test mode", () => {
  const world = new RecoverdWorld();
  world.cluster.run(2900);
  expect(world.leader).toBe(UNKNOWN_PNN);
  world.untilHealthy(2000);
});

test("Recoverd.election does not end in an election when one node only calls for it", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(15_000);
  const leader = world.leader;
  // LEADER(unknown), and then nothing.
  world.cluster.node(0).send(1, SRVID.LEADER, encode(u32Codec, UNKNOWN_PNN));
  world.cluster.node(0).send(leader, SRVID.LEADER, encode(u32Codec, UNKNOWN_PNN));
  world.cluster.run(100);
  expect(world.recoverd(1).election.inProgress).toBe(true);
  world.cluster.run(10_000);
  expect(world.leader).toBe(leader);
  expect(world.recoveries.length).toBe(1);
});

test("Recoverd.election answers several messages that it beats once", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(15_000);
  const sent: number[] = [];
  world.cluster.node(0).subscribe(SRVID.ELECTION, (data) => {
    const message = decodeExact(electionMessage, data);
    if (message.ok) sent.push(message.value.pnn);
  });
  const young = { num_connected: 9, priority_time: { sec: 2_000_000_000, usec: 0 }, node_flags: 0 };
  for (const pnn of [0, 1, 0]) {
    const bytes = encode(electionMessage, { ...young, pnn });
    world.cluster.node(0).send(2, SRVID.ELECTION, bytes);
  }
  world.cluster.run(1000);
  expect(sent).toEqual([2]);
  world.untilHealthy(20_000);
  expect(world.leader).toBe(2);
});

test("Recoverd: of many nodes that lose the leader at the same moment few speak, and flags are told to nobody who has them", () => {
  const count = 24;
  const world = new RecoverdWorld({ count });
  world.untilHealthy(30_000);
  world.cluster.run(15_000);
  const first = world.leader;
  const calls: number[] = [];
  const spoken: number[] = [];
  const watcher = world.cluster.node(0);
  watcher.subscribe(SRVID.ELECTION, (_data, from) => spoken.push(from));
  watcher.subscribe(SRVID.LEADER, (data, from) => {
    const told = decodeExact(u32Codec, data);
    if (told.ok && told.value === UNKNOWN_PNN) calls.push(from);
  });
  world.cluster.seen.splice(0);
  world.cluster.node(first).kill();
  world.untilHealthy(30_000);
  expect(world.leader).not.toBe(first);
  expect(calls.length).toBeLessThan(5);
  expect(spoken.length).toBeLessThan(count / 2);
  // Nobody takes another for what it is not.
  expect(world.cluster.seen.filter((control) => control.endsWith(" MODIFY_FLAGS"))).toEqual([]);
});

test("Recoverd without the lock follows; contention is no reason for a ban", () => {
  const world = new RecoverdWorld({ lock: true });
  world.untilHealthy();
  const leader = world.leader;
  world.cluster.run(60_000);
  for (const node of world.cluster.nodes) expect(node.banned).toBeUndefined();
  // Each node asked at most twice: at the start, and when told that there is an election.
  for (const pnn of [0, 1, 2]) {
    expect(world.locks[pnn]?.attempts).toBeLessThanOrEqual(3);
  }
  expect(world.leader).toBe(leader);
});

test("Recoverd that loses the lock stops leading at once, and comes back when it can", () => {
  const world = new RecoverdWorld({ lock: true });
  world.untilHealthy();
  const leader = world.leader;
  world.lockService.down = true;
  world.loseLock(leader);
  expect(world.recoverd(leader).election.mayAct).toBe(false);
  world.cluster.run(30_000);
  for (const recoverd of world.recoverds) {
    expect(recoverd.election.leader).toBe(UNKNOWN_PNN);
    expect(recoverd.recovering).toBe(false);
  }
  world.lockService.down = false;
  world.untilHealthy(20_000);
});

test("Recoverd that loses the lock lets go of the node's public addresses at once", () => {
  const world = new RecoverdWorld({ lock: true, localAddresses: () => new Set(["10.0.0.1"]) });
  const addr = { family: "ipv4" as const, address: "10.0.0.1", port: 0, scope: 0 };
  world.untilHealthy();
  const leader = world.leader;
  const other = (leader + 1) % 3;
  world.cluster.node(leader).addresses.push({ pnn: leader, addr, available: true });
  const releases = () => world.cluster.seen.filter((line) => line.endsWith("RELEASE_IP"));
  // Who had none of it lets go of nothing.
  world.locks[other]?.notifyLost();
  world.cluster.run(100);
  expect(releases()).toEqual([]);
  world.lockService.down = true;
  world.loseLock(leader);
  world.cluster.run(100);
  expect(releases()).toEqual([`${leader} RELEASE_IP`]);
});

test("Recoverd that was paused with the lock acts only after it has proven that it has it", () => {
  const world = new RecoverdWorld({ lock: true });
  world.untilHealthy();
  const { leader } = world;
  const { process } = world.cluster.node(leader);
  process.pause();
  world.cluster.run(20_000);
  const before = world.recoverd(leader);
  expect(before.election.leading).toBe(true);
  // Read before any of its timers has run.
  expect([before.election.mayAct, before.mayActMs]).toEqual([false, 0]);
  process.resume();
  world.untilHealthy();
  expect(world.leader).toBe(leader);
  expect(before.mayActMs).toBeGreaterThan(0);
});

test("Recoverd that was paused without a lock, and led, calls an election before it acts", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  const { leader } = world;
  const { process } = world.cluster.node(leader);
  process.pause();
  world.cluster.run(4000);
  process.resume();
  world.cluster.run(600);
  // Shorter than a leader may be silent.
  expect(world.leader).toBe(leader);
  const { completed } = world.recoverd(leader).election;
  process.pause();
  world.cluster.run(6000);
  expect(world.recoverd(leader).mayActMs).toBe(0);
  process.resume();
  world.untilHealthy();
  expect(world.recoverd(leader).election.completed).toBeGreaterThan(completed);
});

test("Recoverd that loses the lock in the middle of a recovery aborts it", () => {
  const world = new RecoverdWorld({ lock: true });
  world.cluster.interfere = (_pnn, name) => (name === "START_RECOVERY" ? "hang" : undefined);
  world.cluster.until("a recovery runs", () => world.recoverds.some((one) => one.recovering));
  const leader = world.leader;
  world.loseLock(leader);
  expect(world.recoverd(leader).recovering).toBe(false);
  world.cluster.interfere = () => undefined;
  world.untilHealthy();
});

test("Recoverd that holds the lock ignores others that claim to lead", () => {
  const world = new RecoverdWorld({ lock: true });
  world.untilHealthy();
  const leader = world.leader;
  const other = (leader + 1) % 3;
  world.cluster.node(other).send(leader, SRVID.LEADER, encode(u32Codec, other));
  world.cluster.run(10);
  expect(world.recoverd(leader).election.mayAct).toBe(true);
});

test("Recoverd without any node that can lead waits for one", () => {
  const world = new RecoverdWorld();
  for (const node of world.cluster.nodes) node.capabilities = CAPABILITIES.LMASTER;
  world.cluster.run(60_000);
  for (const recoverd of world.recoverds) expect(recoverd.election.leader).toBe(UNKNOWN_PNN);
  expect(world.recoveries).toEqual([]);
  world.cluster.node(1).capabilities = CAPABILITIES.RECMASTER | CAPABILITIES.LMASTER;
  world.untilHealthy(30_000);
  expect(world.leader).toBe(1);
});

test("Recoverd answers takeover requests on the leader, and nowhere else", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(15_000);
  const answers: number[] = [];
  const reply = u64(0xce010000, 1);
  world.cluster.node(0).subscribe(reply, (data) => {
    const answer = decodeExact(i32Codec, data);
    if (answer.ok) answers.push(answer.value);
  });
  const request = encode(srvidMessage, { pnn: 0, srvid: reply });
  for (const pnn of [0, 1, 2]) world.cluster.node(0).send(pnn, SRVID.TAKEOVER_RUN, request);
  world.cluster.run(3000);
  expect(answers).toEqual([world.leader]);
  const told = world.cluster.seen.filter((line) => line.endsWith(" IPREALLOCATED"));
  // Once after the recovery, once for the request.
  expect(told.sort()).toEqual([0, 0, 1, 1, 2, 2].map((pnn) => `${pnn} IPREALLOCATED`));
});

test("Recoverd hands takeover requests over when it stops leading", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(15_000);
  const old = world.leader;
  const answers: number[] = [];
  const reply = u64(0xce010000, 2);
  world.cluster.node(old).subscribe(reply, (data) => {
    const answer = decodeExact(i32Codec, data);
    if (answer.ok) answers.push(answer.value);
  });
  // As "ctdb stop" does on the leader.
  world.cluster.node(old).flags |= NODE_FLAGS.STOPPED;
  const request = encode(srvidMessage, { pnn: old, srvid: reply });
  for (const pnn of [0, 1, 2]) world.cluster.node(old).send(pnn, SRVID.TAKEOVER_RUN, request);
  world.cluster.run(6000);
  expect(answers).toContain(world.leader);
});

test("Recoverd gives up a leader that is not connected before it is missed", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(15_000);
  const old = world.leader;
  world.cluster.node(old).kill();
  world.cluster.until(
    "an election",
    () => world.recoverds.some((one) => one.election.inProgress),
    2200,
  );
  world.untilHealthy(5000);
});

test("Recoverd waits RerecoveryTimeout between recoveries", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  const first = world.cluster.scheduler.nowMs;
  world.cluster.node(0).recoveryMode = 1;
  world.cluster.run(8000);
  expect(world.recoveries.length).toBe(1);
  world.untilHealthy(10_000);
  expect(world.recoveries.length).toBe(2);
  expect(world.cluster.scheduler.nowMs - first).toBeGreaterThan(9900);
});

test("Recoverd repeats a recovery that fails, and stops when it is not leader any more", () => {
  const world = new RecoverdWorld();
  world.recoveriesFail = true;
  world.cluster.until("three attempts", () => world.recoveries.length === 3);
  world.recoveriesFail = false;
  world.untilHealthy();
});

test("Recoverd bans a node that never answers about itself", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(12_000);
  const silent = (world.leader + 1) % 3;
  world.cluster.interfere = (pnn, name) =>
    pnn === silent && name === "GET_NODEMAP" ? "hang" : undefined;
  world.cluster.run(150_000);
  expect(world.cluster.node(silent).banned).toBeUndefined();
  world.cluster.until("banned", () => world.cluster.node(silent).banned !== undefined, 100_000);
  world.cluster.interfere = () => undefined;
  world.untilHealthy();
});

test("Recoverd.stop() releases the lock and does nothing any more", () => {
  const world = new RecoverdWorld({ lock: true });
  world.untilHealthy();
  const leader = world.leader;
  let released = false;
  world.recoverd(leader).stop(() => {
    released = true;
  });
  world.cluster.run(100);
  expect(released).toBe(true);
  expect(world.lockService.holder).toBeUndefined();
  const seen = world.cluster.seen.length;
  for (const recoverd of world.recoverds) recoverd.stop();
  world.cluster.run(100);
  world.cluster.seen.length = 0;
  world.cluster.run(60_000);
  expect(seen).toBeGreaterThan(0);
  expect(world.cluster.seen).toEqual([]);
});
