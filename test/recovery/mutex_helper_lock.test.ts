import { expect, test } from "bun:test";
import type { LockAttempt } from "../../src/lock/cluster_lock.ts";
import type { ProbeOutcome } from "../../src/lock/cluster_lock_probe.ts";
import { lockCommand } from "../../src/lock/mutex_helper_command.ts";
import { MutexHelperLock } from "../../src/lock/mutex_helper_lock.ts";
import { MutexHelperProbe } from "../../src/lock/mutex_helper_probe.ts";
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
  const lock = new MutexHelperLock(host, ["/helper", "/lock"], "/lock");
  const events: string[] = [];
  lock.onLost(() => events.push("lost"));
  const attempt = (timeoutMs = 120_000) =>
    lock.attempt(timeoutMs, (outcome) => events.push(text(outcome)));
  const run = (ms: number) => scheduler.run(scheduler.nowMs + ms);
  return { lock, process, processes, host, events, attempt, run };
}

function text(outcome: LockAttempt): string {
  if (outcome.kind === "failed") return `failed: ${outcome.reason}`;
  return outcome.kind === "held" ? `held after ${outcome.latencyMs}` : outcome.kind;
}

test("lockCommand() knows files and commands", () => {
  const helper = ["/lonely/ctdbd", "ctdb_mutex_fcntl_helper"] as const;
  const command = (configured: string) => lockCommand(configured, helper);
  expect(command("/clusterfs/.ctdb/lock")).toEqual({
    ok: true,
    value: [...helper, "/clusterfs/.ctdb/lock"],
  });
  expect(command("!/usr/bin/helper  a\tb ")).toEqual({
    ok: true,
    value: ["/usr/bin/helper", "a", "b"],
  });
  expect(command("!  ").ok).toBe(false);
  expect(command("").ok).toBe(false);
});

test("MutexHelperLock.attempt() holds the lock as long as its helper lives", () => {
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
  test(`MutexHelperLock.attempt() reports "${answer}" and can try again`, () => {
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

test("MutexHelperLock.attempt() reports a helper that ends, cannot start, or does not answer", () => {
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

test("MutexHelperLock.release() tells when another node can have the lock", () => {
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

test("MutexHelperLock.release() cancels an attempt", () => {
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

test("MutexHelperProbe.probe() tells what the helper answered, and ends it whatever it was", () => {
  for (const [answer, expected] of [
    ["0", "taken"],
    ["1", "contended"],
    ["2", "timeout"],
    ["3", "error"],
  ] as const) {
    const { processes, host, run } = setUp();
    const outcomes: [ProbeOutcome, number][] = [];
    const probe = new MutexHelperProbe(host, ["/helper", "/lock"]);
    probe.probe((...outcome) => outcomes.push(outcome));
    run(1500);
    processes.last.write(answer);
    expect(outcomes).toEqual([[expected, 1.5]]);
    expect(processes.last.signals).toEqual(["SIGTERM"]);
    processes.last.end(0);
    expect(outcomes.length).toBe(1);
  }
});

/** A helper that answers, with the lock since `run(0)`. */
function proving(setting: ReturnType<typeof setUp>, leftMs: string) {
  setting.attempt();
  const child = setting.processes.last;
  child.write("0p");
  expect([setting.events, child.told]).toEqual([[], ["?\n"]]);
  child.write(`${leftMs}\n`);
  return child;
}

test("MutexHelperLock holds a lock with a lease for as long as its helper has said when it was asked", () => {
  const setting = setUp();
  const { lock, events, run } = setting;
  setting.attempt();
  const child = setting.processes.last;
  expect(child.options.env["CTDB_MUTEX_PROOF"]).toBe("1");
  child.write("0p");
  run(700);
  expect([lock.held, lock.provenForMs]).toEqual([false, 0]);
  child.write("8000\n");
  expect([lock.held, lock.provenForMs]).toEqual([true, 7300]);
  expect(events).toEqual(["held after 0"]);
  // Asked each second, one question at a time.
  run(300);
  expect(child.told).toEqual(["?\n", "?\n"]);
  run(2000);
  expect(child.told).toEqual(["?\n", "?\n"]);
  child.write("80");
  child.write("00\n");
  expect(lock.provenForMs).toBe(6000);
});

test("MutexHelperLock doubts a lock whose proof is over, and gives it up when none comes", () => {
  const setting = setUp();
  const { lock, events, run } = setting;
  const child = proving(setting, "3000");
  run(4500);
  // Nobody may act, but it may still be ours.
  expect([lock.held, lock.provenForMs]).toEqual([true, -1500]);
  expect(events).toEqual(["held after 0"]);
  child.write("4900\n");
  expect([lock.held, lock.provenForMs]).toEqual([true, 1400]);
  run(6000);
  expect([lock.held, lock.provenForMs]).toEqual([false, 0]);
  expect(events).toEqual(["held after 0", "lost"]);
  expect(child.signals).toEqual(["SIGTERM"]);
});

test("MutexHelperLock loses a lock at once that its helper says is over", () => {
  const setting = setUp();
  const child = proving(setting, "3000");
  setting.run(1000);
  child.write("-3\n");
  expect(setting.lock.held).toBe(false);
  expect(setting.events).toEqual(["held after 0", "lost"]);
});

test("MutexHelperLock proves a lock without a lease by each answer, and that of a silent helper by its life", () => {
  const answering = setUp();
  const child = proving(answering, "-");
  expect(answering.lock.provenForMs).toBe(5000);
  answering.run(1500);
  child.write("-\n");
  expect(answering.lock.provenForMs).toBe(4500);

  const silent = setUp();
  silent.attempt();
  silent.processes.last.write("0");
  silent.run(60_000);
  expect(silent.processes.last.told).toEqual([]);
  expect(silent.lock.provenForMs).toBeGreaterThan(3900);
});

test("MutexHelperLock of a process that was paused is not proven before its helper was heard", () => {
  const setting = setUp();
  const { lock, process, run } = setting;
  const child = proving(setting, "-");
  process.pause();
  run(30_000);
  expect([lock.held, lock.provenForMs > 0]).toEqual([true, false]);
  process.resume();
  run(10);
  expect(lock.provenForMs > 0).toBe(false);
  expect(child.told.length).toBe(2);
  child.write("-\n");
  expect(lock.provenForMs > 0).toBe(true);
  expect(setting.events).toEqual(["held after 0"]);
});
