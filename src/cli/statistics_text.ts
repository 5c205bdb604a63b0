/** Statistics of a node and of a database as text and as machine-readable rows. */
import { bytesHex } from "../base/bytes_hex.ts";
import type { DbStatistics, LatencyCounter, Statistics } from "../wire/structs/statistics.ts";
import { calendarTime, elapsedTime, sixDecimals } from "./format.ts";

const CTDB_PROTOCOL = 1;

type Field<T> = readonly [group: string, name: string, value: (statistics: T) => number];

/** In the order in which they are shown; a field of a group is named GROUP.NAME in rows. */
const FIELDS: readonly Field<Statistics>[] = [
  ["", "num_clients", (s) => s.num_clients],
  ["", "frozen", (s) => s.frozen],
  ["", "recovering", (s) => s.recovering],
  ["", "num_recoveries", (s) => s.num_recoveries],
  ["", "client_packets_sent", (s) => s.client_packets_sent],
  ["", "client_packets_recv", (s) => s.client_packets_recv],
  ["", "node_packets_sent", (s) => s.node_packets_sent],
  ["", "node_packets_recv", (s) => s.node_packets_recv],
  ["", "keepalive_packets_sent", (s) => s.keepalive_packets_sent],
  ["", "keepalive_packets_recv", (s) => s.keepalive_packets_recv],
  ["node", "req_call", (s) => s.node.req_call],
  ["node", "reply_call", (s) => s.node.reply_call],
  ["node", "req_dmaster", (s) => s.node.req_dmaster],
  ["node", "reply_dmaster", (s) => s.node.reply_dmaster],
  ["node", "reply_error", (s) => s.node.reply_error],
  ["node", "req_message", (s) => s.node.req_message],
  ["node", "req_control", (s) => s.node.req_control],
  ["node", "reply_control", (s) => s.node.reply_control],
  ["node", "req_tunnel", (s) => s.node.req_tunnel],
  ["client", "req_call", (s) => s.client.req_call],
  ["client", "req_message", (s) => s.client.req_message],
  ["client", "req_control", (s) => s.client.req_control],
  ["client", "req_tunnel", (s) => s.client.req_tunnel],
  ["timeouts", "call", (s) => s.timeouts.call],
  ["timeouts", "control", (s) => s.timeouts.control],
  ["timeouts", "traverse", (s) => s.timeouts.traverse],
  ["locks", "num_calls", (s) => s.locks.num_calls],
  ["locks", "num_current", (s) => s.locks.num_current],
  ["locks", "num_pending", (s) => s.locks.num_pending],
  ["locks", "num_failed", (s) => s.locks.num_failed],
  ["", "total_calls", (s) => s.total_calls],
  ["", "pending_calls", (s) => s.pending_calls],
  ["", "childwrite_calls", (s) => s.childwrite_calls],
  ["", "pending_childwrite_calls", (s) => s.pending_childwrite_calls],
  ["", "memory_used", (s) => s.memory_used],
  ["", "max_hop_count", (s) => s.max_hop_count],
  ["", "total_ro_delegations", (s) => s.total_ro_delegations],
  ["", "total_ro_revokes", (s) => s.total_ro_revokes],
];

const DATABASE_FIELDS: readonly Field<DbStatistics>[] = [
  ["", "db_ro_delegations", (s) => s.db_ro_delegations],
  ["", "db_ro_revokes", (s) => s.db_ro_revokes],
  ["locks", "num_calls", (s) => s.locks.num_calls],
  ["locks", "num_current", (s) => s.locks.num_current],
  ["locks", "num_pending", (s) => s.locks.num_pending],
  ["locks", "num_failed", (s) => s.locks.num_failed],
];

/** Names of the latency columns of a row, and where they are. */
const LATENCIES: readonly (readonly [name: string, value: (s: Statistics) => LatencyCounter])[] = [
  ["reclock_ctdbd", (s) => s.reclock.ctdbd],
  ["reclock_recd", (s) => s.reclock.recd],
  ["call", (s) => s.call_latency],
  ["lockwait", (s) => s.locks.latency],
  ["childwrite", (s) => s.childwrite_latency],
];

function average(latency: LatencyCounter): number {
  return latency.num === 0 ? 0 : latency.total / latency.num;
}

function latencyLine(name: string, latency: LatencyCounter): string {
  const { min, max, num } = latency;
  const numbers = [min, average(latency), max].map(sixDecimals).join("/");
  return ` ${`${name.padEnd(18)} MIN/AVG/MAX`.padEnd(30)}     ${numbers} sec out of ${num}\n`;
}

function fieldLines<T>(fields: readonly Field<T>[], statistics: T): string {
  let text = "";
  let lastGroup = "";
  for (const [group, name, value] of fields) {
    if (group !== "" && group !== lastGroup) text += ` ${group}\n`;
    // The original repeats a group's heading only when another group stood between.
    if (group !== "") lastGroup = group;
    const label = group === "" ? `${name.padEnd(22)}    ` : `    ${name.padEnd(22)}`;
    text += ` ${label}${String(value(statistics)).padStart(10)}\n`;
  }
  return text;
}

function bucketLine(name: string, buckets: readonly number[]): string {
  return ` ${name}: ${buckets.join(" ")}\n`;
}

export function statisticsText(statistics: Statistics): string {
  const now = statistics.statistics_current_time.sec;
  const since = statistics.statistics_start_time.sec;
  return (
    `CTDB version ${CTDB_PROTOCOL}\n` +
    `Current time of statistics  :                ${calendarTime(now)}\n` +
    `Statistics collected since  : ${elapsedTime(now - since)} ${calendarTime(since)}\n` +
    fieldLines(FIELDS, statistics) +
    bucketLine("hop_count_buckets", statistics.hop_count_bucket) +
    bucketLine("lock_buckets", statistics.locks.buckets) +
    latencyLine("locks_latency", statistics.locks.latency) +
    latencyLine("reclock_ctdbd", statistics.reclock.ctdbd) +
    latencyLine("reclock_recd", statistics.reclock.recd) +
    latencyLine("call_latency", statistics.call_latency) +
    latencyLine("childwrite_latency", statistics.childwrite_latency)
  );
}

/** Unlike other rows these have no separator in front. */
function row(separator: string, fields: readonly (string | number)[]): string {
  return `${fields.map((field) => `${field}${separator}`).join("")}\n`;
}

export function statisticsHeader(separator: string): string {
  const fields = FIELDS.map(([group, name]) => (group === "" ? name : `${group}.${name}`));
  const latencies = LATENCIES.flatMap(([name]) =>
    ["num", "min", "avg", "max"].map((part) => `${part}_${name}_latency`),
  );
  const times = ["CTDB version", "Current time of statistics", "Statistics collected since"];
  return row(separator, [...times, ...fields, ...latencies]);
}

export function statisticsRow(statistics: Statistics, separator: string): string {
  const latencies = LATENCIES.flatMap(([, value]) => {
    const latency = value(statistics);
    const { num, min, max } = latency;
    return [num, ...[min, average(latency), max].map(sixDecimals)];
  });
  return row(separator, [
    CTDB_PROTOCOL,
    statistics.statistics_current_time.sec,
    statistics.statistics_start_time.sec,
    ...FIELDS.map(([, , value]) => value(statistics)),
    ...latencies,
  ]);
}

export function databaseStatisticsText(name: string, statistics: DbStatistics): string {
  const keys = statistics.hot_keys.map(
    ({ count, key }) => `     Count:${count} Key:${bytesHex(key)}\n`,
  );
  return (
    `DB Statistics ${name}\n` +
    fieldLines(DATABASE_FIELDS, statistics) +
    bucketLine("hop_count_buckets", statistics.hop_count_bucket) +
    bucketLine("lock_buckets", statistics.locks.buckets) +
    latencyLine("locks_latency", statistics.locks.latency) +
    latencyLine("vacuum_latency", statistics.vacuum_latency) +
    ` Num Hot Keys:     ${statistics.hot_keys.length}\n${keys.join("")}`
  );
}
