/** Real clusters whose nodes talk TLS: an authority beside the cluster, and each node's files where it looks for them. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { DIST } from "./executables.ts";
import type { TestCluster } from "./local_cluster.ts";

export class ClusterAuthority {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** `ctdb-appliance ca` with these arguments; throws when it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const argv = [join(DIST, "ctdb-appliance"), "ca", ...args, "--directory", this.directory];
    const { code, stdout, stderr } = await runCommand(argv);
    if (code !== 0) throw new Error(`ca ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** What the authority has for an address becomes that of a node. */
  give(cluster: TestCluster, pnn: number, address = addressOf(cluster, pnn)): void {
    const to = join(cluster.base(pnn), "tls");
    mkdirSync(to, { recursive: true });
    cpSync(join(this.directory, "nodes", address), to, { recursive: true, force: true });
  }
}

export function addressOf(cluster: TestCluster, pnn: number): string {
  const node = cluster.local.description.nodes.find((one) => one.pnn === pnn);
  if (node === undefined) throw new Error(`there is no node ${pnn}`);
  return node.address;
}

/** An authority with certificates for all nodes; each node is told to use its own. */
export async function useTls(cluster: TestCluster): Promise<ClusterAuthority> {
  const authority = new ClusterAuthority(join(cluster.local.directory.path, "authority"));
  await authority.run("init");
  await authority.run("node", ...cluster.pnns.map((pnn) => addressOf(cluster, pnn)));
  for (const pnn of cluster.pnns) {
    setTransport(cluster, pnn, "tls");
    authority.give(cluster, pnn);
  }
  return authority;
}

export function setTransport(cluster: TestCluster, pnn: number, transport: "tcp" | "tls"): void {
  const file = join(cluster.base(pnn), "ctdb-appliance.conf");
  writeFileSync(file, `[cluster]\n\ttransport = ${transport}\n`);
}
