/** 11.natgw and ctdb_natgw: who leads, what leader and followers set up, and that it is cleared again. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { nodestatus } from "./node_states.ts";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

const HELPER = join(PROJECT, "scripts/helpers/ctdb_natgw");
const NODES = "10.0.0.1\n10.0.0.2\n10.0.0.3\n";
const OPTIONS = [
  "CTDB_NATGW_PUBLIC_IP=192.0.2.9/24",
  "CTDB_NATGW_PUBLIC_IFACE=eth1",
  "CTDB_NATGW_DEFAULT_GATEWAY=192.0.2.254",
  "CTDB_NATGW_PRIVATE_NETWORK=10.0.0.0/24",
];

/** Node 0, with ctdb_natgw naming `leader`. */
function gatewayBench(leader: string, ...options: readonly string[]): ScriptBench {
  const bench = new ScriptBench();
  bench.write("base/natgw_nodes", NODES);
  bench.options(
    [`CTDB_NATGW_NODES=${bench.path("base/natgw_nodes")}`, ...OPTIONS, ...options].join("\n"),
  );
  bench.standIn("ctdb_natgw", `echo "${leader}"`);
  bench.standIn("ctdb", nodestatus(["10.0.0.1", "10.0.0.2", "10.0.0.3"], {}));
  bench.write("proc/sys/net/ipv4/ip_forward", "0\n");
  return bench;
}

const added = (bench: ScriptBench) => bench.calls("ip").filter((call) => / add /.test(call));

test("ctdb_natgw leader prefers healthy nodes, then lowers its demands twice", async () => {
  using bench = new ScriptBench();
  bench.write("base/natgw_nodes", `# group\n\n10.0.0.1 follower-only\n10.0.0.2\n10.0.0.3 # last`);
  const leader = (states: Readonly<Record<number, string>>) => {
    bench.standIn("ctdb", nodestatus(["10.0.0.1", "10.0.0.2", "10.0.0.3"], states));
    return bench.run(HELPER, "leader");
  };
  expect(await leader({})).toEqual(saying("1 10.0.0.2"));
  expect(await leader({ 1: "unhealthy" })).toEqual(saying("2 10.0.0.3"));
  expect(await leader({ 1: "unhealthy", 2: "disabled" })).toEqual(saying("1 10.0.0.2"));
  expect(await leader({ 1: "stopped", 2: "banned" })).toEqual(saying("2 10.0.0.3"));
  expect(await leader({ 1: "stopped", 2: "disconnected" })).toEqual(saying("1 10.0.0.2"));
  expect(await leader({ 1: "disconnected", 2: "disabled" })).toEqual({ code: 2, output: "" });
});

test("ctdb_natgw list and status show the group", async () => {
  using bench = new ScriptBench();
  bench.write("base/natgw_nodes", "10.0.0.1\tfollower-only\n10.0.0.2\n");
  bench.standIn("ctdb", nodestatus(["10.0.0.1", "10.0.0.2", "10.0.0.22"], {}));
  expect(await bench.run(HELPER, "list")).toEqual(
    saying("10.0.0.1\tfollower-only", "10.0.0.2\tLEADER"),
  );
  expect(await bench.run(HELPER, "status")).toEqual(
    saying("pnn:0 10.0.0.1 OK", "pnn:1 10.0.0.2 OK"),
  );
});

test("ctdb_natgw names what it does not understand", async () => {
  using bench = new ScriptBench();
  bench.write("base/natgw_nodes", "10.0.0.1\n10.0.0.2 slave\n");
  const { code, output } = await bench.run(HELPER, "leader");
  expect(output).toContain('Invalid options "slave"');
  expect(code).toBe(1);
  bench.write("base/natgw_nodes", "10.0.0.1\n");
  bench.standIn("ctdb", "exit 1");
  expect((await bench.run(HELPER, "status")).code).toBe(1);
});

test("the leader has the address, masquerades and routes to the outside", async () => {
  using bench = gatewayBench(
    "0 10.0.0.1",
    'CTDB_NATGW_STATIC_ROUTES="198.51.100.0/24 203.0.113.0/24@192.0.2.1"',
  );
  expect(await bench.event("11.natgw", "ipreallocated")).toEqual(SILENT);
  expect(added(bench)).toEqual([
    "addr add 192.0.2.9/24 dev eth1",
    "route add 198.51.100.0/24 metric 10 via 192.0.2.254",
    "route add 203.0.113.0/24 metric 10 via 192.0.2.1",
  ]);
  expect(bench.calls("iptables").slice(-2)).toEqual([
    "-A POSTROUTING -t nat -s 10.0.0.0/24 ! -d 10.0.0.0/24 -j MASQUERADE",
    "-I INPUT -p tcp --syn -d 192.0.2.9/32 -j REJECT",
  ]);
  expect(bench.read("proc/sys/net/ipv4/ip_forward")).toBe("1\n");
});

test("a follower routes through the leader", async () => {
  using bench = gatewayBench("2 10.0.0.3");
  expect(await bench.event("11.natgw", "ipreallocated")).toEqual(SILENT);
  expect(added(bench)).toEqual(["route add 0.0.0.0/0 metric 10 via 10.0.0.3"]);
});

test("nothing is done twice, and what was set up is cleared by the configuration of then", async () => {
  using bench = gatewayBench("0 10.0.0.1");
  await bench.event("11.natgw", "ipreallocated");
  bench.forgetCalls("ip");
  expect(await bench.event("11.natgw", "ipreallocated")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual([]);

  bench.options(`${bench.read("base/script.options")}\nCTDB_NATGW_PUBLIC_IFACE=eth2`);
  expect(await bench.event("11.natgw", "ipreallocated")).toEqual(
    saying("NAT gateway configuration has changed"),
  );
  expect(bench.calls("ip")).toContain("addr del 192.0.2.9/24 dev eth1");
  expect(added(bench)).toContain("addr add 192.0.2.9/24 dev eth2");
});

test("what could not be set up is tried again", async () => {
  using bench = gatewayBench("2 10.0.0.3");
  bench.standIn("ip", 'case "$*" in "route add"*) echo "Network unreachable"; exit 2 ;; esac');
  const first = await bench.event("11.natgw", "ipreallocated");
  expect(first.output).toContain(
    "Cannot add the NAT gateway's route to 0.0.0.0/0 through 10.0.0.3",
  );
  bench.standIn("ip");
  bench.forgetCalls("ip");
  expect(await bench.event("11.natgw", "ipreallocated")).toEqual(SILENT);
  expect(added(bench)).toHaveLength(1);
});

test("shutdown clears, and the event after a new start sets up again", async () => {
  using bench = gatewayBench("0 10.0.0.1");
  await bench.event("11.natgw", "ipreallocated");
  expect(await bench.event("11.natgw", "shutdown")).toEqual(SILENT);
  expect(bench.calls("ip").slice(-2)).toEqual([
    "addr del 192.0.2.9/24 dev eth1",
    "route del 0.0.0.0/0 metric 10",
  ]);
  bench.forgetCalls("ip");
  await bench.event("11.natgw", "ipreallocated");
  expect(added(bench)).toHaveLength(2);
});

test("a configuration that cannot work is refused, for leaders and followers by their needs", async () => {
  using bench = gatewayBench("-1 0.0.0.0");
  expect(await bench.event("11.natgw", "setup")).toEqual(SILENT);
  expect(await bench.event("11.natgw", "ipreallocated")).toEqual(
    failedWith("There is no NATGW leader node"),
  );
  bench.options(`${bench.read("base/script.options")}\nCTDB_NATGW_PUBLIC_IFACE=`);
  expect(await bench.event("11.natgw", "setup")).toEqual(
    failedWith("Invalid configuration: CTDB_NATGW_PUBLIC_IFACE not set"),
  );
  bench.write("base/natgw_nodes", "10.0.0.1 follower-only\n10.0.0.2\n");
  expect(await bench.event("11.natgw", "setup")).toEqual(SILENT);
});

test("startup refuses an address that is public too, whatever the file looks like", async () => {
  using bench = gatewayBench("0 10.0.0.1");
  expect(await bench.event("11.natgw", "startup")).toEqual(SILENT);
  bench.write("base/public_addresses", "\n# 192.0.2.9/24 eth1\n192.0.2.90/24 eth1");
  expect(await bench.event("11.natgw", "startup")).toEqual(SILENT);
  bench.write("base/public_addresses", "192.0.2.9/25 eth1");
  expect(await bench.event("11.natgw", "startup")).toEqual(
    failedWith("ERROR: CTDB_NATGW_PUBLIC_IP same as a public address"),
  );
});

test("monitor watches the public interface", async () => {
  using bench = gatewayBench("2 10.0.0.3");
  bench.standIn("ethtool", "echo Link detected: no");
  expect(await bench.event("11.natgw", "monitor")).toEqual(
    failedWith("ERROR: No link on the public network interface eth1"),
  );
});
