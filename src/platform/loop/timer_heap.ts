/**
 * Timers in the order of their times, those of one time in the order in which they came: a binary heap.
 *
 * Invariant: each timer knows its place, so that one that is cancelled leaves at once.
 */
import type { Timer } from "../types/time.ts";

export interface HeapTimer extends Timer {
  readonly dueMs: number;
  readonly action: () => void;
  /** Undefined: runs once. */
  readonly intervalMs: number | undefined;
}

class Entry implements HeapTimer {
  dueMs: number;
  order: number;
  place = -1;
  readonly action: () => void;
  readonly intervalMs: number | undefined;
  readonly #heap: TimerHeap;

  constructor(
    heap: TimerHeap,
    dueMs: number,
    order: number,
    action: () => void,
    intervalMs: number | undefined,
  ) {
    this.#heap = heap;
    this.dueMs = dueMs;
    this.order = order;
    this.action = action;
    this.intervalMs = intervalMs;
  }

  cancel(): void {
    this.#heap.cancel(this);
  }
}

export class TimerHeap {
  readonly #entries: Entry[] = [];
  readonly #cancelled: () => void;
  #order = 0;

  /** `cancelled` is told after a timer was cancelled that was still to run. */
  constructor(cancelled: () => void) {
    this.#cancelled = cancelled;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** When the first is due; Infinity without one. */
  get firstMs(): number {
    return this.#entries[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  add(dueMs: number, action: () => void, intervalMs?: number): HeapTimer {
    this.#order += 1;
    const entry = new Entry(this, dueMs, this.#order, action, intervalMs);
    this.#insert(entry);
    return entry;
  }

  /** The first that is due at `nowMs`; it leaves, or is due again an interval later. */
  takeDue(nowMs: number): HeapTimer | undefined {
    const first = this.#entries[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.#remove(first);
    if (first.intervalMs === undefined) return first;
    first.dueMs = nowMs + first.intervalMs;
    this.#order += 1;
    first.order = this.#order;
    this.#insert(first);
    return first;
  }

  cancel(entry: Entry): void {
    if (entry.place === -1) return;
    this.#remove(entry);
    this.#cancelled();
  }

  #remove(entry: Entry): void {
    const place = entry.place;
    entry.place = -1;
    const last = this.#entries.pop() as Entry;
    if (last === entry) return;
    this.#entries[place] = last;
    last.place = place;
    this.#rise(last);
    this.#sink(last);
  }

  #insert(entry: Entry): void {
    entry.place = this.#entries.length;
    this.#entries.push(entry);
    this.#rise(entry);
  }

  #rise(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#entries[(entry.place - 1) >> 1] as Entry;
      if (!isBefore(entry, parent)) return;
      this.#exchange(entry, parent);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#entries[2 * entry.place + 1];
      if (left === undefined) return;
      const right = this.#entries[2 * entry.place + 2];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, entry)) return;
      this.#exchange(child, entry);
    }
  }

  #exchange(one: Entry, other: Entry): void {
    const place = one.place;
    one.place = other.place;
    other.place = place;
    this.#entries[one.place] = one;
    this.#entries[other.place] = other;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}
