/** Statistics of a node and of a database (docs/protocol.md, "Statistics"). */
import {
  type Codec,
  f64Codec,
  i32Codec,
  pad,
  struct,
  type TypeOf,
  tuple,
  u32Codec,
  u64Codec,
} from "../codec.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { timeval } from "./time.ts";

export const MAX_COUNT_BUCKETS = 16;
export const MAX_HOT_KEYS = 10;
export const MAX_STAT_HISTORY = 100;

export const latencyCounter = struct({
  num: i32Codec,
  _0: pad(4),
  min: f64Codec,
  max: f64Codec,
  total: f64Codec,
});
export type LatencyCounter = TypeOf<typeof latencyCounter>;

const buckets = tuple(u32Codec, MAX_COUNT_BUCKETS);

const lockStatistics = struct({
  num_calls: u32Codec,
  num_current: u32Codec,
  num_pending: u32Codec,
  num_failed: u32Codec,
  latency: latencyCounter,
  buckets,
});

export const statistics = struct({
  num_clients: u32Codec,
  frozen: u32Codec,
  recovering: u32Codec,
  client_packets_sent: u32Codec,
  client_packets_recv: u32Codec,
  node_packets_sent: u32Codec,
  node_packets_recv: u32Codec,
  keepalive_packets_sent: u32Codec,
  keepalive_packets_recv: u32Codec,
  node: struct({
    req_call: u32Codec,
    reply_call: u32Codec,
    req_dmaster: u32Codec,
    reply_dmaster: u32Codec,
    reply_error: u32Codec,
    req_message: u32Codec,
    req_control: u32Codec,
    reply_control: u32Codec,
    req_tunnel: u32Codec,
  }),
  client: struct({
    req_call: u32Codec,
    req_message: u32Codec,
    req_control: u32Codec,
    req_tunnel: u32Codec,
  }),
  timeouts: struct({ call: u32Codec, control: u32Codec, traverse: u32Codec }),
  _0: pad(4),
  reclock: struct({ ctdbd: latencyCounter, recd: latencyCounter }),
  locks: lockStatistics,
  total_calls: u32Codec,
  pending_calls: u32Codec,
  childwrite_calls: u32Codec,
  pending_childwrite_calls: u32Codec,
  memory_used: u32Codec,
  __last_counter: u32Codec,
  max_hop_count: u32Codec,
  hop_count_bucket: buckets,
  _1: pad(4),
  call_latency: latencyCounter,
  childwrite_latency: latencyCounter,
  num_recoveries: u32Codec,
  _2: pad(4),
  statistics_start_time: timeval,
  statistics_current_time: timeval,
  total_ro_delegations: u32Codec,
  total_ro_revokes: u32Codec,
});
export type Statistics = TypeOf<typeof statistics>;

/** Always 100 entries on the wire; the first `num` are valid. */
export const statisticsHistory = struct({
  num: u32Codec,
  _0: pad(4),
  entries: tuple(statistics, MAX_STAT_HISTORY),
});

const hotKeyHead = struct({ count: u32Codec, _0: pad(4), pointer: u64Codec, size: u64Codec });
const dbStatisticsFixed = struct({
  locks: lockStatistics,
  vacuum_latency: latencyCounter,
  db_ro_delegations: u32Codec,
  db_ro_revokes: u32Codec,
  hop_count_bucket: buckets,
  num_hot_keys: u32Codec,
  _0: pad(4),
  hot_keys: tuple(hotKeyHead, MAX_HOT_KEYS),
});

type DbStatisticsFixed = TypeOf<typeof dbStatisticsFixed>;
export type DbStatistics = Omit<DbStatisticsFixed, "num_hot_keys" | "hot_keys"> & {
  readonly hot_keys: readonly { readonly count: number; readonly key: Uint8Array }[];
};

/** The fixed part, then the bytes of the hot keys one after another. */
export const dbStatistics: Codec<DbStatistics> = {
  get minSize() {
    return dbStatisticsFixed.minSize;
  },
  encode(writer: Writer, value: DbStatistics) {
    const heads = Array.from({ length: MAX_HOT_KEYS }, (_, i) => ({
      count: value.hot_keys[i]?.count ?? 0,
      pointer: { hi: 0, lo: 0 },
      size: { hi: 0, lo: value.hot_keys[i]?.key.length ?? 0 },
    }));
    dbStatisticsFixed.encode(writer, { ...value, num_hot_keys: MAX_HOT_KEYS, hot_keys: heads });
    for (const hot of value.hot_keys.slice(0, MAX_HOT_KEYS)) writer.bytes(hot.key);
  },
  decode(reader: Reader) {
    const { num_hot_keys, hot_keys, ...rest } = dbStatisticsFixed.decode(reader);
    if (!reader.failed && num_hot_keys > MAX_HOT_KEYS) {
      reader.fail(`${num_hot_keys} hot keys, at most ${MAX_HOT_KEYS} are allowed`);
    }
    const keys = hot_keys.slice(0, num_hot_keys).map((head) => ({
      count: head.count,
      key: reader.take(head.size.hi > 0 ? 0xffffffff : head.size.lo, "hot key"),
    }));
    return { ...rest, hot_keys: keys };
  },
};
