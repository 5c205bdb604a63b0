/**
 * The public addresses that this node knows, with their interfaces.
 *
 * Invariants:
 * 1. Each address is there once.
 * 2. An interface that no address names any more is forgotten with the last address that did.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { ConfiguredPublicAddress } from "../../config/public_addresses.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import type { InterfaceTable } from "./interface_table.ts";
import { ADDRESSES_MAX } from "./limits.ts";
import { PublicAddress } from "./public_address.ts";

export class AddressBook {
  readonly interfaces: InterfaceTable;
  /** Newest first, as others list them. */
  #addresses: PublicAddress[] = [];

  constructor(interfaces: InterfaceTable) {
    this.interfaces = interfaces;
  }

  get isEmpty(): boolean {
    return this.#addresses.length === 0;
  }
  list(): readonly PublicAddress[] {
    return this.#addresses;
  }

  /** Whatever its port. */
  find({ family, address }: SockAddr): PublicAddress | undefined {
    return this.#addresses.find(
      (known) => known.address.address === address && known.address.family === family,
    );
  }

  add({ address, prefixLength, interfaces }: ConfiguredPublicAddress): Result<PublicAddress> {
    if (this.find(address) !== undefined) return err(`"${address.address}" is known already`);
    if (this.#addresses.length >= ADDRESSES_MAX) {
      return err(`this node has ${ADDRESSES_MAX} public addresses already`);
    }
    const candidates = interfaces.map((name) => this.interfaces.obtain(name));
    const added = new PublicAddress({ ...address, port: 0 }, prefixLength, candidates);
    this.#addresses.unshift(added);
    return ok(added);
  }

  remove(address: PublicAddress): void {
    this.#addresses = this.#addresses.filter((known) => known !== address);
    this.interfaces.keepOnly(new Set(this.#addresses.flatMap(({ candidates }) => candidates)));
  }
}
