import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { err } from "../base/result.ts";
import { readApplianceConfig } from "./appliance_conf.ts";
import { checkConfiguration, isRefused } from "./check.ts";
import { loadNodesFile } from "./nodes.ts";
import { resolvePaths } from "./paths.ts";
import { problemText } from "./problems.ts";
import type { CtdbConfig } from "./types.ts";

const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt");
const paths = resolved.ok ? resolved.value : (undefined as never);
const DIRECTORIES = ["/n", "/n/var/volatile", "/n/var/persistent", "/n/var/state"];
const GOOD = {
  "/n/ctdb.conf": "[cluster]\nnode address = 10.0.0.1\n",
  "/n/nodes": "10.0.0.1\n",
};

async function check(files: Readonly<Record<string, string>>, directories = DIRECTORIES) {
  const memory = new MemoryFiles(files, directories);
  const machine = {
    interfaces: [
      { name: "eth0", up: true, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
    ],
    hasInterface: (name: string) => name === "eth0",
  };
  const loadNodes = async ({ cluster }: CtdbConfig) =>
    loadNodesFile(memory, cluster.nodesList ?? "");
  const problems = await checkConfiguration(memory, paths, loadNodes, machine);
  return { refused: problems.some(isRefused), told: problems.map(problemText) };
}

test("checkConfiguration() has nothing to say of a good configuration", async () => {
  expect(await check(GOOD)).toEqual({ refused: false, told: [] });
});

test("checkConfiguration() tells the problems of all files at once", async () => {
  const { refused, told } = await check(
    {
      ...GOOD,
      "/n/ctdb.conf": "[cluster]\nnode address = 10.0.0.2\nleader timeout = x\n",
      "/n/ctdb-appliance.conf": "[cluster]\nannounced samba version = 4\n",
      "/n/public_addresses": "10.0.0.1 eth0\n",
      "/n/ctdb.tunables": "MonitorInterval=x\n",
      "/n/script.options": "CTDB_NFS_SKIP_SHARE_CHECK=1\n",
    },
    DIRECTORIES.slice(0, 3),
  );
  expect(refused).toBe(true);
  expect(told.map((line) => line.split(", got")[0] as string)).toEqual([
    '"/n/ctdb.conf": line 3: [cluster] leader timeout: expected a whole number of seconds from 1 to 2147483647',
    '"/n/ctdb.conf": [database] state database directory: expected a directory that can be written',
    '"/n/ctdb-appliance.conf": line 2: [cluster] announced samba version: expected MAJOR.MINOR',
    '"/n/ctdb.conf": [cluster] node address: expected an address of the nodes list',
    '"/n/public_addresses": line 1: expected ADDRESS/BITS, such as "10.1.1.1/24"',
    '"/n/nodes": The node address "10.0.0.2" of ctdb.conf is not on this machine',
    '"/n/ctdb.tunables": line 1: MonitorInterval: expected a whole number from 0 to 4294967295',
    '"/n/script.options": line 1: CTDB_NFS_SKIP_SHARE_CHECK: expected yes or no',
  ]);
});

test("checkConfiguration() refuses what a start would only warn of, but not hints", async () => {
  expect((await check({ ...GOOD, "/n/ctdb.conf": "[x]\n" })).refused).toBe(true);
  expect((await check({ ...GOOD, "/n/script.options": "CTDB_MINE=1\n" })).refused).toBe(false);
  const memory = new MemoryFiles(GOOD, DIRECTORIES);
  const failed = [{ file: "!x", line: 0, reason: "expected nodes", severity: "error" as const }];
  const problems = await checkConfiguration(memory, paths, async () => err(failed), undefined);
  expect(problems).toEqual(failed);
});

test("checkConfiguration() hints at an own address and interfaces that this machine does not have", async () => {
  const files = {
    "/n/ctdb.conf": "",
    "/n/nodes": "10.0.0.2\n# 10.0.0.1\n10.0.0.3\n",
    "/n/public_addresses": "10.1.0.1/24 eth0\n10.1.0.2/24 eth0,eth7\n",
  };
  const none = "None of the nodes' addresses is on this machine: 10.0.0.2, 10.0.0.3";
  const eth7 = 'There is no interface "eth7", which has public addresses';
  expect(await check(files)).toEqual({
    refused: false,
    told: [`"/n/nodes": ${none}`, `"/n/public_addresses": ${eth7}`],
  });
  const wrong = { ...GOOD, "/n/ctdb.conf": "[cluster]\nnode address = 10.0.0.9\n" };
  const here = 'The node address "10.0.0.9" of ctdb.conf is not on this machine';
  expect((await check({ ...wrong, "/n/nodes": "10.0.0.9\n" })).told).toEqual([
    `"/n/nodes": ${here}`,
  ]);
});

test("readApplianceConfig() reads our options, and suggests those that are nearly ours", () => {
  const read = (files: Readonly<Record<string, string>>) =>
    readApplianceConfig(new MemoryFiles(files), paths);
  const conf = (text: string) => read({ "/n/ctdb-appliance.conf": text });
  const good = conf("[cluster]\nannounced samba version = 4.17\n");
  expect(good.config.announcedSambaVersion).toBe((4 << 16) | 17);
  expect(read({}).config.announcedSambaVersion).toBeUndefined();
  const near = conf("[cluster]\nannounced samba versio = 4.17\n");
  expect(near.problems.map(problemText)).toEqual([
    '"/n/ctdb-appliance.conf": line 2: expected an option of [cluster], got "announced samba versio" (did you mean "announced samba version"?); it is ignored',
  ]);
});
