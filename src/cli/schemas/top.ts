/** The document of `ctdb top`: one a round. */
import * as v from "valibot";
import { databaseId, type Facts, pnn } from "./facts.ts";

/** null where the node does not answer, does not know, or has not been asked twice yet. */
const number = v.nullable(v.number());

const node = v.strictObject({
  pnn,
  address: v.string(),
  state: v.string(),
  leader: v.boolean(),
  /** It has not answered in time. */
  silent: v.boolean(),
  /** Of the event loop: the longest since the start, and turns of more than 10 ms a second. */
  longest_turn_ms: number,
  slow_turns_per_second: number,
  calls_per_second: number,
  migrations_per_second: number,
  pending_calls: number,
  /** Of the last interval. */
  call_latency_ms: number,
  lock_latency_ms: number,
  clients: number,
  recoveries: number,
  recovering: v.nullable(v.boolean()),
});

const database = v.strictObject({
  name: v.string(),
  id: databaseId,
  node: pnn,
  locks_per_second: number,
  locks_pending: v.number(),
  lock_latency_ms: number,
  /** Since the statistics were reset. */
  lock_latency_max_ms: v.number(),
});

const hotKey = v.strictObject({
  database: v.string(),
  node: pnn,
  /** Hops of its migrations, as the node counts them. */
  count: v.number(),
  key_hex: v.string(),
});

export const topFacts = v.strictObject({
  /** Seconds since 1970. */
  time: v.number(),
  interval_seconds: v.number(),
  leader: v.nullable(pnn),
  generation: v.nullable(v.number()),
  recovering: v.boolean(),
  nodes: v.array(node),
  /** The slowest first. */
  databases: v.array(database),
  hot_keys: v.array(hotKey),
});
export type TopFacts = Facts<typeof topFacts>;
export type TopNode = TopFacts["nodes"][number];
