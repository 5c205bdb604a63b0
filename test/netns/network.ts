/** The wire between hosts: a bridge in a network namespace of its own, one veth pair per address. */
import { Namespaces } from "./namespaces.ts";

const BRIDGE = "lan";

export class Network {
  readonly #switch: Namespaces;
  #ports = 0;

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

  /** Gives the host an interface with the address ("10.0.0.1/24") on this network. */
  async connect(host: Namespaces, interfaceName: string, address: string): Promise<void> {
    this.#ports += 1;
    const port = `port${this.#ports}`;
    const lines = [
      `link add ${port} type veth peer name ${interfaceName} netns ${host.pid}`,
      `link set ${port} master ${BRIDGE} up`,
    ];
    // The pid is one of outside: only the network is entered.
    await batch(["nsenter", `--target=${this.#switch.pid}`, "--net"], lines);
    await batch(
      ["nsenter", `--target=${host.pid}`, "--net"],
      [`address add ${address} dev ${interfaceName}`, `link set ${interfaceName} up`],
    );
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
