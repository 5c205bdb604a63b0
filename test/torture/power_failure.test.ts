/**
 * A disk that loses what was not synced: whatever part of it survives, in whatever order it was
 * written, a commit is there as a whole or not at all, and there once it was answered. The long form,
 * with kills at every write and with libtdb, is test/torture/tdb_crash_loop.test.ts.
 *
 * What a power failure may leave is taken just before each sync: whatever could survive a failure at an
 * earlier write is a part of that, and the families below hold every such part that ends early.
 */
import { expect, test } from "bun:test";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import type { FileTdbOpener } from "../../src/tdb/opener.ts";
import { must } from "../support/must.ts";
import { type Change, FaultyFiles, openerOver, withChanges } from "../tdb/faulty_files.ts";
import { killedCommitOfLibtdb, LIBTDB_LAYOUTS } from "../tdb/libtdb_journal.ts";
import { bytes, dump, finish, openTdb } from "../tdb/support.ts";
import { changeOf, SCENARIOS, type Scenario } from "./crash_scenarios.ts";

const OPTIONS = { path: "a.tdb", flags: 0, hashSize: 5, create: true };
/** Of long runs of writes, so many are lost or kept one by one. */
const SINGLES_MAX = 24;
const MORE_BYTES = 3000;
const LARGE_BYTES = 120_000;

type WriteCache = FaultyFiles["writeCache"];

/** No part, the whole, each beginning and end, each write alone or missing, each torn in the middle. */
function* survivors(changes: readonly Change[]): Generator<readonly Change[]> {
  yield [];
  yield changes;
  const step = Math.max(1, Math.floor(changes.length / SINGLES_MAX));
  for (let i = 0; i < changes.length; i += step) {
    const change = changes[i] as Change;
    // Never within a word: a sector is written as a whole.
    const half = (change.bytes.length >>> 1) & ~3;
    const torn = { ...change, bytes: change.bytes.subarray(0, half) };
    yield changes.slice(0, i);
    yield changes.slice(i);
    yield [change];
    yield changes.filter((other) => other !== change);
    if (change.kind === "write") yield [...changes.slice(0, i), torn];
  }
  // The last ones decide: what arms or ends a journal is a single word.
  for (const change of changes.slice(-3)) yield [change];
}

function* images(caches: readonly WriteCache[]): Generator<Uint8Array> {
  for (const { durable, unsynced } of caches) {
    for (const changes of survivors(unsynced)) yield withChanges(durable, changes);
  }
}

/** A file on a disk with a write cache: what the disk may hold at each sync, and at the end. */
class RecordedDisk {
  readonly opener: FileTdbOpener;
  readonly #disk = new MemoryDisk({ soon: queueMicrotask });
  readonly #files = new FaultyFiles(this.#disk.process());
  #caches: WriteCache[] = [];

  constructor(content?: Uint8Array) {
    if (content !== undefined) this.#disk.put(OPTIONS.path, content);
    const files = this.#files;
    this.opener = openerOver(files);
    files.beforeSync = () => this.#caches.push(files.writeCache);
  }

  /** What is there now is on disk. */
  settle(): void {
    this.#files.settle(this.#disk.read(OPTIONS.path) as Uint8Array);
    this.#caches = [];
  }

  get caches(): readonly WriteCache[] {
    return this.#caches;
  }
  get end(): WriteCache {
    return this.#files.writeCache;
  }
}

interface RecordedCommit {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly disk: RecordedDisk;
}

async function recordCommit(scenario: Scenario): Promise<RecordedCommit> {
  const disk = new RecordedDisk();
  const tdb = await openTdb(disk.opener, OPTIONS);
  const { before, after } = await changeOf(scenario, tdb);
  disk.settle();
  must(await finish(tdb.commit()));
  tdb.close();
  return { before, after, disk };
}

/** What is in the file that a power failure has left; it must be usable. */
async function recordsOf(image: Uint8Array): Promise<readonly string[]> {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  disk.put(OPTIONS.path, image);
  const tdb = await openTdb(createMemoryTdbs({ disk }).opener, { ...OPTIONS, create: false });
  const records = dump(tdb);
  must(await finish(tdb.check()));
  // And there is room for more: what the freelist leads to is there, and the file can grow.
  must(tdb.startTransaction());
  must(tdb.store(bytes("more"), new Uint8Array(MORE_BYTES)));
  must(tdb.store(bytes("large"), new Uint8Array(LARGE_BYTES)));
  must(await finish(tdb.commit()));
  must(await finish(tdb.check()));
  tdb.close();
  return records;
}

for (const scenario of SCENARIOS) {
  test(`a commit is whole or not there after a power failure: ${scenario.name}`, async () => {
    const { before, after, disk } = await recordCommit(scenario);
    const seen = { before: 0, after: 0 };
    for (const image of images(disk.caches)) {
      const records = await recordsOf(image);
      const isAfter = records.length === after.length && Bun.deepEquals(records, after);
      if (!isAfter) expect(records).toEqual(before);
      seen[isAfter ? "after" : "before"] += 1;
    }
    expect(seen.before).toBeGreaterThan(0);
    expect(seen.after).toBeGreaterThan(0);
    for (const image of images([disk.end])) expect(await recordsOf(image)).toEqual(after);
  });

  test(`the replay of a journal can be cut short by a power failure: ${scenario.name}`, async () => {
    const { before, disk } = await recordCommit(scenario);
    // The last sync but one is that of the blocks: they are written, and the journal still counts.
    const { durable, unsynced } = disk.caches.at(-2) as WriteCache;
    const replay = new RecordedDisk(withChanges(durable, unsynced));
    replay.settle();
    (await openTdb(replay.opener, { ...OPTIONS, create: false })).close();
    expect(replay.caches.length).toBeGreaterThanOrEqual(2);
    for (const image of images([...replay.caches, replay.end])) {
      expect(await recordsOf(image)).toEqual(before);
    }
  });
}

for (const [name, layout] of Object.entries(LIBTDB_LAYOUTS)) {
  test(`the replay of a journal of libtdb can be cut short by a power failure: ${name}`, async () => {
    const disk = new MemoryDisk({ soon: queueMicrotask });
    const tdb = await openTdb(createMemoryTdbs({ disk }).opener, OPTIONS);
    for (let i = 0; i < 40; i++) must(tdb.store(bytes(`key-${i}`), new Uint8Array(300)));
    const before = dump(tdb);
    tdb.close();
    const left = killedCommitOfLibtdb(disk.read(OPTIONS.path) as Uint8Array, layout);
    const replay = new RecordedDisk(left);
    replay.settle();
    (await openTdb(replay.opener, { ...OPTIONS, create: false })).close();
    for (const image of images([...replay.caches, replay.end])) {
      expect(await recordsOf(image)).toEqual(before);
    }
  });
}

for (const errorName of ["EIO", "ENOSPC"]) {
  for (const forGood of [false, true]) {
    const how = `${errorName} ${forGood ? "from then on" : "once"}`;
    test(`a commit with a disk that fails (${how}) is whole or not there`, async () => {
      let failures = 0;
      for (const scenario of SCENARIOS.slice(1, 4)) {
        for (let step = 0, ended = false; !ended; step++) {
          const { before, after, failed, content } = await failingCommit(scenario, (files) => {
            files.failAt = step;
            files.failForGood = forGood;
            files.errorName = errorName;
          });
          ended = !failed;
          if (failed) failures += 1;
          const records = await recordsOf(content);
          const isAfter = Bun.deepEquals(records, after);
          expect(isAfter || (failed && Bun.deepEquals(records, before))).toBe(true);
        }
      }
      expect(failures).toBeGreaterThan(10);
    });
  }
}

/** The process goes on after a commit that failed, and ends later. */
async function failingCommit(scenario: Scenario, fault: (files: FaultyFiles) => void) {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  const files = new FaultyFiles(disk.process());
  const tdb = await openTdb(openerOver(files), OPTIONS);
  const { before, after } = await changeOf(scenario, tdb);
  files.settle(disk.read(OPTIONS.path) as Uint8Array);
  fault(files);
  const failed = !(await finish(tdb.commit())).ok;
  if (tdb.inTransaction) tdb.cancelTransaction();
  files.closeEverything();
  return { before, after, failed, content: disk.read(OPTIONS.path) as Uint8Array };
}
