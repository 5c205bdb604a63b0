/** One hot record: bounced between three nodes by clients that all want it, and read by all of them. */
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { openRecords, storeRecord } from "../support/records.ts";
import { connectAll, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";

const RUN_MS = 3000;
const VALUE = new Uint8Array(VALUE_BYTES).fill(0x68);
const HOT = textBytes("hot");

/** What clients on all nodes do with the record at the same time, times a second. */
async function perSecond(
  cluster: BenchCluster,
  name: string,
  setUp: (name: string) => Promise<void>,
  act: (database: RecordDatabase) => Promise<void>,
): Promise<number> {
  const clients = await connectAll(cluster);
  const databases = await Promise.all(clients.map((client) => openRecords(client, name)));
  await setUp(name);
  await store(databases[0] as RecordDatabase);
  const started = performance.now();
  const endMs = started + RUN_MS;
  let count = 0;
  await Promise.all(
    databases.map(async (database) => {
      while (performance.now() < endMs) {
        await act(database);
        count += 1;
        // The others of this process get their turn, and the record has time to leave.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  const elapsedMs = performance.now() - started;
  for (const database of databases) database.close();
  for (const client of clients) client.close();
  return (count * 1000) / elapsedMs;
}

async function store(database: RecordDatabase): Promise<void> {
  await storeRecord(database, HOT, VALUE);
}

async function read(database: RecordDatabase): Promise<void> {
  const value = must(await database.read(HOT, TIMEOUT_MS));
  if (value.length !== VALUE.length) throw new Error(`read ${value.length} bytes`);
}

export const hotRecordFigures: readonly Figure[] = [
  {
    name: "hot record wanted by three nodes at once",
    unit: "1/s",
    better: "higher",
    measure: (cluster) => perSecond(cluster, "bench_hot.tdb", async () => {}, store),
  },
  {
    name: "read-only fetches of one record on three nodes",
    unit: "1/s",
    better: "higher",
    measure: (cluster) =>
      perSecond(
        cluster,
        "bench_readonly.tdb",
        (name) => cluster.runTool(0, "setdbreadonly", name),
        read,
      ),
  },
];
