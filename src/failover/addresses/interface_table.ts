/**
 * The interfaces that public addresses may be on: whether each can be used, and how many addresses are on it.
 *
 * Invariants:
 * 1. `references` counts the addresses whose interface it is (public_address.ts).
 * 2. An interface that this machine does not have is not usable, whatever was said about its link.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { InterfaceLookup } from "./host.ts";

export class AddressInterface {
  readonly name: string;
  /** As the scripts that watch interfaces have said last. */
  linkUp = true;
  /** This machine does not have it now. */
  missing = false;
  references = 0;

  constructor(name: string) {
    this.name = name;
  }

  get usable(): boolean {
    return this.linkUp && !this.missing;
  }
}

export class InterfaceTable {
  readonly #log: Logger;
  readonly #journal: Journal;
  readonly #lookup: () => InterfaceLookup | undefined;
  /** Newest first, as others list them. */
  #interfaces: AddressInterface[] = [];

  constructor(log: Logger, journal: Journal, lookup: () => InterfaceLookup | undefined) {
    this.#log = log;
    this.#journal = journal;
    this.#lookup = lookup;
  }

  list(): readonly AddressInterface[] {
    return this.#interfaces;
  }

  find(name: string): AddressInterface | undefined {
    return this.#interfaces.find((entry) => entry.name === name);
  }

  obtain(name: string): AddressInterface {
    const known = this.find(name);
    if (known !== undefined) return known;
    const added = new AddressInterface(name);
    this.#interfaces.unshift(added);
    return added;
  }

  /** Keeps those that some address still names. */
  keepOnly(used: ReadonlySet<AddressInterface>): void {
    this.#interfaces = this.#interfaces.filter((entry) => used.has(entry));
  }

  setLink(entry: AddressInterface, up: boolean): void {
    this.#change(entry, () => {
      entry.linkUp = up;
    });
  }

  /** Looks which of them this machine has now. */
  refresh(): void {
    if (this.#interfaces.length === 0) return;
    const exists = this.#lookup();
    if (exists === undefined) return;
    for (const entry of this.#interfaces) {
      const missing = !exists(entry.name);
      if (missing === entry.missing) continue;
      this.#change(entry, () => {
        entry.missing = missing;
      });
      if (missing) {
        this.#log.warning(
          `Interface "${entry.name}" of public addresses does not exist: they cannot be hosted on it`,
        );
      } else {
        this.#log.notice(`Interface "${entry.name}" of public addresses exists now`);
      }
    }
  }

  #change(entry: AddressInterface, change: () => void): void {
    const before = entry.usable;
    change();
    const { name, usable: up } = entry;
    if (up !== before) this.#journal.record({ kind: "interface_link", interface: name, up });
  }
}
