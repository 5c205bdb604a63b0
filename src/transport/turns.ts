/**
 * Where every callback of the platform enters the daemon. A turn runs inside a named trace span, and
 * at its end every link that got packets writes them: one write per link and turn, however many
 * packets it was.
 *
 * Invariant: after the outermost `run` returned, no link of this daemon has unwritten packets that its
 * stream would take.
 */
import type { TracedTurns } from "../base/trace.ts";
import type { Timer, Timers } from "../platform/types/time.ts";

/** Something that collects output during a turn. */
export interface Flushable {
  flush(): void;
}

export class Turns {
  readonly trace: TracedTurns;
  readonly #timers: Timers;
  #depth = 0;
  #dirty: Flushable[] = [];
  #flushPlanned = false;

  constructor(trace: TracedTurns, timers: Timers) {
    this.trace = trace;
    this.#timers = timers;
  }

  run<T>(name: string, action: () => T): T;
  /** With an argument, so that a packet costs no closure. */
  run<T, A>(name: string, action: (argument: A) => T, argument: A): T;
  run<T, A>(name: string, action: (argument?: A) => T, argument?: A): T {
    const startMs = this.trace.begin();
    this.#depth += 1;
    try {
      return action(argument);
    } finally {
      if (this.#depth === 1) this.#flush();
      this.#depth -= 1;
      this.trace.end(name, startMs);
    }
  }

  /** Called once per link when its first packet of a turn is queued. */
  flushAtEnd(link: Flushable): void {
    this.#dirty.push(link);
    if (this.#depth > 0 || this.#flushPlanned) return;
    // Somebody sends outside of a turn: still once, for all of what it does now.
    this.#flushPlanned = true;
    this.#timers.soon(() => {
      this.#flushPlanned = false;
      this.run("write", () => {});
    });
  }

  /** Timers whose actions are turns of this name. */
  timers(name: string): Timers {
    const timers = this.#timers;
    return {
      after: (delayMs: number, action: () => void): Timer =>
        timers.after(delayMs, () => this.run(name, action)),
      every: (intervalMs: number, action: () => void): Timer =>
        timers.every(intervalMs, () => this.run(name, action)),
      soon: (action: () => void): void => timers.soon(() => this.run(name, action)),
      nextTurn: (action: () => void): void => timers.nextTurn(() => this.run(name, action)),
    };
  }

  #flush(): void {
    // Flushing may close a link, which may send to others: they are flushed too.
    while (this.#dirty.length > 0) {
      const links = this.#dirty;
      this.#dirty = [];
      for (const link of links) link.flush();
    }
  }
}
