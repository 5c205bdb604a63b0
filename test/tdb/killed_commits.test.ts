/**
 * Processes that are killed at any write or growth of a commit, and of the replay that follows: the file holds
 * all of the transaction or nothing of it, is sound, and can be worked on for ever.
 */
import { expect, test } from "bun:test";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs, type MemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS, type Tdb, type TdbResult } from "../../src/tdb/types.ts";
import { VirtualTime } from "../database/virtual_time.ts";
import { SeededRandom } from "../sim/random.ts";
import { must } from "../support/must.ts";
import { ModelledTdb } from "./modelled_tdb.ts";

const SEEDS = 30;
const ROUNDS = 16;
const LARGE_BYTES = 8000;
const PATH = "/x.tdb";
const FLAGS = [TDB_FLAGS.NOSYNC, TDB_FLAGS.NOSYNC | TDB_FLAGS.MUTEX_LOCKING];
/** Most of what can go wrong is among the first operations, some among the last. */
const OPERATIONS_MAX = [4, 12, 40];

class Run {
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #disk: MemoryDisk;
  readonly #modelled: ModelledTdb;
  readonly #flags: number;
  #process: MemoryTdbs;
  /** How many operations the process still lives for. */
  #operations = Number.POSITIVE_INFINITY;
  /** What it has left in the file. */
  #left: Uint8Array | undefined;
  kills = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#flags = this.#random.pick(FLAGS);
    this.#disk = new MemoryDisk({
      soon: (action) => this.#time.soon(action),
      fileBytesMax: 16 * 1024 * 1024,
      refuses: () => this.#operation(),
    });
    this.#process = this.#newProcess();
    this.#modelled = new ModelledTdb(must(this.#tryOpen()), this.#random, this.#time, LARGE_BYTES);
  }

  /** Nothing that a killed process would still do reaches the disk. */
  #operation(): "EIO" | undefined {
    this.#operations -= 1;
    if (this.#operations >= 0) return undefined;
    this.#left ??= this.#disk.read(PATH);
    return "EIO";
  }

  #newProcess(): MemoryTdbs {
    return createMemoryTdbs({ disk: this.#disk, timers: this.#time, clock: this.#time });
  }

  #tryOpen(): TdbResult<Tdb> {
    const options = { path: PATH, flags: this.#flags, hashSize: 3, create: true };
    const opened = this.#process.opener.open(options);
    if (opened.ok) opened.value.setMaxDead(5);
    return opened;
  }

  round(): void {
    if (this.#random.chance(0.3)) {
      this.#modelled.storeSome();
    } else {
      if (this.#random.chance(0.8)) this.#dieSoon();
      const { tdb } = this.#modelled;
      if (this.#random.chance(0.1)) this.#modelled.finish(tdb.repack());
      else this.#modelled.transaction({ marked: this.#random.chance(0.3) });
      this.#rise();
    }
    this.#modelled.judge();
  }

  #dieSoon(): void {
    this.#operations = this.#random.below(this.#random.pick(OPERATIONS_MAX));
  }

  /** Another process finds what was left, and may be killed while it repairs it. */
  #rise(): void {
    while (this.#left !== undefined) {
      this.kills += 1;
      this.#process.process.kill();
      this.#disk.put(PATH, this.#left);
      this.#left = undefined;
      this.#operations = Number.POSITIVE_INFINITY;
      if (this.#random.chance(0.3)) this.#dieSoon();
      this.#process = this.#newProcess();
      const opened = this.#modelled.whenFree(() => this.#tryOpen());
      if (this.#left === undefined) this.#modelled.tdb = must(opened);
    }
    this.#operations = Number.POSITIVE_INFINITY;
  }
}

test("Tdb.commit() of a process that is killed leaves a sound file with the old records or the new", () => {
  let kills = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = new Run(seed);
    try {
      for (let round = 0; round < ROUNDS; round++) run.round();
    } catch (error) {
      throw new Error(`seed ${seed} fails`, { cause: error });
    }
    kills += run.kills;
  }
  expect(kills).toBeGreaterThan(200);
});
