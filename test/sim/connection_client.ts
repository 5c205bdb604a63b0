/**
 * An smbd of one simulated node, as far as public addresses know it: it tells its ctdbd of each connection that an
 * outside client makes to an address that is here.
 */
import { connectClient } from "../../src/client/ctdb_client.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

const RECONNECT_MS = 1000;
const PAUSE_MS = [4000, 30_000] as const;
const OUTSIDE_ADDRESS = "172.16.0.9";
const SERVICE_PORT = 445;

export class ConnectionClient {
  readonly #cluster: SimCluster;
  readonly #node: SimNode;
  readonly #random: SeededRandom;
  #process: SimProcess;

  constructor(cluster: SimCluster, node: SimNode, random: SeededRandom) {
    this.#cluster = cluster;
    this.#node = node;
    this.#random = random;
    this.#process = this.#newProcess();
  }

  start(): void {
    void this.#run(this.#process);
  }

  /** It goes with the power of its host; another one begins. */
  #newProcess(): SimProcess {
    const process = this.#node.newClientProcess("smbd");
    process.onDeath(() => {
      this.#process = this.#newProcess();
      void this.#run(this.#process);
    });
    return process;
  }

  async #run(process: SimProcess): Promise<void> {
    const network = this.#cluster.network.forProcess(this.#node.host, process);
    while (process.alive) {
      const connected = await connectClient(network, process.timers, this.#node.socket);
      if (connected.ok) await this.#work(process, connected.value);
      await sleep(process, RECONNECT_MS);
    }
  }

  async #work(process: SimProcess, client: CtdbClient): Promise<void> {
    while (client.connected) {
      await sleep(process, this.#random.between(...PAUSE_MS));
      const here = this.#node.host.publicAddresses.all;
      if (here.length > 0 && client.connected) await this.#tell(client, this.#random.pick(here));
    }
    client.close();
  }

  async #tell(client: CtdbClient, address: string): Promise<void> {
    const port = this.#cluster.addresses.newPort();
    const end = (text: string, number: number) =>
      ({ family: "ipv4", address: text, port: number, scope: 0 }) as const;
    const connection = { src: end(OUTSIDE_ADDRESS, port), dst: end(address, SERVICE_PORT) };
    const answer = await client.control("TCP_CLIENT", connection);
    if (!answer.ok || answer.value.status !== 0) return;
    this.#cluster.addresses.connectionTold(this.#node.pnn, address, port);
  }
}

function sleep(process: SimProcess, ms: number): Promise<void> {
  return new Promise((resolve) => process.timers.after(ms, resolve));
}
