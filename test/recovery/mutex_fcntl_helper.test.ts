/** The fcntl mutex helper as a real process, over the lock that recoverd uses. */
import { expect, test } from "bun:test";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LockAttempt } from "../../src/lock/cluster_lock.ts";
import type { LockCommand } from "../../src/lock/mutex_helper_command.ts";
import { MutexHelperLock } from "../../src/lock/mutex_helper_lock.ts";
import { BunClock } from "../../src/platform/bun/clock.ts";
import { BunProcesses } from "../../src/platform/bun/processes.ts";
import { BunTimers } from "../../src/platform/bun/timers.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const STOCK = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper";

function newLock(command: LockCommand) {
  const lines: string[] = [];
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) environment[name] = value;
  }
  const host = {
    processes: new BunProcesses(),
    clock: new BunClock(),
    timers: new BunTimers(),
    environment,
    onErrorLine: (line: string) => lines.push(line),
  };
  const lock = new MutexHelperLock(host, command, "test");
  const attempt = () => new Promise<LockAttempt>((resolve) => lock.attempt(20_000, resolve));
  const release = () => new Promise<void>((resolve) => lock.release(resolve));
  const lost = new Promise<void>((resolve) => lock.onLost(resolve));
  return { lock, lines, attempt, release, lost };
}

function ours(...args: string[]): LockCommand {
  return [process.execPath, MAIN, "ctdb_mutex_fcntl_helper", ...args];
}

test("ctdb_mutex_fcntl_helper excludes a second one until it is released", async () => {
  using directory = new TemporaryDirectory("mutex");
  const file = directory.file("lock");
  const first = newLock(ours(file));
  const second = newLock(ours(file));
  expect((await first.attempt()).kind).toBe("held");
  expect((await second.attempt()).kind).toBe("contended");
  await first.release();
  expect((await second.attempt()).kind).toBe("held");
  await second.release();
});

test("ctdb_mutex_fcntl_helper gives the lock up when its file is replaced", async () => {
  using directory = new TemporaryDirectory("mutex");
  const file = directory.file("lock");
  const first = newLock(ours(file, "1"));
  expect((await first.attempt()).kind).toBe("held");
  renameSync(file, `${file}.old`);
  writeFileSync(file, "");
  await first.lost;
  expect(first.lock.held).toBe(false);
  expect((await first.attempt()).kind).toBe("held");
  await first.release();
});

test("ctdb_mutex_fcntl_helper reports a file that cannot be opened", async () => {
  using directory = new TemporaryDirectory("mutex");
  const { attempt, lines, release } = newLock(ours(directory.file("no", "such", "directory")));
  expect((await attempt()).kind).toBe("failed");
  await release();
  expect(lines.join()).toContain("ENOENT");
});

test.skipIf(!existsSync(STOCK))(
  "ctdb_mutex_fcntl_helper and the original exclude each other",
  async () => {
    using directory = new TemporaryDirectory("mutex");
    const file = directory.file("lock");
    const mine = newLock(ours(file));
    const stock = newLock([STOCK, file]);
    expect((await mine.attempt()).kind).toBe("held");
    expect((await stock.attempt()).kind).toBe("contended");
    await mine.release();
    expect((await stock.attempt()).kind).toBe("held");
    expect((await mine.attempt()).kind).toBe("contended");
    await stock.release();
    await mine.release();
  },
);
