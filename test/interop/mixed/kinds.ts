/**
 * Which daemon runs on which node of a cluster, by a letter for each node: "OSS" is one of ours and two of Debian's.
 * Nothing announces a Samba version for them: what ours says in its keepalives it has to find out by itself.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalNode, LockKind } from "../../../src/local/cluster_description.ts";
import { LocalCluster } from "../../../src/local/local_cluster.ts";
import { connect } from "../../support/client.ts";
import { TestCluster, withCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { MixedCluster } from "./mixed_cluster.ts";

/** O is ours, S Debian's 4.17, N the newest of upstream, if somebody has built it. */
export type Letter = "O" | "S" | "N";
export type Layout = string;

export const KIND_NAMES: Readonly<Record<Letter, string>> = {
  O: "ours",
  S: "4.17",
  N: "newest",
};

/** Names a folder with the programs of a Samba built for this; without it no cell with N runs. */
export const NEWEST_VARIABLE = "CTDB_TEST_NEWEST";

/** Public addresses that every node of a layout may have. */
const ADDRESSES = [1, 2, 3, 4].map((number) => `192.0.2.${number}/24 lo`);

export function lettersOf(layout: Layout): readonly Letter[] {
  return [...layout].map((letter) => {
    if (letter === "O" || letter === "S" || letter === "N") return letter;
    throw new Error(`expected a layout of the letters O, S and N, got "${layout}"`);
  });
}

export function newestCtdbd(): string | undefined {
  const folder = process.env[NEWEST_VARIABLE];
  const path = folder === undefined ? undefined : join(folder, "ctdbd");
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** The same cluster, whose nodes are of these kinds from their next start on. */
export function withKinds(cluster: TestCluster, layout: Layout): TestCluster {
  const { directory, description } = cluster.local;
  const nodes = lettersOf(layout).map((letter, pnn): LocalNode => {
    const { stockCtdbd: _, ...node } = description.nodes[pnn] as LocalNode;
    if (letter !== "N") return { ...node, stock: letter === "S" };
    const stockCtdbd = newestCtdbd();
    if (stockCtdbd === undefined) {
      throw new Error(`expected a folder with a ctdbd in ${NEWEST_VARIABLE} for a node N`);
    }
    return { ...node, stock: true, stockCtdbd };
  });
  directory.write({ ...description, nodes });
  return new TestCluster(must(LocalCluster.open(directory.path, connect)));
}

/** A cluster of a layout that has not been started. */
export async function withLayout<T>(
  layout: Layout,
  lock: LockKind,
  action: (mixed: MixedCluster) => Promise<T>,
): Promise<T> {
  const nodes = layout.length;
  const extras = { publicAddresses: Array.from({ length: nodes }, () => ADDRESSES) };
  return await withCluster({ nodes, lock, startNothing: true, extras }, async (plain) => {
    const cluster = withKinds(plain, layout);
    for (const pnn of cluster.pnns) {
      // A node of ours that runs no scripts hosts no addresses.
      const script = join(cluster.base(pnn), "events/legacy/00.nothing.script");
      writeFileSync(script, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    }
    try {
      return await action(new MixedCluster(cluster));
    } finally {
      await cluster.end();
    }
  });
}
