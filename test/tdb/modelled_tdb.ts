/** A TDB of a few keys over virtual time, and how long each record of it must be. */
import { expect } from "bun:test";
import type { SlicedWork, Tdb, TdbResult } from "../../src/tdb/types.ts";
import { finishOn, type VirtualTime } from "../database/virtual_time.ts";
import type { SeededRandom } from "../sim/random.ts";
import { must } from "../support/must.ts";

const KEYS = 12;
const TRIES_MAX = 10;

type Lengths = ReadonlyMap<number, number>;

export class ModelledTdb {
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #largeBytes: number;
  tdb: Tdb;
  #lengths: Lengths = new Map();

  /** The file grows by a hundred times that at once. */
  constructor(tdb: Tdb, random: SeededRandom, time: VirtualTime, largeBytes: number) {
    this.tdb = tdb;
    this.#largeBytes = largeBytes;
    this.#random = random;
    this.#time = time;
  }

  storeSome(): void {
    this.#lengths = this.#stored(this.#lengths);
  }

  /** Some stores, and at times a wipe before them, in a transaction; its commit may fail. */
  transaction({ heal, marked = false }: { heal?: () => void; marked?: boolean }): TdbResult<void> {
    must(this.whenFree(() => this.tdb.startTransaction({ marked }), heal));
    const wipes = this.#random.chance(0.3);
    if (wipes) must(this.tdb.wipe());
    const next = this.#stored(wipes ? new Map() : this.#lengths);
    const committed = this.finish(this.tdb.commit());
    if (committed.ok) this.#lengths = next;
    return committed;
  }

  /** What is there after some stores, of which those that fail change nothing. */
  #stored(before: Lengths): Lengths {
    const after = new Map(before);
    for (let count = 1 + this.#random.below(6); count > 0; count--) {
      const key = this.#random.below(KEYS);
      const bytes = this.#random.below(this.#random.chance(0.1) ? this.#largeBytes : 400);
      if (this.tdb.store(keyOf(key), new Uint8Array(bytes).fill(key)).ok) after.set(key, bytes);
    }
    return after;
  }

  /** The file is sound and holds what it must. */
  judge(): void {
    must(this.whenFree(() => this.finish(this.tdb.check())));
    const found = new Map<number, number>();
    for (let key = 0; key < KEYS; key++) {
      const data = must(this.tdb.fetch(keyOf(key)));
      if (data !== undefined) found.set(key, data.length);
    }
    expect(found).toEqual(new Map([...this.#lengths].sort(([a], [b]) => a - b)));
  }

  finish(work: SlicedWork<void>): TdbResult<void> {
    return finishOn(this.#time, work);
  }

  /** Again while the journal that a commit has left is replayed. */
  whenFree<T>(attempt: () => TdbResult<T>, heal: () => void = () => undefined): TdbResult<T> {
    let outcome = attempt();
    for (
      let tries = 0;
      !outcome.ok && outcome.error.code !== "corrupt" && tries < TRIES_MAX;
      tries++
    ) {
      heal();
      this.#time.advance(2000);
      outcome = attempt();
    }
    return outcome;
  }
}

function keyOf(key: number): Uint8Array {
  return new Uint8Array([key, key, key]);
}
