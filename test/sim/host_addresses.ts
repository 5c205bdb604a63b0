/**
 * What the kernel of a simulated host knows of its public interfaces: which addresses are on them, and whether a cable
 * is in. It outlives the processes of the host, and is empty after a loss of power. It also records what a host says to
 * the public network.
 */
import { SystemError } from "../../src/base/errors.ts";
import { done, err, ok } from "../../src/base/result.ts";
import type { NetworkInterface } from "../../src/platform/types/network.ts";
import type { ArpNetwork, RawNetwork } from "../../src/platform/types/raw_network.ts";

export const PUBLIC_INTERFACES = ["pub0", "pub1"] as const;
const PREFIX_LENGTH = 24;

export function publicAddress(number: number): string {
  return `192.168.7.${number + 1}`;
}

/** The file that every node reads: half of the addresses can be on either interface. */
export function publicAddressesFile(count: number): string {
  const line = (_: unknown, number: number) =>
    `${publicAddress(number)}/${PREFIX_LENGTH} ${number % 2 === 0 ? "pub0" : "pub0,pub1"}\n`;
  return Array.from({ length: count }, line).join("");
}

interface Placed {
  readonly interfaceName: string;
  readonly prefixLength: number;
}

export class HostAddresses {
  readonly #placed = new Map<string, Placed>();
  readonly #unplugged = new Set<string>();
  /** Told when an address has come to this host or gone from it. */
  onChange: (what: "came" | "went", address: string) => void = () => {};
  onAnnounced: (address: string) => void = () => {};
  onTickled: (from: string, to: { readonly address: string; readonly port: number }) => void =
    () => {};

  has(address: string): boolean {
    return this.#placed.has(address);
  }
  /** In no particular order that means anything. */
  get all(): readonly string[] {
    return [...this.#placed.keys()];
  }
  interfaceOf(address: string): string | undefined {
    return this.#placed.get(address)?.interfaceName;
  }

  add(address: string, interfaceName: string, prefixLength = PREFIX_LENGTH): void {
    const came = !this.#placed.has(address);
    this.#placed.set(address, { interfaceName, prefixLength });
    if (came) this.onChange("came", address);
  }

  remove(address: string): void {
    if (this.#placed.delete(address)) this.onChange("went", address);
  }

  clear(): void {
    for (const address of this.all) this.remove(address);
  }

  hasLink(interfaceName: string): boolean {
    return !this.#unplugged.has(interfaceName);
  }
  setLink(interfaceName: string, plugged: boolean): void {
    if (plugged) this.#unplugged.delete(interfaceName);
    else this.#unplugged.add(interfaceName);
  }
  get allPlugged(): boolean {
    return this.#unplugged.size === 0;
  }

  interfaces(): readonly NetworkInterface[] {
    return PUBLIC_INTERFACES.map((name) => ({
      name,
      up: true,
      addresses: [...this.#placed]
        .filter(([, { interfaceName }]) => interfaceName === name)
        .map(([address, { prefixLength }]) => ({ address, prefixLength })),
    }));
  }

  /** For ctdbd: packets go nowhere, and are told. */
  rawNetwork(): RawNetwork & ArpNetwork {
    return {
      announceAddress: (address, interfaceName) => {
        if (!PUBLIC_INTERFACES.some((name) => name === interfaceName)) {
          return err(new SystemError("ENODEV", "sendto", interfaceName));
        }
        this.onAnnounced(address);
        return done;
      },
      sendSegment: ({ src, dst }) => {
        this.onTickled(src.address, dst);
        return done;
      },
      captureSegments: () => ok({ dropped: 0, close: () => {} }),
      probeAddress: () => done,
      watchArp: () => ok({ close: () => {} }),
      hardwareAddresses: () => ok(new Set()),
    };
  }
}
