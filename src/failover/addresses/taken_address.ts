/**
 * What follows when an address was taken: it is announced several times, its clients are woken, and somebody else who has
 * it is looked for (docs/failover.md, "After a take").
 *
 * Invariants:
 * 1. Whoever hears us is heard: the look begins before the first packet, and ends LISTEN_MS after the last.
 * 2. A conflict adds one round of announcements, and never a second one: two that both defend an address would go on
 *    for ever.
 * 3. It ends when the address has no interface any more. After cancel() nothing is sent or heard.
 */
import type { Timer, Timers } from "../../platform/types/time.ts";
import type { AddressConflicts, ConflictLook } from "./address_conflicts.ts";

const ROUND = 3;
const INTERVAL_MS = 1100;
/** For the answers to the last packet. */
const LISTEN_MS = 1000;

export interface TakenActions {
  readonly timers: Timers;
  /** undefined: nobody is looked for. */
  readonly conflicts: AddressConflicts | undefined;
  interfaceName(): string | undefined;
  /** False: it could not be announced. */
  announce(interfaceName: string): boolean;
  wakeClients(): void;
}

export class TakenAddress {
  readonly #address: string;
  readonly #actions: TakenActions;
  #roundLeft = ROUND;
  #defenceLeft = 0;
  #look: ConflictLook | undefined;
  /** Where it was looked last, or tried to. */
  #lookedOn: string | undefined;
  #next: Timer;

  /** Not inside the call. */
  constructor(address: string, actions: TakenActions) {
    this.#address = address;
    this.#actions = actions;
    this.#next = this.#after(0);
  }

  cancel(): void {
    this.#next.cancel();
    this.#look?.end();
    this.#look = undefined;
  }

  #after(delayMs: number): Timer {
    return this.#actions.timers.after(delayMs, () => this.#step());
  }

  #step(): void {
    const { conflicts } = this.#actions;
    const name = this.#actions.interfaceName();
    const over = this.#roundLeft === 0 && this.#defenceLeft === 0;
    if (name === undefined || over) {
      this.cancel();
      return;
    }
    this.#lookOn(name);
    const announced = this.#actions.announce(name);
    if (this.#roundLeft > 0) {
      this.#roundLeft -= 1;
      if (announced && this.#look !== undefined) conflicts?.probe(this.#address, name);
      this.#actions.wakeClients();
    } else {
      this.#defenceLeft -= 1;
    }
    const more = this.#roundLeft > 0 || this.#defenceLeft > 0;
    if (more) this.#next = this.#after(INTERVAL_MS);
    else if (this.#look !== undefined) this.#next = this.#after(LISTEN_MS);
  }

  /** It may move to another interface meanwhile. */
  #lookOn(name: string): void {
    if (name === this.#lookedOn) return;
    this.#lookedOn = name;
    this.#look?.end();
    this.#look = this.#actions.conflicts?.look(this.#address, name, () => this.#defend());
  }

  #defend(): void {
    const waited = this.#roundLeft === 0;
    this.#defenceLeft = ROUND;
    if (!waited) return;
    this.#next.cancel();
    this.#next = this.#after(0);
  }
}
