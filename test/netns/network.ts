/** The wire between hosts: a bridge in a network namespace of its own, one veth pair per address. */
import { Namespaces } from "./namespaces.ts";

const BRIDGE = "lan";

export class Network {
  readonly #switch: Namespaces;
  /** By host and interface. */
  readonly #ports = new Map<string, string>();

  private constructor(bridge: Namespaces) {
    this.#switch = bridge;
  }

  static async start(): Promise<Network> {
    const bridge = await Namespaces.start("switch");
    // A port forwards at once: no spanning tree, no waiting for one.
    await bridge.must(["ip", "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0"]);
    await bridge.must(["ip", "link", "set", BRIDGE, "up"]);
    return new Network(bridge);
  }

  /** Gives the host an interface on this network, with the address ("10.0.0.1/24") if there is one. */
  async connect(host: Namespaces, interfaceName: string, address?: string): Promise<void> {
    const port = `port${this.#ports.size + 1}`;
    this.#ports.set(`${host.name} ${interfaceName}`, port);
    const lines = [
      `link add ${port} type veth peer name ${interfaceName} netns ${host.pid}`,
      `link set ${port} master ${BRIDGE} up`,
    ];
    // The pid is one of outside: only the network is entered.
    await batch(["nsenter", `--target=${this.#switch.pid}`, "--net"], lines);
    await batch(
      ["nsenter", `--target=${host.pid}`, "--net"],
      [
        ...(address === undefined ? [] : [`address add ${address} dev ${interfaceName}`]),
        `link set ${interfaceName} up`,
      ],
    );
  }

  /** Pulls the cable out of an interface, or puts it in again. */
  async setCable(host: Namespaces, interfaceName: string, state: "up" | "down"): Promise<void> {
    const port = this.#ports.get(`${host.name} ${interfaceName}`);
    if (port === undefined) throw new Error(`${host.name} has no "${interfaceName}" here`);
    await this.#switch.must(["ip", "link", "set", port, state]);
  }

  end(): Promise<void> {
    return this.#switch.end();
  }
}

async function batch(enter: readonly string[], lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const argv = [...enter, "--", "ip", ...line.split(" ")];
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const stderr = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`ip ${line}: ${stderr}`);
  }
}
