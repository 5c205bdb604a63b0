/** Repacking in the middle of everybody's work, on the real file format in memory. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import { must } from "../../../test/support/must.ts";
import { createMemoryTdbs } from "../../tdb/memory/memory_opener.ts";
import { textBytes } from "../../wire/codec.ts";
import type { Database } from "../database.ts";

const RECORDS = 400;

function setUp() {
  const host = new FakeHost(0);
  const { opener, lockWaiter } = createMemoryTdbs({ timers: host.time, clock: host.time });
  host.tdbs = opener;
  host.lockWaiter = lockWaiter;
  host.tdbMutexes = false;
  host.tunables["RepackLimit"] = 3;
  host.tunables["DatabaseMaxDead"] = 0;
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("packed.tdb");
  const { tdb } = database;
  for (let i = 0; i < RECORDS; i++) expect(tdb.store(key(i), value(i)).ok).toBe(true);
  for (let i = 0; i < RECORDS; i += 2) expect(tdb.delete(key(i)).ok).toBe(true);
  const other = must(opener.open({ path: tdb.path, flags: tdb.flags, hashSize: 0, create: false }));
  const vacuum = () => caller.call("DB_VACUUM", { db_id: dbId, full_vacuum_run: true });
  return { host, caller, dbId, database, tdb, vacuum, other };
}

const key = (i: number) => textBytes(`record ${i}`);
/** No ltdb header: nothing for the vacuum, only for the repack. */
const value = (i: number) => new Uint8Array(30 + (i % 7) * 40).fill(i);

function freelist(database: Database): number {
  const size = database.tdb.freelistSize();
  return size.ok ? size.value : -1;
}

function expectContent({ tdb }: Database): void {
  for (let i = 0; i < RECORDS; i++) {
    const fetched = tdb.fetch(key(i));
    expect(fetched.ok && fetched.value).toEqual(i % 2 === 0 ? undefined : value(i));
  }
}

test("VacuumRepack packs the file when the freelist reaches RepackLimit", () => {
  const { host, database, vacuum } = setUp();
  const before = freelist(database);
  expect(before).toBeGreaterThan(3);
  const answer = vacuum();
  host.time.advance(100);
  expect(answer.reply?.status).toBe(0);
  expect(database.statistics.vacuum.total.repacks).toBe(1);
  expect(freelist(database)).toBeLessThan(before);
  expect(database.gate.isOpen).toBe(true);
  expectContent(database);
});

test("VacuumRepack leaves a short freelist alone, and any with RepackLimit 0", () => {
  for (const limit of [0, 100_000]) {
    const { host, database, vacuum } = setUp();
    host.tunables["RepackLimit"] = limit;
    vacuum();
    host.time.advance(100);
    expect(database.statistics.vacuum.total.repacks).toBe(0);
  }
});

test("VacuumRepack works in slices behind a closed gate", () => {
  const { host, database, vacuum } = setUp();
  host.time.tickPerLookMs = 1;
  const answer = vacuum();
  let closed = 0;
  for (let turns = 0; answer.reply === undefined && turns < 10_000; turns++) {
    host.time.runNextTimer();
    host.time.settle();
    if (!database.gate.isOpen) closed += 1;
  }
  expect(answer.reply?.status).toBe(0);
  expect(closed).toBeGreaterThan(1);
  expect(database.gate.isOpen).toBe(true);
  expectContent(database);
});

test("VacuumRepack gives up after some tries while another process holds a chain", () => {
  const { host, database, vacuum, other } = setUp();
  const chain = other.chainOf(key(1));
  expect(other.tryLockChain(chain, "write")).toBe("granted");
  const answer = vacuum();
  host.time.advance(1000);
  expect(answer.reply?.status).toBe(0);
  expect(database.statistics.vacuum.total.repacks).toBe(0);
  expect([database.gate.isOpen, database.tdb.inTransaction]).toEqual([true, false]);
  other.unlockChain(chain);
  vacuum();
  host.time.advance(1000);
  expect(database.statistics.vacuum.total.repacks).toBe(1);
});

test("A freeze ends a repack wherever it is, and nothing is lost", () => {
  for (let after = 1; after < 60; after += 3) {
    const { host, caller, dbId, database, vacuum } = setUp();
    host.time.tickPerLookMs = 1;
    const answer = vacuum();
    for (let turns = 0; turns < after; turns++) {
      host.time.runNextTimer();
      host.time.settle();
    }
    const freezing = caller.call("DB_FREEZE", dbId);
    expect(answer.reply).toBeDefined();
    host.time.tickPerLookMs = 0;
    host.time.advance(500);
    expect(freezing.reply?.status).toBe(0);
    expect([database.gate.isOpen, database.tdb.inTransaction]).toEqual([false, false]);
    expect(caller.now("DB_THAW", dbId).status).toBe(0);
    host.time.advance(500);
    expect(database.gate.isOpen).toBe(true);
    expectContent(database);
  }
});
