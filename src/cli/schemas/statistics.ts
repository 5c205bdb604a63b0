/** Documents of statistics; names as the protocol has them, units at their end. */
import * as v from "valibot";
import { count, databaseName, type Facts, integer, pnn, seconds, time } from "./facts.ts";
import { key } from "./records.ts";

/** null where nothing was counted. */
const latency = v.strictObject({
  count: integer,
  min_seconds: v.nullable(seconds),
  average_seconds: v.nullable(seconds),
  max_seconds: v.nullable(seconds),
});
export type LatencyFacts = Facts<typeof latency>;

const locks = v.strictObject({
  num_calls: count,
  num_current: count,
  num_pending: count,
  num_failed: count,
  latency,
  buckets: v.array(count),
});
export type LockFacts = Facts<typeof locks>;

const statistics = v.strictObject({
  current_time: time,
  start_time: time,
  num_clients: count,
  frozen: v.boolean(),
  recovering: v.boolean(),
  num_recoveries: count,
  client_packets_sent: count,
  client_packets_recv: count,
  node_packets_sent: count,
  node_packets_recv: count,
  keepalive_packets_sent: count,
  keepalive_packets_recv: count,
  node: v.strictObject({
    req_call: count,
    reply_call: count,
    req_dmaster: count,
    reply_dmaster: count,
    reply_error: count,
    req_message: count,
    req_control: count,
    reply_control: count,
    req_tunnel: count,
  }),
  client: v.strictObject({
    req_call: count,
    req_message: count,
    req_control: count,
    req_tunnel: count,
  }),
  timeouts: v.strictObject({ call: count, control: count, traverse: count }),
  locks,
  total_calls: count,
  pending_calls: count,
  childwrite_calls: count,
  pending_childwrite_calls: count,
  memory_used: count,
  max_hop_count: count,
  total_ro_delegations: count,
  total_ro_revokes: count,
  hop_count_buckets: v.array(count),
  reclock: v.strictObject({ ctdbd: latency, recd: latency }),
  call_latency: latency,
  childwrite_latency: latency,
});
export type StatisticsFacts = Facts<typeof statistics>;

export const statisticsFacts = v.strictObject({ node: pnn, statistics });
export const statsFacts = v.strictObject({ node: pnn, statistics: v.array(statistics) });

const databaseStatistics = v.strictObject({
  locks,
  vacuum_latency: latency,
  ro_delegations: count,
  ro_revokes: count,
  hop_count_buckets: v.array(count),
  hot_keys: v.array(v.strictObject({ count, ...key.entries })),
});
export type DatabaseStatisticsFacts = Facts<typeof databaseStatistics>;

export const dbstatisticsFacts = v.strictObject({
  node: pnn,
  database: databaseName,
  statistics: databaseStatistics,
});
