/**
 * keepalived moves the address, ctdbd does not: the files of docs/operations.md, "keepalived", on two hosts. The address leaves
 * a node whose ctdbd was killed, is on the other, and comes back.
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesText } from "../../src/base/byte_text.ts";
import { PROJECT } from "../support/source_tree.ts";
import { until, when } from "../support/until.ts";
import { AddressWatch } from "./address_watch.ts";
import { type NetnsCluster, netnsPossible, PUBLIC_INTERFACE, withNetnsCluster } from "./cluster.ts";

const KEEPALIVED = "/usr/sbin/keepalived";
const MOVES_MS = 60_000;
const LIMIT_MS = 240_000;
const ADDRESS = "10.78.0.101";
/** Nobody listens there: a host that has the address says so. */
const CONNECT = `exec 3<>/dev/tcp/${ADDRESS}/9`;
const PRIORITIES = [200, 100];
const DOCUMENTED = { own: "10.0.0.1", peer: "10.0.0.2", address: "192.0.2.10", interface: "eth1" };
/** The old host and the new one may tell of one move in either order. */
const TOLERATED_MS = 300;

/** A file as the document has it, between its fences. */
function documented(name: string): string {
  const text = bytesText(readFileSync(join(PROJECT, "docs/operations.md")));
  const found = new RegExp(`\`\`\`${name.replaceAll(".", "\\.")}\\n([^]*?)\`\`\`\\n`).exec(
    text,
  )?.[1];
  if (found === undefined) throw new Error(`docs/operations.md has no "${name}"`);
  return found;
}

/** What who follows the document has to change, and nothing else. */
function configuration(own: string, peer: string, priority: number): string {
  return documented("keepalived.conf")
    .replaceAll(DOCUMENTED.own, "OWN")
    .replaceAll(DOCUMENTED.peer, peer)
    .replaceAll("OWN", own)
    .replaceAll(DOCUMENTED.address, ADDRESS)
    .replaceAll(DOCUMENTED.interface, PUBLIC_INTERFACE)
    .replaceAll("priority 200", `priority ${priority}`);
}

async function startKeepalived(cluster: NetnsCluster): Promise<() => string> {
  let said = "";
  for (const [pnn, { host }] of cluster.nodes.entries()) {
    const peer = cluster.host(1 - pnn).address;
    mkdirSync(host.path("/run/keepalived"), { recursive: true });
    host.write(
      "/etc/ctdb/keepalived.conf",
      configuration(host.address, peer, PRIORITIES[pnn] ?? 0),
    );
    const options = ["--dont-fork", "--log-console", "--use-file", "/etc/ctdb/keepalived.conf"];
    const child = host.namespaces.spawn([KEEPALIVED, ...options]);
    for (const stream of [child.stdout, child.stderr]) {
      void (async () => {
        for await (const chunk of stream) said += `${host.name}: ${bytesText(chunk)}`;
      })();
    }
  }
  return () => said.slice(-4000);
}

test.skipIf(!netnsPossible() || !existsSync(KEEPALIVED))(
  "keepalived takes the address from a node whose ctdbd is killed, and gives it back",
  async () => {
    const options = {
      ...({ hosts: 2, kind: "ours", publicNetwork: true } as const),
      ctdbConf: "\n[failover]\n\tdisabled = true\n",
      applianceConf: () => "[admin]\n\tenabled = yes\n",
    };
    const prepare = async (host: { write(path: string, text: string, mode: number): void }) =>
      host.write("/etc/ctdb/notify.sh", documented("notify.sh"), 0o755);
    await withNetnsCluster({ ...options, prepare }, async (cluster) => {
      const hosts = cluster.nodes.map(({ host }) => host);
      const watch = await AddressWatch.start(hosts, PUBLIC_INTERFACE);
      const said = await startKeepalived(cluster);
      const isOn = (pnn: number) =>
        until(
          `the address is on host${pnn}`,
          MOVES_MS,
          () => when(watch.holders(ADDRESS).join() === String(pnn)),
          said,
        );
      const reachable = () =>
        until("the client reaches the address", MOVES_MS, async () =>
          when(/refused/.test((await cluster.client.run(["bash", "-c", CONNECT])).stderr)),
        );
      await isOn(0);
      await reachable();
      await cluster.node(0).kill();
      await isOn(1);
      await reachable();
      await cluster.node(0).start();
      await isOn(0);
      await reachable();
      expect(watch.overlaps(undefined, TOLERATED_MS)).toEqual([]);
      await watch.end();
    });
  },
  LIMIT_MS,
);
