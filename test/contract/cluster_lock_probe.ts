/** What every `ClusterLockProbe` must do (src/lock/cluster_lock_probe.ts). */
import { expect, test } from "bun:test";
import {
  type ClusterLockProbe,
  PROBE_TIMEOUT_MS,
  type ProbeOutcome,
} from "../../src/lock/cluster_lock_probe.ts";
import { answerOf, type LockWorld } from "./cluster_lock.ts";

export interface ProbeWorld extends LockWorld {
  /** Of a node of the cluster whose lock `newLock` takes. */
  readonly probe: ClusterLockProbe;
}

/** Of an event loop, whose timers may be late. */
const LATE_MS = 500;
const TRIES_MAX = 20;

/** Asks the probe `times` times at once; each answers once, later, with a time that has passed. */
async function ask(world: ProbeWorld, times = 1): Promise<readonly ProbeOutcome[]> {
  const outcomes: ProbeOutcome[] = [];
  const startMs = world.nowMs();
  for (let asked = 0; asked < times; asked++) {
    world.probe.probe((outcome, latencySec) => {
      const passedMs = world.nowMs() - startMs;
      expect(passedMs).toBeLessThanOrEqual(PROBE_TIMEOUT_MS + LATE_MS);
      expect(latencySec).toBeGreaterThan(0);
      expect(latencySec * 1000).toBeLessThanOrEqual(passedMs);
      outcomes.push(outcome);
    });
  }
  expect(outcomes).toEqual([]);
  await world.until("the probe has answered", () => outcomes.length >= times);
  await world.rest();
  expect(outcomes.length).toBe(times);
  return outcomes;
}

export function clusterLockProbeContract(name: string, newWorld: () => ProbeWorld): void {
  test(`${name} probe() leaves a lock that somebody holds with its holder`, async () => {
    await using world = newWorld();
    const lock = world.newLock();
    const lost: string[] = [];
    lock.onLost(() => lost.push("lost"));
    expect((await answerOf(world, lock)).kind).toBe("held");
    expect(await ask(world, 2)).toEqual(["contended", "contended"]);
    expect(lock.held).toBe(true);
    expect(lost).toEqual([]);
  });

  test(`${name} probe() tells that nobody holds the lock, and does not keep it`, async () => {
    await using world = newWorld();
    expect(await ask(world)).toEqual(["taken"]);
    // A helper that was told to end lets go of it a moment later.
    let again: readonly ProbeOutcome[] = [];
    for (let tries = 0; tries < TRIES_MAX && again[0] !== "taken"; tries++)
      again = await ask(world);
    expect(again).toEqual(["taken"]);
    expect((await answerOf(world, world.newLock())).kind).toBe("held");
  });

  test(`${name} probe() answers in time when the lock is out of reach, and then as it is`, async () => {
    await using world = newWorld();
    expect((await answerOf(world, world.newLock())).kind).toBe("held");
    world.reach(false);
    const [outcome = "taken"] = await ask(world);
    expect(["timeout", "error"]).toContain(outcome);
    world.reach(true);
    expect(await ask(world)).toEqual(["contended"]);
  });
}
