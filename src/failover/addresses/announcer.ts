/**
 * Tells the network that an address is here, several times because a packet may be lost: neighbours by ARP or neighbour
 * advertisements, and the clients of its connections by a segment that makes them find out that the connection is gone
 * (docs/failover.md, "After a take").
 */
import type { Logger } from "../../base/log.ts";
import type { ArpNetwork, RawNetwork } from "../../platform/types/raw_network.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { type Connection, connectionText } from "../../wire/structs/connection_text.ts";
import { sendTickle, tcpEnd } from "../packets/tickle.ts";
import { AddressConflicts } from "./address_conflicts.ts";
import { REQUESTED_ANNOUNCEMENTS_MAX, TICKLES_PER_TURN_MAX } from "./limits.ts";
import { TakenAddress } from "./taken_address.ts";

const REQUESTED_TIMES = 3;
const REQUESTED_INTERVAL_MS = 1000;

export interface Announcement {
  cancel(): void;
}

export class Announcer {
  readonly #raw: RawNetwork | undefined;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #requested = new Set<Announcement>();
  readonly #conflicts: AddressConflicts | undefined;
  #saidNothing = false;

  constructor(raw: (RawNetwork & ArpNetwork) | undefined, timers: Timers, log: Logger) {
    this.#raw = raw;
    this.#timers = timers;
    this.#log = log;
    this.#conflicts = raw === undefined ? undefined : new AddressConflicts(raw, timers, log);
  }

  /** An address was taken, and `connections` were to the node that had it. */
  taken(
    address: string,
    interfaceName: () => string | undefined,
    connections: readonly Connection[],
  ): Announcement | undefined {
    if (!this.#possible()) return undefined;
    return new TakenAddress(address, {
      timers: this.#timers,
      // IPv6 addresses are looked for by the kernel before it uses them.
      conflicts: address.includes(":") ? undefined : this.#conflicts,
      interfaceName,
      announce: (name) => this.#announce(address, name),
      wakeClients: () => this.#tickleAll(connections, 0, interfaceName),
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
    let timer: Timer;
    const running = { cancel: () => timer.cancel() };
    const step = (left: number) => {
      this.#announce(address, interfaceName);
      if (left === 1) this.#requested.delete(running);
      else timer = this.#timers.after(REQUESTED_INTERVAL_MS, () => step(left - 1));
    };
    // Not inside the call.
    timer = this.#timers.after(0, () => step(REQUESTED_TIMES));
    this.#requested.add(running);
    return true;
  }

  close(): void {
    for (const running of this.#requested) running.cancel();
    this.#requested.clear();
    this.#conflicts?.close();
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

  #announce(address: string, interfaceName: string): boolean {
    const sent = this.#raw?.announceAddress(address, interfaceName);
    if (sent?.ok === false) {
      this.#log.error(`Cannot announce ${address} on ${interfaceName}: ${sent.error.message}`);
    }
    return sent?.ok === true;
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
