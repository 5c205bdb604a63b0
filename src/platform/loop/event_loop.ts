/**
 * The event loop of a process: descriptors of any kind, each with one owner, and timers
 * (docs/platform.md, "The loop").
 *
 * It waits in epoll itself while there is something to do, and watches the descriptor of the runtime's loop meanwhile,
 * so that workers, children, signals and promises of the runtime wake it. When it was quiet for a while, the runtime
 * waits instead and watches our descriptor. Never both ways at once: the kernel refuses the circle.
 *
 * Invariants:
 * 1. A descriptor has one owner, and is level-triggered: an owner does a bounded piece of work and returns.
 * 2. An owner that was forgotten is not called any more, also not for what the same look at epoll had for it.
 * 3. What `soon` was given runs after the callbacks of one look and before the next; what `nextTurn` was given after the next
 *    look, which does not wait then.
 * 4. The next deadline stands in a timer of the kernel, or of the runtime while that waits, set only when it changes: a
 *    wait has no time-out.
 * 5. While there is traffic the runtime gets its turn after at most ROUNDS_MAX looks or QUIET_MS.
 * 6. A process with nothing to watch and no timer can end: the loop then holds nothing.
 *
 * Must not: swallow what a callback throws.
 */
import { makeRuntimeLoop } from "#runtime";
import { assert } from "../../base/assert.ts";
import { EPOLL_CONTROL, EVENT_DATA_WORD, EVENT_WORDS, READY } from "../libc/epoll.ts";
import { LOOP_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, nativeMemory, openLibc, systemError } from "../libc/libc.ts";
import { SoonQueue } from "../node/soon_queue.ts";
import type { RuntimeLoop } from "../types/runtime.ts";
import type { Timer, Timers } from "../types/time.ts";
import { Alarm } from "./alarm.ts";
import { RuntimeDeadline } from "./runtime_deadline.ts";
import { TimerHeap } from "./timer_heap.ts";

/** Who is told of a descriptor. `events` are of READY. */
export interface DescriptorOwner {
  onReady(events: number): void;
}

/** Of one look at epoll. */
const EVENTS_MAX = 64;
/** Looks until the runtime gets its turn. */
const ROUNDS_MAX = 64;
/** After so long without an event the runtime waits instead of us. Each look whether it is so costs some 15 µs. */
const QUIET_MS = 20;
/** Two events within this time are the begin of traffic. */
const BUSY_GAP_MS = 5;
/** What callbacks of the runtime have started in its own loop has begun after so many of its looks. */
const LOOKS_AFTER_RUNTIME = 2;

const EPOLL_CLOEXEC = 0o2000000;

type State =
  /** Nothing to wait for. */
  | "idle"
  /** The runtime waits, for us too. */
  | "asleep"
  /** We wait, for the runtime too. */
  | "awake";

export class EventLoop implements Timers {
  readonly #libc = openLibc(LOOP_FUNCTIONS);
  readonly #epoll: number;
  readonly #runtime: RuntimeLoop;
  /** For the next deadline while we wait, and while the runtime does. */
  readonly #alarm: Alarm;
  readonly #runtimeDeadline: RuntimeDeadline;
  readonly #timers = new TimerHeap(() => this.#letGo());
  readonly #found = nativeMemory(EVENTS_MAX * EVENT_WORDS * 4);
  readonly #control = nativeMemory(16);

  /** By descriptor. */
  readonly #owners: (DescriptorOwner | undefined)[] = [];
  /** By descriptor: tells an owner from one that had the number before. */
  readonly #serials: number[] = [];
  #serial = 0;
  #watched = 0;

  #state: State = "idle";
  #inTurn = false;
  /** The runtime will call us when it has looked at its events. */
  #turnPlanned = false;
  readonly #soon = new SoonQueue();
  #later: (() => void)[] = [];
  /** The runtime had something: so many of its looks must pass before we block. */
  #runtimeLooks = 0;
  /** Events and timers so far, and how many they were when it was last looked whether it is quiet. */
  #activity = 0;
  #activityBefore = 0;
  #quietCheckMs = Number.POSITIVE_INFINITY;
  #lastEventMs = Number.NEGATIVE_INFINITY;
  /** The runtime has our descriptor among its own. */
  #runtimeWatches = false;

  constructor(options: { readonly alarmMsMax?: number } = {}) {
    this.#alarm = new Alarm(options.alarmMsMax);
    this.#runtimeDeadline = new RuntimeDeadline(() => this.#turn(), options.alarmMsMax);
    this.#epoll = this.#libc.epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll === -1) throw systemError(errno(), "epoll_create1", "event loop");
    this.#runtime = makeRuntimeLoop(this.#epoll);
    this.#epollControl(EPOLL_CONTROL.ADD, this.#alarm.descriptor, READY.READ, 0);
  }

  /** `interest`: of READY, may be 0. The descriptor is non-blocking, and stays its owner's. */
  watch(descriptor: number, interest: number, owner: DescriptorOwner): void {
    assert(this.#owners[descriptor] === undefined, "a descriptor has one owner");
    this.#serial = (this.#serial + 1) | 0;
    this.#owners[descriptor] = owner;
    this.#serials[descriptor] = this.#serial;
    this.#watched += 1;
    this.#epollControl(EPOLL_CONTROL.ADD, descriptor, interest, this.#serial);
    this.#begin();
  }

  change(descriptor: number, interest: number): void {
    this.#epollControl(
      EPOLL_CONTROL.MODIFY,
      descriptor,
      interest,
      this.#serials[descriptor] as number,
    );
  }

  /** Before the descriptor is closed. */
  forget(descriptor: number): void {
    if (this.#owners[descriptor] === undefined) return;
    this.#owners[descriptor] = undefined;
    this.#watched -= 1;
    this.#epollControl(EPOLL_CONTROL.DELETE, descriptor, 0, 0);
    this.#letGo();
  }

  after(delayMs: number, action: () => void): Timer {
    assert(!Number.isNaN(delayMs), "a delay is a number");
    return this.#addTimer(delayMs, action, undefined);
  }

  every(intervalMs: number, action: () => void): Timer {
    assert(!Number.isNaN(intervalMs), "an interval is a number");
    return this.#addTimer(intervalMs, action, Math.max(intervalMs, 1));
  }

  soon(action: () => void): void {
    this.#soon.push(action);
    this.#planTurn();
  }

  nextTurn(action: () => void): void {
    this.#later.push(action);
    this.#planTurn();
  }

  #addTimer(delayMs: number, action: () => void, intervalMs: number | undefined): Timer {
    const nowMs = performance.now();
    const timer = this.#timers.add(nowMs + Math.max(delayMs, 0), action, intervalMs);
    if (this.#state === "idle") this.#begin();
    else this.#setDeadline(nowMs);
    return timer;
  }

  get #hasWork(): boolean {
    return this.#watched > 0 || this.#timers.firstMs !== Number.POSITIVE_INFINITY;
  }

  #begin(): void {
    if (this.#inTurn || !this.#hasWork) return;
    if (this.#state === "idle") this.#becomeAsleep();
    else if (this.#state === "asleep") this.#letRuntimeWatch();
  }

  /** The last went while the runtime waits for us: it must not do so for ever. */
  #letGo(): void {
    if (this.#state !== "asleep" || this.#watched > 0) return;
    if (this.#timers.firstMs === Number.POSITIVE_INFINITY) {
      this.#runtimeDeadline.set(Number.POSITIVE_INFINITY, 0);
    }
    if (this.#runtimeWatches) this.#alarm.set(0, 0);
  }

  #becomeAsleep(): void {
    this.#state = "asleep";
    this.#quietCheckMs = Number.POSITIVE_INFINITY;
    this.#alarm.set(Number.POSITIVE_INFINITY, 0);
    this.#setDeadline(performance.now());
    this.#letRuntimeWatch();
  }

  #letRuntimeWatch(): void {
    if (this.#runtimeWatches || this.#watched === 0) return;
    this.#runtimeWatches = true;
    this.#runtime.sleep(this.#woken);
  }

  #becomeAwake(runtime: number): void {
    this.#state = "awake";
    this.#epollControl(EPOLL_CONTROL.ADD, runtime, READY.READ, 0);
    this.#activityBefore = this.#activity;
    const nowMs = performance.now();
    this.#quietCheckMs = nowMs + QUIET_MS;
    this.#runtimeDeadline.set(Number.POSITIVE_INFINITY, nowMs);
    this.#setDeadline(nowMs);
  }

  #endAwake(runtime: number): void {
    this.#epollControl(EPOLL_CONTROL.DELETE, runtime, 0, 0);
    this.#state = "idle";
  }

  /** A deadline that has gone may stay: it wakes us for nothing, once. */
  #setDeadline(nowMs: number): void {
    const timer = this.#state === "awake" ? this.#alarm : this.#runtimeDeadline;
    const dueMs = Math.min(this.#timers.firstMs, this.#quietCheckMs);
    if (dueMs < timer.setMs) timer.set(dueMs, nowMs);
  }

  #planTurn(): void {
    if (this.#inTurn || this.#turnPlanned) return;
    this.#turnPlanned = true;
    this.#runtime.afterLook(this.#plannedTurn);
  }

  readonly #plannedTurn = (): void => {
    this.#turnPlanned = false;
    this.#turn();
  };

  readonly #woken = (): void => {
    this.#runtimeWatches = false;
    this.#turn();
  };

  #turn(): void {
    this.#inTurn = true;
    const before = this.#activity;
    try {
      const runtimeMustLook = this.#look(false);
      if (this.#state === "asleep") {
        if (this.#timers.firstMs <= performance.now()) this.#expire();
        if (this.#activity !== before) this.#seeWhetherBusy();
      }
      if (this.#state === "awake" && !runtimeMustLook) this.#goRound();
    } finally {
      this.#inTurn = false;
      this.#goOn();
    }
  }

  /** After one event others need not follow; after two in a short time they do. */
  #seeWhetherBusy(): void {
    const runtime = this.#runtime.descriptor;
    const nowMs = performance.now();
    const soonAfter = nowMs - this.#lastEventMs < BUSY_GAP_MS;
    this.#lastEventMs = nowMs;
    // While the runtime watches us we cannot watch it.
    if (soonAfter && runtime !== undefined && !this.#runtimeWatches) this.#becomeAwake(runtime);
  }

  /** What follows a turn: another one, or waiting. */
  #goOn(): void {
    if (!this.#soon.isEmpty || this.#later.length > 0) this.#planTurn();
    if (this.#state === "awake") {
      const quiet = this.#quietCheckMs === Number.POSITIVE_INFINITY;
      if (this.#hasWork && !quiet) this.#planTurn();
      else this.#endAwake(this.#runtime.descriptor as number);
    }
    if (this.#state === "asleep") {
      this.#setDeadline(performance.now());
      this.#letRuntimeWatch();
      this.#letGo();
      if (!this.#hasWork && !this.#runtimeWatches) this.#state = "idle";
    } else if (this.#state === "idle" && this.#hasWork) {
      this.#becomeAsleep();
    }
  }

  /** Looks until the runtime must have its turn. */
  #goRound(): void {
    if (this.#runtimeLooks > 0) {
      this.#runtimeLooks -= 1;
      return;
    }
    for (let round = 1; round < ROUNDS_MAX && this.#hasWork; round++) {
      // Without a check whether it is quiet nothing would end the wait.
      assert(this.#quietCheckMs !== Number.POSITIVE_INFINITY, "a wait has an end");
      const mayBlock = this.#soon.isEmpty && this.#later.length === 0;
      if (this.#look(mayBlock)) return;
    }
  }

  /** One look at epoll, and what it finds. True: the runtime must have its turn. */
  #look(mayBlock: boolean): boolean {
    // Given outside of a turn.
    if (!this.#soon.isEmpty) this.#soon.drain(this.#settle);
    const later = this.#later;
    if (later.length > 0) this.#later = [];
    const count = this.#libc.epoll_wait(
      this.#epoll,
      this.#found.address,
      EVENTS_MAX,
      mayBlock ? -1 : 0,
    );
    if (count < 0) {
      const number = errno();
      if (number !== ERRNO.EINTR) throw systemError(number, "epoll_wait", "event loop");
    }
    const runtimeMustLook = this.#dispatch(count);
    for (const action of later) this.#run(action);
    if (!this.#soon.isEmpty) this.#soon.drain(this.#settle);
    return runtimeMustLook;
  }

  #dispatch(count: number): boolean {
    const words = this.#found.words;
    let runtimeMustLook = false;
    let rang = false;
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_WORDS;
      const descriptor = words[at + EVENT_DATA_WORD] as number;
      if (descriptor === this.#alarm.descriptor) {
        rang = true;
      } else if (descriptor === this.#runtime.descriptor) {
        this.#runtimeLooks = LOOKS_AFTER_RUNTIME;
        runtimeMustLook = true;
      } else if (this.#serials[descriptor] === words[at + EVENT_DATA_WORD + 1]) {
        this.#activity += 1;
        this.#owners[descriptor]?.onReady(words[at] as number);
        this.#runtime.drainMicrotasks();
      }
    }
    return rang ? this.#ring() || runtimeMustLook : runtimeMustLook;
  }

  #expire(): number {
    const nowMs = performance.now();
    // Those that are added meanwhile have to wait, even if they are due.
    for (let left = this.#timers.size; left > 0; left--) {
      const timer = this.#timers.takeDue(nowMs);
      if (timer === undefined) break;
      this.#run(timer.action);
    }
    return nowMs;
  }

  /** Something is due. True: it was time to see whether it is quiet, and the runtime shall look at its timers. */
  #ring(): boolean {
    const nowMs = this.#expire();
    const checks = nowMs >= this.#quietCheckMs;
    if (checks) {
      const quiet = this.#activity === this.#activityBefore;
      this.#activityBefore = this.#activity;
      this.#quietCheckMs = quiet ? Number.POSITIVE_INFINITY : nowMs + QUIET_MS;
    }
    // Set in any case: until then its descriptor stays ready.
    const dueMs = Math.min(this.#timers.firstMs, this.#quietCheckMs);
    this.#alarm.set(this.#state === "awake" ? dueMs : Number.POSITIVE_INFINITY, performance.now());
    return checks;
  }

  #run(action: () => void): void {
    action();
    this.#runtime.drainMicrotasks();
  }

  readonly #settle = (): void => this.#runtime.drainMicrotasks();

  #epollControl(operation: number, descriptor: number, interest: number, serial: number): void {
    const words = this.#control.words;
    words[0] = interest;
    words[EVENT_DATA_WORD] = descriptor;
    words[EVENT_DATA_WORD + 1] = serial;
    const failed = this.#libc.epoll_ctl(this.#epoll, operation, descriptor, this.#control.address);
    if (failed !== 0) throw systemError(errno(), "epoll_ctl", `descriptor ${descriptor}`);
  }
}
