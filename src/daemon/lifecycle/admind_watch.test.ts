import { expect, test } from "bun:test";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { RecordedEvents } from "../../../test/support/recorded_events.ts";
import { silentLogger } from "../../base/log.ts";
import { AdmindWatch } from "./admind_watch.ts";

class Scene {
  readonly world = new FakeWorld();
  readonly journal = new RecordedEvents();
  readonly children: { killed: boolean; exited: (how: string) => void }[] = [];
  /** When each was started, in seconds since the begin. */
  readonly starts: number[] = [];
  problem: string | undefined;
  readonly #beginMs = this.world.nowMs;
  readonly watch = new AdmindWatch({
    start: (exited) => {
      this.starts.push((this.world.nowMs - this.#beginMs) / 1000);
      if (this.problem !== undefined) return this.problem;
      const child = { killed: false, exited };
      this.children.push(child);
      const kill = () => {
        child.killed = true;
      };
      return { pid: 100 + this.children.length, kill };
    },
    timers: this.world.timers,
    clock: this.world.clock,
    log: silentLogger,
    journal: this.journal,
    version: "1",
  });

  get running(): number {
    return this.children.filter(({ killed }) => !killed).length;
  }
}

test("AdmindWatch starts nothing that is not wanted", () => {
  const scene = new Scene();
  scene.watch.want(false);
  scene.watch.reconfigured(false);
  scene.world.run(600_000);
  expect([scene.starts, scene.journal.events]).toEqual([[], []]);
});

test("AdmindWatch starts one at once, and another when that has ended", () => {
  const scene = new Scene();
  scene.watch.want(true);
  scene.watch.want(true);
  expect(scene.children).toHaveLength(1);
  scene.world.run(120_000);
  scene.children[0]?.exited("SIGKILL");
  scene.world.run(1000);
  expect(scene.children).toHaveLength(2);
  expect(scene.journal.events).toEqual([
    { kind: "process_started", process: "admind", pid: 101, version: "1" },
    { kind: "process_ended", process: "admind", pid: 101, how: "SIGKILL" },
    { kind: "process_started", process: "admind", pid: 102, version: "1" },
  ]);
});

test("AdmindWatch waits longer each time while they end at once, and begins anew when one has lived", () => {
  const scene = new Scene();
  scene.watch.want(true);
  const dies = () => {
    const [before, atMs] = [scene.starts.length, scene.world.nowMs];
    scene.children.at(-1)?.exited("exit status 1");
    while (scene.starts.length === before) scene.world.run(1000);
    return (scene.world.nowMs - atMs) / 1000;
  };
  const waits = Array.from({ length: 11 }, dies);
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  scene.world.run(60_000);
  expect([dies(), dies()]).toEqual([1, 2]);
});

test("AdmindWatch tries again when there is no such program", () => {
  const scene = new Scene();
  scene.problem = "Cannot start ctdb-admind";
  scene.watch.want(true);
  scene.world.run(3500);
  expect(scene.starts).toEqual([0, 1, 3]);
  scene.problem = undefined;
  scene.world.run(10_000);
  expect(scene.children).toHaveLength(1);
});

test("AdmindWatch starts another when the configuration has changed, and none after the end", () => {
  const scene = new Scene();
  scene.watch.want(true);
  scene.watch.reconfigured(true);
  expect(scene.running).toBe(0);
  scene.children[0]?.exited("late");
  scene.world.run(2000);
  expect([scene.children.length, scene.running]).toEqual([2, 1]);
  scene.watch.reconfigured(false);
  scene.world.run(10_000);
  expect([scene.children.length, scene.running]).toEqual([2, 0]);
  scene.watch.reconfigured(true);
  scene.watch.stop();
  scene.world.run(600_000);
  scene.watch.want(true);
  expect([scene.children.length, scene.running]).toEqual([2, 0]);
});
