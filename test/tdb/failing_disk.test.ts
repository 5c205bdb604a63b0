/**
 * A disk that refuses any write, growth or sync now and then: a commit that fails leaves the old records, a
 * sound file, and nothing that a later commit stumbles over; a file that could not be made can be made later.
 */
import { expect, test } from "bun:test";
import { textBytes } from "../../src/base/byte_text.ts";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { VirtualTime } from "../database/virtual_time.ts";
import { SeededRandom } from "../sim/random.ts";
import { must } from "../support/must.ts";
import { ModelledTdb } from "./modelled_tdb.ts";

const SEEDS = 15;
const ROUNDS = 20;

class Run {
  readonly #random: SeededRandom;
  readonly #modelled: ModelledTdb;
  #failChance = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const time = new VirtualTime();
    const disk = new MemoryDisk({
      soon: (action) => time.soon(action),
      fileBytesMax: 64 * 1024 * 1024,
      fixedMemory: true,
      refuses: () =>
        this.#failChance > 0 && this.#random.chance(this.#failChance) ? "EIO" : undefined,
    });
    const { opener } = createMemoryTdbs({ disk, timers: time, clock: time });
    const flags = TDB_FLAGS.NOSYNC;
    const tdb = must(opener.open({ path: "/x.tdb", flags, hashSize: 3, create: true }));
    this.#modelled = new ModelledTdb(tdb, this.#random, time, 60_000);
  }

  round(): void {
    this.#failChance = this.#random.pick([0, 0.1, 0.3]);
    const heal = () => {
      this.#failChance = 0;
    };
    if (this.#random.chance(0.6)) this.#modelled.transaction({ heal });
    else this.#modelled.storeSome();
    heal();
    this.#modelled.judge();
  }
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

for (const [kind, flags] of [
  ["persistent", TDB_FLAGS.DISALLOW_NESTING],
  ["cleared by its first user, with mutexes", TDB_FLAGS.CLEAR_IF_FIRST | TDB_FLAGS.MUTEX_LOCKING],
] as const) {
  test(`TdbOpener.open() makes a file anew whose making failed anywhere: ${kind}`, () => {
    let failures = 0;
    for (let failing = 1; ; failing++) {
      let operation = 0;
      const disk = new MemoryDisk({
        soon: queueMicrotask,
        refuses: () => (++operation === failing ? "EIO" : undefined),
      });
      const options = { path: "/x.tdb", flags, hashSize: 7, create: true };
      const first = createMemoryTdbs({ disk }).opener.open(options);
      if (operation < failing) break;
      failures += 1;
      expect(first.ok).toBe(false);
      const { opener } = createMemoryTdbs({ disk });
      const tdb = must(opener.open(options));
      must(tdb.store(textBytes("key"), textBytes("value")));
      expect(tdb.hashSize).toBe(7);
    }
    expect(failures).toBeGreaterThan(1);
  });
}

test("TdbOpener.open() leaves zeros alone that are more than a file half made, or end in something", () => {
  const options = { path: "/x.tdb", flags: 0, hashSize: 7, create: true };
  const half = new Uint8Array(168 + 4 * 8);
  for (const content of [new Uint8Array(half.length + 1), half.with(half.length - 1, 1)]) {
    const disk = new MemoryDisk({ soon: queueMicrotask });
    const files = disk.process();
    const file = must(files.open(options.path, { create: true, mode: 0o600 }));
    must(file.extend(content.length));
    must(file.write(0, content));
    expect(createMemoryTdbs({ disk }).opener.open(options).ok).toBe(false);
    expect(disk.read(options.path)).toEqual(content);
  }
});
