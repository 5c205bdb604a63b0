/**
 * `ctdb doctor` in a real cluster of two of our nodes and one of Debian's: it says nothing while all is well, and finds
 * each fault that is planted, one after the other; then between two hosts with a firewall.
 */
import { expect, test } from "bun:test";
import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { netnsPossible, withNetnsCluster } from "../netns/cluster.ts";
import { DIST } from "../support/executables.ts";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until } from "../support/until.ts";
import { FILE_FAULTS } from "./doctor/faults.ts";
import {
  descendant,
  diagnose,
  expectFound,
  expectHealthy,
  plantFile,
  plantStop,
  plantText,
  untilFound,
} from "./doctor/planting.ts";
import { step } from "./mixed/steps.ts";

const LIMIT_MS = 180_000;
const ERRORS = 2;
const [ASKED, OTHER, STOCK] = [0, 1, 2];
/** Stays so that tunables of all nodes are the same from the start. */
const TUNABLES = { MonitorInterval: 1, AllowMixedVersions: 1 };
const SCRIPT = `#!/bin/sh
[ "$1" = "monitor" ] && [ -e "$CTDB_BASE/sick" ] || exit 0
echo "it is sick"
exit 1
`;
const isRoot = process.getuid?.() === 0;

async function must(cluster: TestCluster, pnn: number, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.ctdb(pnn, ...args);
  expect([args, stderr, code]).toEqual([args, "", 0]);
  return stdout;
}

const pidOf = async (cluster: TestCluster, pnn: number) =>
  Number(await must(cluster, pnn, "getpid"));

/** Faults of processes: they stand still for less than anybody needs to do something about them. */
async function stoppedProcesses(cluster: TestCluster): Promise<void> {
  const stop = (pnn: number, name: string) => async () =>
    plantStop(descendant(await pidOf(cluster, pnn), name));
  await expectFound(cluster, ASKED, ["event-daemon-dead"], stop(ASKED, "ctdb-eventd"));
  await expectFound(cluster, ASKED, ["recovery-daemon-dead"], stop(ASKED, "ctdb-recoverd"));
  const leader = Number(await must(cluster, ASKED, "leader"));
  if (leader !== STOCK) {
    const helper = stop(leader, "ctdb_mutex_fcnt");
    await expectFound(cluster, leader, ["cluster-lock-helper-dead"], helper);
  }
  await step("daemon-silent, node-silent", async () => {
    const mend = plantStop(await pidOf(cluster, OTHER));
    try {
      const [own, peer] = await Promise.all([diagnose(cluster, OTHER), diagnose(cluster, ASKED)]);
      expect([own.ids, own.status]).toEqual([["daemon-silent"], ERRORS]);
      expect(peer.ids).toContain("node-silent");
    } finally {
      await mend();
    }
  });
}

async function nodeStates(cluster: TestCluster): Promise<void> {
  await expectFound(cluster, ASKED, ["tunables-differ"], async () => {
    await must(cluster, OTHER, "setvar", "RecoverTimeout", "31");
    return () => must(cluster, OTHER, "setvar", "RecoverTimeout", "30");
  });
  await expectFound(cluster, ASKED, ["options-differ"], async () => {
    const file = join(cluster.base(OTHER), "ctdb.conf");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, `${before}\n[failover]\nshutdown extra timeout = 3\n`);
    await must(cluster, OTHER, "reload");
    return () => {
      writeFileSync(file, before);
      return must(cluster, OTHER, "reload");
    };
  });
  await expectFound(cluster, ASKED, ["node-unhealthy"], () =>
    plantFile(join(cluster.base(OTHER), "sick"), ""),
  );
  await cluster.waitReady();
  await expectFound(cluster, ASKED, ["node-disabled"], async () => {
    await must(cluster, OTHER, "disable");
    return () => must(cluster, OTHER, "enable");
  });
  await cluster.waitReady();
}

/** 10.interface is not enabled: addresses are only hosted in the books. No machine has any of TEST-NET-3. */
async function publicAddresses(cluster: TestCluster): Promise<void> {
  const ours = [ASKED, OTHER];
  const addresses = ["203.0.113.1", "203.0.113.2"];
  for (const pnn of ours) {
    for (const address of addresses) await must(cluster, pnn, "addip", `${address}/32`, "lo");
  }
  await untilFound(cluster, ASKED, ["public-addresses-differ", "address-not-on-interface"]);
  await expectFound(cluster, ASKED, ["addresses-on-one-node"], async () => {
    await Promise.all(ours.map((pnn) => must(cluster, pnn, "setvar", "NoIPFailback", "1")));
    for (const address of addresses) await must(cluster, ASKED, "moveip", address, String(OTHER));
    return () => undefined;
  });
  await expectFound(cluster, ASKED, ["interface-down", "address-unassigned"], async () => {
    for (const pnn of ours) await must(cluster, pnn, "setifacelink", "lo", "down");
    await must(cluster, ASKED, "ipreallocate");
    return () => undefined;
  });
}

/** Node 1 runs an executable that is gone, of another release, with another lock and few descriptors. */
async function strangeNode(cluster: TestCluster): Promise<void> {
  await must(cluster, ASKED, "attach", "p.tdb", "persistent");
  await cluster.stop(OTHER);
  const corrupt = join(cluster.base(OTHER), "db/persistent/p.tdb.1");
  await step("node-daemon-down, daemon-not-running", async () => {
    writeFileSync(corrupt, "no database any more\n");
    const ids = ["node-daemon-down", "node-disconnected"];
    const [peer, own] = await Promise.all([
      untilFound(cluster, ASKED, ids),
      diagnose(cluster, OTHER),
    ]);
    expect(peer.text).toContain("its ctdbd does not");
    expect([own.ids, own.status]).toEqual([
      ["database-file-damaged", "daemon-not-running"],
      ERRORS,
    ]);
  });
  const executable = join(cluster.base(OTHER), "ctdbd");
  linkSync(join(DIST, "ctdbd"), executable);
  plantText(join(cluster.base(OTHER), "ctdb.conf"), (text) =>
    text.replace(/cluster lock = (.*)/, "cluster lock = $1.other"),
  );
  const start = `ulimit -n 1000; exec "${executable}" --samba-version 4.16`;
  expect((await cluster.run(OTHER, ["sh", "-c", start])).code).toBe(0);
  unlinkSync(executable);
  await step("of the whole cluster", () =>
    untilFound(cluster, ASKED, ["cluster-locks-differ", "peer-old"]),
  );
  await step("of the node itself", () =>
    untilFound(cluster, OTHER, ["executable-replaced", "open-files-few", "database-set-aside"]),
  );
}

test.concurrent.skipIf(!stockInstalled() || !isRoot)(
  "ctdb doctor says nothing on a healthy cluster, and finds what is planted",
  () =>
    withCluster(
      { nodes: 3, stock: [STOCK], lock: "file", startNothing: true, tunables: TUNABLES },
      async (cluster) => {
        for (const pnn of cluster.pnns) {
          const path = join(cluster.base(pnn), "events/legacy/50.told.script");
          writeFileSync(path, SCRIPT, { mode: 0o755 });
        }
        await cluster.start();
        await cluster.waitReady();
        await step("healthy", () => expectHealthy(cluster));
        for (const { ids, plant } of FILE_FAULTS) {
          await expectFound(cluster, ASKED, ids, () => plant(cluster.base(ASKED), cluster));
        }
        await step("mended", () => expectHealthy(cluster));
        await stoppedProcesses(cluster);
        await nodeStates(cluster);
        await publicAddresses(cluster);
        await strangeNode(cluster);
        // There is no more to see, and an orderly end takes nodes that disagree ten seconds.
        for (const pnn of cluster.pnns) await cluster.kill(pnn);
      },
    ),
  LIMIT_MS,
);

test.concurrent.skipIf(!netnsPossible())(
  "ctdb doctor names a firewall between two hosts, a lock that is not shared, and smbd without cluster",
  () =>
    withNetnsCluster(
      { hosts: 2, kind: "ours", tunables: { KeepaliveInterval: 1, KeepaliveLimit: 2 } },
      async (cluster) => {
        const [asked, other] = [cluster.node(0), cluster.host(1)];
        asked.host.write("/etc/samba/smb.conf", "[global]\n\tworkgroup = TEST\n");
        const drop = ["iptables", "-A", "INPUT", "-s", other.address, "-j", "DROP"];
        await asked.host.must(drop);
        let last = "";
        const ids = ["node-behind-firewall", "cluster-lock-on-local-disk", "samba-not-clustered"];
        await until(
          "the firewall is named",
          30_000,
          async () => {
            last = (await asked.ourCtdb(["doctor"])).stdout;
            return ids.every((id) => last.includes(` ${id}: `)) ? true : undefined;
          },
          () => last,
        );
      },
    ),
  LIMIT_MS,
);
