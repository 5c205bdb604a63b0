/** LockWaiter: the same promises from threads over files and from the deterministic one over memory. */
import { afterEach, describe, expect, test } from "bun:test";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { ThreadLockWaiter } from "../../src/platform/node/lock_waiter.ts";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import {
  type LockWait,
  type LockWaiter,
  TDB_FLAGS,
  type Tdb,
  type TdbOpener,
  type TdbResult,
} from "../../src/tdb/types.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { LibtdbPeer } from "./peer.ts";
import { bytes, fileOpener, hasLibtdb, laterTurn, openTdb, text } from "./support.ts";

interface Ground {
  opener(): TdbOpener;
  readonly waiter: LockWaiter;
  readonly path: string;
  end(): void;
}

function onFiles(): Ground {
  const directory = new TemporaryDirectory("tdb-wait");
  return {
    opener: () => fileOpener(),
    waiter: new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop()),
    path: directory.file("a.tdb"),
    end: () => directory.remove(),
  };
}

function inMemory(): Ground {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  const process = createMemoryTdbs({ disk });
  return {
    opener: () => createMemoryTdbs({ disk }).opener,
    waiter: process.lockWaiter,
    path: "a.tdb",
    end: () => undefined,
  };
}

/** Resolves when the lock is there; the wait is released by the caller. */
function granted(start: (done: (ok: boolean) => void) => LockWait): Promise<LockWait> {
  return new Promise((resolve, reject) => {
    let inCall = true;
    const wait = start((ok) => {
      expect(inCall).toBe(false);
      if (ok) resolve(wait);
      else reject(new Error("the wait failed"));
    });
    inCall = false;
  });
}

const chainOf = (tdb: Tdb, waiter: LockWaiter, chain: number) =>
  granted((done) => waiter.waitChain(tdb, chain, (outcome) => done(outcome.ok)));
const allOf = (tdb: Tdb, waiter: LockWaiter) =>
  granted((done) => waiter.waitAll(tdb, (outcome) => done(outcome.ok)));

const { MUTEX_LOCKING, NOLOCK, NOSYNC } = TDB_FLAGS;

for (const [name, make, flags] of [
  ["threads, byte ranges", onFiles, NOSYNC],
  ["threads, mutexes", onFiles, NOSYNC | MUTEX_LOCKING],
  ["memory, byte ranges", inMemory, 0],
  ["memory, mutexes", inMemory, MUTEX_LOCKING],
] as const) {
  describe(`LockWaiter contract: ${name}`, () => {
    let ground: Ground | undefined;
    let tdbs: Tdb[] = [];

    async function pair(): Promise<[Tdb, Tdb, LockWaiter]> {
      ground = make();
      const options = { path: ground.path, flags, hashSize: 7, create: true };
      tdbs = [await openTdb(ground.opener(), options), await openTdb(ground.opener(), options)];
      return [tdbs[0] as Tdb, tdbs[1] as Tdb, ground.waiter];
    }

    afterEach(() => {
      for (const tdb of tdbs) tdb.close();
      ground?.end();
    });

    /** Until the other handle can lock: a thread gives back after the message has reached it. */
    async function free(tdb: Tdb, chain: number): Promise<void> {
      while (tdb.tryLockChain(chain, "write") !== "granted") await laterTurn();
      tdb.unlockChain(chain);
    }

    test("waitChain() is granted when the holder lets go, and excludes until release()", async () => {
      const [one, other, waiter] = await pair();
      expect(other.tryLockChain(3, "write")).toBe("granted");
      const waiting = chainOf(one, waiter, 3);
      setTimeout(() => other.unlockChain(3), 10);
      const wait = await waiting;
      expect(one.tryLockChain(3, "write")).toBe("busy");
      expect(other.tryLockChain(3, "write")).toBe("busy");
      expect(other.tryLockChain(4, "write")).toBe("granted");
      other.unlockChain(4);
      one.markChain(3);
      expect(one.tryLockChain(3, "write")).toBe("granted");
      one.unlockChain(3);
      one.unmarkChain(3);
      wait.release();
      await free(other, 3);
    });

    test("waitAll() freezes everybody else", async () => {
      const [one, other, waiter] = await pair();
      expect(other.tryLockChain(5, "write")).toBe("granted");
      const waiting = allOf(one, waiter);
      setTimeout(() => other.unlockChain(5), 10);
      const wait = await waiting;
      for (const chain of [0, 5, 6]) expect(other.tryLockChain(chain, "write")).toBe("busy");
      must(one.markAll());
      must(one.store(bytes("k"), bytes("frozen")));
      one.unmarkAll();
      wait.release();
      await free(other, 5);
      expect(text(must(other.fetch(bytes("k"))))).toBe("frozen");
    });

    test("release() while waiting ends the wait; a late grant is given back", async () => {
      const [one, other, waiter] = await pair();
      expect(other.tryLockAll("write")).toBe("granted");
      let called = 0;
      const count = (): void => {
        called += 1;
      };
      for (const wait of [
        waiter.waitChain(one, 1, count),
        waiter.waitChain(one, 1, count),
        waiter.waitAll(one, count),
      ]) {
        wait.release();
        wait.release();
      }
      const late = waiter.waitChain(one, 2, count);
      await new Promise((resolve) => setTimeout(resolve, 10));
      other.unlockAll();
      late.release();
      await free(other, 1);
      await free(other, 2);
      while (other.tryLockAll("write") !== "granted") await laterTurn();
      other.unlockAll();
      expect(called).toBe(0);
    });

    test("waits for one lock are granted in the order in which they came", async () => {
      const [one, other, waiter] = await pair();
      expect(other.tryLockChain(2, "write")).toBe("granted");
      const order: number[] = [];
      const all = Array.from({ length: 5 }, async (_, i) => {
        const wait = await chainOf(one, waiter, 2);
        order.push(i);
        wait.release();
      });
      other.unlockChain(2);
      await Promise.all(all);
      expect(order).toEqual([0, 1, 2, 3, 4]);
    });

    test("many waits for different chains run side by side", async () => {
      const [one, other, waiter] = await pair();
      expect(other.tryLockAll("write")).toBe("granted");
      const all = Array.from({ length: 7 }, (_, chain) => chainOf(one, waiter, chain));
      other.unlockAll();
      for (const wait of await Promise.all(all)) wait.release();
      for (let chain = 0; chain < 7; chain++) await free(other, chain);
    });

    test("a TDB without locks is granted at once, a missing file is an error", async () => {
      const [one, , waiter] = await pair();
      const options = { path: one.path, flags: flags | NOLOCK, hashSize: 7, create: true };
      const unlocked = await openTdb((ground as Ground).opener(), options);
      (await allOf(unlocked, waiter)).release();
      unlocked.close();
      const missing: Pick<Tdb, "path" | "flags"> = { path: `${one.path}.none`, flags };
      const failed = chainOf(missing as Tdb, waiter, 0);
      await expect(failed).rejects.toThrow("the wait failed");
    });
  });
}

test("ThreadLockWaiter.waitAll() needs a thread only while somebody is in the way", async () => {
  for (const flags of [NOSYNC, NOSYNC | MUTEX_LOCKING]) {
    const waiter = new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop());
    const ground = onFiles();
    const options = { path: ground.path, flags, hashSize: 7, create: true };
    const tdb = await openTdb(ground.opener(), options);
    const other = await openTdb(ground.opener(), options);
    const held = await allOf(tdb, waiter);
    expect(waiter.threads).toBe(0);
    expect(other.tryLockChain(3, "read")).toBe("busy");
    // The next one waits for the first, which the loop holds.
    const next = allOf(tdb, waiter);
    await laterTurn();
    held.release();
    (await next).release();
    expect(waiter.threads).toBe(0);
    expect(other.tryLockChain(3, "write")).toBe("granted");
    const waiting = allOf(tdb, waiter);
    await laterTurn();
    expect(waiter.threads).toBe(1);
    other.unlockChain(3);
    (await waiting).release();
    other.close();
    tdb.close();
    ground.end();
  }
});

test("ThreadLockWaiter.waitAll() that is released at once gives the lock back and is not granted", async () => {
  const waiter = new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop());
  const ground = onFiles();
  const options = { path: ground.path, flags: NOSYNC, hashSize: 7, create: true };
  const tdb = await openTdb(ground.opener(), options);
  let grants = 0;
  const wait = waiter.waitAll(tdb, () => {
    grants += 1;
  });
  wait.release();
  const other = await openTdb(ground.opener(), options);
  expect(other.tryLockAll("write")).toBe("granted");
  await laterTurn();
  expect(grants).toBe(0);
  other.close();
  tdb.close();
  ground.end();
});

test("ThreadLockWaiter queues waits beyond its threads", async () => {
  const ground = onFiles();
  const waiter = new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop(), { threadsMax: 2 });
  const options = { path: ground.path, flags: NOSYNC, hashSize: 50, create: true };
  const tdb = await openTdb(ground.opener(), options);
  const waits = Array.from({ length: 20 }, (_, chain) => chainOf(tdb, waiter, chain));
  for (const wait of waits) (await wait).release();
  expect(waiter.threads).toBeLessThanOrEqual(2);
  tdb.close();
  ground.end();
});

test("a wait that meets a journal has it replayed first", async () => {
  for (const ground of [onFiles(), inMemory()]) {
    const options = { path: ground.path, flags: 0, hashSize: 7, create: true };
    const tdb = await openTdb(ground.opener(), options);
    must(tdb.store(bytes("k"), bytes("before")));
    const killed = await openTdb(ground.opener(), options);
    must(killed.startTransaction());
    must(killed.store(bytes("k"), bytes("lost")));
    const commit = killed.commit();
    // Ends where the journal is armed: its process is killed then.
    while (tdb.markAll().ok) {
      tdb.unmarkAll();
      expect(commit.step(0)).toBeUndefined();
      await new Promise((resolve) => setImmediate(resolve));
    }
    killed.close();
    (await chainOf(tdb, ground.waiter, 3)).release();
    expect(text(must(await retried(() => tdb.fetch(bytes("k")))))).toBe("before");
    tdb.close();
    ground.end();
  }
});

async function retried<T>(action: () => TdbResult<T>): Promise<TdbResult<T>> {
  for (;;) {
    const outcome = action();
    if (outcome.ok || outcome.error.code !== "busy") return outcome;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const [name, flags] of [
  ["byte ranges", TDB_FLAGS.NOSYNC],
  ["mutexes", TDB_FLAGS.NOSYNC | TDB_FLAGS.MUTEX_LOCKING | TDB_FLAGS.CLEAR_IF_FIRST],
] as const) {
  test.skipIf(!hasLibtdb)(
    `Tdb.chainHolder() names a process of the C library, ${name}`,
    async () => {
      using directory = new TemporaryDirectory("tdb-holder");
      const path = directory.file("a.tdb");
      const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 7, create: true });
      const chain = tdb.chainOf(bytes("a"));
      const waiter = new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop());
      const peer = new LibtdbPeer(path, flags & ~TDB_FLAGS.CLEAR_IF_FIRST);
      expect(await peer.ask("fetch", bytes("a"))).toBe("none");
      expect([tdb.chainHolder(chain), tdb.chainHolder(undefined)]).toEqual([undefined, undefined]);
      await peer.must("chainlock", bytes("a"));
      expect([tdb.chainHolder(chain), tdb.chainHolder((chain + 1) % 7)]).toEqual([
        peer.pid,
        undefined,
      ]);
      // A thread of ours that waits for everything holds part of it meanwhile.
      let isGranted = false;
      const wait = waiter.waitAll(tdb, () => {
        isGranted = true;
      });
      const neighbour = (chain + 1) % 7;
      while (tdb.tryLockChain(neighbour, "write") === "granted") {
        tdb.unlockChain(neighbour);
        await laterTurn();
      }
      expect([isGranted, tdb.chainHolder(undefined)]).toEqual([false, peer.pid]);
      wait.release();
      await peer.close();
      tdb.close();
    },
  );
}
