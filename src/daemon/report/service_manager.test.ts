import { expect, test } from "bun:test";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { ServiceManager } from "./service_manager.ts";

function setUp(options: { watchdogMs?: number; startsStopped?: boolean } = {}) {
  const world = new FakeWorld();
  const sent: string[] = [];
  const manager = new ServiceManager({
    timers: world.timers,
    pid: 17,
    watchdogMs: options.watchdogMs,
    startsStopped: options.startsStopped ?? false,
    send: (text) => void sent.push(text),
  });
  return { world, manager, take: () => sent.splice(0).map((text) => text.split("\n")) };
}

const states = ["INIT", "SETUP", "FIRST_RECOVERY", "STARTUP", "RUNNING", "SHUTDOWN"] as const;

test("ServiceManager asks for time until the node serves, and says once that it is ready", () => {
  const { world, manager, take } = setUp();
  expect(take()).toEqual([["MAINPID=17", "STATUS=starting"], ["EXTEND_TIMEOUT_USEC=60000000"]]);
  for (const state of states.slice(0, 4)) manager.runstateChanged(state);
  expect(
    take()
      .flat()
      .filter((line) => !line.startsWith("STATUS=")),
  ).toEqual([]);
  world.run(25_000);
  expect(take()).toEqual([["EXTEND_TIMEOUT_USEC=60000000"], ["EXTEND_TIMEOUT_USEC=60000000"]]);
  manager.runstateChanged("RUNNING");
  expect(take()).toEqual([["READY=1", "STATUS=serves"]]);
  world.run(60_000);
  expect(take()).toEqual([]);
  manager.runstateChanged("SHUTDOWN");
  expect(take().flat()[0]).toBe("STOPPING=1");
});

test("ServiceManager is ready with a node that waits to be continued", () => {
  const { world, manager, take } = setUp({ startsStopped: true });
  take();
  manager.runstateChanged("FIRST_RECOVERY");
  expect(take().flat()[0]).toBe("READY=1");
  manager.runstateChanged("RUNNING");
  expect(take()).toEqual([["STATUS=serves"]]);
  world.run(60_000);
  expect(take()).toEqual([]);
});

test("ServiceManager feeds the watchdog at twice its pace, and not after close()", () => {
  const { world, manager, take } = setUp({ watchdogMs: 10_000 });
  manager.runstateChanged("RUNNING");
  take();
  world.run(20_000);
  expect(take()).toEqual(Array.from({ length: 4 }, () => ["WATCHDOG=1"]));
  manager.close();
  world.run(20_000);
  expect(take()).toEqual([]);
});

test("ServiceManager tells of reloads only once it is ready", () => {
  const { manager, take } = setUp();
  take();
  manager.reloaded(5);
  expect(take()).toEqual([]);
  manager.runstateChanged("RUNNING");
  take();
  manager.reloaded(5.4);
  expect(take()).toEqual([["RELOADING=1", "MONOTONIC_USEC=5"], ["READY=1"]]);
});
