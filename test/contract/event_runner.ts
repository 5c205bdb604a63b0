/** What every `EventRunner` must do (services/event_runner.ts), on events whose scripts all succeed. */
import { expect, test } from "bun:test";
import type { Timers } from "../../src/platform/types/time.ts";
import type { EventRunner } from "../../src/services/event_runner.ts";
import { FakeWorld } from "../support/fake_world.ts";

const TIMEOUT_MS = 30_000;

export function eventRunnerContract(
  name: string,
  newRunner: (timers: Timers, world: FakeWorld) => EventRunner,
): void {
  test(`${name}: an event ends once, in time, and not inside the call`, () => {
    const world = new FakeWorld();
    const runner = newRunner(world.timers, world);
    const statuses: number[] = [];
    const args = ["eth0", "10.0.0.1", "24"] as const;
    runner.run("takeip", args, TIMEOUT_MS, (status) => void statuses.push(status));
    expect(statuses).toEqual([]);
    world.run(TIMEOUT_MS);
    expect(statuses).toEqual([0]);
  });

  test(`${name}: a cancelled event is not heard of, others are`, () => {
    const world = new FakeWorld();
    const runner = newRunner(world.timers, world);
    const ended: string[] = [];
    const cancelled = runner.run("monitor", [], TIMEOUT_MS, () => void ended.push("monitor"));
    runner.run("shutdown", [], TIMEOUT_MS, () => void ended.push("shutdown"));
    cancelled.cancel();
    world.run(TIMEOUT_MS);
    expect(ended).toEqual(["shutdown"]);
    cancelled.cancel();
  });

  test(`${name}: an event that succeeded is not explained, and that not inside the call`, () => {
    const world = new FakeWorld();
    const runner = newRunner(world.timers, world);
    runner.run("startup", [], TIMEOUT_MS, () => undefined);
    world.run(TIMEOUT_MS);
    const told: unknown[] = [];
    runner.explain("startup", (failure) => void told.push(failure));
    expect(told).toEqual([]);
    world.run(TIMEOUT_MS);
    expect(told).toEqual([undefined]);
  });

  test(`${name}: how the last run of an event went is told once, and not inside the call`, () => {
    const world = new FakeWorld();
    const runner = newRunner(world.timers, world);
    runner.run("startup", [], TIMEOUT_MS, () => undefined);
    world.run(TIMEOUT_MS);
    const told: (readonly { readonly event: string; readonly result: number }[])[] = [];
    runner.lastRun("startup", (scripts) => void told.push(scripts));
    expect(told).toEqual([]);
    world.run(TIMEOUT_MS);
    expect(told).toHaveLength(1);
    for (const { event, result } of told[0] ?? []) expect([event, result]).toEqual(["startup", 0]);
    expect(told[0]?.length).toBe(runner.runsScripts ? 1 : 0);
  });
}
