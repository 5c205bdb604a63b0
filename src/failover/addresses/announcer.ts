/**
 * Tells the network that an address is here, several times because a packet may be lost: neighbours by ARP or neighbour
 * advertisements, and the clients of its connections by a segment that makes them find out that the connection is gone
 * (docs/failover.md, "After a take").
 */

import type { Logger } from "../../base/log.ts";
import type { RawNetwork } from "../../platform/types/raw_network.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { type Connection, connectionText } from "../../wire/structs/connection_text.ts";
import { sendTickle, tcpEnd } from "../packets/tickle.ts";
import { REQUESTED_ANNOUNCEMENTS_MAX, TICKLES_PER_TURN_MAX } from "./limits.ts";

const REPEATS = 3;
const TAKEN_INTERVAL_MS = 1100;
const REQUESTED_INTERVAL_MS = 1000;

export interface Announcement {
  cancel(): void;
}

export class Announcer {
  readonly #raw: RawNetwork | undefined;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #requested = new Set<Announcement>();
  #saidNothing = false;

  constructor(raw: RawNetwork | undefined, timers: Timers, log: Logger) {
    this.#raw = raw;
    this.#timers = timers;
    this.#log = log;
  }

  /** An address was taken, and `connections` were to the node that had it. */
  taken(
    address: string,
    interfaceName: () => string | undefined,
    connections: readonly Connection[],
  ): Announcement | undefined {
    if (!this.#possible()) return undefined;
    return this.#repeat(TAKEN_INTERVAL_MS, () => {
      const name = interfaceName();
      if (name === undefined) return false;
      this.#announce(address, name);
      this.#tickleAll(connections, 0, interfaceName);
      return true;
    });
  }

  /** Some in each turn: there may be many. */
  #tickleAll(
    connections: readonly Connection[],
    from: number,
    interfaceName: () => string | undefined,
  ): void {
    const end = Math.min(from + TICKLES_PER_TURN_MAX, connections.length);
    for (let at = from; at < end; at++) this.#tickle(connections[at] as Connection);
    if (end === connections.length) return;
    this.#timers.nextTurn(() => {
      if (interfaceName() !== undefined) this.#tickleAll(connections, end, interfaceName);
    });
  }

  /** Somebody else has put an address on an interface. False when it cannot be announced. */
  requested(address: string, interfaceName: string): boolean {
    if (!this.#possible() || this.#requested.size >= REQUESTED_ANNOUNCEMENTS_MAX) return false;
    let left = REPEATS;
    const running = this.#repeat(REQUESTED_INTERVAL_MS, () => {
      this.#announce(address, interfaceName);
      left -= 1;
      if (left === 0) this.#requested.delete(running);
      return true;
    });
    this.#requested.add(running);
    return true;
  }

  close(): void {
    for (const running of this.#requested) running.cancel();
    this.#requested.clear();
  }

  #possible(): boolean {
    if (this.#raw !== undefined) return true;
    if (!this.#saidNothing) {
      this.#saidNothing = true;
      this.#log.error(
        "Public addresses are not announced and connections not ended: no raw network here",
      );
    }
    return false;
  }

  /** Not inside the call; ends early when `action` says false. */
  #repeat(intervalMs: number, action: () => boolean): Announcement {
    let timer: Timer | undefined;
    const step = (left: number) => {
      timer = undefined;
      if (!action() || left <= 1) return;
      timer = this.#timers.after(intervalMs, () => step(left - 1));
    };
    timer = this.#timers.after(0, () => step(REPEATS));
    return { cancel: () => timer?.cancel() };
  }

  #announce(address: string, interfaceName: string): void {
    const sent = this.#raw?.announceAddress(address, interfaceName);
    if (sent?.ok === false) {
      this.#log.error(`Cannot announce ${address} on ${interfaceName}: ${sent.error.message}`);
    }
  }

  #tickle(connection: Connection): void {
    const client = tcpEnd(connection.src);
    const server = tcpEnd(connection.dst);
    if (this.#raw === undefined || client === undefined || server === undefined) return;
    const sent = sendTickle(this.#raw, { src: server, dst: client });
    if (!sent.ok) {
      const what = connectionText(connection);
      this.#log.error(`Cannot send a TCP tickle ACK for ${what}: ${sent.error.message}`);
    }
  }
}
