import { expect, test } from "bun:test";
import { FakeHost } from "../../../test/database/fake_host.ts";
import { MemoryFile, MemoryTdb } from "../../../test/database/memory_tdb.ts";
import { newLocks } from "../database_statistics.ts";
import { LOCK_RETRY_DELAYS_MS } from "../limits.ts";
import { ChainGate, type ChainWork } from "./chain_gate.ts";
import { WORKS_PER_LOCK_MAX } from "./limits.ts";

const LOCK_TRIES_MS = LOCK_RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0);

function setUp() {
  const host = new FakeHost();
  const file = new MemoryFile();
  const tdb = new MemoryTdb("/v/x", 0, file);
  const locks = newLocks();
  const gate = new ChainGate(host, tdb, "x", locks);
  const log: string[] = [];
  const work = (name: string, clientId = 0, run: () => boolean = () => true): ChainWork => ({
    bytes: 10,
    clientId,
    run: () => {
      // Every run sees its chain locked or marked.
      expect(tdb.tryLockChain(3, "write")).toBe("granted");
      tdb.unlockChain(3);
      if (!run()) return false;
      log.push(name);
      return true;
    },
    drop: (reason) => log.push(`${name} dropped: ${reason}`),
  });
  return { host, file, tdb, gate, log, work, locks };
}

test("ChainGate.enter() grants a free chain and refuses a held one", () => {
  const { file, gate } = setUp();
  expect(gate.enter(3)).toBe("granted");
  gate.leave(3);
  expect(file.chainOwners.size).toBe(0);
  file.hold(3);
  expect(gate.enter(3)).toBe("busy");
  expect(gate.enter(4)).toBe("granted");
});

test("ChainGate.park() runs by a retry when the lock is released soon", () => {
  const { host, file, gate, log, work } = setUp();
  const release = file.hold(3);
  gate.park(3, work("a"));
  host.time.advance(1.5);
  expect(log).toEqual([]);
  release();
  host.time.advance(10);
  expect(log).toEqual(["a"]);
  expect(host.waiter.mostActive).toBe(0);
  expect(file.chainOwners.size).toBe(0);
});

test("ChainGate.park() asks a waiting thread, runs all in order under its lock, gives it back", () => {
  const { host, file, gate, log, work, locks } = setUp();
  const release = file.hold(3);
  for (const name of ["a", "b", "c"]) gate.park(3, work(name));
  host.time.advance(LOCK_TRIES_MS + 1500);
  expect(host.waiter.active).toBe(1);
  expect(locks.num_current).toBe(1);
  release();
  host.time.settle();
  expect(log).toEqual(["a", "b", "c"]);
  expect(host.waiter.active).toBe(0);
  expect(file.chainOwners.size).toBe(0);
  expect([locks.num_current, locks.num_calls, locks.buckets[4]]).toEqual([0, 1, 1]);
  expect(host.statistics.locks.num_calls).toBe(1);
  expect(gate.parkedBytes).toBe(0);
});

test("ChainGate.enter() lets nothing overtake parked work of the same chain", () => {
  const { host, file, gate, log, work } = setUp();
  const release = file.hold(3);
  gate.park(3, work("first"));
  release();
  expect(gate.enter(3)).toBe("busy");
  gate.park(3, work("second"));
  host.time.advance(10);
  expect(log).toEqual(["first", "second"]);
  expect(gate.enter(3)).toBe("granted");
});

test("ChainGate runs work again whose other lock was busy, before later work", () => {
  const { host, file, gate, log, work } = setUp();
  const release = file.hold(3);
  let attempts = 0;
  gate.park(
    3,
    work("hungry", 0, () => {
      attempts += 1;
      return attempts > 3;
    }),
  );
  gate.park(3, work("next"));
  release();
  host.time.advance(200);
  expect(attempts).toBe(4);
  expect(log).toEqual(["hungry", "next"]);
});

test("ChainGate gives other processes a turn after a number of works", () => {
  const { host, file, gate, log, work } = setUp();
  const release = file.hold(3);
  for (let i = 0; i < WORKS_PER_LOCK_MAX + 1; i++) gate.park(3, work(`${i}`));
  release();
  host.time.runNextTimer();
  expect(log.length).toBe(WORKS_PER_LOCK_MAX);
  const again = file.hold(3);
  host.time.advance(0);
  expect(log.length).toBe(WORKS_PER_LOCK_MAX);
  again();
  host.time.advance(10);
  expect(log.length).toBe(WORKS_PER_LOCK_MAX + 1);
});

test("ChainGate.close() parks everything and stops waiting; open() runs it", () => {
  const { host, file, gate, log, work } = setUp();
  const release = file.hold(3);
  gate.park(3, work("waiting"));
  host.time.advance(100);
  expect(host.waiter.active).toBe(1);
  gate.close();
  expect(host.waiter.active).toBe(0);
  release();
  expect(gate.enter(3)).toBe("busy");
  gate.park(3, work("frozen"));
  gate.park(7, { ...work("other chain"), run: () => log.push("other chain") > 0 });
  host.time.advance(60_000);
  expect(log).toEqual([]);
  gate.open();
  host.time.advance(1);
  expect(log.sort()).toEqual(["frozen", "other chain", "waiting"]);
  expect(gate.parkedWorks).toBe(0);
});

test("ChainGate allows as many waits as LockProcessesPerDB, the others follow", () => {
  const { host, file, gate, locks } = setUp();
  host.tunables["LockProcessesPerDB"] = 2;
  const ran: number[] = [];
  const releases = [1, 2, 3, 4].map((chain) => file.hold(chain));
  for (const chain of [1, 2, 3, 4]) {
    gate.park(chain, { bytes: 1, clientId: 0, run: () => ran.push(chain) > 0, drop: () => {} });
  }
  host.time.advance(100);
  expect([host.waiter.active, locks.num_current, locks.num_pending]).toEqual([2, 2, 2]);
  for (const release of releases) release();
  host.time.advance(100);
  expect(ran.sort()).toEqual([1, 2, 3, 4]);
  expect(host.waiter.mostActive).toBe(2);
  expect([locks.num_current, locks.num_pending]).toEqual([0, 0]);
});

test("ChainGate.dropClient() drops the work of that client only, also while work runs", () => {
  const { host, file, gate, log, work } = setUp();
  const release = file.hold(3);
  gate.park(
    3,
    work("a", 1, () => {
      gate.dropClient(2);
      return true;
    }),
  );
  gate.park(3, work("b", 2));
  gate.park(3, work("c", 3));
  release();
  host.time.advance(100);
  expect(log).toEqual(["b dropped: the client has gone", "a", "c"]);
  expect(gate.parkedWorks).toBe(0);
});
