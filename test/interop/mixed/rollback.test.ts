/**
 * One node of a cluster goes back to Debian's ctdbd, and forward again, as in a rolling replacement, without an
 * environment variable or a tunable: ours tells each stock node that node's own version. And what each side prints where
 * that is turned off.
 *
 * A stock ctdbd has no say in this: it ends itself when an older process announces another version.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stockInstalled, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { until, when } from "../../support/until.ts";
import { type Layout, withKinds } from "./kinds.ts";

const TIMEOUT_MS = 240_000;
const END_MS = 60_000;
const CANNOT_CONTINUE = "CTDB Cluster with mixed versions, cannot continue";
const mixed = test.skipIf(!stockInstalled());

function announce(cluster: TestCluster, pnn: number, version: string): void {
  const text = `[cluster]\n\tannounced samba version = ${version}\n`;
  writeFileSync(join(cluster.base(pnn), "ctdb-appliance.conf"), text);
}

/** Its log first: one that is about to write its pid file looks as if it had ended. */
async function hasEnded(cluster: TestCluster, pnn: number, mismatch: string): Promise<void> {
  const said = () => cluster.log(pnn);
  await until(`node ${pnn} says why it ends`, END_MS, () => when(said().includes(mismatch)), said);
  await until(`node ${pnn} has ended`, END_MS, () =>
    when(cluster.local.process(pnn).daemonPid() === undefined),
  );
  expect(said()).toContain(CANNOT_CONTINUE);
}

async function replace(before: TestCluster, pnn: number, layout: Layout) {
  await before.stop(pnn);
  const after = withKinds(before, layout);
  await after.start(pnn);
  await after.waitReady();
  return after;
}

mixed(
  "A node goes back to stock and forward again, one after the other, as either was there first",
  async () => {
    await withCluster({ nodes: 3 }, async (ours) => {
      const one = await replace(ours, 2, "OOS");
      const two = await replace(one, 1, "OSS");
      const again = await replace(two, 2, "OSO");
      await replace(again, 1, "OOO");
    });
  },
  TIMEOUT_MS,
);

mixed(
  "With a version of its own announced, ours ends a stock node that starts beside it, and itself beside an older one",
  async () => {
    await withCluster({ nodes: 2, startNothing: true }, async (ours) => {
      announce(ours, 0, "4.25");
      const cluster = withKinds(ours, "OS");
      const { local } = cluster;
      must(await local.process(0).start());
      await until("node 0 answers", END_MS, async () =>
        when((await cluster.ctdb(0, "runstate")).code === 0),
      );
      must(await local.process(1).start());
      await hasEnded(cluster, 1, "Keepalive version mismatch 0x00040011 != 0x00040019 from node 0");

      await cluster.stop(0);
      must(await local.process(1).start());
      await until("node 1 runs", END_MS, async () =>
        when((await cluster.stockCtdb(1, "runstate", "running")).code === 0),
      );
      must(await local.process(0).start());
      await hasEnded(cluster, 0, "Keepalive version mismatch 0x00040019 != 0x00040011 from node 1");
      // What helps the one helps the other.
      announce(cluster, 0, "4.17");
      await cluster.start(0);
      await cluster.waitReady();
    });
  },
  TIMEOUT_MS,
);
