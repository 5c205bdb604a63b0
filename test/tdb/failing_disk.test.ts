/**
 * A disk that refuses any write, growth or sync now and then: a commit that fails leaves the old records, a
 * sound file, and nothing that a later commit stumbles over.
 */
import { test } from "bun:test";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { VirtualTime } from "../database/virtual_time.ts";
import { SeededRandom } from "../sim/random.ts";
import { must } from "../support/must.ts";
import { ModelledTdb } from "./modelled_tdb.ts";

const SEEDS = 40;
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
