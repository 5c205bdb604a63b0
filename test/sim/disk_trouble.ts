/**
 * A disk that is full or fails, as the processes of a simulated host meet it. What is refused has changed
 * nothing, but a transaction of several writes may be cut short anywhere.
 *
 * Invariants:
 * 1. What was reserved can be used: growth up to there needs no room.
 * 2. A store into the space that a record has fails on a disk that fails, not on a full one.
 */
import type { DiskFailure, DiskOperation } from "../../src/tdb/memory/memory_files.ts";
import type { Tdb, TdbResult } from "../../src/tdb/types.ts";
import type { SeededRandom } from "./random.ts";

export interface Trouble {
  /** Of the files below this directory. */
  readonly below: string;
  /** Bytes by which they can still grow in all. */
  readonly roomBytes: number;
  /** Chance that anything done with them is an EIO. */
  readonly failChance: number;
}

export class DiskTrouble {
  readonly #random: SeededRandom;
  #trouble: Trouble | undefined;
  #roomBytes = 0;
  readonly #reservedEnd = new Map<string, number>();
  /** How often something was refused. */
  refusals = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  begin(trouble: Trouble): void {
    this.#trouble = trouble;
    this.#roomBytes = trouble.roomBytes;
  }

  get isOn(): boolean {
    return this.#trouble !== undefined;
  }

  isOf(trouble: Trouble): boolean {
    return this.#trouble === trouble;
  }

  /** There is room again, and the disk is sound. */
  end(): void {
    this.#trouble = undefined;
  }

  refuses(
    operation: DiskOperation,
    path: string,
    from: number,
    to: number,
  ): DiskFailure | undefined {
    const reserved = operation === "create" ? 0 : (this.#reservedEnd.get(path) ?? 0);
    const wanted = Math.max(0, to - Math.max(from, reserved));
    const failure = this.#failure(operation, path, wanted);
    if (failure !== undefined) return failure;
    if (operation === "create") this.#reservedEnd.delete(path);
    if (operation === "reserve") this.#reservedEnd.set(path, Math.max(to, reserved));
    return undefined;
  }

  #failure(operation: DiskOperation, path: string, wanted: number): DiskFailure | undefined {
    if (this.fails(path)) return "EIO";
    if (this.#trouble?.below === undefined || !path.startsWith(this.#trouble.below)) {
      return undefined;
    }
    if (operation === "write") return undefined;
    if (operation === "create" ? this.#roomBytes > 0 : wanted <= this.#roomBytes) {
      this.#roomBytes -= wanted;
      return undefined;
    }
    this.refusals += 1;
    return "ENOSPC";
  }

  /** One thing that is done with the file is an EIO. */
  fails(path: string): boolean {
    const trouble = this.#trouble;
    if (trouble === undefined || trouble.failChance === 0) return false;
    if (!path.startsWith(trouble.below) || !this.#random.chance(trouble.failChance)) return false;
    this.refusals += 1;
    return true;
  }

  /** Stores that fail although nothing grows; one that fails has changed nothing. */
  hangOn(tdb: Tdb): void {
    const { path } = tdb;
    const failed = (doing: string): TdbResult<void> => ({
      ok: false,
      error: { code: "io", reason: `Cannot ${doing} "${path}": EIO` },
    });
    const store = tdb.store.bind(tdb);
    const storeParts = tdb.storeParts.bind(tdb);
    const remove = tdb.delete.bind(tdb);
    tdb.store = (...args) => (this.fails(path) ? failed("store in") : store(...args));
    tdb.storeParts = (...args) => (this.fails(path) ? failed("store in") : storeParts(...args));
    tdb.delete = (key) => (this.fails(path) ? failed("delete from") : remove(key));
  }
}
