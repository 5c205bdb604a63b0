/**
 * A node starts with two lines of its nodes file swapped: nodes of ours keep it out and go on, whoever it runs;
 * one of ours says itself that it disagrees, also when the others are Debian's.
 */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";

const interop = test.skipIf(!stockInstalled());
const WRONG = 2;
const LIMIT_MS = 60_000;

/** Nodes 0 and 1 are there; then the third comes with its first two lines swapped. */
async function startWrong(cluster: TestCluster): Promise<void> {
  await cluster.start(0, 1);
  const path = `${cluster.base(WRONG)}/nodes`;
  const [first, second, ...rest] = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [second, first, ...rest].join("\n"));
  // Waits until its daemon serves clients; whether it is ready is not asked.
  await cluster.local.process(WRONG).start();
}

/** Does the node's status have a sentence about the other one? */
async function complains(
  cluster: TestCluster,
  pnn: number,
  other: number,
): Promise<true | undefined> {
  const { stdout } = await cluster.ctdb(pnn, "status");
  return when(stdout.includes(`\nNode ${other} (`));
}

for (const stock of [[], [WRONG]]) {
  const what = stock.length === 0 ? "ours" : "Debian's";
  interop(
    `a node of ${what} with another nodes list is kept out by ours, who serve on, and comes in mended`,
    async () => {
      const options = { nodes: 3, stock, lock: "file", startNothing: true } as const;
      await withCluster(options, async (cluster) => {
        await startWrong(cluster);
        for (const pnn of [0, 1]) {
          await until(`node ${pnn} complains of node 2`, LIMIT_MS, () =>
            complains(cluster, pnn, 2),
          );
        }
        await cluster.waitReady(0, 1);
        expect((await cluster.ctdb(0, "attach", "p.tdb", "persistent")).code).toBe(0);
        expect((await cluster.ctdb(0, "pstore", "p.tdb", "key", "value")).code).toBe(0);
        expect((await cluster.ctdb(1, "pfetch", "p.tdb", "key")).stdout).toContain("value");
        if (stock.length === 0) {
          expect(await complains(cluster, WRONG, 0)).toBe(true);
          expect(await complains(cluster, WRONG, 1)).toBe(true);
        }
        await cluster.stop(WRONG);
        writeFileSync(`${cluster.base(WRONG)}/nodes`, readFileSync(`${cluster.base(0)}/nodes`));
        await cluster.start(WRONG);
        await cluster.waitReady();
        expect(await complains(cluster, 0, 2)).toBeUndefined();
      });
    },
    180_000,
  );
}

interop(
  "a node of ours with another nodes list than Debian's nodes says so, and leaves them alone",
  async () => {
    const options = { nodes: 3, stock: [0, 1], lock: "file", startNothing: true } as const;
    await withCluster(options, async (cluster) => {
      await startWrong(cluster);
      for (const pnn of [0, 1]) {
        await until(`node 2 complains of node ${pnn}`, LIMIT_MS, () => complains(cluster, 2, pnn));
      }
      await cluster.waitReady(0, 1);
      expect((await cluster.stockCtdb(0, "attach", "p.tdb", "persistent")).code).toBe(0);
      expect((await cluster.stockCtdb(0, "pstore", "p.tdb", "key", "value")).code).toBe(0);
    });
  },
  180_000,
);
