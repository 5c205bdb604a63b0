/**
 * Virtual time. One queue of events, ordered by time and then by arrival; an event belongs to a
 * simulated process, whose death drops it and whose pause holds it back.
 *
 * Invariants:
 * 1. Time only moves in `run`, to the time of the next event.
 * 2. After every event the microtasks are drained and then everything asked for with `soon`, before
 *    the next event: a turn of the real event loop.
 * 3. The same seed gives the same order of events.
 */
import { drainMicrotasks } from "bun:jsc";
import { assert } from "../../src/base/assert.ts";
import type { Clock, Timer, Timers, Timeval } from "../../src/platform/types/time.ts";

/** Virtual time 0 is this second since 1970. */
export const EPOCH_SEC = 1_700_000_000;
/** More turns than this without time moving is a spin that the real daemon would burn a core on. */
const TURNS_AT_ONE_TIME_MAX = 200_000;

/** The queue is cleared of cancelled events when it has so many, and more of them than of others. */
const CANCELLED_KEPT_MAX = 1000;

const NOTHING = (): void => {};

class Event implements Timer {
  readonly atMs: number;
  readonly sequence: number;
  readonly owner: SimProcess;
  action: () => void;
  cancelled = false;
  /** Told of a cancel; undefined outside of the queue. */
  queue: Scheduler | undefined;

  constructor(atMs: number, sequence: number, owner: SimProcess, action: () => void) {
    this.atMs = atMs;
    this.sequence = sequence;
    this.owner = owner;
    this.action = action;
  }

  /** Lets go of what the action holds: the event itself may stay in the queue until its time. */
  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.action = NOTHING;
    this.queue?.cancelled();
  }
}

export class Scheduler {
  nowMs = 0;
  turns = 0;
  #sequence = 0;
  /**
   * Ends the run after the turn in which it was set: code of a turn may swallow what is thrown in
   * it.
   */
  failure: Error | undefined;
  #heap: Event[] = [];
  #cancelledInHeap = 0;
  #soon: Event[] = [];
  #turnsAtThisTime = 0;

  at(owner: SimProcess, atMs: number, action: () => void): Timer {
    const event = new Event(Math.max(atMs, this.nowMs), this.#sequence++, owner, action);
    event.queue = this;
    this.#push(event);
    return event;
  }

  /**
   * An event of the queue was cancelled. Most are deadlines far away: left there, they would be most of
   * the queue.
   */
  cancelled(): void {
    this.#cancelledInHeap += 1;
    const count = this.#cancelledInHeap;
    if (count < CANCELLED_KEPT_MAX || 2 * count < this.#heap.length) return;
    const left = this.#heap.filter((event) => !event.cancelled).sort(order);
    // A sorted list is a heap.
    this.#heap = left;
    this.#cancelledInHeap = 0;
  }

  soon(owner: SimProcess, action: () => void): void {
    this.#soon.push(new Event(this.nowMs, 0, owner, action));
  }

  /** Runs events up to and including `untilMs`; time ends there. */
  run(untilMs: number): void {
    // What was begun outside of any turn.
    drainMicrotasks();
    this.#settle();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      next.queue = undefined;
      if (next.cancelled) {
        this.#cancelledInHeap -= 1;
        continue;
      }
      if (next.atMs > this.nowMs) {
        this.nowMs = next.atMs;
        this.#turnsAtThisTime = 0;
      }
      this.#turn(next);
      this.#settle();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /**
   * Runs until the condition holds; false when it does not within `limitMs`. Looks every `stepMs`.
   */
  runUntil(condition: () => boolean, limitMs: number, stepMs = 50): boolean {
    const end = this.nowMs + limitMs;
    while (!condition()) {
      if (this.nowMs >= end) return false;
      this.run(Math.min(end, this.nowMs + stepMs));
    }
    return true;
  }

  #turn(event: Event): void {
    if (event.cancelled || event.owner.hold(event.action)) return;
    this.turns += 1;
    this.#turnsAtThisTime += 1;
    assert(this.#turnsAtThisTime < TURNS_AT_ONE_TIME_MAX, "virtual time moves on");
    event.action();
    drainMicrotasks();
    if (this.failure !== undefined) throw this.failure;
  }

  #settle(): void {
    if (this.#soon.length === 0) return;
    for (let i = 0; i < this.#soon.length; i++) this.#turn(this.#soon[i] as Event);
    this.#soon = [];
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (before(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    const count = heap.length;
    if (count === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && before(heap[child + 1] as Event, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (before(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function order(a: Event, b: Event): number {
  return a.atMs - b.atMs || a.sequence - b.sequence;
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** One process of the simulated world: its clock, its timers, its life. */
export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly timers: Timers;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];
  #onDeath: (() => void)[] = [];
  readonly #scheduler: Scheduler;

  /** `wallSkewMs` is asked for at each look at the wall clock: it may jump. */
  constructor(scheduler: Scheduler, name: string, wallSkewMs: () => number = () => 0) {
    this.#scheduler = scheduler;
    this.name = name;
    this.clock = {
      monotonicMs: () => scheduler.nowMs,
      wallTime: () => wallTime(scheduler.nowMs + wallSkewMs()),
    };
    this.timers = {
      after: (delayMs, action) => scheduler.at(this, scheduler.nowMs + delayMs, action),
      every: (intervalMs, action) => this.#every(intervalMs, action),
      soon: (action) => scheduler.soon(this, action),
      nextTurn: (action) => void scheduler.at(this, scheduler.nowMs, action),
    };
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }
  get paused(): boolean {
    return this.#state === "paused";
  }

  /** True when the action must not run now: dropped for good, or kept until resume. */
  hold(action: () => void): boolean {
    if (this.#state === "running") return false;
    if (this.#state === "paused") this.#held.push(action);
    return true;
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    for (const action of this.#held) this.#scheduler.soon(this, action);
    this.#held = [];
  }
  /** kill -9: nothing of this process runs any more; what the kernel then does runs at once. */
  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held = [];
    for (const action of this.#onDeath) action();
    this.#onDeath = [];
  }
  onDeath(action: () => void): void {
    this.#onDeath.push(action);
  }

  #every(intervalMs: number, action: () => void): Timer {
    let timer: Timer;
    const arm = () => {
      timer = this.#scheduler.at(this, this.#scheduler.nowMs + intervalMs, () => {
        arm();
        action();
      });
    };
    arm();
    return { cancel: () => timer.cancel() };
  }
}

function wallTime(ms: number): Timeval {
  const sec = Math.floor(ms / 1000);
  return { sec: EPOCH_SEC + sec, usec: Math.floor((ms - sec * 1000) * 1000) };
}
