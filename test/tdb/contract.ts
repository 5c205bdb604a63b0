/**
 * What every Tdb must do, whatever it lies on. `make` gives fresh TDBs and further handles ("processes")
 * on the same one.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { jenkinsHash } from "../../src/base/jenkins_hash.ts";
import { TDB_FLAGS, type Tdb, type TdbOpener, type TdbOpenOptions } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { must } from "../support/must.ts";
import { bytes, dump, finish, laterTurn, openTdb, text } from "./support.ts";

export interface Machine {
  /** Each call is a process of its own on the same files. */
  opener(): TdbOpener;
  path(name: string): string;
  end(): void;
}

const OK = { ok: true, value: undefined } as const;

export function tdbContract(name: string, makeMachine: () => Machine, commonFlags: number): void {
  describe(`Tdb contract: ${name}`, () => {
    let machine: Machine | undefined;
    let opened: Tdb[] = [];

    afterEach(() => {
      for (const tdb of opened) tdb.close();
      opened = [];
      machine?.end();
      machine = undefined;
    });

    async function open(options: Partial<TdbOpenOptions> & { name?: string } = {}): Promise<Tdb> {
      machine ??= makeMachine();
      const tdb = await openTdb(machine.opener(), {
        path: machine.path(options.name ?? "a.tdb"),
        hashSize: 7,
        create: true,
        ...options,
        flags: commonFlags | (options.flags ?? 0),
      });
      opened.push(tdb);
      return tdb;
    }

    test("Tdb.store() then fetch() and parse() give the data, delete() takes it away", async () => {
      const tdb = await open();
      expect(tdb.store(bytes("key"), bytes("value"))).toEqual(OK);
      expect(text(must(tdb.fetch(bytes("key"))))).toBe("value");
      expect(must(tdb.parse(bytes("key"), (data) => text(data)))).toBe("value");
      expect(must(tdb.fetch(bytes("other")))).toBeUndefined();
      expect(tdb.parse(bytes("other"), () => 1)).toMatchObject({ error: { code: "missing" } });
      expect(tdb.delete(bytes("key"))).toEqual(OK);
      expect(tdb.delete(bytes("key"))).toMatchObject({ error: { code: "missing" } });
      expect(must(tdb.fetch(bytes("key")))).toBeUndefined();
      expect(await finish(tdb.check())).toEqual(OK);
    });

    test("Tdb.store() obeys insert and modify", async () => {
      const tdb = await open();
      expect(tdb.store(bytes("k"), bytes("1"), "modify")).toMatchObject({
        error: { code: "missing" },
      });
      expect(tdb.store(bytes("k"), bytes("1"), "insert")).toEqual(OK);
      expect(tdb.store(bytes("k"), bytes("2"), "insert")).toMatchObject({
        error: { code: "exists" },
      });
      expect(tdb.store(bytes("k"), bytes("a longer value than before"), "modify")).toEqual(OK);
      expect(text(must(tdb.fetch(bytes("k"))))).toBe("a longer value than before");
    });

    test("Tdb.storeParts() joins head and data", async () => {
      const tdb = await open();
      expect(tdb.storeParts(bytes("k"), bytes("head-"), bytes("data"))).toEqual(OK);
      expect(text(must(tdb.fetch(bytes("k"))))).toBe("head-data");
      expect(tdb.storeParts(bytes("k"), bytes("h"), bytes(""))).toEqual(OK);
      expect(text(must(tdb.fetch(bytes("k"))))).toBe("h");
    });

    test("Tdb takes empty keys, empty data and long records", async () => {
      const tdb = await open();
      expect(tdb.store(bytes(""), bytes(""))).toEqual(OK);
      expect(must(tdb.fetch(bytes("")))).toEqual(bytes(""));
      const long = new Uint8Array(3_000_001).fill(9);
      expect(tdb.store(long.subarray(0, 70_001), long)).toEqual(OK);
      expect(must(tdb.fetch(long.subarray(0, 70_001)))?.length).toBe(long.length);
      expect(await finish(tdb.check())).toEqual(OK);
    });

    for (const maxDead of [0, 5]) {
      test(`Tdb does what a map does, keeping ${maxDead} dead records a chain`, async () => {
        const random = new SeededRandom(77 + maxDead);
        const tdb = await open();
        tdb.setMaxDead(maxDead);
        const model = new Map<string, string>();
        for (let step = 0; step < 3000; step++) {
          const key = `key-${random.below(150)}`;
          if (random.chance(0.35)) {
            expect(tdb.delete(bytes(key)).ok).toBe(model.delete(key));
          } else {
            const value = "x".repeat(random.below(random.chance(0.1) ? 4000 : 200));
            must(tdb.store(bytes(key), bytes(value)));
            model.set(key, value);
          }
        }
        for (const [key, value] of model) expect(text(must(tdb.fetch(bytes(key))))).toBe(value);
        expect(dump(tdb).length).toBe(model.size);
        expect(await finish(tdb.check())).toEqual(OK);
        expect(tdb.mapSize).toBeLessThan(2_000_000);
      });
    }

    test("Tdb.visitChain() and nextUsedChain() show every record once", async () => {
      const tdb = await open({ hashSize: 1000 });
      for (let i = 0; i < 50; i++) must(tdb.store(bytes(`k${i}`), bytes(`v${i}`)));
      const seen: string[] = [];
      for (let c = tdb.nextUsedChain(0); c < tdb.hashSize; c = tdb.nextUsedChain(c + 1)) {
        must(
          tdb.visitChain(c, (key, data) => {
            seen.push(`${text(key)}=${text(data)}`);
            return undefined;
          }),
        );
      }
      expect(seen.sort()).toEqual(Array.from({ length: 50 }, (_, i) => `k${i}=v${i}`).sort());
    });

    test("Tdb.visitRecords() shows every record once, in a transaction too, and goes on where it stopped", async () => {
      const tdb = await open({ hashSize: 10 });
      for (let i = 0; i < 50; i++) must(tdb.store(bytes(`k${i}`), bytes(`v${i}`)));
      const expected = Array.from({ length: 50 }, (_, i) => `k${i}=v${i}`);
      const seen = (): string[] => {
        const shown: string[] = [];
        let pieces = 0;
        for (let chain = 0; chain < tdb.hashSize; pieces++) {
          chain = must(
            tdb.visitRecords(chain, (source, keyAt, keyLength, dataLength) => {
              const dataAt = keyAt + keyLength;
              const key = text(source.subarray(keyAt, dataAt));
              shown.push(`${key}=${text(source.subarray(dataAt, dataAt + dataLength))}`);
              return false;
            }),
          );
        }
        expect(pieces).toBeGreaterThan(1);
        return shown.sort();
      };
      expect(tdb.tryLockAll("write")).toBe("granted");
      expect(seen()).toEqual(expected.sort());
      tdb.unlockAll();
      must(tdb.startTransaction());
      expect(seen()).toEqual(expected);
      must(tdb.delete(bytes("k7")));
      expect(seen()).toEqual(expected.filter((record) => record !== "k7=v7"));
      tdb.cancelTransaction();
    });

    test("Tdb.visitChain() lets the visitor delete what it is shown, and stop", async () => {
      const tdb = await open({ hashSize: 1 });
      for (let i = 0; i < 10; i++) must(tdb.store(bytes(`k${i}`), bytes("v")));
      let shown = 0;
      must(
        tdb.visitChain(0, (key) => {
          must(tdb.delete(key.slice()));
          shown += 1;
          return shown < 4;
        }),
      );
      expect(shown).toBe(4);
      expect(dump(tdb).length).toBe(6);
      expect(await finish(tdb.check())).toEqual(OK);
    });

    test("Tdb.wipe() empties the file and its space is used again", async () => {
      const tdb = await open();
      for (let i = 0; i < 500; i++) must(tdb.store(bytes(`k${i}`), new Uint8Array(300)));
      const size = tdb.mapSize;
      expect(tdb.wipe()).toEqual(OK);
      expect(dump(tdb)).toEqual([]);
      for (let i = 0; i < 500; i++) must(tdb.store(bytes(`k${i}`), new Uint8Array(300)));
      expect(tdb.mapSize).toBe(size);
      expect(await finish(tdb.check())).toEqual(OK);
    });

    test("Tdb.freelistSize() counts and merges free space", async () => {
      const tdb = await open();
      for (let i = 0; i < 100; i++) must(tdb.store(bytes(`k${i}`), new Uint8Array(100)));
      for (let i = 0; i < 100; i++) must(tdb.delete(bytes(`k${i}`)));
      const first = must(tdb.freelistSize());
      expect(first).toBeGreaterThan(0);
      expect(must(tdb.freelistSize())).toBeLessThanOrEqual(first);
      expect(await finish(tdb.check())).toEqual(OK);
    });

    test("Tdb sequence number counts changes once enabled", async () => {
      const tdb = await open();
      must(tdb.store(bytes("a"), bytes("1")));
      tdb.incrementSequenceNumber();
      expect(tdb.sequenceNumber()).toBe(0);
      tdb.enableSequenceNumber();
      expect(tdb.flags & TDB_FLAGS.SEQNUM).toBe(TDB_FLAGS.SEQNUM);
      must(tdb.store(bytes("a"), bytes("1")));
      must(tdb.delete(bytes("a")));
      tdb.delete(bytes("a"));
      tdb.incrementSequenceNumber();
      must(tdb.wipe());
      expect(tdb.sequenceNumber()).toBe(4);
      must(await startTransaction(tdb));
      must(tdb.store(bytes("a"), bytes("2")));
      expect(await finish(tdb.commit())).toEqual(OK);
      expect(tdb.sequenceNumber()).toBe(5);
    });

    test("Tdb.check() refuses what its judge refuses, of the records that are not deleted", async () => {
      const tdb = await open();
      tdb.setMaxDead(5);
      const judge = (length: number) => (length === 5 ? "five bytes are too few" : undefined);
      for (const length of [0, 4, 5, 6]) {
        must(tdb.store(bytes(`k${length}`), new Uint8Array(length)));
      }
      const refused = await finish(tdb.check(judge));
      expect(refused).toMatchObject({ error: { code: "corrupt" } });
      expect(refused.ok ? "" : refused.error.reason).toContain("five bytes are too few");
      expect(await finish(tdb.check())).toEqual(OK);
      must(tdb.delete(bytes("k5")));
      expect(await finish(tdb.check(judge))).toEqual(OK);
    });

    test("Two handles see each other's records and growth", async () => {
      const one = await open();
      const other = await open();
      for (let i = 0; i < 300; i++) {
        const [writer, reader] = i % 2 === 0 ? [one, other] : [other, one];
        must(writer.store(bytes(`k${i}`), new Uint8Array(1000).fill(i)));
        expect(must(reader.fetch(bytes(`k${i}`)))?.[999]).toBe(i % 256);
      }
      expect(await finish(other.check())).toEqual(OK);
    });

    test("A key's hash that the caller has is taken where it is the file's own, and nowhere else", async () => {
      for (const flags of [TDB_FLAGS.INCOMPATIBLE_HASH, 0]) {
        const tdb = await open({ name: `${flags}.tdb`, flags });
        const takesIt = (tdb.flags & TDB_FLAGS.INCOMPATIBLE_HASH) !== 0;
        for (let i = 0; i < 20; i++) {
          const key = bytes(`key${i}`);
          const hash = jenkinsHash(key);
          expect(tdb.chainOf(key, hash)).toBe(tdb.chainOf(key));
          expect(tdb.chainOf(key, hash + 1) !== tdb.chainOf(key)).toBe(takesIt);
          must(tdb.storeParts(key, bytes("a"), bytes("b"), hash));
          expect(text(must(tdb.fetch(key)))).toBe("ab");
          const parsed = tdb.parse(key, (data) => text(data), hash);
          expect(must(parsed)).toBe("ab");
          expect(tdb.parse(key, (data) => data.length, hash + 1).ok).toBe(!takesIt);
        }
        expect(await finish(tdb.check())).toEqual(OK);
        for (let i = 0; i < 20; i++) {
          const key = bytes(`key${i}`);
          expect(tdb.delete(key, jenkinsHash(key))).toEqual(OK);
        }
        expect(dump(tdb)).toEqual([]);
      }
    });

    test("Tdb answers busy, and changes nothing, while another handle holds the lock", async () => {
      const one = await open();
      const other = await open();
      must(one.store(bytes("k"), bytes("1")));
      const chain = one.chainOf(bytes("k"));
      expect(one.tryLockChain(chain, "write")).toBe("granted");
      expect(other.tryLockChain(chain, "write")).toBe("busy");
      expect(other.fetch(bytes("k"))).toMatchObject({ error: { code: "busy" } });
      expect(other.store(bytes("k"), bytes("2"))).toMatchObject({ error: { code: "busy" } });
      expect(other.delete(bytes("k"))).toMatchObject({ error: { code: "busy" } });
      expect(other.tryLockAll("write")).toBe("busy");
      expect(other.wipe()).toMatchObject({ error: { code: "busy" } });
      // Nested in our own lock.
      expect(one.tryLockChain(chain, "write")).toBe("granted");
      must(one.store(bytes("k"), bytes("3")));
      one.unlockChain(chain);
      expect(other.tryLockChain(chain, "write")).toBe("busy");
      one.unlockChain(chain);
      expect(text(must(other.fetch(bytes("k"))))).toBe("3");
      expect(one.tryLockChain((chain + 1) % 7, "write")).toBe("granted");
      expect(other.tryLockChain(chain, "write")).toBe("granted");
      other.unlockChain(chain);
      one.unlockChain((chain + 1) % 7);
    });

    test("Tdb.tryLockAll() keeps the others out until unlockAll()", async () => {
      const one = await open();
      const other = await open();
      expect(one.tryLockAll("write")).toBe("granted");
      expect(one.tryLockAll("write")).toBe("granted");
      must(one.store(bytes("k"), bytes("1")));
      expect(other.tryLockAll("read")).toBe("busy");
      expect(other.fetch(bytes("k"))).toMatchObject({ error: { code: "busy" } });
      one.unlockAll();
      expect(other.tryLockChain(0, "write")).toBe("busy");
      one.unlockAll();
      expect(other.tryLockAll("read")).toBe("granted");
      expect(other.store(bytes("k"), bytes("2"))).toMatchObject({ error: { code: "busy" } });
      expect(text(must(other.fetch(bytes("k"))))).toBe("1");
      expect(one.store(bytes("k"), bytes("2"))).toMatchObject({ error: { code: "busy" } });
      other.unlockAll();
      must(one.store(bytes("k"), bytes("2")));
    });

    test("Tdb.close() gives every lock back", async () => {
      const one = await open();
      const other = await open();
      expect(one.tryLockChain(1, "write")).toBe("granted");
      expect(one.tryLockChain(3, "read")).toBe("granted");
      one.close();
      opened = [other];
      expect(other.tryLockAll("write")).toBe("granted");
      other.close();
      const third = await open();
      expect(third.tryLockAll("write")).toBe("granted");
      third.unlockAll();
    });

    test("A marked chain is worked on without locking it", async () => {
      const one = await open();
      const other = await open();
      const chain = one.chainOf(bytes("k"));
      expect(other.tryLockChain(chain, "write")).toBe("granted");
      one.markChain(chain);
      must(one.store(bytes("k"), bytes("1")));
      one.unmarkChain(chain);
      expect(one.store(bytes("k"), bytes("2"))).toMatchObject({ error: { code: "busy" } });
      other.unlockChain(chain);
      expect(other.tryLockAll("write")).toBe("granted");
      must(one.markAll());
      must(one.wipe());
      must(one.startTransaction({ marked: true }));
      must(one.store(bytes("k"), bytes("3")));
      expect(await finish(one.commit())).toEqual(OK);
      expect(text(must(one.fetch(bytes("k"))))).toBe("3");
      one.unmarkAll();
      other.unlockAll();
      expect(text(must(other.fetch(bytes("k"))))).toBe("3");
    });

    test("A transaction is seen by others only when it is committed", async () => {
      const one = await open();
      const other = await open();
      must(one.store(bytes("kept"), bytes("1")));
      must(await startTransaction(one));
      expect(one.inTransaction).toBe(true);
      expect(one.startTransaction()).toMatchObject({ error: { code: "transaction_state" } });
      must(one.delete(bytes("kept")));
      must(one.store(bytes("new"), new Uint8Array(20_000).fill(5)));
      expect(must(one.fetch(bytes("kept")))).toBeUndefined();
      expect(other.store(bytes("x"), bytes("1"))).toMatchObject({ error: { code: "busy" } });
      expect(other.startTransaction()).toMatchObject({ error: { code: "busy" } });
      expect(await finish(one.commit())).toEqual(OK);
      expect(one.inTransaction).toBe(false);
      expect(must(other.fetch(bytes("kept")))).toBeUndefined();
      expect(must(other.fetch(bytes("new")))?.length).toBe(20_000);
      expect(await finish(other.check())).toEqual(OK);
    });

    test("A cancelled transaction leaves no trace", async () => {
      const tdb = await open();
      for (let i = 0; i < 100; i++) must(tdb.store(bytes(`k${i}`), bytes(`v${i}`)));
      const before = dump(tdb);
      const size = tdb.mapSize;
      must(await startTransaction(tdb));
      must(tdb.wipe());
      for (let i = 0; i < 1000; i++) must(tdb.store(bytes(`n${i}`), new Uint8Array(500)));
      tdb.cancelTransaction();
      expect(dump(tdb)).toEqual(before);
      expect(tdb.mapSize).toBe(size);
      must(await startTransaction(tdb));
      must(tdb.wipe());
      tdb.commit().cancel();
      expect(tdb.inTransaction).toBe(false);
      expect(dump(tdb)).toEqual(before);
      expect(tdb.commit().step(5)).toMatchObject({ error: { code: "transaction_state" } });
      expect(await finish(tdb.check())).toEqual(OK);
    });

    test("Many transactions of every size leave a sound file", async () => {
      const random = new SeededRandom(4711);
      const tdb = await open();
      const model = new Map<string, string>();
      for (let round = 0; round < 60; round++) {
        const draft = new Map(model);
        must(await startTransaction(tdb));
        if (random.chance(0.1)) {
          must(tdb.wipe());
          draft.clear();
        }
        for (let step = random.below(random.chance(0.2) ? 600 : 10); step >= 0; step--) {
          const key = `key-${random.below(400)}`;
          if (random.chance(0.3)) {
            expect(tdb.delete(bytes(key)).ok).toBe(draft.delete(key));
          } else {
            const value = "y".repeat(random.below(900));
            must(tdb.store(bytes(key), bytes(value)));
            draft.set(key, value);
          }
        }
        if (random.chance(0.25)) {
          tdb.cancelTransaction();
          continue;
        }
        expect(await finish(tdb.commit())).toEqual(OK);
        model.clear();
        for (const [key, value] of draft) model.set(key, value);
        expect(await finish(tdb.check())).toEqual(OK);
      }
      for (const [key, value] of model) expect(text(must(tdb.fetch(bytes(key))))).toBe(value);
      expect(dump(tdb).length).toBe(model.size);
    });

    test("Tdb.repack() keeps the records and joins the free space", async () => {
      const tdb = await open();
      for (let i = 0; i < 400; i++) must(tdb.store(bytes(`k${i}`), new Uint8Array(50 + i)));
      for (let i = 0; i < 400; i += 2) must(tdb.delete(bytes(`k${i}`)));
      const before = dump(tdb);
      expect(await finish(tdb.repack())).toEqual(OK);
      expect(dump(tdb)).toEqual(before);
      expect(must(tdb.freelistSize())).toBeLessThan(5);
      expect(await finish(tdb.check())).toEqual(OK);
    });

    test("CLEAR_IF_FIRST empties the file for the first user only", async () => {
      const flags = TDB_FLAGS.CLEAR_IF_FIRST;
      const one = await open({ flags });
      must(one.store(bytes("k"), bytes("1")));
      const other = await open({ flags });
      expect(text(must(other.fetch(bytes("k"))))).toBe("1");
      one.close();
      const third = await open({ flags });
      expect(text(must(third.fetch(bytes("k"))))).toBe("1");
      other.close();
      third.close();
      opened = [];
      const fresh = await open({ flags });
      expect(must(fresh.fetch(bytes("k")))).toBeUndefined();
    });

    test("An existing file keeps its hash size; VOLATILE and INTERNAL work", async () => {
      const one = await open({ hashSize: 11 });
      must(one.store(bytes("k"), bytes("1")));
      const other = await open({ hashSize: 99, create: false, flags: TDB_FLAGS.VOLATILE });
      expect(other.hashSize).toBe(11);
      expect(text(must(other.fetch(bytes("k"))))).toBe("1");
      const opener = (machine as Machine).opener();
      const internal = await openTdb(opener, {
        path: "internal",
        flags: TDB_FLAGS.INTERNAL,
        hashSize: 0,
        create: true,
      });
      opened.push(internal);
      expect(internal.hashSize).toBe(131);
      for (let i = 0; i < 1000; i++) must(internal.store(bytes(`k${i}`), bytes("v")));
      expect(dump(internal).length).toBe(1000);
    });

    test("Tdb.open() reports flags as libtdb does", async () => {
      const flags = TDB_FLAGS.DISALLOW_NESTING | TDB_FLAGS.NOSYNC;
      const tdb = await open({ flags });
      let expected = flags | commonFlags;
      if ((commonFlags & TDB_FLAGS.MUTEX_LOCKING) !== 0) expected |= TDB_FLAGS.INCOMPATIBLE_HASH;
      expect(tdb.flags).toBe(expected);
    });
  });
}

/** Another handle's recovery or commit may be about to end. */
async function startTransaction(tdb: Tdb): Promise<ReturnType<Tdb["startTransaction"]>> {
  for (let turn = 0; turn < 100; turn++) {
    const started = tdb.startTransaction();
    if (started.ok || started.error.code !== "busy") return started;
    await laterTurn();
  }
  return tdb.startTransaction();
}
