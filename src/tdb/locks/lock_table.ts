/**
 * What one handle has locked: counts nested locks, knows marked ones, and asks the protocol only for
 * the first of each.
 *
 * Invariants:
 * 1. A list that is held or marked is not locked again; the allrecord lock covers all lists.
 * 2. Marked locks belong to somebody else of this process: they are never unlocked here.
 * 3. Nothing waits.
 */
import { assert } from "../../base/assert.ts";
import type { TryLock } from "../../platform/types/shared_files.ts";
import type { LockMode } from "../types.ts";
import type { LockProtocol } from "./lock_protocol.ts";

interface HeldList {
  list: number;
  count: number;
  /** How many of the count are marks. */
  marks: number;
  mode: LockMode;
}

export class LockTable {
  /** Undefined: the handle locks nothing (NOLOCK). */
  readonly #protocol: LockProtocol | undefined;
  /** A handful at most: a linear search beats a map. */
  readonly #held: HeldList[] = [];
  #spare: HeldList[] = [];
  #allCount = 0;
  #allMarks = 0;
  #allMode: LockMode = "read";
  /** Held for reading, counted as writing: nobody else can be writing (a transaction). */
  #upgradable = false;

  constructor(protocol: LockProtocol | undefined) {
    this.#protocol = protocol;
  }

  get locksNothing(): boolean {
    return this.#protocol === undefined;
  }
  /** No data lock is held: the next one is the first, after which a journal is looked for. */
  get isEmpty(): boolean {
    return this.#held.length === 0 && this.#allCount === 0;
  }
  get holdsAll(): boolean {
    return this.#allCount > 0;
  }
  get holdsAllForWriting(): boolean {
    return this.#allCount > 0 && this.#allMode === "write";
  }
  get holdsLists(): boolean {
    return this.#held.length > 0;
  }
  /** All is held, and by a mark. */
  get allIsMarked(): boolean {
    return this.#allMarks > 0;
  }

  /** See LockProtocol.holderOf. */
  holderOf(list: number | undefined): number | undefined {
    return this.#protocol?.holderOf(list);
  }

  lockList(list: number, mode: LockMode): TryLock {
    if (this.#protocol === undefined) return "granted";
    if (this.#allCount > 0) {
      return mode === "read" || this.#allMode === "write" ? "granted" : "busy";
    }
    const held = this.#find(list);
    if (held === undefined) {
      const taken = this.#protocol.lockList(list, mode);
      if (taken === "granted") this.#add(list, mode, 0);
      return taken;
    }
    if (mode === "write" && held.mode === "read") {
      const upgraded = this.#protocol.upgradeList(list);
      if (upgraded !== "granted") return upgraded;
      held.mode = "write";
    }
    held.count += 1;
    return "granted";
  }

  unlockList(list: number): void {
    if (this.#protocol === undefined || this.#allCount > 0) return;
    const held = this.#find(list);
    assert(held !== undefined, `list ${list} is locked before it is unlocked`);
    held.count -= 1;
    if (held.count > 0) return;
    this.#remove(held);
    this.#protocol.unlockList(list);
  }

  markList(list: number): void {
    if (this.#protocol === undefined || this.#allCount > 0) return;
    const held = this.#find(list);
    if (held === undefined) {
      this.#add(list, "write", 1);
      return;
    }
    assert(held.marks > 0, `list ${list} is not both locked and marked`);
    held.count += 1;
    held.marks += 1;
  }

  unmarkList(list: number): void {
    if (this.#protocol === undefined || this.#allCount > 0) return;
    const held = this.#find(list);
    assert(held !== undefined && held.marks > 0, `list ${list} is marked before it is unmarked`);
    held.count -= 1;
    held.marks -= 1;
    if (held.count === 0) this.#remove(held);
  }

  /** `upgradable`: the caller keeps other writers out by another lock. */
  lockAll(mode: LockMode, upgradable = false): TryLock {
    if (this.#allCount > 0) {
      if (mode === "write" && this.#allMode === "read") return "busy";
      this.#allCount += 1;
      return "granted";
    }
    assert(this.#held.length === 0, "no list is locked before all are");
    const taken = this.#protocol === undefined ? "granted" : this.#protocol.lockAll(mode);
    if (taken === "granted") {
      this.#allCount = 1;
      this.#allMode = upgradable ? "write" : mode;
      this.#upgradable = upgradable;
    }
    return taken;
  }

  unlockAll(): void {
    assert(this.#allCount > this.#allMarks, "all records are locked before they are unlocked");
    this.#allCount -= 1;
    if (this.#allCount === 0) this.#protocol?.unlockAll();
  }

  /** The read lock on all becomes a write lock (commit of a transaction). */
  upgradeAll(): TryLock {
    if (!this.#upgradable) return "granted";
    const upgraded = this.#protocol === undefined ? "granted" : this.#protocol.upgradeAll();
    if (upgraded === "granted") this.#upgradable = false;
    return upgraded;
  }

  markAll(): void {
    assert(this.#held.length === 0, "no list is locked before all are marked");
    assert(this.#allCount === this.#allMarks, "all records are not both locked and marked");
    this.#allCount += 1;
    this.#allMarks += 1;
    this.#allMode = "write";
  }

  unmarkAll(): void {
    assert(this.#allMarks > 0, "all records are marked before they are unmarked");
    this.#allMarks -= 1;
    this.#allCount -= 1;
  }

  /** Gives everything back that is ours; marks are forgotten. For close(). */
  releaseEverything(): void {
    for (const held of this.#held) {
      if (held.marks === 0) this.#protocol?.unlockList(held.list);
    }
    this.#held.length = 0;
    if (this.#allCount > this.#allMarks) this.#protocol?.unlockAll();
    this.#allCount = 0;
    this.#allMarks = 0;
  }

  #find(list: number): HeldList | undefined {
    const held = this.#held;
    for (let i = 0; i < held.length; i++) {
      const entry = held[i] as HeldList;
      if (entry.list === list) return entry;
    }
    return undefined;
  }

  #add(list: number, mode: LockMode, marks: number): void {
    const entry = this.#spare.pop() ?? { list, count: 0, marks, mode };
    entry.list = list;
    entry.count = 1;
    entry.marks = marks;
    entry.mode = mode;
    this.#held.push(entry);
  }

  #remove(entry: HeldList): void {
    const last = this.#held.pop() as HeldList;
    if (last !== entry) this.#held[this.#held.indexOf(entry)] = last;
    if (this.#spare.length < 8) this.#spare.push(entry);
  }
}
