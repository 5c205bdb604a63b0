/**
 * What the node is, as an event, from time to time: what was at some moment is rebuilt from the last one before it and
 * the events since (docs/journal.md). At the start, after the first recovery, after a reload of the nodes, and every
 * STATE_INTERVAL_MS.
 */
import type { Journal, JournalNodeState } from "../../base/journal_event.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { STATE_INTERVAL_MS } from "./limits.ts";

export class StateEvents {
  readonly #journal: Journal;
  readonly #timers: Timers;
  readonly #look: () => JournalNodeState;
  #timer: Timer | undefined;
  #recovered = false;

  constructor(journal: Journal, timers: Timers, look: () => JournalNodeState) {
    this.#journal = journal;
    this.#timers = timers;
    this.#look = look;
  }

  start(): void {
    this.write();
    this.#timer = this.#timers.every(STATE_INTERVAL_MS, () => this.write());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  write(): void {
    this.#journal.record({ kind: "state", ...this.#look() });
  }

  recoveryEnded(): void {
    if (this.#recovered) return;
    this.#recovered = true;
    this.write();
  }
}
