/** Transactions and the locks around them, by one client after the other: what a commit costs. */
import { GlobalLocks } from "../../src/client/g_lock.ts";
import { openPersistentDatabase } from "../../src/client/persistent_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import { must } from "../support/must.ts";
import { lockEnvironment } from "../support/tdbs.ts";
import { connectAll, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";
import { loadFigures, type Timed } from "./loads.ts";

const LOCKS = 3000;
const REPLICATED = 400;
const PERSISTENT = 60;
const WARM_UP = 10;

/** Lock and unlock one name on `nodes` nodes in turn: the record is changed twice for each. */
async function lockLoops(cluster: BenchCluster, nodes: number, timed: Timed): Promise<void> {
  const clients = await connectAll(cluster, nodes);
  const locks = await Promise.all(
    clients.map(async (client) =>
      must(await GlobalLocks.open(client, lockEnvironment(), TIMEOUT_MS)),
    ),
  );
  await timed(async () => {
    for (let i = 0; i < LOCKS; i++) {
      const own = locks[i % nodes] as GlobalLocks;
      const held = must(await own.lock(`bench_${nodes}`, "write", 1, TIMEOUT_MS));
      must(await held.release(TIMEOUT_MS));
    }
    return LOCKS;
  });
  for (const own of locks) own.close();
  for (const client of clients) client.close();
}

/** Transactions on nodes 0 and 1 in turn, each with one changed record. */
async function transactions(
  cluster: BenchCluster,
  flags: number,
  count: number,
  timed: Timed,
): Promise<void> {
  const name = `bench_transactions_${flags}.tdb`;
  const clients = await connectAll(cluster, 2);
  const databases = await Promise.all(
    clients.map(async (client) =>
      must(await openPersistentDatabase(client, lockEnvironment(), name, flags, TIMEOUT_MS)),
    ),
  );
  const transact = async (times: number): Promise<number> => {
    for (let i = 0; i < times; i++) {
      const database = databases[i % 2];
      const key = textBytes(`key-${i % 50}`);
      const value = new Uint8Array(VALUE_BYTES).fill(i & 0xff);
      const done = await database?.transact(TIMEOUT_MS, (transaction) =>
        transaction.store(key, value, TIMEOUT_MS),
      );
      if (done !== undefined) must(done);
    }
    return times;
  };
  await transact(WARM_UP);
  await timed(() => transact(count));
  for (const database of databases) database.close();
  for (const client of clients) client.close();
}

export const transactionFigures = loadFigures([
  {
    name: "g_lock loops on one node",
    unit: "1/s",
    run: (cluster, timed) => lockLoops(cluster, 1, timed),
  },
  {
    name: "g_lock loops on two nodes in turn",
    unit: "1/s",
    run: (cluster, timed) => lockLoops(cluster, 2, timed),
  },
  {
    name: "replicated transactions",
    unit: "1/s",
    run: (cluster, timed) => transactions(cluster, DB_FLAGS.REPLICATED, REPLICATED, timed),
  },
  {
    name: "persistent transactions",
    unit: "1/s",
    run: (cluster, timed) => transactions(cluster, DB_FLAGS.PERSISTENT, PERSISTENT, timed),
  },
]);
