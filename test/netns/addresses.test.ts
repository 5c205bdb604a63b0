/**
 * Public addresses on real interfaces: taken and released by the controls of Debian's tool, moved by a small script, and
 * taken down by a child of ctdbd when ctdbd is killed.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until, when } from "../support/until.ts";
import {
  type NetnsCluster,
  netnsPossible,
  type RunningCluster,
  startNetnsCluster,
} from "./cluster.ts";

const TEST_TIMEOUT_MS = 120_000;
const CHANGE_TIMEOUT_MS = 20_000;
/** From kill -9 of ctdbd until its addresses are down. */
const TAKEN_DOWN_MS_MAX = 2000;
const A = "10.77.0.101";
const B = "10.78.0.1";
const SIX = "fd77::1";
const NOWHERE = "10.79.0.1";
/** No newline at the end. */
const FILE = `# public addresses
${A}/24 eth0

${B}/24 lan0,eth0
${SIX}/64 eth0
${NOWHERE}/24 missing0`;

const SCRIPT = `#!/bin/sh
echo "$*" >>/var/log/addresses
case "$1" in
takeip) ip addr add "$3/$4" dev "$2" nodad ;;
releaseip) ip addr del "$3/$4" dev "$(ip -o addr show to "$3" | { read -r _ dev _; echo "$dev"; })" ;;
updateip) ip addr del "$4/$5" dev "$2"; ip addr add "$4/$5" dev "$3" nodad ;;
esac
`;

let running: RunningCluster | undefined;

beforeAll(async () => {
  if (!netnsPossible()) return;
  // Addresses move when the test says so, and stay where they are otherwise.
  running = await startNetnsCluster({ hosts: 2, kind: "ours", tunables: { NoIPTakeover: 1 } });
  await running.watched(prepare);
}, TEST_TIMEOUT_MS);
afterAll(async () => await running?.end());

async function prepare(cluster: NetnsCluster): Promise<void> {
  for (const node of cluster.nodes) {
    await node.host.must(["ip", "link", "add", "pub0", "type", "veth", "peer", "name", "peer0"]);
    // The file has another name of pub0, which getifaddrs does not list.
    await node.host.must(["ip", "link", "property", "add", "dev", "pub0", "altname", "lan0"]);
    for (const name of ["pub0", "peer0"]) await node.host.must(["ip", "link", "set", name, "up"]);
    node.host.write("/etc/ctdb/events/legacy/10.addresses.script", SCRIPT, 0o755);
    node.host.write("/etc/ctdb/public_addresses", FILE);
  }
  await cluster.node(0).reloadAddresses();
}

function onCluster(title: string, action: (cluster: NetnsCluster) => Promise<void>): void {
  test.skipIf(!netnsPossible())(
    title,
    () => running?.watched(action) as Promise<void>,
    TEST_TIMEOUT_MS,
  );
}

/** `ADDRESS/BITS dev INTERFACE` of a host, without those of lo and link-local ones. */
async function placed(cluster: NetnsCluster, pnn: number): Promise<readonly string[]> {
  const text = await cluster.host(pnn).must(["ip", "-o", "addr", "show", "scope", "global"]);
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(/ +/))
    .map(([, name, , address]) => `${address} ${name}`)
    .sort();
}

async function untilPlaced(cluster: NetnsCluster, pnn: number, expected: readonly string[]) {
  let there: readonly string[] = [];
  await until(
    `host ${pnn} has ${expected.join(", ")}`,
    CHANGE_TIMEOUT_MS,
    async () => {
      there = await placed(cluster, pnn);
      return when(there.join() === [...expected].sort().join());
    },
    () => `it has ${there.join(", ")}`,
  );
}

const own = (pnn: number) => `10.77.0.${pnn + 1}/24 eth0`;

/** Lines of `ctdb -Y -v ip` as node `pnn` has them. */
async function listed(cluster: NetnsCluster, pnn: number): Promise<readonly string[]> {
  return (await cluster.node(pnn).mustCtdb("-Y", "-v", "ip")).trim().split("\n").slice(1).sort();
}

onCluster("stock ctdb ip lists the file's addresses, with what can host them", async (cluster) => {
  expect(await listed(cluster, 0)).toEqual([
    `|${A}|-1||eth0|eth0|`,
    `|${B}|-1||lan0,eth0|lan0,eth0|`,
    `|${NOWHERE}|-1|||missing0|`,
    `|${SIX}|-1||eth0|eth0|`,
  ]);
  expect(await cluster.node(0).mustCtdb("ip")).toStartWith("Public IPs on node 0\n");
  const ifaces = await cluster.node(0).mustCtdb("-Y", "ifaces");
  expect(ifaces.trim().split("\n").slice(1).sort()).toEqual([
    "|eth0|1|0|",
    "|lan0|1|0|",
    "|missing0|0|0|",
  ]);
});

onCluster("addresses move by controls, with the script's ip commands", async (cluster) => {
  const move = (address: string, pnn: number) =>
    cluster.node(1).mustCtdb("moveip", address, String(pnn));
  await move(A, 0);
  await move(B, 0);
  await move(SIX, 0);
  await untilPlaced(cluster, 0, [own(0), `${A}/24 eth0`, `${B}/24 pub0`, `${SIX}/64 eth0`]);
  expect(await listed(cluster, 0)).toEqual([
    `|${A}|0|eth0|eth0|eth0|`,
    `|${B}|0|lan0|lan0,eth0|lan0,eth0|`,
    `|${NOWHERE}|-1|||missing0|`,
    `|${SIX}|0|eth0|eth0|eth0|`,
  ]);
  const hosts = (await listed(cluster, 1)).map((line) => line.split("|")[2]);
  expect(hosts).toEqual(["0", "0", "-1", "0"]);
  await move(A, 1);
  await untilPlaced(cluster, 1, [own(1), `${A}/24 eth0`]);
  await untilPlaced(cluster, 0, [own(0), `${B}/24 pub0`, `${SIX}/64 eth0`]);
  expect((await cluster.node(0).ctdb("moveip", NOWHERE, "0")).code).not.toBe(0);
});

onCluster("an address that another host has too: the log names its interface", async (cluster) => {
  const { client } = cluster;
  await client.must(["ip", "addr", "add", `${A}/24`, "dev", "eth0"]);
  const links = await client.must(["ip", "-json", "link", "show", "eth0"]);
  const [{ address: hardwareAddress }] = JSON.parse(links) as [{ address: string }];
  await cluster.node(1).mustCtdb("moveip", A, "0");
  await until("node 0 tells of the client", CHANGE_TIMEOUT_MS, async () =>
    when(cluster.node(0).log().includes(hardwareAddress)),
  );
  await client.must(["ip", "addr", "del", `${A}/24`, "dev", "eth0"]);
  // Nothing else happens.
  await untilPlaced(cluster, 0, [own(0), `${A}/24 eth0`, `${B}/24 pub0`, `${SIX}/64 eth0`]);
  await cluster.node(1).mustCtdb("moveip", A, "1");
  await untilPlaced(cluster, 1, [own(1), `${A}/24 eth0`]);
});

onCluster("a stopped node has no public address", async (cluster) => {
  await cluster.node(0).mustCtdb("stop", "-n", "1");
  await untilPlaced(cluster, 1, [own(1)]);
  await cluster.node(0).mustCtdb("continue", "-n", "1");
  await cluster.waitReady();
});

onCluster("kill -9 of ctdbd: its addresses are down within 2 s, others stay", async (cluster) => {
  await cluster.node(1).mustCtdb("moveip", A, "0");
  await cluster.node(1).mustCtdb("moveip", SIX, "0");
  await untilPlaced(cluster, 0, [own(0), `${A}/24 eth0`, `${B}/24 pub0`, `${SIX}/64 eth0`]);
  await cluster.host(0).must(["ip", "addr", "add", "10.78.0.200/24", "dev", "pub0"]);
  const startMs = performance.now();
  await cluster.node(0).kill();
  await untilPlaced(cluster, 0, [own(0), "10.78.0.200/24 pub0"]);
  const tookMs = performance.now() - startMs;
  process.stdout.write(`taken down ${Math.round(tookMs)} ms after kill -9\n`);
  expect(tookMs).toBeLessThan(TAKEN_DOWN_MS_MAX);
  // A daemon that starts at once waits for the child that still looks.
  await cluster.node(0).start();
  await cluster.waitReady();
  expect(await placed(cluster, 0)).toEqual(["10.78.0.200/24 pub0", own(0)].sort());
});

onCluster(
  "kill -9 of ctdbd and its recovery daemon: the event daemon does it alone",
  async (cluster) => {
    const { host } = cluster.node(0);
    await cluster.node(1).mustCtdb("moveip", A, "0");
    await untilPlaced(cluster, 0, [own(0), `${A}/24 eth0`, "10.78.0.200/24 pub0"]);
    const startMs = performance.now();
    // Stopped first, so that it cannot act in between.
    await host.must(["pkill", "-STOP", "-x", "ctdb-recoverd"]);
    await cluster.node(0).kill();
    await host.must(["pkill", "-KILL", "-x", "ctdb-recoverd"]);
    await untilPlaced(cluster, 0, [own(0), "10.78.0.200/24 pub0"]);
    expect(performance.now() - startMs).toBeLessThan(TAKEN_DOWN_MS_MAX);
    await cluster.node(0).start();
    await cluster.waitReady();
  },
);

onCluster("kill -9 with failover disabled leaves every address where it is", async (cluster) => {
  const { host } = cluster.node(0);
  await cluster.node(0).stop();
  const conf = host.read("/etc/ctdb/ctdb.conf");
  host.write("/etc/ctdb/ctdb.conf", `${conf}\n[failover]\n\tdisabled = true\n`);
  await cluster.node(0).start();
  await cluster.waitReady();
  await cluster.node(0).mustCtdb("moveip", A, "0");
  await untilPlaced(cluster, 0, [own(0), `${A}/24 eth0`, "10.78.0.200/24 pub0"]);
  await cluster.node(0).kill();
  await until("its recovery daemon has ended", CHANGE_TIMEOUT_MS, async () =>
    when((await host.run(["pgrep", "-x", "ctdb-recoverd"])).code !== 0),
  );
  expect(await placed(cluster, 0)).toEqual([`${A}/24 eth0`, own(0), "10.78.0.200/24 pub0"].sort());
});
