/** ctdb-local's parts with Debian's ctdbd as every node: start, status, kill, restart, stop. */
import { expect, test } from "bun:test";
import { STOCK_CTDBD } from "../../src/local/cluster_description.ts";
import { LocalCluster } from "../../src/local/local_cluster.ts";
import { askStockVersion } from "../../src/local/stock_version.ts";
import { connect } from "../support/client.ts";
import { runCommand } from "../support/command.ts";
import { stockInstalled, withCluster } from "../support/local_cluster.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const interop = test.skipIf(!stockInstalled());

interop(
  "LocalCluster.start() brings stock nodes up together, again after a kill",
  async () => {
    await withCluster({ nodes: 2, stock: [0, 1], lock: "file" }, async (cluster) => {
      const status = await cluster.stockCtdb(0, "-X", "nodestatus", "all");
      expect(
        status.stdout
          .trim()
          .split("\n")
          .slice(1)
          .map((line) => line.split("|")[10]),
      ).toEqual(["0", "0"]);
      const second = await LocalCluster.setup(
        cluster.local.directory.path,
        { nodes: 1, executableDirectory: "/nowhere" },
        connect,
      );
      expect(second.ok ? "" : second.error).toContain("stop them first");
      await cluster.kill(1);
      expect(cluster.local.runningNodes()).toEqual([0]);
      await cluster.start(1);
      await cluster.waitReady();
      await cluster.stop();
      expect(cluster.local.runningNodes()).toEqual([]);
      expect((await cluster.local.status()).map((node) => node.health)).toEqual([
        undefined,
        undefined,
      ]);
    });
  },
  120_000,
);

interop(
  "askStockVersion() knows Debian's daemon by what Debian's tool says of itself",
  async () => {
    using directory = new TemporaryDirectory("version");
    const tool = await runCommand(["/usr/bin/ctdb", "version"]);
    const version = await askStockVersion(STOCK_CTDBD, directory.file("probe"));
    if (!version.ok) throw new Error(version.error);
    expect(tool.stdout).toStartWith(`${version.value >> 16}.${version.value & 0xffff}.`);
  },
);

interop(
  "LocalCluster.start() names the log of a node that cannot start",
  async () => {
    await withCluster({ nodes: 1, stock: [0], startNothing: true }, async (cluster) => {
      await Bun.write(`${cluster.base(0)}/nodes`, "127.255.255.1\n");
      const outcome = await cluster.local.start([0], 10_000);
      expect(outcome.ok ? "" : outcome.error).toContain(cluster.local.directory.log(0));
    });
  },
  120_000,
);
