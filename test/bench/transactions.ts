/** Transactions and the locks around them, by one client after the other: what a commit costs. */
import { GlobalLocks } from "../../src/client/g_lock.ts";
import { openPersistentDatabase } from "../../src/client/persistent_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import { must } from "../support/must.ts";
import { lockEnvironment } from "../support/tdbs.ts";
import { connectAll, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";

const LOCKS = 3000;
const REPLICATED = 400;
const PERSISTENT = 60;

/** Lock and unlock one name on `nodes` nodes in turn: the record is changed twice for each. */
async function locksPerSecond(cluster: BenchCluster, nodes: number): Promise<number> {
  const clients = await connectAll(cluster, nodes);
  const locks = await Promise.all(
    clients.map(async (client) =>
      must(await GlobalLocks.open(client, lockEnvironment(), TIMEOUT_MS)),
    ),
  );
  const started = performance.now();
  for (let i = 0; i < LOCKS; i++) {
    const own = locks[i % nodes] as GlobalLocks;
    const held = must(await own.lock(`bench_${nodes}`, "write", 1, TIMEOUT_MS));
    must(await held.release(TIMEOUT_MS));
  }
  const elapsedMs = performance.now() - started;
  for (const own of locks) own.close();
  for (const client of clients) client.close();
  return (LOCKS * 1000) / elapsedMs;
}

/** Transactions on nodes 0 and 1 in turn, each with one changed record. */
async function transactionsPerSecond(
  cluster: BenchCluster,
  flags: number,
  count: number,
): Promise<number> {
  const name = `bench_transactions_${flags}.tdb`;
  const clients = await connectAll(cluster, 2);
  const databases = await Promise.all(
    clients.map(async (client) =>
      must(await openPersistentDatabase(client, lockEnvironment(), name, flags, TIMEOUT_MS)),
    ),
  );
  let started = 0;
  for (let i = -10; i < count; i++) {
    if (i === 0) started = performance.now();
    const database = databases[(i + 10) % 2];
    const key = textBytes(`key-${(i + 10) % 50}`);
    const value = new Uint8Array(VALUE_BYTES).fill(i & 0xff);
    const done = await database?.transact(TIMEOUT_MS, (transaction) =>
      transaction.store(key, value, TIMEOUT_MS),
    );
    if (done !== undefined) must(done);
  }
  const elapsedMs = performance.now() - started;
  for (const database of databases) database.close();
  for (const client of clients) client.close();
  return (count * 1000) / elapsedMs;
}

export const transactionFigures: readonly Figure[] = [
  {
    name: "g_lock loops on one node",
    unit: "1/s",
    better: "higher",
    measure: (cluster) => locksPerSecond(cluster, 1),
  },
  {
    name: "g_lock loops on two nodes in turn",
    unit: "1/s",
    better: "higher",
    measure: (cluster) => locksPerSecond(cluster, 2),
  },
  {
    name: "replicated transactions",
    unit: "1/s",
    better: "higher",
    measure: (cluster) => transactionsPerSecond(cluster, DB_FLAGS.REPLICATED, REPLICATED),
  },
  {
    name: "persistent transactions",
    unit: "1/s",
    better: "higher",
    measure: (cluster) => transactionsPerSecond(cluster, DB_FLAGS.PERSISTENT, PERSISTENT),
  },
];
