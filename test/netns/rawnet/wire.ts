/** Two machines and the wire between them, with IPv4 and IPv6 addresses that are used at once. */
import { Namespaces } from "../namespaces.ts";
import { Network } from "../network.ts";
import { CLIENT, INTERFACE, SERVER } from "./ends.ts";

export interface Wire {
  readonly server: Namespaces;
  readonly client: Namespaces;
}

/** What a reaction over the wire takes at most. */
const HOSTS = [
  ["server", SERVER],
  ["client", CLIENT],
] as const;

export async function withWire<T>(action: (wire: Wire) => Promise<T>): Promise<T> {
  const network = await Network.start();
  const machines: Namespaces[] = [];
  try {
    for (const [name, addresses] of HOSTS) {
      const machine = await Namespaces.start(name);
      machines.push(machine);
      await network.connect(machine, INTERFACE, `${addresses.ipv4}/24`);
      // Otherwise the address waits for its duplicate for some seconds.
      await machine.must([
        "ip",
        "address",
        "add",
        `${addresses.ipv6}/64`,
        "dev",
        INTERFACE,
        "nodad",
      ]);
    }
    const [server, client] = machines as [Namespaces, Namespaces];
    return await action({ server, client });
  } finally {
    for (const machine of machines) await machine.end();
    await network.end();
  }
}
