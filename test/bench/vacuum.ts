/**
 * Vacuum figures: how long it takes until 100 000 records that a client has deleted are gone from the
 * files of all nodes, and how long a client of a node has to wait for an answer meanwhile.
 *
 * The records have data and have been through a recovery, so every node has a copy of each; two thirds
 * of them have their lmaster elsewhere. Both figures come from one run.
 */
import type { RecordDatabase } from "../../src/client/record_database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { must } from "../support/must.ts";
import { localFile, openRecords } from "../support/records.ts";
import { connectAll, fillRecords, recordKey, TIMEOUT_MS } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";
import { oncePerCluster } from "./once.ts";
import { measureRecovery } from "./recovery.ts";

const RECORDS = 100_000;
const NAME = "bench_vacuum.tdb";
const GONE_LIMIT_MS = 60_000;
/** Of the copies on all nodes: stock nodes leave keys whose hashes collide to a full run. */
const LEFT_MAX = 100;
const PING_PAUSE_MS = 2;
const VISITS_AT_ONCE = 500;
const NEVER_SEC = 100_000;
const RUN_DEFAULT_SEC = 10;

interface Measured {
  readonly goneMs: number;
  readonly longestAnswerMs: number;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function runEvery(cluster: BenchCluster, seconds: number): Promise<void> {
  for (let pnn = 0; pnn < cluster.nodes; pnn++) {
    await cluster.runTool(pnn, "setvar", "VacuumInterval", String(seconds));
  }
}

/** Asks the node something small, again and again. */
function pinging(client: CtdbClient): { stop(): Promise<number> } {
  let stopped = false;
  let longestMs = 0;
  const loop = (async () => {
    while (!stopped) {
      const started = performance.now();
      must(await client.control("PING", undefined, { timeoutMs: TIMEOUT_MS }));
      longestMs = Math.max(longestMs, performance.now() - started);
      await sleep(PING_PAUSE_MS);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
      return longestMs;
    },
  };
}

/** Records in a node's file, dead ones not counted. */
async function recordsIn(tdb: Tdb): Promise<number> {
  let count = 0;
  let visits = 0;
  const visit = (): boolean => {
    count += 1;
    return true;
  };
  let chain = tdb.nextUsedChain(0);
  while (chain < tdb.hashSize) {
    const visited = tdb.visitChain(chain, visit);
    if (visited.ok) chain = tdb.nextUsedChain(chain + 1);
    // The pings are measured in this process, too.
    if (!visited.ok || ++visits % VISITS_AT_ONCE === 0) await sleep(1);
  }
  return count;
}

/**
 * Run after run on all nodes, until nothing is left. Runs are asked for: the timers of stock nodes do
 * not come back from a long interval.
 */
async function vacuumAll(
  clients: readonly CtdbClient[],
  db_id: number,
  files: readonly Tdb[],
): Promise<void> {
  const deadline = performance.now() + GONE_LIMIT_MS;
  for (;;) {
    for (const client of clients) {
      const request = { db_id, full_vacuum_run: false };
      must(await client.control("DB_VACUUM", request, { timeoutMs: GONE_LIMIT_MS }));
    }
    let left = 0;
    for (const file of files) left += await recordsIn(file);
    if (left <= LEFT_MAX) return;
    if (performance.now() > deadline) {
      throw new Error(`${left} records are left after ${GONE_LIMIT_MS} ms`);
    }
  }
}

async function measure(cluster: BenchCluster): Promise<Measured> {
  const clients = await connectAll(cluster);
  const watchers = await connectAll(cluster);
  const databases = await Promise.all(clients.map((client) => openRecords(client, NAME)));
  const database = databases[0] as RecordDatabase;
  await runEvery(cluster, NEVER_SEC);
  await fillRecords(database, RECORDS);
  await measureRecovery(cluster);
  for (let i = 0; i < RECORDS; i++) {
    const record = must(await database.fetchLock(recordKey(i), { timeoutMs: TIMEOUT_MS }));
    must(await record.delete(TIMEOUT_MS));
  }
  const files = databases.map(({ database }) => localFile(database));
  const pings = watchers.map(pinging);
  const started = performance.now();
  await vacuumAll(clients, database.database.id, files);
  const goneMs = performance.now() - started;
  const longest = await Promise.all(pings.map((ping) => ping.stop()));
  await runEvery(cluster, RUN_DEFAULT_SEC);
  for (const file of files) file.close();
  for (const opened of databases) opened.close();
  for (const client of [...clients, ...watchers]) client.close();
  return { goneMs, longestAnswerMs: Math.max(...longest) };
}

const once = oncePerCluster(measure);

export const vacuumFigures: readonly Figure[] = [
  {
    name: `vacuum of ${RECORDS} deleted records, until they are gone from all nodes`,
    unit: "ms",
    better: "lower",
    measure: async (cluster) => (await once(cluster)).goneMs,
  },
  {
    name: `longest answer to a ping during the vacuum of ${RECORDS} deleted records`,
    unit: "ms",
    better: "lower",
    measure: async (cluster) => (await once(cluster)).longestAnswerMs,
  },
];
