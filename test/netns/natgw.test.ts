/**
 * 11.natgw with real addresses, routes and iptables: two hosts of a private network, of which one reaches the
 * outside through the other, until that leads no more.
 */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { Host } from "./host.ts";
import { namespacesPossible } from "./namespaces.ts";
import { Network } from "./network.ts";

const TEST_TIMEOUT_MS = 120_000;
const NODES = ["10.90.0.1", "10.90.0.2"];
const OUTSIDE = "198.51.100.9";
const GATEWAY = "192.0.2.100";
const SCRIPT = "/etc/ctdb/events/legacy/11.natgw.script";
const PORT = 8000;
const LISTENING_TIMEOUT_MS = 10_000;
const possible = namespacesPossible() && Bun.which("iptables") !== null;

const OPTIONS = [
  "CTDB_NATGW_NODES=/etc/ctdb/natgw_nodes",
  "CTDB_NATGW_PRIVATE_NETWORK=10.90.0.0/24",
  `CTDB_NATGW_PUBLIC_IP=${GATEWAY}/24`,
  "CTDB_NATGW_PUBLIC_IFACE=eth1",
  "CTDB_NATGW_DEFAULT_GATEWAY=192.0.2.1",
].join("\n");

/** ctdb and ctdb_natgw as they answer on node `pnn` while `leader` leads. */
function install(host: Host, pnn: number): void {
  cpSync(join(PROJECT, "scripts/events"), host.path("/etc/ctdb"), { recursive: true });
  host.write("/etc/ctdb/script.options", OPTIONS);
  host.write("/etc/ctdb/natgw_nodes", `${NODES.join("\n")}\n`);
  mkdirSync(host.path("/var/lib/ctdb/scripts"), { recursive: true });
  host.write("/var/lib/ctdb/scripts/my-pnn", `${pnn}\n`);
  host.write("/var/lib/ctdb/scripts/my-ip-address", `${NODES[pnn]}\n`);
}

async function reallocate(hosts: readonly Host[], leader: number): Promise<void> {
  for (const host of hosts) {
    const answer = `#!/bin/sh\necho "${leader} ${NODES[leader]}"\n`;
    host.write("/etc/ctdb/helpers/ctdb_natgw", answer, 0o755);
    const env = { CTDB_BASE: "/etc/ctdb", CTDB_HELPER_BINDIR: "/etc/ctdb/helpers" };
    expect(await host.must([SCRIPT, "ipreallocated"], { env })).toBe("");
  }
}

const CONNECT = `exec 3<>/dev/tcp/${OUTSIDE}/${PORT}`;
const reaches = async (host: Host) =>
  (await host.run(["timeout", "5", "bash", "-c", CONNECT])).code === 0;

test.skipIf(!possible)(
  "a node without a public address reaches the outside through the leader, whoever that is",
  async () => {
    using directory = new TemporaryDirectory("natgw");
    const [inner, outer] = [await Network.start(), await Network.start()];
    const hosts: Host[] = [];
    const start = async (name: string, address: string, network: Network) => {
      mkdirSync(directory.file(name));
      const place = { name, address, prefixLength: 24, directory: directory.file(name) };
      const host = await Host.start(place, network);
      hosts.push(host);
      return host;
    };
    try {
      const nodes = [
        await start("one", NODES[0] ?? "", inner),
        await start("two", NODES[1] ?? "", inner),
      ];
      const router = await start("outside", "192.0.2.1", outer);
      await router.must(["ip", "address", "add", `${OUTSIDE}/32`, "dev", "lo"]);
      router.namespaces.spawn(["python3", "-m", "http.server", "-d", "/run", `${PORT}`]);
      await until("somebody listens outside", LISTENING_TIMEOUT_MS, async () =>
        when(await reaches(router)),
      );
      for (const [pnn, node] of nodes.entries()) {
        install(node, pnn);
        await outer.connect(node.namespaces, "eth1", `192.0.2.${pnn + 10}/24`);
      }

      for (const leader of [0, 1, 0]) {
        await reallocate(nodes, leader);
        // The router knows no way to 10.90.0.0/24: answers come to whoever masquerades.
        for (const node of nodes) expect(await reaches(node)).toBe(true);
        const addresses = await Promise.all(
          nodes.map((node) => node.must(["ip", "-br", "address", "show", "to", GATEWAY])),
        );
        expect(addresses.map((text) => text !== "")).toEqual([leader === 0, leader === 1]);
        const rules = await Promise.all(
          nodes.map((node) => node.must(["iptables", "-t", "nat", "-S", "POSTROUTING"])),
        );
        expect(rules.map((text) => text.split("MASQUERADE").length - 1)).toEqual([
          leader === 0 ? 1 : 0,
          leader === 1 ? 1 : 0,
        ]);
      }

      await nodes[0]?.must([SCRIPT, "shutdown"], { env: { CTDB_BASE: "/etc/ctdb" } });
      expect(await nodes[0]?.must(["ip", "route", "show", "default"])).toBe("");
      expect(await nodes[0]?.must(["iptables", "-S", "INPUT"])).toBe("-P INPUT ACCEPT\n");
    } finally {
      for (const host of hosts) await host.end();
      for (const network of [inner, outer]) await network.end();
    }
  },
  TEST_TIMEOUT_MS,
);
