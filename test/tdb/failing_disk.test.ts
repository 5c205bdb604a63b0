/**
 * A disk that refuses any write, growth or sync now and then: a commit that fails leaves the old records, a
 * sound file, and nothing that a later commit stumbles over.
 */
import { expect, test } from "bun:test";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS, type Tdb, type TdbResult } from "../../src/tdb/types.ts";
import { VirtualTime } from "../database/virtual_time.ts";
import { SeededRandom } from "../sim/random.ts";
import { must } from "../support/must.ts";

const SEEDS = 40;
const ROUNDS = 20;
const KEYS = 12;

class Run {
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #tdb: Tdb;
  /** Bytes of each record. */
  #model = new Map<number, number>();
  #failChance = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const disk = new MemoryDisk({
      soon: (action) => this.#time.soon(action),
      fileBytesMax: 64 * 1024 * 1024,
      fixedMemory: true,
      refuses: () =>
        this.#failChance > 0 && this.#random.chance(this.#failChance) ? "EIO" : undefined,
    });
    const time = this.#time;
    const { opener } = createMemoryTdbs({ disk, timers: time, clock: time });
    const flags = TDB_FLAGS.NOSYNC;
    this.#tdb = must(opener.open({ path: "/x.tdb", flags, hashSize: 3, create: true }));
  }

  round(): void {
    this.#failChance = this.#random.pick([0, 0.1, 0.3]);
    if (this.#random.chance(0.6)) this.#transaction();
    else this.#model = this.#stored(this.#model);
    this.#failChance = 0;
    this.#judge();
  }

  #transaction(): void {
    must(this.#whenFree(() => this.#tdb.startTransaction()));
    const wipes = this.#random.chance(0.3);
    if (wipes) must(this.#tdb.wipe());
    const next = this.#stored(wipes ? new Map() : this.#model);
    if (this.#ended(() => this.#tdb.commit()).ok) this.#model = next;
  }

  /** What is there after some stores, of which those that fail change nothing. */
  #stored(before: ReadonlyMap<number, number>): Map<number, number> {
    const after = new Map(before);
    for (let count = 1 + this.#random.below(6); count > 0; count--) {
      const key = this.#random.below(KEYS);
      const bytes = this.#random.below(this.#random.chance(0.1) ? 60_000 : 400);
      if (this.#tdb.store(keyOf(key), new Uint8Array(bytes).fill(key)).ok) after.set(key, bytes);
    }
    return after;
  }

  #judge(): void {
    must(this.#whenFree(() => this.#ended(() => this.#tdb.check())));
    const found = new Map<number, number>();
    for (let key = 0; key < KEYS; key++) {
      const data = must(this.#tdb.fetch(keyOf(key)));
      if (data !== undefined) found.set(key, data.length);
    }
    expect(found).toEqual(new Map([...this.#model].sort(([a], [b]) => a - b)));
  }

  #ended(begin: () => ReturnType<Tdb["check"]>): TdbResult<void> {
    const work = begin();
    let outcome = work.step(1000);
    while (outcome === undefined) {
      this.#time.advance(10);
      outcome = work.step(1000);
    }
    return outcome;
  }

  /** Again while the journal that a commit has left is replayed, on a disk that does not fail. */
  #whenFree(attempt: () => TdbResult<void>): TdbResult<void> {
    let outcome = attempt();
    for (let tries = 0; !outcome.ok && outcome.error.code !== "corrupt" && tries < 5; tries++) {
      this.#failChance = 0;
      this.#time.advance(2000);
      outcome = attempt();
    }
    return outcome;
  }
}

function keyOf(key: number): Uint8Array {
  return new Uint8Array([key, key, key]);
}

test("Tdb.commit() that fails on a failing disk leaves a sound file with the old records", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = new Run(seed);
    try {
      for (let round = 0; round < ROUNDS; round++) run.round();
    } catch (error) {
      throw new Error(`seed ${seed} fails`, { cause: error });
    }
  }
});
