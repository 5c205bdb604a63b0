/**
 * Events of this node that wait until they are kept for good (docs/journal.md).
 *
 * Invariants:
 * 1. Events have numbers from 1 without holes, in the order in which they came here; the name of the ring and the number
 *    name an event for ever.
 * 2. What is acknowledged is gone; beyond RING_EVENTS_MAX the oldest are, which the next number shows.
 * 3. Recording is a push: what an event costs to be made into bytes is paid when it is sent.
 */
import type { Journal, JournalEvent, JournalProcess } from "../../base/journal_event.ts";
import type { Clock } from "../../platform/types/time.ts";
import type { JournalEntry } from "../../wire/journal_messages.ts";
import { JournalCounts } from "./journal_counts.ts";
import { REPORTED_BYTES_MAX, RING_EVENTS_MAX } from "./limits.ts";

interface Waiting {
  readonly entry: JournalEntry;
  /** Of a report; 0 for events of our own, which are small. */
  readonly bytes: number;
}

export class JournalRing implements Journal {
  readonly name: string;
  readonly #clock: Clock;
  /** Oldest first, from #head on; what is before it was given up. */
  #waiting: (Waiting | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  /** Number of the newest event. */
  #last = 0;
  #lost = 0;
  #recorded: (() => void) | undefined;
  /** What all events since the start say in numbers. */
  readonly counts = new JournalCounts();

  /** `name`: of no other ring of this node. */
  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  get last(): number {
    return this.#last;
  }
  /** Number of the oldest event that waits; `last + 1` when none does. */
  get first(): number {
    return this.#last + 1 - this.size;
  }
  get size(): number {
    return this.#waiting.length - this.#head;
  }
  /** Events that nobody kept before they had to go. */
  get lost(): number {
    return this.#lost;
  }

  /** Called once, at the next event. */
  whenRecorded(action: (() => void) | undefined): void {
    this.#recorded = action;
  }

  record(event: JournalEvent): void {
    const { sec, usec } = this.#clock.wallTime();
    const monotonicMs = this.#clock.monotonicMs();
    this.#push(
      { time_us: sec * 1_000_000 + usec, monotonic_ms: monotonicMs, process: "ctdbd", event },
      0,
    );
  }

  /** An event of a child, as it was reported in so many bytes. */
  add(entry: JournalEntry, bytes: number): void {
    this.#push(entry, bytes);
  }

  /** Those up to this number are kept for good. */
  acknowledge(number: number): void {
    while (this.size > 0 && this.first <= number) this.#drop();
    this.#compact();
  }

  /** Up to `count` events, the oldest first, without taking them away. */
  peek(from: number, count: number): readonly JournalEntry[] {
    const begin = this.#head + Math.max(0, from - this.first);
    return this.#waiting.slice(begin, begin + count).map((each) => (each as Waiting).entry);
  }

  #push(entry: JournalEntry, bytes: number): void {
    this.counts.count(entry);
    this.#waiting.push({ entry, bytes });
    this.#last += 1;
    this.#bytes += bytes;
    while (this.size > RING_EVENTS_MAX || this.#bytes > REPORTED_BYTES_MAX) {
      this.#drop();
      this.#lost += 1;
    }
    this.#compact();
    const recorded = this.#recorded;
    if (recorded === undefined) return;
    this.#recorded = undefined;
    recorded();
  }

  #drop(): void {
    this.#bytes -= this.#waiting[this.#head]?.bytes ?? 0;
    this.#waiting[this.#head] = undefined;
    this.#head += 1;
  }

  #compact(): void {
    if (this.#head < RING_EVENTS_MAX && this.#head < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}

export function isJournalProcess(name: string): name is JournalProcess {
  return (PROCESSES as readonly string[]).includes(name);
}

const PROCESSES: readonly JournalProcess[] = [
  "ctdbd",
  "recoverd",
  "eventd",
  "admind",
  "recovery_helper",
  "takeover_helper",
];
