/**
 * Every cluster lock and every probe of it, by their contracts. Doubles that only repeat what a test tells them to
 * answer are no implementations: test/recovery/recoverd_rules.test.ts, test/daemon/fake_cluster.ts.
 */
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { MutexHelperHost } from "../../src/lock/mutex_helper.ts";
import { MutexHelperLock } from "../../src/lock/mutex_helper_lock.ts";
import { MutexHelperProbe } from "../../src/lock/mutex_helper_probe.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { SystemProcesses } from "../../src/platform/node/processes.ts";
import type { ChildProcess, SpawnOptions } from "../../src/platform/types/processes.ts";
import { FakeMutexHelpers } from "../recovery/fake_mutex_helpers.ts";
import { fcntlHelper, realHelperHost } from "../recovery/real_mutex_helpers.ts";
import { LockService } from "../sim/cluster_lock.ts";
import { SeededRandom } from "../sim/random.ts";
import { Scheduler, SimProcess } from "../sim/scheduler.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when, within } from "../support/until.ts";
import { clusterLockContract } from "./cluster_lock.ts";
import { clusterLockProbeContract, type ProbeWorld } from "./cluster_lock_probe.ts";

const LIMIT_MS = 60_000;

/** What worlds on virtual time have in common. */
class VirtualWorld {
  readonly scheduler = new Scheduler();
  readonly process = new SimProcess(this.scheduler, "recoverd");

  nowMs(): number {
    return this.scheduler.nowMs;
  }
  async until(what: string, condition: () => boolean): Promise<void> {
    if (!this.scheduler.runUntil(condition, LIMIT_MS, 1)) throw new Error(`not so: ${what}`);
  }
  async rest(): Promise<void> {
    this.scheduler.run(this.scheduler.nowMs + LIMIT_MS);
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

class FakeHelperWorld extends VirtualWorld implements ProbeWorld {
  readonly #helpers = new FakeMutexHelpers(this.process.timers);
  readonly #host: MutexHelperHost = {
    processes: this.#helpers,
    clock: this.process.clock,
    timers: this.process.timers,
    environment: {},
    onErrorLine() {},
  };
  readonly probe = new MutexHelperProbe(this.#host, ["/helper"]);

  newLock(): MutexHelperLock {
    return new MutexHelperLock(this.#host, ["/helper"], "fake");
  }
  takeAway(): void {
    this.#helpers.holder?.kill("SIGKILL");
  }
  reach(possible: boolean): void {
    this.#helpers.hung = !possible;
  }
}

class SimWorld extends VirtualWorld implements ProbeWorld {
  readonly #service: LockService;
  readonly probe;

  constructor(seed: number) {
    super();
    const kernel = new SimProcess(this.scheduler, "kernel");
    this.#service = new LockService(this.scheduler, new SeededRandom(seed), kernel);
    this.probe = this.#service.probeOf(this.process);
  }
  newLock() {
    return this.#service.clientOf(this.process, 0);
  }
  takeAway(): void {
    this.#service.revoke();
  }
  reach(possible: boolean): void {
    this.#service.down = !possible;
  }
}

/** Tells who of the children still runs. */
class WatchedProcesses extends SystemProcesses {
  readonly running = new Map<ChildProcess, Promise<void>>();

  override spawn(options: SpawnOptions) {
    const ended = Promise.withResolvers<void>();
    const spawned = super.spawn({
      ...options,
      onExit: (exit) => {
        options.onExit(exit);
        if (spawned.ok) this.running.delete(spawned.value);
        ended.resolve();
      },
    });
    if (spawned.ok) this.running.set(spawned.value, ended.promise);
    return spawned;
  }

  async allEnded(): Promise<void> {
    await Promise.all(this.running.values());
  }
  killAll(): void {
    for (const child of this.running.keys()) child.kill("SIGKILL");
  }
}

/** The fcntl helper on a real file, which is out of reach while its directory is away. */
class FcntlHelperWorld implements ProbeWorld {
  readonly #processes = new WatchedProcesses(new EventLoop());
  readonly #host = realHelperHost(() => {}, this.#processes);
  readonly #directory = new TemporaryDirectory("lock");
  readonly #shared = this.#directory.file("shared");
  /** Without the child that looks after the file, which has tests of its own. */
  readonly #command = fcntlHelper(join(this.#shared, "lock"), "0");
  readonly probe = new MutexHelperProbe(this.#host, this.#command);

  constructor() {
    mkdirSync(this.#shared);
  }
  newLock(): MutexHelperLock {
    return new MutexHelperLock(this.#host, this.#command, "fcntl");
  }
  takeAway(): void {
    this.#processes.killAll();
  }
  reach(possible: boolean): void {
    const away = this.#directory.file("away");
    if (possible) renameSync(away, this.#shared);
    else renameSync(this.#shared, away);
  }
  nowMs(): number {
    return this.#host.clock.monotonicMs();
  }
  async until(what: string, condition: () => boolean): Promise<void> {
    await until(what, LIMIT_MS, () => when(condition()));
  }
  /** A round of another lock takes as long as anything. */
  async rest(): Promise<void> {
    const other = new MutexHelperLock(
      this.#host,
      fcntlHelper(this.#directory.file("other"), "0"),
      "",
    );
    await new Promise((resolve) => other.attempt(LIMIT_MS, resolve));
    await new Promise<void>((resolve) => other.release(resolve));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#processes.killAll();
    await within("all helpers have ended", LIMIT_MS, this.#processes.allEnded());
    this.#directory.remove();
  }
}

clusterLockContract("MutexHelperLock of the fcntl helper", () => new FcntlHelperWorld());
clusterLockProbeContract("MutexHelperProbe of the fcntl helper", () => new FcntlHelperWorld());
clusterLockContract("MutexHelperLock of fake helpers", () => new FakeHelperWorld());
clusterLockProbeContract("MutexHelperProbe of fake helpers", () => new FakeHelperWorld());
for (const seed of [1, 2, 3, 4, 5]) {
  clusterLockContract(`SimLock (seed ${seed})`, () => new SimWorld(seed));
  clusterLockProbeContract(`SimProbe (seed ${seed})`, () => new SimWorld(seed));
}
