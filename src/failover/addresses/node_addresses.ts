/**
 * The public addresses of a node as one object: what is known, what can be hosted, what moves, who is connected. The
 * controls about them are in daemon/controls/addresses.ts.
 *
 * Invariant: a file of public addresses that cannot be used changes nothing.
 */
import { err, ok, type Result, done as succeeded } from "../../base/result.ts";
import { type ConfiguredPublicAddress, parseInterfaces } from "../../config/public_addresses.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import { AddressBook } from "./address_book.ts";
import { Announcer } from "./announcer.ts";
import { Connections, type TickleNetwork } from "./connections.ts";
import type { HeldFile } from "./held_file.ts";
import type { AddressHost } from "./host.ts";
import { type AddressInterface, InterfaceTable } from "./interface_table.ts";
import { AddressMoves } from "./moves.ts";
import type { PublicAddress } from "./public_address.ts";

export interface InterfaceFacts {
  readonly name: string;
  readonly link_state: number;
  readonly references: number;
}

/** On the wire: no interface is active. */
const NO_ACTIVE_INTERFACE = 0xffffffff;

export class NodeAddresses {
  readonly moves: AddressMoves;
  readonly connections: Connections;
  readonly #host: AddressHost;
  readonly #book: AddressBook;
  readonly #announcer: Announcer;

  constructor(host: AddressHost, network: TickleNetwork, held: HeldFile | undefined) {
    this.#host = host;
    this.#book = new AddressBook(
      new InterfaceTable(host.log, host.journal, () => host.interfaceLookup()),
    );
    this.#announcer = new Announcer(host.rawNetwork, host.timers, host.log);
    this.connections = new Connections(host, this.#book, network);
    this.moves = new AddressMoves(host, this.#book, this.#announcer, this.connections, held);
  }

  // --- questions

  /** As GET_PUBLIC_IPS answers. */
  publicIps(onlyAvailable: boolean): readonly { readonly pnn: number; readonly addr: SockAddr }[] {
    this.#book.interfaces.refresh();
    const mayHost = this.#host.mayHost();
    return this.#book
      .list()
      .filter((address) => !onlyAvailable || (mayHost && canBeHosted(address)))
      .map(({ pnn, address }) => ({ pnn, addr: address }));
  }

  /** As GET_PUBLIC_IP_INFO answers; undefined: not a public address. */
  info(asked: SockAddr) {
    const address = this.#book.find(asked);
    if (address === undefined) return undefined;
    this.#book.interfaces.refresh();
    const { candidates, iface, pnn } = address;
    const index = iface === undefined ? -1 : candidates.indexOf(iface);
    const ip = { pnn, addr: address.address };
    const head = { ip, active_idx: index < 0 ? NO_ACTIVE_INTERFACE : index };
    return { head, ifaces: candidates.map(interfaceFacts) };
  }

  interfaces(): readonly InterfaceFacts[] {
    this.#book.interfaces.refresh();
    return this.#book.interfaces.list().map(interfaceFacts);
  }

  /** False: no public address can be on an interface of this name. */
  setLinkState(name: string, up: boolean): boolean {
    const known = this.#book.interfaces.find(name);
    if (known === undefined) return false;
    if (known.linkUp === up) return true;
    const words = (state: boolean) => (state ? "up" : "down");
    this.#host.log.error(
      `Interface ${name} has changed its link status ${words(known.linkUp)} => ${words(up)}`,
    );
    this.#book.interfaces.setLink(known, up);
    return true;
  }

  announce(address: string, interfaceName: string): boolean {
    return this.#announcer.requested(address, interfaceName);
  }

  // --- which there are

  load(configured: readonly ConfiguredPublicAddress[]): Result<void> {
    for (const entry of configured) {
      const added = this.#book.add(entry);
      if (!added.ok) return err(added.error);
    }
    this.#book.interfaces.refresh();
    return succeeded;
  }

  /** Unlike those of the file its interfaces must exist. */
  add(address: SockAddr, prefixLength: number, interfaces: string): Result<void> {
    const names = parseInterfaces(interfaces);
    if (!names.ok) return names;
    const exists = this.#host.interfaceLookup();
    const unknown = names.value.find((name) => exists?.(name) === false);
    if (unknown !== undefined) {
      return err(`expected interfaces that exist, there is no "${unknown}"`);
    }
    const added = this.#book.add({ address, prefixLength, interfaces: names.value });
    return added.ok ? succeeded : err(added.error);
  }

  /** What is hosted here goes with the next takeover run. False: not a public address. */
  delete(address: SockAddr): boolean {
    const known = this.#book.find(address);
    if (known !== undefined) this.moves.delete(known);
    return known !== undefined;
  }

  /** As the file has them now; what was added. */
  reload(configured: readonly ConfiguredPublicAddress[]): Result<number> {
    const { log } = this.#host;
    const wanted = new Set(configured.map(({ address }) => address.address));
    for (const known of this.#book.list()) {
      if (wanted.has(known.text)) continue;
      log.notice(`IP ${known.text} no longer configured, deleting it`);
      this.moves.delete(known);
    }
    let count = 0;
    for (const entry of configured) {
      const known = this.#book.find(entry.address);
      if (known !== undefined) {
        // It was deleted and not yet gone.
        known.deletePending = false;
        continue;
      }
      log.notice(`New IP ${entry.address.address} configured, adding it`);
      const added = this.#book.add(entry);
      if (!added.ok) return err(added.error);
      count += 1;
    }
    this.#book.interfaces.refresh();
    return ok(count);
  }

  close(): void {
    this.moves.close();
    this.connections.close();
    this.#announcer.close();
  }
}

function canBeHosted(address: PublicAddress): boolean {
  return !address.deletePending && address.hasUsableInterface;
}

function interfaceFacts({ name, usable, references }: AddressInterface): InterfaceFacts {
  return { name, link_state: usable ? 1 : 0, references };
}
