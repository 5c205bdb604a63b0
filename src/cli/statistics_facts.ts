/** Statistics of a node and of a database as documents of --json have them. */
import type { Timeval } from "../platform/types/time.ts";
import type { DbStatistics, LatencyCounter, Statistics } from "../wire/structs/statistics.ts";
import { keyFacts } from "./record_facts.ts";
import type {
  DatabaseStatisticsFacts,
  LatencyFacts,
  LockFacts,
  StatisticsFacts,
} from "./schemas/statistics.ts";

export function statisticsFactsOf(statistics: Statistics): StatisticsFacts {
  const {
    statistics_current_time: current,
    statistics_start_time: start,
    frozen,
    recovering,
    locks,
    hop_count_bucket,
    reclock,
    call_latency,
    childwrite_latency,
    __last_counter: _internal,
    ...counters
  } = statistics;
  return {
    current_time: timeOf(current),
    start_time: timeOf(start),
    frozen: frozen !== 0,
    recovering: recovering !== 0,
    ...counters,
    locks: lockFacts(locks),
    hop_count_buckets: [...hop_count_bucket],
    reclock: { ctdbd: latencyFacts(reclock.ctdbd), recd: latencyFacts(reclock.recd) },
    call_latency: latencyFacts(call_latency),
    childwrite_latency: latencyFacts(childwrite_latency),
  };
}

export function databaseStatisticsFacts(statistics: DbStatistics): DatabaseStatisticsFacts {
  return {
    locks: lockFacts(statistics.locks),
    vacuum_latency: latencyFacts(statistics.vacuum_latency),
    ro_delegations: statistics.db_ro_delegations,
    ro_revokes: statistics.db_ro_revokes,
    hop_count_buckets: [...statistics.hop_count_bucket],
    hot_keys: statistics.hot_keys.map(({ count, key }) => ({ count, ...keyFacts(key) })),
  };
}

function timeOf({ sec, usec }: Timeval): number {
  return sec + usec * 1e-6;
}

function lockFacts({ latency, buckets, ...counters }: Statistics["locks"]): LockFacts {
  return { ...counters, latency: latencyFacts(latency), buckets: [...buckets] };
}

function latencyFacts({ num, min, max, total }: LatencyCounter): LatencyFacts {
  const counted = num > 0;
  return {
    count: num,
    min_seconds: counted ? min : null,
    average_seconds: counted ? total / num : null,
    max_seconds: counted ? max : null,
  };
}
