/** The project's event scripts under Debian's daemons: an address moves from a node that cannot serve. */
import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { SCRIPTS } from "../scripts/script_bench.ts";
import { until, when } from "../support/until.ts";
import { type NetnsCluster, netnsPossible, withNetnsCluster } from "./cluster.ts";

const PROGRAMS = [
  "/usr/sbin/iptables",
  "/usr/sbin/ethtool",
  "/usr/bin/tdbtool",
  "/usr/libexec/ctdb/ctdb-event",
];
const possible = netnsPossible() && PROGRAMS.every((path) => existsSync(path));
const ADDRESS = "10.77.0.101";
const MOVE_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 180_000;
const ENABLED = ["00.ctdb", "05.system", "10.interface", "15.network", "95.database"];

/** Everything beside the events, and those that are enabled. */
function install(cluster: NetnsCluster, pnn: number): void {
  const host = cluster.host(pnn);
  const wanted = (path: string) =>
    !path.endsWith(".script") || ENABLED.some((name) => path.endsWith(`/${name}.script`));
  cpSync(SCRIPTS, host.path("/etc/ctdb"), { recursive: true, filter: wanted });
  host.write("/etc/ctdb/public_addresses", `${ADDRESS}/24 eth0`);
  mkdirSync(host.path("/var/lib/ctdb/scripts"), { recursive: true });
}

async function hasAddress(cluster: NetnsCluster, pnn: number): Promise<boolean> {
  return (await cluster.host(pnn).must(["ip", "-brief", "addr"])).includes(`${ADDRESS}/24`);
}

/** What the client hears from a port where nobody listens: a host that is there refuses. */
async function answerOf(cluster: NetnsCluster): Promise<string> {
  const knock = `exec 3<>/dev/tcp/${ADDRESS}/9`;
  return (await cluster.client.run(["timeout", "10", "bash", "-c", knock])).stderr;
}

test.skipIf(!possible)(
  "event scripts of ours run under the stock event daemon",
  () =>
    withNetnsCluster({ hosts: 2, kind: "stock" }, async (cluster) => {
      for (const pnn of [0, 1]) install(cluster, pnn);
      await cluster.node(0).reloadAddresses();

      const owner = await until("one node has the address", MOVE_TIMEOUT_MS, async () => {
        const owners = [await hasAddress(cluster, 0), await hasAddress(cluster, 1)];
        return owners[0] === owners[1] ? undefined : owners.indexOf(true);
      });
      expect(await answerOf(cluster)).toContain("refused");

      const monitor = await cluster.node(owner).mustCtdb("event", "run", "30", "legacy", "monitor");
      expect(monitor).toBe("");
      const status = await cluster.node(owner).mustCtdb("event", "status", "legacy", "monitor");
      for (const name of ENABLED) expect(status).toMatch(new RegExp(`^${name}\\s+OK`, "m"));

      await cluster.node(owner).mustCtdb("disable");
      await until("the other node has the address, alone", MOVE_TIMEOUT_MS, async () =>
        when((await hasAddress(cluster, 1 - owner)) && !(await hasAddress(cluster, owner))),
      );
      expect(await answerOf(cluster)).toContain("refused");
      // Nothing is left that would keep the next one from being reached.
      expect(await cluster.host(owner).must(["iptables", "-S", "INPUT"])).toBe("-P INPUT ACCEPT\n");
    }),
  TEST_TIMEOUT_MS,
);
