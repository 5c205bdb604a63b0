/** 91.lvs and ctdb_lvs, with stand-ins: this kernel may have no ip_vs. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { nodestatus } from "./node_states.ts";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

const HELPER = join(PROJECT, "scripts/helpers/ctdb_lvs");
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

/** Node 0 of three, with ctdb_lvs naming `leader`, or failing. */
function lvsBench(leader?: number): ScriptBench {
  const bench = new ScriptBench();
  bench.write("base/lvs_nodes", ADDRESSES.map((address) => `${address}\n`).join(""));
  bench.options(
    [
      `CTDB_LVS_NODES=${bench.path("base/lvs_nodes")}`,
      "CTDB_LVS_PUBLIC_IP=192.0.2.9",
      "CTDB_LVS_PUBLIC_IFACE=eth1",
    ].join("\n"),
  );
  bench.standIn("ipvsadm");
  bench.standIn("ctdb", nodestatus(ADDRESSES, {}));
  const answer = leader === undefined ? "exit 255" : `echo ${leader}`;
  const list = ADDRESSES.map((address, pnn) => `echo "${pnn} ${address}"`).join("; ");
  bench.standIn("ctdb_lvs", `case "$1" in leader) ${answer} ;; list) ${list} ;; esac`);
  return bench;
}

test("ctdb_lvs uses the healthy nodes, without any the active ones", async () => {
  using bench = new ScriptBench();
  bench.write("base/lvs_nodes", "# group\n10.0.0.1 follower-only\n10.0.0.2\n10.0.0.3");
  const ask = (what: string, states: Readonly<Record<number, string>>) => {
    bench.standIn("ctdb", nodestatus(ADDRESSES, states));
    return bench.run(HELPER, what);
  };
  expect(await ask("leader", {})).toEqual(saying("1"));
  expect(await ask("list", {})).toEqual(saying("0 10.0.0.1", "1 10.0.0.2", "2 10.0.0.3"));
  expect(await ask("leader", { 1: "unhealthy" })).toEqual(saying("2"));
  expect(await ask("list", { 1: "unhealthy" })).toEqual(saying("0 10.0.0.1", "2 10.0.0.3"));

  const ill = { 0: "unhealthy", 1: "banned", 2: "unhealthy" };
  expect(await ask("leader", ill)).toEqual(saying("2"));
  expect(await ask("list", ill)).toEqual(saying("0 10.0.0.1", "2 10.0.0.3"));

  const gone = { 0: "stopped", 1: "disabled", 2: "disconnected" };
  expect(await ask("leader", gone)).toEqual({ code: 255, output: "" });
  expect(await ask("list", gone)).toEqual(SILENT);
  expect(await ask("status", { 1: "banned" })).toEqual(
    saying("pnn:0 10.0.0.1 OK", "pnn:1 10.0.0.2 BANNED", "pnn:2 10.0.0.3 OK"),
  );
});

test("ctdb_lvs says when it cannot know", async () => {
  using bench = new ScriptBench();
  expect((await bench.run(HELPER, "leader")).output).toContain("lvs_nodes");
  bench.write("base/lvs_nodes", "10.0.0.1\n");
  bench.standIn("ctdb", "exit 1");
  for (const what of ["leader", "list", "status"]) {
    expect(await bench.run(HELPER, what)).toEqual({ code: 10, output: "" });
  }
});

test("startup and every follower hold the address without answering for it", async () => {
  using bench = lvsBench(1);
  bench.write("proc/sys/net/ipv4/conf/all/arp_ignore", "0\n");
  const follower = ["addr del 192.0.2.9/32 dev lo", "addr add 192.0.2.9/32 dev lo scope host"];
  expect(await bench.event("91.lvs", "startup")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual(follower);
  expect(bench.read("proc/sys/net/ipv4/conf/all/arp_ignore")).toBe("3\n");

  bench.forgetCalls("ip");
  bench.forgetCalls("ipvsadm");
  expect(await bench.event("91.lvs", "ipreallocated")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual(follower);
  expect(bench.calls("ipvsadm")).toEqual(["-D -t 192.0.2.9", "-D -u 192.0.2.9"]);
});

test("the leader spreads TCP and UDP over the other nodes and itself, and announces the address", async () => {
  using bench = lvsBench(0);
  expect(await bench.event("91.lvs", "ipreallocated")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual([
    "addr del 192.0.2.9/32 dev lo",
    "addr add 192.0.2.9/32 dev lo",
  ]);
  const both = (before: string, after: string) =>
    ["t", "u"].map((kind) => `${before} -${kind} 192.0.2.9${after}`);
  expect(bench.calls("ipvsadm")).toEqual([
    ...both("-D", ""),
    ...both("-A", " -p 1999999 -s lc"),
    ...both("-a", " -r 10.0.0.2 -g"),
    ...both("-a", " -r 10.0.0.3 -g"),
    ...both("-a", " -r 127.0.0.1"),
  ]);
  expect(bench.calls("ctdb")).toContain("gratarp 192.0.2.9 eth1");
});

test("without a leader everybody is a follower", async () => {
  using bench = lvsBench();
  expect(await bench.event("91.lvs", "ipreallocated")).toEqual(SILENT);
  expect(bench.calls("ip")).toContain("addr add 192.0.2.9/32 dev lo scope host");
});

test("shutdown takes all away", async () => {
  using bench = lvsBench(0);
  expect(await bench.event("91.lvs", "shutdown")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual(["addr del 192.0.2.9/32 dev lo"]);
  expect(bench.calls("ipvsadm")).toEqual(["-D -t 192.0.2.9", "-D -u 192.0.2.9"]);
});

test("who may lead needs an interface, which monitor watches", async () => {
  using bench = lvsBench(0);
  bench.standIn("ethtool", "echo Link detected: no");
  expect(await bench.event("91.lvs", "monitor")).toEqual(
    failedWith("ERROR: No link on the public network interface eth1"),
  );
  bench.options(`${bench.read("base/script.options")}\nCTDB_LVS_PUBLIC_IFACE=`);
  expect(await bench.event("91.lvs", "monitor")).toEqual(
    failedWith("Invalid configuration: CTDB_LVS_PUBLIC_IFACE not set"),
  );
  bench.write("base/lvs_nodes", "10.0.0.1 follower-only\n10.0.0.2\n");
  expect(await bench.event("91.lvs", "monitor")).toEqual(SILENT);
});

test("nothing happens where LVS is not configured or cannot be", async () => {
  using bench = lvsBench(0);
  bench.options("");
  expect(await bench.event("91.lvs", "startup")).toEqual(SILENT);
  expect(bench.calls("ip")).toEqual([]);
});
