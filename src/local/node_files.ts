/** Writes what a node of a local cluster reads: directories, ctdb.conf, nodes, tunables. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ClusterDescription,
  type ClusterDirectory,
  type LocalNode,
  STOCK_CTDBD,
} from "./cluster_description.ts";

/** Starts from nothing: databases and logs of an earlier cluster in the directory are removed. */
export function writeNodeFiles(
  directory: ClusterDirectory,
  description: ClusterDescription,
  node: LocalNode,
): void {
  const base = directory.base(node.pnn);
  rmSync(base, { recursive: true, force: true });
  for (const name of [
    "run",
    "var",
    "share",
    "events/legacy",
    "events/notification",
    "db/volatile",
    "db/persistent",
    "db/state",
  ]) {
    mkdirSync(join(base, name), { recursive: true });
  }
  const addresses = description.nodes.map(({ address }) => `${address}\n`);
  writeFileSync(join(base, "nodes"), addresses.join(""));
  const publicAddresses = description.publicAddresses?.[node.pnn] ?? [];
  writeFileSync(
    join(base, "public_addresses"),
    publicAddresses.map((line) => `${line}\n`).join(""),
  );
  writeFileSync(join(base, "ctdb.conf"), configuration(directory, description, node));
  const tunables = Object.entries(description.tunables);
  if (tunables.length > 0) {
    const lines = tunables.map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(base, "ctdb.tunables"), lines.join(""));
  }
  // Hooks of the stock daemon that it would miss in its log.
  writeFileSync(join(base, "notify.sh"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
}

function configuration(
  directory: ClusterDirectory,
  description: ClusterDescription,
  node: LocalNode,
): string {
  const base = directory.base(node.pnn);
  const lock = clusterLock(directory, description);
  const text = `[logging]
	location = file:${base}/log.ctdb
	log level = ${description.logLevel}

[cluster]
	node address = ${node.address}
${lock === undefined ? "" : `	cluster lock = ${lock}\n`}
[database]
	volatile database directory = ${base}/db/volatile
	persistent database directory = ${base}/db/persistent
	state database directory = ${base}/db/state
${description.failoverDisabled === true ? "\n[failover]\n\tdisabled = true\n" : ""}`;
  const commentedOut = description.commentedOut ?? [];
  return text
    .split("\n")
    .map((line) => {
      const name = line.slice(1).split(" = ")[0] ?? "";
      return commentedOut.includes(name) ? `\t# ${line.slice(1)}` : line;
    })
    .join("\n");
}

/** The same text on every node: daemons compare it. */
function clusterLock(
  directory: ClusterDirectory,
  description: ClusterDescription,
): string | undefined {
  switch (description.lock) {
    case "none":
      return undefined;
    case "file":
      return directory.lockFile;
    case "command": {
      const { lockRecheckSec } = description;
      const helper = `!${helperDirectory(description)}/ctdb_mutex_fcntl_helper`;
      return `${helper} ${directory.lockFile}${lockRecheckSec === undefined ? "" : ` ${lockRecheckSec}`}`;
    }
  }
}

function helperDirectory(description: ClusterDescription): string {
  const ours = description.nodes.some((node) => !node.stock);
  if (ours) return description.executableDirectory;
  return description.stockCtdbd === STOCK_CTDBD
    ? "/usr/libexec/ctdb"
    : description.stockCtdbd.replace(/\/[^/]*$/, "");
}
