/**
 * What the node is, as an event, from time to time: what was at some moment is rebuilt from the last one before it and
 * the events since (docs/journal.md). At the start, after the first recovery, after a reload of the nodes, and every
 * STATE_INTERVAL_MS if the one before is kept already: where nobody keeps events they would fill the ring, and they are
 * the largest of all.
 */
import type { JournalNodeState } from "../../base/journal_event.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import type { JournalRing } from "./journal_ring.ts";
import { STATE_INTERVAL_MS } from "./limits.ts";

export class StateEvents {
  readonly #ring: JournalRing;
  readonly #timers: Timers;
  readonly #look: () => JournalNodeState;
  #timer: Timer | undefined;
  #recovered = false;
  /** Number of the last one. */
  #number = 0;

  constructor(ring: JournalRing, timers: Timers, look: () => JournalNodeState) {
    this.#ring = ring;
    this.#timers = timers;
    this.#look = look;
  }

  start(): void {
    this.write();
    this.#timer = this.#timers.every(STATE_INTERVAL_MS, () => {
      if (this.#ring.first > this.#number) this.write();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  write(): void {
    this.#ring.record({ kind: "state", ...this.#look() });
    this.#number = this.#ring.last;
  }

  recoveryEnded(): void {
    if (this.#recovered) return;
    this.#recovered = true;
    this.write();
  }
}
