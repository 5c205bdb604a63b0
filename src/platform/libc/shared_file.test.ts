import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  opened,
  type SharedFilesWorld,
  sharedFilesContract,
  sharedMutexContract,
} from "../../../test/contract/platform_shared_files.ts";
import { must } from "../../../test/support/must.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import type { SharedFile } from "../types/shared_files.ts";
import { MUTEX_TEMPLATE } from "./mutex.ts";
import { SystemSharedFiles } from "./shared_file.ts";

function makeWorld(): SharedFilesWorld {
  const directory = new TemporaryDirectory("shared");
  return {
    files: new SystemSharedFiles(),
    path: (name) => directory.file(name),
    dispose: () => directory.remove(),
  };
}

sharedFilesContract("SystemSharedFiles", makeWorld);
sharedMutexContract("SystemSharedFiles", makeWorld);

/** A second process that opens `path`, runs `code` on `file`, says "ready", and then stays. */
async function otherProcess(
  path: string,
  code: string,
): Promise<{ readonly pid: number | undefined; kill(): Promise<void> }> {
  const module = JSON.stringify(`${import.meta.dir}/shared_file.ts`);
  const script = `
    const { SystemSharedFiles } = await import(${module});
    const file = new SystemSharedFiles().open(${JSON.stringify(path)}, { create: true, mode: 0o600 }).value;
    ${code}
    console.log("ready");
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [first] = await once(child.stdout, "data");
  expect(String(first)).toBe("ready\n");
  return {
    pid: child.pid,
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("SystemSharedFiles.open() sets the mode and refuses what is not a regular file", () => {
  using directory = new TemporaryDirectory("shared");
  const files = new SystemSharedFiles();
  opened(files, directory.file("a")).close();
  expect(statSync(directory.file("a")).mode & 0o777).toBe(0o600);
  mkdirSync(directory.file("d"));
  const directoryOpened = files.open(directory.file("d"), { create: false, mode: 0o600 });
  expect(directoryOpened.ok ? "opened" : directoryOpened.error.code).toBe("EISDIR");
  const device = files.open("/dev/null", { create: false, mode: 0o600 });
  expect(device.ok ? "opened" : device.error.code).toBe("EINVAL");
  const zero = files.open("/tmp/a\0b", { create: false, mode: 0o600 });
  expect(zero.ok).toBe(false);
});

test("SystemSharedFiles.viewedBytes counts the views of open files that are referred to", () => {
  using directory = new TemporaryDirectory("shared");
  const files = new SystemSharedFiles();
  const [first, second] = [
    opened(files, directory.file("a")),
    opened(files, directory.file("b")),
  ] as const;
  for (const file of [first, second]) expect(file.extend(8192).ok).toBe(true);
  const views = [first.view(4096), first.view(8192), second.view(8192)];
  expect(files.viewedBytes).toBe(4096 + 8192 + 8192);
  first.close();
  expect(files.viewedBytes).toBe(8192);
  expect(views.map(({ byteLength }) => byteLength)).toEqual([0, 0, 8192]);
  second.close();
  expect(files.viewedBytes).toBe(0);
});

test("SharedFile.extend() allocates the blocks", () => {
  using directory = new TemporaryDirectory("shared");
  const file = opened(new SystemSharedFiles(), directory.file("a"));
  file.extend(1 << 20);
  expect(statSync(directory.file("a")).blocks * 512).toBeGreaterThanOrEqual(1 << 20);
  file.close();
});

test("SharedFile.extend() says ENOSPC on a full file system and keeps the size", () => {
  const files = new SystemSharedFiles();
  const file = must(files.open("/dev/shm/ctdb-shared-file-test", { create: true, mode: 0o600 }));
  file.extend(4096);
  const grown = file.extend(2 ** 50);
  expect(grown.ok ? "grown" : grown.error.code).toMatch(/^(ENOSPC|EFBIG)$/);
  expect(file.size()).toBe(4096);
  file.close();
  unlinkSync("/dev/shm/ctdb-shared-file-test");
});

/** The outcome, and whether it came inside the call. */
async function reserve(file: SharedFile, bytes: number): Promise<readonly [string, boolean]> {
  let inCall = true;
  return await new Promise((resolve) => {
    file.reserve(bytes, (outcome) => {
      resolve([outcome.ok ? "reserved" : outcome.error.code, inCall]);
    });
    inCall = false;
  });
}

test("SharedFile.reserve() takes disk space and leaves the size; ENOSPC takes none", async () => {
  const path = "/dev/shm/ctdb-shared-file-reserve";
  const file = must(new SystemSharedFiles().open(path, { create: true, mode: 0o600 }));
  file.extend(4096);
  const blocks = () => statSync(path).blocks * 512;
  // What is free is not asked in the caller's turn.
  expect(await reserve(file, 1 << 20)).toEqual(["reserved", false]);
  expect([file.size(), blocks()]).toEqual([4096, 4096 + (1 << 20)]);
  // Less than what is there already.
  expect(await reserve(file, 1 << 10)).toEqual(["reserved", true]);
  // So much is only looked for.
  expect(await reserve(file, 17 << 20)).toEqual(["reserved", false]);
  expect(await reserve(file, 2 ** 50)).toEqual(["ENOSPC", false]);
  expect([file.size(), blocks()]).toEqual([4096, 4096 + (1 << 20)]);
  unlinkSync(path);
  expect(await reserve(file, 2 << 20)).toEqual(["ENOENT", false]);
  file.reserve(3 << 20, () => {
    throw new Error("an outcome after close()");
  });
  file.close();
});

test("SharedFile.extend() of a read-only file fails", () => {
  using directory = new TemporaryDirectory("shared");
  const files = new SystemSharedFiles();
  opened(files, directory.file("a")).close();
  const file = must(files.open(directory.file("a"), { create: false, readOnly: true, mode: 0 }));
  expect(file.extend(4096).ok).toBe(false);
  expect(file.write(0, new Uint8Array(1)).ok).toBe(false);
  file.close();
});

test("SharedFile.waitLockRange() ends in time as busy, and at once when free", () => {
  using directory = new TemporaryDirectory("shared");
  const files = new SystemSharedFiles();
  const one = opened(files, directory.file("a"));
  const two = opened(files, directory.file("a"));
  one.tryLockRange("write", 4, 1);
  const start = performance.now();
  expect(two.waitLockRange("write", 4, 1, 60)).toBe("busy");
  const waitedMs = performance.now() - start;
  expect(waitedMs).toBeGreaterThanOrEqual(55);
  expect(waitedMs).toBeLessThan(2000);
  one.unlockRange(4, 1);
  expect(two.waitLockRange("write", 4, 1, 60_000)).toBe("granted");
  one.close();
  two.close();
});

test("SharedFile.waitLockRange() on a thread is woken by the unlock and blocks nobody else", async () => {
  using directory = new TemporaryDirectory("shared");
  const one = opened(new SystemSharedFiles(), directory.file("a"));
  one.tryLockRange("write", 4, 1);
  const module = JSON.stringify(`${import.meta.dir}/shared_file.ts`);
  const code = `
    import { SystemSharedFiles } from ${module};
    const file = new SystemSharedFiles()
      .open(${JSON.stringify(directory.file("a"))}, { create: true, mode: 0o600 }).value;
    postMessage("waiting");
    let outcome = "busy", rounds = 0;
    while (outcome === "busy" && ++rounds < 100) outcome = file.waitLockRange("write", 4, 1, 250);
    postMessage(outcome);`;
  writeFileSync(directory.file("waiter.ts"), code);
  const worker = new Worker(directory.file("waiter.ts"));
  const messages: string[] = [];
  const next = () =>
    new Promise<string>((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
  messages.push(await next());
  const answer = next();
  // Longer than one round of the waiter, while this loop goes on.
  await Bun.sleep(300);
  const start = performance.now();
  one.unlockRange(4, 1);
  messages.push(await answer);
  expect(messages).toEqual(["waiting", "granted"]);
  expect(performance.now() - start).toBeLessThan(150);
  worker.terminate();
  one.close();
});

test("SharedFile.tryLockRange() excludes POSIX locks of another process and the other way round", async () => {
  using directory = new TemporaryDirectory("shared");
  const file = opened(new SystemSharedFiles(), directory.file("a"));
  file.extend(4096);
  const python = spawn(
    "/usr/bin/python3",
    [
      "-c",
      `import fcntl, sys, struct
f = open(sys.argv[1], "r+b")
def lock(start):
    try:
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, start)
        return "granted"
    except OSError as e:
        return "busy"
for line in sys.stdin:
    print(lock(int(line)), flush=True)`,
      directory.file("a"),
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const answers = createInterface(python.stdout)[Symbol.asyncIterator]();
  const ask = async (start: number) => {
    python.stdin.write(`${start}\n`);
    return (await answers.next()).value;
  };
  expect(file.tryLockRange("write", 168, 1)).toBe("granted");
  expect(await ask(168)).toBe("busy");
  expect(file.rangeHolder(172, 1)).toBe(undefined);
  expect(await ask(172)).toBe("granted");
  expect(file.tryLockRange("write", 172, 1)).toBe("busy");
  // An open file description of our own, which has no pid, does not hide it.
  const waiting = opened(new SystemSharedFiles(), directory.file("a"));
  expect(waiting.tryLockRange("write", 170, 2)).toBe("granted");
  expect(file.rangeHolder(172, 1)).toBe(python.pid);
  expect(file.rangeHolder(160, 0)).toBe(python.pid);
  expect(file.rangeHolder(168, 3)).toBe(undefined);
  waiting.close();
  python.kill("SIGKILL");
  await once(python, "exit");
  expect(file.tryLockRange("write", 172, 1)).toBe("granted");
  file.close();
});

test("SharedFile.tryLockMutex() reports a killed owner once, repaired", async () => {
  using directory = new TemporaryDirectory("shared");
  const file = opened(new SystemSharedFiles(), directory.file("a"));
  file.extend(4096);
  file.initMutexes(168, 3);
  const other = await otherProcess(directory.file("a"), "file.tryLockMutex(168);");
  expect(file.tryLockMutex(168)).toBe("busy");
  expect(file.firstHeldMutex(168, 3)).toBe(0);
  expect(file.mutexHolder(168)).toBe(other.pid);
  expect(file.mutexHolder(168 + file.mutexBytes)).toBe(undefined);
  const start = performance.now();
  expect(file.waitLockMutex(168, 30)).toBe("busy");
  expect(performance.now() - start).toBeGreaterThanOrEqual(29);
  await other.kill();
  expect(file.firstHeldMutex(168, 3)).toBe(0);
  expect(file.waitLockMutex(168, 5000)).toBe("owner_died");
  file.unlockMutex(168);
  expect(file.firstHeldMutex(168, 3)).toBe(3);
  expect(file.tryLockMutex(168)).toBe("granted");
  file.unlockMutex(168);
  file.close();
});

test("SharedFile.waitLockMutex() of an own mutex is a deadlock error, not a wait", () => {
  using directory = new TemporaryDirectory("shared");
  const file = opened(new SystemSharedFiles(), directory.file("a"));
  file.extend(4096);
  file.initMutexes(0, 1);
  file.tryLockMutex(0);
  const outcome = file.waitLockMutex(0, 10_000);
  expect(typeof outcome === "string" ? outcome : outcome.code).toBe("EDEADLK");
  expect(() => file.unlockMutex(0)).not.toThrow();
  expect(() => file.unlockMutex(0)).toThrow("EPERM");
  file.close();
});

test("MUTEX_TEMPLATE has the bytes that libtdb files hold", () => {
  if (process.arch !== "x64") return;
  const expected = new Uint8Array(40);
  expected[16] = 0x92;
  expect(MUTEX_TEMPLATE).toEqual(expected);
});

test("SharedFile.initMutexes() fills exactly its area", () => {
  using directory = new TemporaryDirectory("shared");
  const file = opened(new SystemSharedFiles(), directory.file("a"));
  file.extend(8192);
  file.write(0, new Uint8Array(8192).fill(0xee));
  file.initMutexes(216, 101);
  file.close();
  const bytes = readFileSync(directory.file("a"));
  expect(bytes.subarray(0, 216).every((byte) => byte === 0xee)).toBe(true);
  for (let i = 0; i < 101; i++) {
    const at = 216 + i * MUTEX_TEMPLATE.length;
    expect(Uint8Array.from(bytes.subarray(at, at + MUTEX_TEMPLATE.length))).toEqual(
      Uint8Array.from(MUTEX_TEMPLATE),
    );
  }
  const end = 216 + 101 * MUTEX_TEMPLATE.length;
  expect(bytes.subarray(end).every((byte) => byte === 0xee)).toBe(true);
});
