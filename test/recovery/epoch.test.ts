/** What recoverd has read of the cluster is void when something has changed before it arrived. */
import { expect, test } from "bun:test";
import { encode } from "../../src/wire/codec.ts";
import { NODE_FLAGS, RECOVERY_ACTIVE, RECOVERY_NORMAL, SRVID } from "../../src/wire/constants.ts";
import { electionMessage, type FlagChange } from "../../src/wire/structs/cluster.ts";
import { RecoverdWorld } from "./recoverd_world.ts";

/** A calm cluster, no longer in RerecoveryTimeout, whose leader has begun to look at `pnn`. */
function lookUnderWay(world: RecoverdWorld, before: () => void): void {
  world.untilHealthy();
  world.cluster.run(15_000);
  before();
  const { leader } = world;
  world.cluster.holds = (pnn, name) => pnn !== leader && name === "GET_RECMODE";
  world.cluster.until("a look", () => world.cluster.heldAnswers >= world.cluster.nodes.length - 1);
}

test("Recoverd does not act on what it read before the flags of a node changed", () => {
  const world = new RecoverdWorld();
  lookUnderWay(world, () => {
    world.cluster.node(0).recoveryMode = RECOVERY_ACTIVE;
  });
  world.cluster.node(0).recoveryMode = RECOVERY_NORMAL;
  world.cluster.node(world.leader).flags |= NODE_FLAGS.PERMANENTLY_DISABLED;
  // Less than the time that the answers may take.
  world.cluster.run(2500);
  world.cluster.letArrive();
  world.cluster.run(10_000);
  expect(world.recoveries.length).toBe(1);
});

test("Recoverd acts on what it read when nothing has changed since", () => {
  const world = new RecoverdWorld();
  lookUnderWay(world, () => {
    world.cluster.node(0).recoveryMode = RECOVERY_ACTIVE;
  });
  world.cluster.node(0).recoveryMode = RECOVERY_NORMAL;
  world.cluster.run(2500);
  world.cluster.letArrive();
  world.cluster.run(10_000);
  expect(world.recoveries.length).toBe(2);
});

/** Runs a look that sees node 0 disabled for a moment; whether that was told to the others after `change`. */
function toldAfter(world: RecoverdWorld, change: (leader: number) => void): boolean {
  const flags = NODE_FLAGS.PERMANENTLY_DISABLED;
  let told = false;
  world.cluster.interfere = (_pnn, name, request) => {
    if (name === "MODIFY_FLAGS") told ||= (request as FlagChange).new_flags === flags;
    return undefined;
  };
  lookUnderWay(world, () => {
    world.cluster.node(0).flags |= flags;
  });
  world.cluster.node(0).flags &= ~flags;
  change(world.leader);
  world.cluster.run(6000);
  world.cluster.letArrive();
  world.cluster.run(1000);
  return told;
}

test("Recoverd tells the flags that it read to the others when nothing has changed since", () => {
  expect(toldAfter(new RecoverdWorld(), () => undefined)).toBe(true);
});

test("Recoverd does not act on what it read before another node became leader", () => {
  const world = new RecoverdWorld();
  const told = toldAfter(world, (leader) => {
    const early = { num_connected: 9, priority_time: { sec: 1, usec: 0 }, pnn: 0, node_flags: 0 };
    for (const pnn of [1, 2]) {
      world.cluster.node(0).send(pnn, SRVID.ELECTION, encode(electionMessage, early));
    }
    world.cluster.until("another leader", () => !world.recoverd(leader).election.leading);
  });
  expect(told).toBe(false);
});

test("Recoverd does not act on what it read before it lost the lock and took it again", () => {
  const world = new RecoverdWorld({ lock: true });
  const told = toldAfter(world, (leader) => {
    world.loseLock(leader);
    expect(world.recoverd(leader).election.mayAct).toBe(false);
    // The others would take it, too.
    const others = world.cluster.nodes.filter(({ pnn }) => pnn !== leader);
    for (const { process } of others) process.pause();
    world.cluster.until("the lock again", () => world.recoverd(leader).election.mayAct);
    for (const { process } of others) process.resume();
  });
  expect(told).toBe(false);
});
