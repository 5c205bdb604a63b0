/** One hot record: bounced between three nodes by clients that all want it, and read by all of them. */
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { openRecords, storeRecord } from "../support/records.ts";
import { connectAll, nextTurn, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";
import { loadFigures, type Timed } from "./loads.ts";

const RUN_MS = 3000;
const VALUE = new Uint8Array(VALUE_BYTES).fill(0x68);
const HOT = textBytes("hot");

/** What clients on all nodes do with the record at the same time. */
async function together(
  cluster: BenchCluster,
  timed: Timed,
  name: string,
  setUp: (name: string) => Promise<void>,
  act: (database: RecordDatabase) => Promise<void>,
): Promise<void> {
  const clients = await connectAll(cluster);
  const databases = await Promise.all(clients.map((client) => openRecords(client, name)));
  await setUp(name);
  await store(databases[0] as RecordDatabase);
  await timed(async () => {
    const endMs = performance.now() + RUN_MS;
    let count = 0;
    await Promise.all(
      databases.map(async (database) => {
        while (performance.now() < endMs) {
          await act(database);
          count += 1;
          // The others of this process get their turn, and the record has time to leave.
          await nextTurn();
        }
      }),
    );
    return count;
  });
  for (const database of databases) database.close();
  for (const client of clients) client.close();
}

async function store(database: RecordDatabase): Promise<void> {
  await storeRecord(database, HOT, VALUE);
}

async function read(database: RecordDatabase): Promise<void> {
  const value = must(await database.read(HOT, TIMEOUT_MS));
  if (value.length !== VALUE.length) throw new Error(`read ${value.length} bytes`);
}

export const hotRecordFigures = loadFigures([
  {
    name: "hot record wanted by three nodes at once",
    unit: "1/s",
    run: (cluster, timed) => together(cluster, timed, "bench_hot.tdb", async () => {}, store),
  },
  {
    name: "read-only fetches of one record on three nodes",
    unit: "1/s",
    run: (cluster, timed) =>
      together(
        cluster,
        timed,
        "bench_readonly.tdb",
        (name) => cluster.runTool(0, "setdbreadonly", name),
        read,
      ),
  },
]);
