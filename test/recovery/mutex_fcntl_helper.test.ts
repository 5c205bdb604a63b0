/** The fcntl mutex helper as a real process, over the lock that recoverd uses. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { LockAttempt } from "../../src/lock/cluster_lock.ts";
import type { LockCommand } from "../../src/lock/mutex_helper_command.ts";
import { MutexHelperLock } from "../../src/lock/mutex_helper_lock.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { fcntlHelper, realHelperHost } from "./real_mutex_helpers.ts";

const STOCK = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper";
/** It is ended so many times, each this much later after it got the lock. */
const [HASTY_ROUNDS, HASTY_STEP_MS] = [20, 8];

function newLock(command: LockCommand) {
  const lines: string[] = [];
  const lock = new MutexHelperLock(
    realHelperHost((line) => lines.push(line)),
    command,
    "test",
  );
  const attempt = () => new Promise<LockAttempt>((resolve) => lock.attempt(20_000, resolve));
  const release = () => new Promise<void>((resolve) => lock.release(resolve));
  const lost = new Promise<string>((resolve) => lock.onLost(resolve));
  return { lock, lines, attempt, release, lost };
}

test("ctdb_mutex_fcntl_helper gives the lock up when its file is replaced", async () => {
  using directory = new TemporaryDirectory("mutex");
  const file = directory.file("lock");
  const first = newLock(fcntlHelper(file, "1"));
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
  const { attempt, lines, release } = newLock(
    fcntlHelper(directory.file("no", "such", "directory")),
  );
  expect((await attempt()).kind).toBe("failed");
  await release();
  expect(lines.join()).toContain("ENOENT");
});

test.skipIf(!existsSync(STOCK))(
  "ctdb_mutex_fcntl_helper and the original exclude each other",
  async () => {
    using directory = new TemporaryDirectory("mutex");
    const file = directory.file("lock");
    const mine = newLock(fcntlHelper(file));
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

test("ctdb_mutex_fcntl_helper leaves no process behind when it ends in the moment after it got the lock", async () => {
  using directory = new TemporaryDirectory("mutex");
  const file = directory.file("lock");
  for (let round = 0; round < HASTY_ROUNDS; round++) {
    const helper = newLock(fcntlHelper(file));
    expect((await helper.attempt()).kind).toBe("held");
    await Bun.sleep(HASTY_STEP_MS * round);
    await helper.release();
  }
  await until(
    "no process has the file in its command",
    10_000,
    () => when(processesWith(file).length === 0),
    () => processesWith(file).join(", "),
  );
}, 120_000);

/** The command lines of processes that name the file. */
function processesWith(file: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((words) => words.includes(file));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
