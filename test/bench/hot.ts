/** One hot record: wanted by clients of three nodes at once, and read by all of them after each change. */
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { openRecords, storeRecord } from "../support/records.ts";
import { connectAll, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";
import { loadFigures, type Timed } from "./loads.ts";

const RUN_MS = 3000;
const WARM_UP_ROUNDS = 60;
const VALUE = new Uint8Array(VALUE_BYTES).fill(0x68);
const HOT = textBytes("hot");

/**
 * Rounds that end when every node has done its part. Without rounds the client that has the record would go on with
 * it by itself, and the daemons have nothing to do.
 */
async function inRounds(
  cluster: BenchCluster,
  timed: Timed,
  name: string,
  setUp: (name: string) => Promise<void>,
  round: (databases: readonly RecordDatabase[], number: number) => Promise<void>,
): Promise<void> {
  const clients = await connectAll(cluster);
  const databases = await Promise.all(clients.map((client) => openRecords(client, name)));
  await setUp(name);
  let rounds = 0;
  while (rounds < WARM_UP_ROUNDS) await round(databases, rounds++);
  await timed(async () => {
    const endMs = performance.now() + RUN_MS;
    const first = rounds;
    while (performance.now() < endMs) await round(databases, rounds++);
    return (rounds - first) * databases.length;
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
    run: (cluster, timed) =>
      inRounds(
        cluster,
        timed,
        "bench_hot.tdb",
        async () => {},
        async (databases) => {
          await Promise.all(databases.map(store));
        },
      ),
  },
  {
    name: "read-only fetches on three nodes after each change",
    unit: "1/s",
    run: (cluster, timed) =>
      inRounds(
        cluster,
        timed,
        "bench_readonly.tdb",
        (name) => cluster.runTool(0, "setdbreadonly", name),
        async (databases, number) => {
          await store(databases[number % databases.length] as RecordDatabase);
          await Promise.all(databases.map(read));
        },
      ),
  },
]);
