/**
 * A large file that a transaction empties and fills, as in each recovery: with what happens before and
 * after, to its end, cancelled, and cut short at every named point of the commit.
 */
import { describe, expect, test } from "bun:test";
import { copyFileSync, statSync, truncateSync } from "node:fs";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { SystemClock } from "../../src/platform/node/clock.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";
import { TDB_FLAGS, type Tdb } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { bytes, fileOpener, finish, hasLibtdb, openTdb, tdbtoolCheck } from "../tdb/support.ts";

const { NOSYNC, INCOMPATIBLE_HASH, MUTEX_LOCKING, SEQNUM } = TDB_FLAGS;
const KINDS: readonly (readonly [string, number])[] = [
  ["byte ranges", NOSYNC | INCOMPATIBLE_HASH],
  ["mutexes", NOSYNC | INCOMPATIBLE_HASH | MUTEX_LOCKING | SEQNUM],
];
const OK = { ok: true, value: undefined } as const;
const KEYS = 3000;
const VALUE_BYTES_MAX = 1500;
const ROUNDS = 24;
const LEFT_BEHIND_BYTES = 256 * 1024;

type Model = Map<string, Uint8Array>;

function storeSome(tdb: Tdb, model: Model, random: SeededRandom, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = `key-${random.below(KEYS)}`;
    const value = random.bytes(random.below(VALUE_BYTES_MAX));
    must(tdb.store(bytes(key), value));
    model.set(key, value);
  }
}

function deleteSome(tdb: Tdb, model: Model, random: SeededRandom, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = `key-${random.below(KEYS)}`;
    if (model.delete(key)) must(tdb.delete(bytes(key)));
  }
}

async function expectContents(tdb: Tdb, path: string, model: Model): Promise<void> {
  expect(await finish(tdb.check())).toEqual(OK);
  if (hasLibtdb) expect(tdbtoolCheck(path)).toBeUndefined();
  let found = 0;
  for (const [key, value] of model) {
    const stored = must(tdb.fetch(bytes(key)));
    if (stored === undefined || Buffer.compare(stored, value) !== 0) break;
    found += 1;
  }
  expect(found).toBe(model.size);
  let records = 0;
  for (let chain = 0; chain < tdb.hashSize; chain++) {
    must(tdb.visitChain(chain, () => ++records > 0));
  }
  expect(records).toBe(model.size);
}

for (const [name, flags] of KINDS) {
  test(`records of wiped transactions, committed and cancelled, ${name}`, async () => {
    using directory = new TemporaryDirectory("tdb-wiped");
    const path = directory.file("a.tdb");
    const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 499, create: true });
    const random = new SeededRandom(flags);
    let model: Model = new Map();
    storeSome(tdb, model, random, KEYS);
    for (let round = 0; round < ROUNDS; round++) {
      storeSome(tdb, model, random, random.below(500));
      deleteSome(tdb, model, random, random.below(500));
      const filled: Model = new Map();
      must(tdb.startTransaction({ marked: true }));
      must(tdb.wipe());
      storeSome(tdb, filled, random, random.below(KEYS));
      if (random.chance(0.2)) {
        must(tdb.wipe());
        filled.clear();
      }
      storeSome(tdb, filled, random, KEYS / 2 + random.below(KEYS));
      deleteSome(tdb, filled, random, random.below(KEYS));
      if (random.chance(0.7)) {
        expect(await finish(tdb.commit())).toEqual(OK);
        model = filled;
      } else {
        tdb.cancelTransaction();
      }
      await expectContents(tdb, path, model);
    }
    // The old place of the records is used again; their values are 750 bytes long on average.
    expect(tdb.mapSize).toBeLessThan(6 * KEYS * VALUE_BYTES_MAX);
    tdb.close();
  });
}

for (const [name, flags] of KINDS) {
  test(`a small file that a wiped transaction fills grows as it gets its records, ${name}`, async () => {
    using directory = new TemporaryDirectory("tdb-wiped");
    for (const [round, before] of [0, 1, 20, 300].entries()) {
      const path = directory.file(`${round}.tdb`);
      const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 499, create: true });
      const random = new SeededRandom(flags + round);
      let model: Model = new Map();
      storeSome(tdb, model, random, before);
      deleteSome(tdb, model, random, before);
      for (const filledTo of [5, 100, 2 * KEYS, 50, 400, 4 * KEYS]) {
        const filled: Model = new Map();
        must(tdb.startTransaction({ marked: true }));
        must(tdb.wipe());
        const wipedBytes = statSync(path).size;
        storeSome(tdb, filled, random, filledTo);
        deleteSome(tdb, filled, random, filledTo / 4);
        if (wipedBytes < 1e6 && filledTo > KEYS) {
          expect(statSync(path).size).toBeGreaterThan(2 * wipedBytes);
        }
        if (random.chance(0.7)) {
          expect(await finish(tdb.commit())).toEqual(OK);
          model = filled;
        } else {
          tdb.cancelTransaction();
        }
        await expectContents(tdb, path, model);
        storeSome(tdb, model, random, 20);
        await expectContents(tdb, path, model);
      }
      tdb.close();
    }
  });
}

test("a transaction that wipes twice takes what a killed process left at the end once", async () => {
  using directory = new TemporaryDirectory("tdb-wiped");
  const path = directory.file("a.tdb");
  const flags = NOSYNC | INCOMPATIBLE_HASH;
  const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 499, create: true });
  const random = new SeededRandom(11);
  storeSome(tdb, new Map(), random, KEYS);
  truncateSync(path, statSync(path).size + LEFT_BEHIND_BYTES);
  const filled: Model = new Map();
  must(tdb.startTransaction({ marked: true }));
  must(tdb.wipe());
  must(tdb.wipe());
  storeSome(tdb, filled, random, 4 * KEYS);
  for (let i = 0; i < KEYS; i++) {
    const key = `more-${i}`;
    const value = random.bytes(VALUE_BYTES_MAX);
    must(tdb.store(bytes(key), value));
    filled.set(key, value);
  }
  expect(await finish(tdb.commit())).toEqual(OK);
  await expectContents(tdb, path, filled);
  tdb.close();
});

describe("a wiped transaction that is cut short", () => {
  test("leaves the old records or the new ones", async () => {
    using directory = new TemporaryDirectory("tdb-wiped");
    const path = directory.file("a.tdb");
    const copies: string[] = [];
    const opener = new FileTdbOpener({
      files: new SystemSharedFiles(),
      timers: new EventLoop(),
      clock: new SystemClock(),
      mutexesWork: true,
      crashPoints: {
        at: (point, side) => {
          const copy = directory.file(`${copies.length}.${point}.${side}`);
          copyFileSync(path, copy);
          copies.push(copy);
        },
      },
    });
    const flags = NOSYNC | INCOMPATIBLE_HASH;
    const tdb = await openTdb(opener, { path, flags, hashSize: 499, create: true });
    const random = new SeededRandom(7);
    const model: Model = new Map();
    storeSome(tdb, model, random, KEYS);
    const filled: Model = new Map();
    must(tdb.startTransaction({ marked: true }));
    must(tdb.wipe());
    storeSome(tdb, filled, random, KEYS);
    expect(await finish(tdb.commit())).toEqual(OK);
    await expectContents(tdb, path, filled);
    tdb.close();
    expect(copies.length).toBe(8);
    let withOld = 0;
    for (const copy of copies) {
      const left = await openTdb(fileOpener(), { path: copy, flags, hashSize: 499, create: false });
      const key = [...filled.keys()].find((known) => !model.has(known)) ?? "";
      const isNew = must(left.fetch(bytes(key))) !== undefined;
      if (!isNew) withOld += 1;
      await expectContents(left, copy, isNew ? filled : model);
      left.close();
    }
    // Until the journal is disarmed.
    expect(withOld).toBe(copies.length - 1);
  });
});
