/** Hosts with stock smbd over one kind of ctdbd, and the clients that load them. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetnsCluster } from "../../netns/cluster.ts";
import { processTree } from "../process_tree.ts";
import { type Metered, metered } from "../processor_time.ts";
import type { LoadClient } from "./load_client.ts";
import { SMB_LOADS, type SmbLoad } from "./smb_loads.ts";

const DIRECTORY = "bench";

export class SmbCluster {
  readonly #cluster: NetnsCluster;
  readonly #client: LoadClient;
  readonly #daemons: readonly number[];

  constructor(cluster: NetnsCluster, client: LoadClient) {
    this.#cluster = cluster;
    this.#client = client;
    this.#daemons = cluster.nodes.map(({ host }) => daemonPid(host.namespaces.pid));
  }

  /** Puts the load on the nodes for that long. */
  async measure(load: SmbLoad, durationMs: number): Promise<Metered> {
    // A new directory: no run finds what an earlier one has made.
    const path = this.#makeDirectory(load.files);
    try {
      return await metered(this.#daemons, () =>
        this.#client.run({ load: SMB_LOADS.indexOf(load), durationMs, directory: DIRECTORY }),
      );
    } finally {
      rmSync(path, { recursive: true });
    }
  }

  /** Milliseconds of processor time a second that all processes of all hosts use. */
  async processorTime(forMs: number): Promise<number> {
    const trees = this.#cluster.nodes.map(({ host }) => processTree(host.namespaces.pid));
    const pids = trees.flat().map(({ pid }) => pid);
    const { processorMs, elapsedMs } = await metered(pids, async () => {
      await Bun.sleep(forMs);
      return 1;
    });
    return (processorMs * 1000) / elapsedMs;
  }

  #makeDirectory(files: readonly string[]): string {
    const path = join(this.#cluster.shared, DIRECTORY);
    mkdirSync(path);
    chmodSync(path, 0o777);
    for (const file of files) {
      writeFileSync(join(path, file), "");
      chmodSync(join(path, file), 0o666);
    }
    return path;
  }
}

/** The ctdbd of a host, as a number outside: the recovery daemon of stock nodes is a ctdbd by another name. */
function daemonPid(firstProcess: number): number {
  const daemon = processTree(firstProcess).find(({ role }) => role === "ctdbd");
  if (daemon === undefined) throw new Error("no ctdbd runs on the host");
  return daemon.pid;
}
