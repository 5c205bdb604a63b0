/** What recovery daemons and their helpers write down (base/journal_event.ts), with the causes. */
import { expect, test } from "bun:test";
import { NODE_FLAGS, RECOVERY_ACTIVE } from "../../src/wire/constants.ts";
import { RecoverdWorld } from "./recoverd_world.ts";

const kindsOf = (world: RecoverdWorld, pnn: number) =>
  world.journal(pnn).events.map(({ kind }) => kind);

test("Recoverd writes down elections by message, and who leads when they are over", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  const { leader } = world;
  for (const { pnn } of world.cluster.nodes) {
    const journal = world.journal(pnn);
    expect(journal.of("election").length).toBeGreaterThan(0);
    expect(journal.of("leader").at(-1)).toMatchObject({ before: null, after: leader });
    // Who is ahead during an election leads nobody.
    expect(journal.of("leader")).toHaveLength(1);
  }
  world.cluster.node(leader).kill();
  world.untilHealthy();
  const follower = (leader + 1) % 3;
  expect(world.journal(follower).of("leader").at(-1)).toMatchObject({
    after: world.leader,
    reason: "it has won the election",
  });
  expect(world.journal(follower).of("election").length).toBeGreaterThan(1);
});

test("Recoverd writes down the cluster lock: taken, refused, lost and released", () => {
  const world = new RecoverdWorld({ lock: true });
  world.untilHealthy();
  const { leader } = world;
  const lock = "simulated lock";
  const all = world.cluster.nodes.flatMap(({ pnn }) => world.journal(pnn).of("lock_refused"));
  expect(all).toContainEqual({ kind: "lock_refused", lock, reason: "another node holds it" });
  const journal = world.journal(leader);
  expect(journal.of("lock_taken")).toEqual([
    { kind: "lock_taken", lock, duration_ms: expect.any(Number) },
  ]);
  expect(journal.of("leader").at(-1)?.reason).toBe("it has taken the cluster lock");
  journal.take();
  world.lockService.down = true;
  world.loseLock(leader);
  world.cluster.run(10);
  expect(journal.take().slice(0, 3)).toEqual([
    { kind: "lock_lost", lock, reason: "it was taken away" },
    { kind: "leader", before: leader, after: null, reason: "it has lost the cluster lock" },
    { kind: "election", reason: "cluster lock lost" },
  ]);
  world.lockService.down = false;
  world.untilHealthy();
  const next = world.leader;
  world.recoverd(next).stop();
  expect(world.journal(next).events.at(-1)).toEqual({ kind: "lock_released", lock });
});

test("Recoverd writes a recovery down with its reason, steps, databases and end", () => {
  const world = new RecoverdWorld();
  for (const node of world.cluster.nodes) node.attach(0x1234, "a.tdb");
  world.untilHealthy();
  world.cluster.run(1000);
  const { leader } = world;
  const journal = world.journal(leader);
  const [started] = journal.of("recovery_started");
  expect(started).toMatchObject({ nodes: [0, 1, 2], culprit: null });
  const generation = started?.generation ?? 0;
  expect(generation).toBe(world.cluster.node(leader).vnnMap.generation);
  expect(journal.of("recovery_step").map(({ step }) => step)).toEqual([
    "flags",
    "members",
    "recovery mode active",
    "startrecovery event",
    "vnn map",
    "all databases",
    "recovery mode normal",
    "recovered event",
    "databases",
    "takeover",
  ]);
  expect(new Set(journal.of("recovery_step").map((step) => step.generation))).toEqual(
    new Set([generation]),
  );
  expect(journal.of("recovery_database")).toEqual([
    {
      kind: "recovery_database",
      generation,
      database: "a.tdb",
      records: 0,
      duration_ms: expect.any(Number),
    },
  ]);
  expect(journal.of("recovery_ended")).toEqual([
    {
      kind: "recovery_ended",
      generation,
      succeeded: true,
      reason: null,
      duration_ms: expect.any(Number),
    },
  ]);
  expect(kindsOf(world, leader)).toContain("takeover_started");
  expect(journal.of("takeover_started")[0]?.reason).toBe(
    "this node leads from now on; the databases were recovered",
  );
  expect(journal.of("takeover_ended")[0]).toMatchObject({ succeeded: true, reason: null });
  world.cluster.run(15_000);
  world.cluster.node((leader + 1) % 3).recoveryMode = RECOVERY_ACTIVE;
  world.cluster.until("another", () => journal.of("recovery_started").length === 2, 10_000);
  expect(journal.of("recovery_started")[1]?.reason).toBe(
    `node ${(leader + 1) % 3} is in recovery mode`,
  );
});

test("Recoverd writes down why a recovery failed, and that the next is for that", () => {
  const world = new RecoverdWorld();
  world.recoveriesFail = true;
  const failed = () =>
    world.cluster.nodes
      .map(({ pnn }) => world.journal(pnn))
      .find((journal) => journal.of("recovery_started").length > 1);
  world.cluster.until("two recoveries", () => failed() !== undefined, 60_000);
  const journal = failed();
  expect(journal?.of("recovery_ended")[0]).toMatchObject({
    succeeded: false,
    reason: "told to fail",
  });
  expect(journal?.of("recovery_started")[1]?.reason).toBe(
    "the one before has failed: told to fail",
  );
});

test("Recoverd writes down a recovery that it gave up", () => {
  const world = new RecoverdWorld({ lock: true });
  world.cluster.interfere = (_pnn, name) => (name === "START_RECOVERY" ? "hang" : undefined);
  world.cluster.until("a recovery runs", () => world.recoverds.some((one) => one.recovering));
  const { leader } = world;
  world.loseLock(leader);
  expect(world.journal(leader).of("recovery_ended")).toMatchObject([
    { succeeded: false, reason: "it was given up: leader changed to UNKNOWN" },
  ]);
});

test("A ban is written down where it is asked for, after the blame that led to it", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(12_000);
  const { leader } = world;
  const silent = (leader + 1) % 3;
  const journal = world.journal(leader);
  journal.take();
  world.cluster.interfere = (pnn, name) =>
    pnn === silent && name === "GET_NODEMAP" ? "hang" : undefined;
  world.cluster.until("banned", () => world.cluster.node(silent).banned !== undefined, 400_000);
  const blames = journal.of("blame");
  const reason = "it does not tell its node map";
  expect(blames.map(({ target, credits, limit }) => [target, credits, limit])).toEqual(
    Array.from({ length: 6 }, () => [silent, 1, 6]),
  );
  expect(blames.map(({ total }) => total)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(new Set(blames.map((blame) => blame.reason))).toEqual(new Set([reason]));
  expect(journal.of("ban")).toEqual([
    {
      kind: "ban",
      target: silent,
      seconds: 300,
      reason: `it has 6 banning credits of 6: ${reason}`,
      by: { node: leader },
    },
  ]);
});

test("A takeover run that is asked for by a node says so", () => {
  const world = new RecoverdWorld();
  world.untilHealthy();
  world.cluster.run(12_000);
  const { leader } = world;
  const journal = world.journal(leader);
  journal.take();
  world.cluster.node((leader + 1) % 3).flags |= NODE_FLAGS.PERMANENTLY_DISABLED;
  world.cluster.run(5000);
  expect(journal.of("takeover_started").map(({ reason }) => reason)).toEqual([
    `flags of node ${(leader + 1) % 3} have changed`,
  ]);
});
