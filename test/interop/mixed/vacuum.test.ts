/**
 * Deleted records in clusters of our nodes and Debian's: what is deleted on a node of either kind goes
 * from the files of all, whichever kind is lmaster, by nothing but the nodes' own timers; and nothing
 * else goes.
 */
import { expect, test } from "bun:test";
import type { RecordDatabase } from "../../../src/client/record_database.ts";
import { textBytes } from "../../../src/wire/codec.ts";
import { stockInstalled, withCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { until, when } from "../../support/until.ts";
import { MixedCluster } from "./mixed_cluster.ts";
import { step } from "./steps.ts";
import { withDatabases } from "./traffic.ts";

const interop = test.skipIf(!stockInstalled());
const TIMEOUT_MS = 180_000;
const GONE_LIMIT_MS = 60_000;
const PATIENCE_MS = 10_000;
/** Of these the first half is deleted. */
const RECORDS = 120;
/** Fast, and with a full walk every few runs: what a fast run passes over goes, too. */
const TUNABLES = { VacuumInterval: 1, VacuumFastPathCount: 3 };

const contentOf = (key: string) => `value of ${key}`;
const isDeleted = (index: number) => index < RECORDS / 2;

/** Every node has been data master of every record, and so has an old copy of it. */
async function writeEverywhere(
  mixed: MixedCluster,
  databases: ReadonlyMap<number, RecordDatabase>,
  keys: readonly string[],
): Promise<void> {
  for (const database of databases.values()) {
    for (const key of keys) await mixed.update(database, key, () => contentOf(key));
  }
}

async function remove(database: RecordDatabase, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const locking = database.fetchLock(textBytes(key), { timeoutMs: PATIENCE_MS });
    const record = must(await locking, `lock "${key}"`);
    must(await record.delete(PATIENCE_MS), `delete "${key}"`);
  }
}

async function untilGone(mixed: MixedCluster, name: string): Promise<void> {
  let left: string[] = [];
  await until(
    "the deleted records are gone",
    GONE_LIMIT_MS,
    async () => {
      left = [];
      for (const pnn of mixed.pnns) {
        const records = await mixed.localRecords(pnn, name, 0);
        const deleted = [...records.keys()].filter((key) => isDeleted(Number(key.split(" ")[1])));
        if (deleted.length > 0) left.push(`node ${pnn}: ${deleted.length}, as "${deleted[0]}"`);
      }
      return when(left.length === 0);
    },
    () => left.join("; "),
  );
}

for (const stock of [[2], [1, 2]]) {
  interop(
    `Deleted records go from ${3 - stock.length} of our nodes and ${stock.length} of Debian's`,
    () =>
      withCluster({ nodes: 3, stock, tunables: TUNABLES, startNothing: true }, async (cluster) => {
        const mixed = new MixedCluster(cluster);
        await mixed.start(...mixed.pnns);
        await mixed.settled(mixed.pnns);
        for (const deleter of mixed.pnns) {
          const name = `mixed_vacuum_${deleter}.tdb`;
          await withDatabases(mixed, name, mixed.pnns, async (databases) => {
            const keys = Array.from({ length: RECORDS }, (_, index) => `key ${index}`);
            await writeEverywhere(mixed, databases, keys);
            const deleted = keys.filter((_, index) => isDeleted(index));
            await remove(databases.get(deleter) as RecordDatabase, deleted);
            const kind = mixed.kindOf(deleter);
            await step(`deleted on node ${deleter} (${kind})`, () => untilGone(mixed, name));
            const last = databases.get(mixed.pnns.at(-1) as number) as RecordDatabase;
            for (const key of keys.filter((_, index) => !isDeleted(index))) {
              expect(await mixed.read(last, key)).toBe(contentOf(key));
            }
          });
        }
      }),
    TIMEOUT_MS,
  );
}
