/** Machines and the wire between them, with IPv4 and IPv6 addresses that are used at once. */
import { Namespaces } from "../namespaces.ts";
import { Network } from "../network.ts";

export const INTERFACE = "eth0";
export const FAMILIES = ["ipv4", "ipv6"] as const;

export type Addresses = Readonly<Record<(typeof FAMILIES)[number], string>>;

export const SERVER: Addresses = { ipv4: "10.88.0.1", ipv6: "fd88::1" };
export const CLIENT: Addresses = { ipv4: "10.88.0.2", ipv6: "fd88::2" };

export class Wire {
  readonly #network: Network;
  readonly #machines: Namespaces[] = [];

  private constructor(network: Network) {
    this.#network = network;
  }

  /** Everything ends with the action. */
  static async with<T>(action: (wire: Wire) => Promise<T>): Promise<T> {
    const wire = new Wire(await Network.start());
    try {
      return await action(wire);
    } finally {
      for (const machine of wire.#machines) await machine.end();
      await wire.#network.end();
    }
  }

  /** One more interface of a machine, without address. */
  connect(machine: Namespaces, interfaceName: string): Promise<void> {
    return this.#network.connect(machine, interfaceName);
  }

  async machine(name: string, addresses: Addresses): Promise<Namespaces> {
    const machine = await Namespaces.start(name);
    this.#machines.push(machine);
    await this.#network.connect(machine, INTERFACE, `${addresses.ipv4}/24`);
    // Otherwise the address waits some seconds for a duplicate of it.
    const words = ["address", "add", `${addresses.ipv6}/64`, "dev", INTERFACE, "nodad"];
    await machine.must(["ip", ...words]);
    return machine;
  }
}
