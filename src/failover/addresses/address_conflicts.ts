/**
 * Whether somebody else on the network has an address that was taken: who it is, is said in the log
 * (docs/failover.md, "Address conflicts"). IPv4 only: for IPv6 the kernel looks itself.
 *
 * Invariants:
 * 1. One watch for each interface on which addresses are looked after, closed with the last of them.
 * 2. A look tells its owner of a conflict once at most, and an address has one line a minute at most.
 * 3. What this host says itself, on whichever interface, is no conflict.
 */
import type { Logger } from "../../base/log.ts";
import type { ArpNetwork, ArpSpeaker, ArpWatch } from "../../platform/types/raw_network.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";

const LINE_INTERVAL_MS = 60_000;

export interface ConflictLook {
  end(): void;
}

interface Look {
  readonly onConflict: () => void;
  told: boolean;
}

interface Watched {
  readonly watch: ArpWatch;
  /** By address. */
  readonly looks: Map<string, Look>;
}

export class AddressConflicts {
  readonly #network: ArpNetwork;
  readonly #timers: Timers;
  readonly #log: Logger;
  /** By interface. */
  readonly #watched = new Map<string, Watched>();
  /** By address: until it may be spoken of again. */
  readonly #spokenOf = new Map<string, Timer>();

  constructor(network: ArpNetwork, timers: Timers, log: Logger) {
    this.#network = network;
    this.#timers = timers;
    this.#log = log;
  }

  /** Until its end, or the next for the same address there. undefined: nobody can be heard there, which is in the log. */
  look(address: string, interfaceName: string, onConflict: () => void): ConflictLook | undefined {
    const watched = this.#watch(interfaceName);
    if (watched === undefined) return undefined;
    const { watch, looks } = watched;
    const look: Look = { onConflict, told: false };
    looks.set(address, look);
    const end = () => {
      if (looks.get(address) !== look) return;
      looks.delete(address);
      if (looks.size > 0) return;
      watch.close();
      this.#watched.delete(interfaceName);
    };
    return { end };
  }

  /** Whoever has the address answers, and is heard by those who look. */
  probe(address: string, interfaceName: string): void {
    const sent = this.#network.probeAddress(address, interfaceName);
    if (!sent.ok) this.#cannot(interfaceName, sent.error.message);
  }

  close(): void {
    for (const { watch, looks } of this.#watched.values()) {
      looks.clear();
      watch.close();
    }
    this.#watched.clear();
    for (const timer of this.#spokenOf.values()) timer.cancel();
    this.#spokenOf.clear();
  }

  #watch(interfaceName: string): Watched | undefined {
    const known = this.#watched.get(interfaceName);
    if (known !== undefined) return known;
    const watch = this.#network.watchArp(interfaceName, (speaker) =>
      this.#heard(interfaceName, speaker),
    );
    if (!watch.ok) {
      this.#cannot(interfaceName, watch.error.message);
      return undefined;
    }
    const added: Watched = { watch: watch.value, looks: new Map() };
    this.#watched.set(interfaceName, added);
    return added;
  }

  #heard(interfaceName: string, { address, hardwareAddress }: ArpSpeaker): void {
    const look = this.#watched.get(interfaceName)?.looks.get(address);
    if (look === undefined || look.told) return;
    const own = this.#network.hardwareAddresses();
    // Without them nobody can be told from ourselves.
    if (!own.ok || own.value.has(hardwareAddress)) return;
    look.told = true;
    this.#say(address, interfaceName, hardwareAddress);
    look.onConflict();
  }

  #say(address: string, interfaceName: string, hardwareAddress: string): void {
    if (this.#spokenOf.has(address)) return;
    const again = this.#timers.after(LINE_INTERVAL_MS, () => this.#spokenOf.delete(address));
    this.#spokenOf.set(address, again);
    this.#log.error(
      `Address conflict: ${hardwareAddress} on the network of ${interfaceName} has ${address} too, which this node hosts`,
    );
  }

  #cannot(interfaceName: string, reason: string): void {
    this.#log.error(`Cannot look for address conflicts on ${interfaceName}: ${reason}`);
  }
}
