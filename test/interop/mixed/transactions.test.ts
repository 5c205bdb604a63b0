/**
 * Transactions in a cluster of our nodes and Debian's: our library and the stock tool on nodes of both
 * kinds, one after the other under the same g_lock, and the files that python3-tdb reads afterwards.
 */
import { test } from "bun:test";
import { stockInstalled, withCluster } from "../../support/local_cluster.ts";
import { TRANSACTION_KINDS, transactEverywhere } from "./transactions.ts";

const interop = test.skipIf(!stockInstalled());
const COUNTS = { increments: 25, stores: 8 };

for (const stock of [[2], [0, 1]]) {
  interop(
    `transactions from everywhere with Debian's ctdbd on ${stock.length} of three nodes`,
    () =>
      withCluster({ nodes: 3, stock }, async (cluster) => {
        for (const kind of TRANSACTION_KINDS) await transactEverywhere(cluster, kind, COUNTS);
      }),
    240_000,
  );
}
