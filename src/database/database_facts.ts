/** What is counted of a database, as NODE_FACTS tells it (wire/node_facts.ts). */
import type { DatabaseFacts, DurationFacts } from "../wire/node_facts.ts";
import type { Database } from "./database.ts";
import type { MutableLatency } from "./database_statistics.ts";

export function databaseFacts(database: Database): DatabaseFacts {
  const { name, dbId: id, kind, statistics, gate, waiting, deleteQueue, fetchQueue } = database;
  const { locks, migrations, vacuum } = statistics;
  return {
    name,
    id,
    kind,
    lock_waits: {
      ...durations(locks.latency, locks.buckets),
      failed: locks.num_failed,
      waiting: locks.num_current,
    },
    migrations: durations(migrations.latency, migrations.buckets),
    hops: [...statistics.hopCountBuckets],
    deferred_calls: waiting.count + gate.parkedWorks,
    deferred_bytes: waiting.bytes + gate.parkedBytes,
    vacuum: {
      delete_queue: deleteQueue.size,
      fetch_queue: fetchQueue.size,
      overflows: deleteQueue.overflows,
      runs: vacuum.runs,
      full_runs: vacuum.fullRuns,
      failed_runs: vacuum.failedRuns,
      total_ms: vacuum.totalMs,
      last_ms: vacuum.lastMs,
      deleted: vacuum.total.deleted,
      kept: vacuum.total.kept,
    },
  };
}

/** Latencies are counted in seconds. */
function durations(latency: MutableLatency, buckets: readonly number[]): DurationFacts {
  return {
    count: latency.num,
    total_ms: latency.total * 1000,
    longest_ms: latency.max * 1000,
    buckets: [...buckets],
  };
}
