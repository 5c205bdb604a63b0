import { expect, test } from "bun:test";
import { recoveryProcess } from "../../src/cluster/recovery_process.ts";
import type { LockAttempt } from "../../src/lock/cluster_lock.ts";
import { type ProbeOutcome, timedProbe } from "../../src/lock/cluster_lock_probe.ts";
import { HelperLock, HelperLockProbe, lockCommand } from "../../src/lock/helper_lock.ts";
import { Scheduler, SimProcess } from "../sim/scheduler.ts";
import { FakeProcesses } from "./fake_processes.ts";

function setUp() {
  const scheduler = new Scheduler();
  const process = new SimProcess(scheduler, "recoverd");
  const processes = new FakeProcesses();
  const host = {
    processes,
    clock: process.clock,
    timers: process.timers,
    environment: {},
    onErrorLine: () => {},
  };
  const lock = new HelperLock(host, ["/helper", "/lock"], "/lock");
  const events: string[] = [];
  lock.onLost(() => events.push("lost"));
  const attempt = (timeoutMs = 120_000) =>
    lock.attempt(timeoutMs, (outcome) => events.push(text(outcome)));
  const run = (ms: number) => scheduler.run(scheduler.nowMs + ms);
  return { lock, processes, host, events, attempt, run };
}

function text(outcome: LockAttempt): string {
  if (outcome.kind === "failed") return `failed: ${outcome.reason}`;
  return outcome.kind === "held" ? `held after ${outcome.latencyMs}` : outcome.kind;
}

test("lockCommand() knows files and commands", () => {
  const command = (configured: string) => lockCommand(configured, "/usr/libexec/ctdb");
  expect(command("/clusterfs/.ctdb/lock")).toEqual({
    ok: true,
    value: ["/usr/libexec/ctdb/ctdb_mutex_fcntl_helper", "/clusterfs/.ctdb/lock"],
  });
  expect(command("!/usr/bin/helper  a\tb ")).toEqual({
    ok: true,
    value: ["/usr/bin/helper", "a", "b"],
  });
  expect(command("!  ").ok).toBe(false);
  expect(command("").ok).toBe(false);
});

test("HelperLock.attempt() holds the lock as long as its helper lives", () => {
  const { lock, processes, events, attempt, run } = setUp();
  attempt();
  expect(processes.last.options.argv).toEqual(["/helper", "/lock"]);
  run(30);
  processes.last.write("0");
  expect(events).toEqual(["held after 30"]);
  expect(lock.held).toBe(true);
  // Its time limit is over once it answered; anything more it writes means nothing.
  run(600_000);
  processes.last.write("1");
  expect(lock.held).toBe(true);
  processes.last.end(undefined, "SIGKILL");
  expect(events).toEqual(["held after 30", "lost"]);
  expect(lock.held).toBe(false);
});

const ANSWERS: readonly (readonly [string, string])[] = [
  ["1", "contended"],
  ["2", "timeout"],
  ["3", "failed: the mutex helper reports an error"],
  ["x", "failed: expected 0, 1, 2 or 3 from the mutex helper, got byte 120"],
];
for (const [answer, expected] of ANSWERS) {
  test(`HelperLock.attempt() reports "${answer}" and can try again`, () => {
    const { lock, processes, events, attempt, run } = setUp();
    attempt();
    processes.last.write(answer);
    expect(events).toEqual([expected]);
    expect(lock.held).toBe(false);
    // Whatever it does later, it must not keep a lock that nobody knows of.
    expect(processes.last.signals).toEqual(["SIGTERM"]);
    attempt();
    expect(processes.children.length).toBe(1);
    processes.last.end(0);
    expect(processes.children.length).toBe(2);
    processes.last.write("0");
    run(1);
    expect(lock.held).toBe(true);
    expect(events.length).toBe(2);
  });
}

test("HelperLock.attempt() reports a helper that ends, cannot start, or does not answer", () => {
  const ended = setUp();
  ended.attempt();
  ended.processes.last.end(1);
  expect(ended.events).toEqual(["failed: the mutex helper ended without an answer"]);

  const missing = setUp();
  missing.processes.failure = "ENOENT";
  missing.attempt();
  expect(missing.events).toEqual([]);
  missing.run(1);
  expect(missing.events.length).toBe(1);
  expect(missing.events[0]).toContain("ENOENT");

  const silent = setUp();
  silent.attempt(2000);
  silent.run(1999);
  expect(silent.events).toEqual([]);
  silent.run(1);
  expect(silent.events).toEqual(["timeout"]);
  expect(silent.processes.last.signals).toEqual(["SIGTERM"]);
  silent.run(5000);
  expect(silent.processes.last.signals).toEqual(["SIGTERM", "SIGKILL"]);
  // Too late.
  silent.processes.last.write("0");
  expect(silent.lock.held).toBe(false);
});

test("HelperLock.release() tells when another node can have the lock", () => {
  const { lock, processes, events, attempt, run } = setUp();
  attempt();
  processes.last.write("0");
  lock.release(() => events.push("released"));
  expect(lock.held).toBe(false);
  expect(processes.last.signals).toEqual(["SIGTERM"]);
  run(100);
  expect(events).toEqual(["held after 0"]);
  processes.last.end(undefined, "SIGTERM");
  expect(events).toEqual(["held after 0", "released"]);
  lock.release(() => events.push("free"));
  run(1);
  expect(events.at(-1)).toBe("free");
});

test("HelperLock.release() cancels an attempt", () => {
  const { lock, processes, events, attempt } = setUp();
  attempt();
  lock.release();
  processes.last.write("0");
  expect(events).toEqual([]);
  expect(lock.held).toBe(false);
  processes.last.end(0);
  attempt();
  expect(processes.children.length).toBe(2);
});

test("timedProbe() of a HelperLockProbe tells what the helper answered, and ends it whatever it was", () => {
  for (const [answer, expected] of [
    ["0", "taken"],
    ["1", "contended"],
    ["2", "timeout"],
    ["3", "error"],
  ] as const) {
    const { processes, host, run } = setUp();
    const outcomes: [ProbeOutcome, number][] = [];
    const probe = timedProbe(new HelperLockProbe(host, ["/helper", "/lock"]), host.clock);
    probe.probe((...outcome) => outcomes.push(outcome));
    run(1500);
    processes.last.write(answer);
    expect(outcomes).toEqual([[expected, 1.5]]);
    expect(processes.last.signals).toEqual(["SIGTERM"]);
    processes.last.end(0);
    expect(outcomes.length).toBe(1);
  }
});

function setUpRecovery() {
  const processes = new FakeProcesses();
  const outcomes: unknown[] = [];
  const helper = recoveryProcess({
    processes,
    command: ["/bin/ctdb_recovery_helper"],
    socket: "/run/ctdbd.socket",
    environment: {},
    onLine: () => {},
  });
  const run = helper.start(4711, (outcome) => outcomes.push(outcome.ok ? "ok" : outcome.error));
  return { processes, outcomes, run };
}

test("recoveryProcess() starts the helper as the original does and reads its status", () => {
  const { processes, outcomes } = setUpRecovery();
  expect(processes.last.options.argv).toEqual([
    "/bin/ctdb_recovery_helper",
    "3",
    "/run/ctdbd.socket",
    "4711",
  ]);
  processes.last.status(0, 0);
  expect(outcomes).toEqual([]);
  processes.last.status(0, 0);
  processes.last.end(0);
  expect(outcomes).toEqual(["ok"]);
});

test("recoveryProcess() reports a helper that fails without a status", () => {
  const { processes, outcomes } = setUpRecovery();
  processes.last.end(1);
  expect(outcomes).toEqual(["The recovery helper failed (exit status 1)"]);
});

test("recoveryProcess() kills a cancelled helper and reports nothing", () => {
  const { processes, outcomes, run } = setUpRecovery();
  run.cancel();
  expect(processes.last.signals).toEqual(["SIGKILL"]);
  processes.last.end(undefined, "SIGKILL");
  expect(outcomes).toEqual([]);
});
