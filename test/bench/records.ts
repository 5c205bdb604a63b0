/** Record figures: what a client feels when it locks, reads and migrates records; and recoveries. */
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { FETCH_FUNC } from "../../src/wire/constants.ts";
import { must } from "../support/must.ts";
import { openRecords, storeRecord } from "../support/records.ts";
import { connect, connectAll, fillRecords, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";
import { loadFigures, type Timed } from "./loads.ts";
import { measureRecovery } from "./recovery.ts";

const MIGRATIONS = 3000;
const WARM_UP_MIGRATIONS = 60;
const LOCAL_FETCHES = 20_000;
const WARM_UP_FETCHES = 200;

/** One record locked on node 0, 1, 2, 0 …: every lock is a migration. */
async function migrations(cluster: BenchCluster, timed: Timed): Promise<void> {
  const clients = await connectAll(cluster);
  const databases = await Promise.all(
    clients.map((client) => openRecords(client, "bench_ring.tdb")),
  );
  const value = new Uint8Array(VALUE_BYTES);
  const migrate = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i++) {
      const database = databases[i % databases.length] as RecordDatabase;
      await storeRecord(database, textBytes("ring"), value);
    }
    return count;
  };
  await migrate(WARM_UP_MIGRATIONS);
  await timed(() => migrate(MIGRATIONS));
  for (const database of databases) database.close();
  for (const client of clients) client.close();
}

/** A call for a record that is already here: the daemon's answer, not the file's. */
async function localCalls(cluster: BenchCluster, timed: Timed): Promise<void> {
  const client = await connect(cluster, 0);
  const database = await openRecords(client, "bench_local.tdb");
  const key = textBytes("local");
  await storeRecord(database, key, new Uint8Array(VALUE_BYTES));
  const request = { db_id: database.database.id, flags: 0, callid: FETCH_FUNC, key };
  const fetch = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i++) must(await client.call(request, TIMEOUT_MS));
    return count;
  };
  await fetch(WARM_UP_FETCHES);
  await timed(() => fetch(LOCAL_FETCHES));
  database.close();
  client.close();
}

async function recoveryMs(cluster: BenchCluster, records: number): Promise<number> {
  const client = await connect(cluster, 0);
  const database = await openRecords(client, `bench_recovery_${records}.tdb`);
  await fillRecords(database, records);
  database.close();
  client.close();
  return measureRecovery(cluster);
}

export const recordFigures: readonly Figure[] = [
  ...loadFigures([
    { name: "fetch-lock migrations around three nodes", unit: "1/s", run: migrations },
    { name: "call for a record that is here", unit: "1/s", run: localCalls },
  ]),
  ...[10_000, 100_000].map(
    (records): Figure => ({
      name: `recovery with ${records} records of ${VALUE_BYTES} bytes`,
      unit: "ms",
      better: "lower",
      measure: (cluster) => recoveryMs(cluster, records),
    }),
  ),
];
