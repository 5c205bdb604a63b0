/** What a recovery daemon must not do, and what it must not forget. */

import { expect, test } from "bun:test";
import { silentJournal } from "../../src/base/journal_event.ts";
import { silentLogger } from "../../src/base/log.ts";
import { done, err, type Result } from "../../src/base/result.ts";
import { u64 } from "../../src/base/u64.ts";
import { Election } from "../../src/cluster/election.ts";
import { OperationGate } from "../../src/cluster/operation_gate.ts";
import { TakeoverRuns } from "../../src/cluster/takeover_runs.ts";
import type { ClusterLock, LockAttempt } from "../../src/lock/cluster_lock.ts";
import { decodeExact, encode, i32Codec, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, RECOVERY_NORMAL, SRVID } from "../../src/wire/constants.ts";
import { disableMessage } from "../../src/wire/structs/cluster.ts";
import { VirtualTime } from "../database/virtual_time.ts";
import { RecordedEvents } from "../support/recorded_events.ts";
import { FakeClient } from "./fake_client.ts";
import { RecoverdWorld } from "./recoverd_world.ts";

const BANNING_CREDITS = 6;

function calm(options: ConstructorParameters<typeof RecoverdWorld>[0] = {}) {
  const world = new RecoverdWorld(options);
  world.untilHealthy();
  world.cluster.run(15_000);
  return { world, leader: world.leader, follower: (world.leader + 1) % 3 };
}

/** Says on node `at` that takeover runs fail because of `pnn`. */
function complain(world: RecoverdWorld, at: number, pnn: number): void {
  world.cluster.node(at).send(at, SRVID.BANNING, encode(u32Codec, pnn));
  world.cluster.run(10);
}

test("Recoverd counts BANNING messages on the leader only, and bans at the limit of credits", () => {
  const { world, leader, follower } = calm();
  for (let i = 0; i < BANNING_CREDITS; i++) complain(world, follower, 0);
  world.cluster.run(5000);
  expect(world.cluster.nodes.some(({ banned }) => banned !== undefined)).toBe(false);
  const target = (leader + 2) % 3;
  complain(world, leader, target);
  world.cluster.run(5000);
  expect(world.cluster.node(target).banned).toBeUndefined();
  complain(world, leader, target);
  world.cluster.run(5000);
  expect(world.cluster.node(target).banned?.time).toBe(300);
});

test("Recoverd bans nobody while EnableBans is 0", () => {
  const { world, leader, follower } = calm();
  for (const node of world.cluster.nodes) node.tunables.set("EnableBans", 0);
  world.cluster.run(2000);
  for (let i = 0; i < 2; i++) complain(world, leader, follower);
  world.cluster.run(5000);
  expect(world.cluster.node(follower).banned).toBeUndefined();
});

test("Recoverd forgets the credits of before a recovery that succeeded", () => {
  const { world, leader, follower } = calm();
  complain(world, leader, follower);
  world.cluster.node(0).recoveryMode = 1;
  world.cluster.until("a recovery", () => world.recoveries.length === 2);
  world.untilHealthy();
  complain(world, leader, follower);
  world.cluster.run(5000);
  expect(world.cluster.node(follower).banned).toBeUndefined();
});

test("Recoverd tells all clients that a recovery is over", () => {
  const world = new RecoverdWorld();
  const told: number[] = [];
  for (const { pnn } of world.cluster.nodes) {
    world.cluster.node(pnn).subscribe(SRVID.RECONFIGURE, () => told.push(pnn));
  }
  world.untilHealthy();
  world.cluster.run(1000);
  expect(told.sort()).toEqual([0, 1, 2]);
});

test("Recoverd does not recover while an active node does not take the flags of all", () => {
  const { world, leader, follower } = calm();
  world.cluster.interfere = (pnn, name) =>
    pnn === follower && name === "MODIFY_FLAGS" ? "fail" : undefined;
  world.cluster.node((leader + 2) % 3).flags = NODE_FLAGS.UNHEALTHY;
  world.cluster.node(0).recoveryMode = 1;
  world.cluster.run(20_000);
  expect(world.recoveries.length).toBe(1);
  world.cluster.interfere = () => undefined;
  world.untilHealthy();
});

test("Recoverd freezes a stopped node again that a recovery has thawed", () => {
  const { world, follower } = calm();
  const node = world.cluster.node(follower);
  node.flags |= NODE_FLAGS.STOPPED;
  world.cluster.until("frozen", () => node.frozen);
  // The end of a recovery that had begun before.
  node.recoveryMode = RECOVERY_NORMAL;
  node.frozen = false;
  world.cluster.until("frozen again", () => node.frozen && node.recoveryMode === 1, 5000);
});

test("Recoverd does not give up a leader whose link breaks for a moment", () => {
  const { world, leader, follower } = calm();
  const others = [0, 1, 2].filter((pnn) => pnn !== follower);
  world.cluster.partition(others, [follower]);
  // Its node says that the leader is gone, and the recovery daemon looks.
  world.recoverd(follower).look();
  world.cluster.run(100);
  expect(world.recoverd(follower).election.inProgress).toBe(false);
  world.cluster.partition([0, 1, 2]);
  world.cluster.run(10_000);
  expect(world.leader).toBe(leader);
});

test("Recoverd does not count the time of a recovery that fails for the forgiving of credits", () => {
  const { world, leader } = calm();
  const target = (leader + 2) % 3;
  for (const node of world.cluster.nodes) node.tunables.set("RecoveryGracePeriod", 20);
  world.cluster.run(2000);
  complain(world, leader, target);
  world.cluster.interfere = (_pnn, name) => (name === "START_RECOVERY" ? "hang" : undefined);
  world.cluster.node(0).recoveryMode = 1;
  world.cluster.until("a recovery", () => world.recoverd(leader).recovering);
  world.cluster.until("its end", () => !world.recoverd(leader).recovering);
  complain(world, leader, target);
  world.cluster.run(2000);
  expect(world.cluster.node(target).banned).toBeDefined();
});

/** An election by a lock whose answers the test gives. */
function locking() {
  const time = new VirtualTime();
  const answers: ((outcome: LockAttempt) => void)[] = [];
  const state = { canLead: true, released: 0, led: false };
  const lock: ClusterLock = {
    description: "told lock",
    held: false,
    provenForMs: 0,
    attempt: (_timeoutMs, answered) => answers.push(answered),
    release: () => {
      state.released += 1;
    },
    onLost: () => undefined,
  };
  const election: Election = new Election(
    {
      pnn: 0,
      timers: time,
      random: { u32: () => 0 },
      log: silentLogger,
      journal: silentJournal,
      nowMs: () => time.monotonicMs(),
      leaderTimeoutMs: 5000,
      electionTimeoutMs: () => 3000,
      canLead: () => state.canLead,
      electionMessage: () => {
        throw new Error("elections are by the lock");
      },
      sendLeader: () => undefined,
      sendElection: () => undefined,
      stopTraffic: () => undefined,
      changed: () => {
        state.led ||= election.leading;
      },
      lockTaken: () => undefined,
      lockLost: () => undefined,
    },
    lock,
  );
  election.force("for a test");
  return { answers, state, election };
}

test("Election takes no answer for the lock that belongs to an earlier attempt", () => {
  const { answers, state, election } = locking();
  election.heardLeader(2, 2);
  expect([election.leader, state.released]).toEqual([2, 1]);
  answers[0]?.({ kind: "held", latencyMs: 5 });
  expect([election.leader, state.led]).toEqual([2, false]);
});

test("Election gives a lock back that came when the node may not lead any more", () => {
  const { answers, state, election } = locking();
  state.canLead = false;
  answers[0]?.({ kind: "held", latencyMs: 5 });
  expect([state.led, election.leading, state.released]).toEqual([false, false, 1]);
});

test("OperationGate.disable() is refused while the operation runs, but not the end of it", () => {
  const { world } = calm();
  const { timers } = world.cluster.node(0).process;
  const gate = new OperationGate(timers);
  gate.inProgress = true;
  expect([gate.disable(60), gate.disabled]).toEqual(["busy", false]);
  gate.inProgress = false;
  expect([gate.disable(60), gate.disabled]).toEqual(["done", true]);
  gate.inProgress = true;
  expect([gate.disable(0), gate.disabled]).toEqual(["done", false]);
});

test("OperationGate.leaderIs() ends what another leader has disabled for itself, and nothing else", () => {
  const { world } = calm();
  const gate = new OperationGate(world.cluster.node(0).process.timers);
  gate.disable(60, 2);
  gate.leaderIs(2);
  expect(gate.disabled).toBe(true);
  gate.leaderIs(1);
  expect(gate.disabled).toBe(false);
  gate.disable(60);
  gate.leaderIs(1);
  expect(gate.disabled).toBe(true);
});

test("OperationGate.disable() does not let one leader end what another has disabled", () => {
  const { world } = calm();
  const gate = new OperationGate(world.cluster.node(0).process.timers);
  gate.disable(60, 1);
  gate.disable(60, 2);
  expect([gate.disable(0, 1), gate.disabled]).toEqual(["done", true]);
  expect([gate.disable(0, 2), gate.disabled]).toEqual(["done", false]);
  gate.disable(60, 2);
  expect([gate.disable(0), gate.disabled]).toEqual(["done", false]);
});

/** Takeover runs of one node, which end when the test says so, and the answers to who asked. */
function takeovers() {
  const { world } = calm();
  const node = world.cluster.node(0);
  const ends: ((outcome: Result<void>) => void)[] = [];
  const journal = new RecordedEvents();
  const awaited: string[] = [];
  const runs = new TakeoverRuns({
    client: new FakeClient(node, node.process),
    clock: node.process.clock,
    timers: node.process.timers,
    log: silentLogger,
    journal,
    awaited: () => awaited.at(-1),
    helper: {
      start: (_request, ended) => {
        ends.push(ended);
        return { cancel: () => undefined };
      },
    },
  });
  const connected = world.cluster.nodes.map(({ pnn }) => pnn);
  const start = () => runs.start({ connected, timeoutMs: 1000 }, () => undefined);
  /** For how many seconds runs are disabled on another node, each time that it is told. */
  const disabled: number[] = [];
  world.cluster.node(1).subscribe(SRVID.DISABLE_TAKEOVER_RUNS, (data) => {
    const told = decodeExact(disableMessage, data);
    if (told.ok) disabled.push(told.value.timeout);
  });
  const answers: string[] = [];
  const ask = (lo: number) => {
    const srvid = u64(0xce010000, lo);
    node.subscribe(srvid, (data) => {
      const result = decodeExact(i32Codec, data);
      answers.push(`${lo}: ${result.ok ? result.value : "?"}`);
    });
    runs.request({ pnn: 0, srvid });
  };
  const heard = () => {
    world.cluster.run(10);
    return answers.splice(0);
  };
  return { runs, start, journal, ends, ask, heard, disabled, awaited };
}

test("TakeoverRuns answers who asked for a run that was cancelled at the end of the next", () => {
  const { runs, start, ends, ask, heard } = takeovers();
  ask(1);
  start();
  runs.cancel("for a test");
  expect(heard()).toEqual([]);
  ask(2);
  start();
  ends.at(-1)?.(done);
  expect(heard()).toEqual(["1: 0", "2: 0"]);
});

test("TakeoverRuns lets others begin a run as soon as one ends, or is cancelled", () => {
  const { runs, start, ends, heard, disabled } = takeovers();
  start();
  runs.cancel("for a test");
  start();
  ends.at(-1)?.(done);
  heard();
  expect(disabled).toEqual([60, 0, 60, 0]);
});

test("TakeoverRuns begins no run while somebody is awaited, and does not forget it", () => {
  const { runs, start, ends, ask, heard, awaited } = takeovers();
  ask(1);
  awaited.push("node 2 may have addresses");
  start();
  expect([ends.length, runs.running, runs.wanted]).toEqual([0, false, true]);
  awaited.pop();
  start();
  ends.at(-1)?.(done);
  expect(heard()).toEqual(["1: 0"]);
});

test("TakeoverRuns keeps a thousand requests, and refuses those beyond", () => {
  const { start, ends, ask, heard } = takeovers();
  for (let lo = 1; lo <= 1001; lo++) ask(lo);
  expect(heard()).toEqual(["1001: -1"]);
  start();
  ends[0]?.(done);
  expect(heard().length).toBe(1000);
});

test("TakeoverRuns writes down why each run is made, and how it ended", () => {
  const { runs, start, journal, ends, ask } = takeovers();
  ask(1);
  runs.want("flags of node 2 have changed");
  start();
  ends.at(-1)?.(err("the helper failed"));
  start();
  runs.cancel("leader changed to 1");
  start();
  ends.at(-1)?.(done);
  expect(journal.of("takeover_started").map(({ reason }) => reason)).toEqual([
    "node 0 asks for it; flags of node 2 have changed",
    "the one before has failed",
    "the one before was given up: leader changed to 1",
  ]);
  expect(journal.of("takeover_ended").map(({ succeeded, reason }) => [succeeded, reason])).toEqual([
    [false, "the helper failed"],
    [false, "it was given up: leader changed to 1"],
    [true, null],
  ]);
});
