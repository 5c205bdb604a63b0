/**
 * Databases whose content must survive every recovery: 10 000 volatile records, and a persistent and a
 * replicated database.
 *
 * The latter two are written in transactions on a stock node while ours are stopped (transactions of our
 * own come with a later step), so the recovery after `continue` must bring them to our nodes.
 */
import type { RecordDatabase } from "../../../src/client/record_database.ts";
import { type MixedCluster, PERSISTENT, REPLICATED } from "./mixed_cluster.ts";
import { withDatabases } from "./traffic.ts";

const VOLATILE = "mixed_volatile.tdb";
const VOLATILE_RECORDS = 10_000;
const KEPT = [
  { name: "mixed_persistent.tdb", flags: PERSISTENT, attachAs: "persistent" },
  { name: "mixed_replicated.tdb", flags: REPLICATED, attachAs: "replicated" },
] as const;
const KEPT_RECORDS = 12;
/** Raised by every transaction. */
const SEQUENCE_KEY = "__db_sequence_number__\0";

const keyOf = (index: number) => `record-${index}`;
const contentOf = (index: number) => `value of record ${index} ${"x".repeat(index % 150)}`;

/** Every node writes its share, so that all are data masters. */
export async function fillVolatile(mixed: MixedCluster): Promise<void> {
  const { pnns } = mixed;
  await withDatabases(mixed, VOLATILE, pnns, async (databases) => {
    await Promise.all(
      pnns.map(async (pnn, index) => {
        const database = databases.get(pnn) as RecordDatabase;
        for (let i = index; i < VOLATILE_RECORDS; i += pnns.length) {
          await mixed.update(database, keyOf(i), () => contentOf(i));
        }
      }),
    );
  });
}

/** After a recovery every active node holds every record, and all name the same data master. */
export async function checkVolatile(mixed: MixedCluster, pnns: readonly number[]): Promise<void> {
  let masters: ReadonlyMap<string, { readonly dmaster: number }> | undefined;
  for (const pnn of pnns) {
    const records = await mixed.localRecords(pnn, VOLATILE, 0);
    const wrong: string[] = [];
    for (let i = 0; i < VOLATILE_RECORDS; i++) {
      const record = records.get(keyOf(i));
      const master = masters?.get(keyOf(i))?.dmaster ?? record?.dmaster;
      if (record?.value !== contentOf(i) || record.dmaster !== master) {
        wrong.push(`${keyOf(i)}: ${JSON.stringify(record)}`);
      }
    }
    if (wrong.length > 0 || records.size !== VOLATILE_RECORDS) {
      throw new Error(
        `node ${pnn} (${mixed.kindOf(pnn)}): expected ${VOLATILE_RECORDS} records, found ` +
          `${records.size}, ${wrong.length} wrong or missing: ${wrong.slice(0, 3).join("; ")}`,
      );
    }
    masters ??= records;
  }
}

/** Transactions on the stock nodes, with ours stopped; all are active again at the end. */
export async function fillKept(mixed: MixedCluster): Promise<void> {
  const ours = mixed.nodesOf("ours");
  const writer = mixed.nodesOf("stock")[0] as number;
  const run = async (pnn: number, ...args: readonly string[]) => {
    const result = await mixed.cluster.stockCtdb(pnn, ...args);
    if (result.code === 0) return;
    throw new Error(`ctdb ${args.join(" ")} on node ${pnn}: ${result.stderr}${result.stdout}`);
  };
  for (const { name, attachAs } of KEPT) await run(writer, "attach", name, attachAs);
  for (const pnn of ours) await run(pnn, "stop");
  await mixed.settled(mixed.nodesOf("stock"));
  for (const { name } of KEPT) {
    for (let i = 0; i < KEPT_RECORDS; i++)
      await run(writer, "pstore", name, keyOf(i), contentOf(i));
  }
  for (const pnn of ours) await run(pnn, "continue");
  await mixed.settled(mixed.pnns);
}

export async function checkKept(mixed: MixedCluster, pnns: readonly number[]): Promise<void> {
  for (const { name, flags } of KEPT) {
    for (const pnn of pnns) {
      const records = await mixed.localRecords(pnn, name, flags);
      const where = `"${name}" on node ${pnn} (${mixed.kindOf(pnn)})`;
      for (let i = 0; i < KEPT_RECORDS; i++) {
        const value = records.get(keyOf(i))?.value;
        if (value === contentOf(i)) continue;
        throw new Error(`${where}: expected "${contentOf(i)}" of ${keyOf(i)}, got "${value}"`);
      }
      if (records.size === KEPT_RECORDS + 1 && records.has(SEQUENCE_KEY)) continue;
      throw new Error(`${where}: expected ${KEPT_RECORDS} records and a sequence number, got
        ${[...records.keys()].join(", ")}`);
    }
  }
}
