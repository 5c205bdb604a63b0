/**
 * NODE_FACTS: counters and gauges of a ctdbd that no control has, for the one that makes metrics of them.
 *
 *     asker ── NodeFactsRequest to (own node, NODE_FACTS) ──▶ ctdbd ── NodeFacts to (own node, answer) ──▶ asker
 *
 * Only clients of the own node are answered. Every list is bounded (NODE_FACTS_MAX); what does not fit is in the last entry,
 * whose name is OTHERS, where a sum makes sense, and is left out elsewhere. Counters count since the start of ctdbd, those
 * of databases also anew after `ctdb statisticsreset`.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import { decodeJson, encodeJson, parseSrvid, srvidText } from "./json_message.ts";

const NODE_FACTS_REQUEST_BYTES_MAX = 1024;
const NODE_FACTS_BYTES_MAX = 1024 * 1024;

/** Entries of each list. */
export const NODE_FACTS_MAX = {
  SPANS: 64,
  DATABASES: 256,
  PEERS: 512,
  CLIENTS: 16,
  SCRIPTS: 256,
  STEPS: 32,
} as const;

/** The entry of what did not fit. */
export const OTHERS = "(others)";

export interface NodeFactsRequest {
  /** The asker's choice, comes back with the answer. */
  readonly id: number;
  /** Where the answer goes. */
  readonly answer: U64;
}

const count = v.pipe(v.number(), v.minValue(0));
/** Below each bound and, last, the rest: not cumulative. */
const buckets = v.pipe(v.array(count), v.maxLength(32));
const name = v.pipe(v.string(), v.maxLength(1024));

const durations = v.object({
  count,
  total_ms: count,
  longest_ms: count,
  buckets,
});

const span = v.object({ name, ...durations.entries });

const database = v.object({
  name,
  id: count,
  kind: v.picklist(["volatile", "persistent", "replicated"]),
  /** Waits for a chain that another process held. */
  lock_waits: v.object({ ...durations.entries, failed: count, waiting: count }),
  /** Calls that another node answered, or its record. */
  migrations: durations,
  /** Calls by the hops they made: bit length of the number. */
  hops: buckets,
  /** Calls that wait for a record: for the end of a revoke or of a pindown, or for a lock. */
  deferred_calls: count,
  /** Bytes of what waits. */
  deferred_bytes: count,
  vacuum: v.object({
    /** Empty records that wait to be deleted, and records of other nodes that wait to be fetched. */
    delete_queue: count,
    fetch_queue: count,
    /** Empty records that found no room in the queue since the last full walk. */
    overflows: count,
    runs: count,
    full_runs: count,
    failed_runs: count,
    total_ms: count,
    last_ms: count,
    deleted: count,
    kept: count,
  }),
});

const script = v.object({
  event: name,
  script: name,
  /** Of its last run: exit status; negative: an errno. */
  result: v.number(),
  duration_ms: v.nullable(count),
  /** When it ended; 0: it did not. */
  ended_us: count,
});

const schema = v.object({
  id: count,
  node: count,
  pid: count,
  version: name,
  uptime_ms: count,
  memory: v.object({ resident_bytes: count, heap_bytes: count, external_bytes: count }),
  /** Turns of the event loop by the outermost span, and the bounds of their buckets in milliseconds. */
  turns: v.object({
    bounds_ms: buckets,
    spans: v.pipe(v.array(span), v.maxLength(NODE_FACTS_MAX.SPANS)),
    longest_ms: count,
    longest_span: name,
    busiest_ms: count,
    busiest_span: name,
  }),
  calls: v.object({
    /** Sent to another node and not answered. */
    pending: count,
    /** Wait behind one for the same record. */
    collapsed: count,
    pending_controls: count,
  }),
  queues: v.object({
    peers: v.pipe(
      v.array(v.object({ node: count, bytes: count })),
      v.maxLength(NODE_FACTS_MAX.PEERS),
    ),
    /** Packets to ourselves. */
    own_bytes: count,
    clients: count,
    client_bytes: count,
    /** Those with the most bytes waiting, of which there are some. */
    longest: v.pipe(
      v.array(v.object({ pid: count, bytes: count })),
      v.maxLength(NODE_FACTS_MAX.CLIENTS),
    ),
  }),
  /** Bounds of the buckets of lock waits and migrations in milliseconds. */
  wait_bounds_ms: buckets,
  databases: v.pipe(v.array(database), v.maxLength(NODE_FACTS_MAX.DATABASES)),
  /** The ring of events: numbers, how many wait, and how many went before anybody kept them. */
  journal: v.object({
    ring: name,
    size: count,
    first: count,
    last: count,
    lost: count,
    /** Events since the start by kind; those of children too. */
    kinds: v.record(name, count),
  }),
  /** Those that this node's recovery daemon ran, as the leader. */
  recoveries: v.object({
    succeeded: count,
    failed: count,
    total_ms: count,
    last_ms: count,
    steps: v.pipe(
      v.array(v.object({ name, count, total_ms: count, last_ms: count })),
      v.maxLength(NODE_FACTS_MAX.STEPS),
    ),
  }),
  takeovers: v.object({ succeeded: count, failed: count, total_ms: count, last_ms: count }),
  /** Changes of flags of nodes that were refused (membership/flag_transitions.ts). */
  flags_refused: count,
  addresses: v.object({ taken: count, released: count, failed: count }),
  scripts: v.pipe(v.array(script), v.maxLength(NODE_FACTS_MAX.SCRIPTS)),
  /** Where node links are over TLS. */
  tls: v.optional(
    v.object({
      /** Connections from and to others that were refused, by cause. */
      refused: v.record(name, count),
      /** The serial number of this node's certificate. */
      serial: name,
      /** The ends of that, and of the first authority's: milliseconds since 1970. */
      certificate_until_ms: count,
      authority_until_ms: count,
    }),
  ),
});

export type NodeFacts = v.InferOutput<typeof schema>;
export type DurationFacts = v.InferOutput<typeof durations>;
export type DatabaseFacts = v.InferOutput<typeof database>;
export type ScriptFacts = v.InferOutput<typeof script>;

export function encodeNodeFactsRequest({ id, answer }: NodeFactsRequest): Uint8Array {
  return encodeJson({ id, answer: srvidText(answer) });
}

export function decodeNodeFactsRequest(data: Uint8Array): Result<NodeFactsRequest> {
  const read = decodeJson(data, NODE_FACTS_REQUEST_BYTES_MAX);
  if (!read.ok) return read;
  const { id } = read.value;
  const answer = parseSrvid(read.value["answer"]);
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) {
    return err("expected the number of the request");
  }
  if (answer === undefined) return err("expected the srvid of the answer");
  return ok({ id, answer });
}

export function encodeNodeFacts(facts: NodeFacts): Uint8Array {
  return encodeJson(facts);
}

export function decodeNodeFacts(data: Uint8Array): Result<NodeFacts> {
  const read = decodeJson(data, NODE_FACTS_BYTES_MAX);
  if (!read.ok) return read;
  const parsed = v.safeParse(schema, read.value);
  if (parsed.success) return ok(parsed.output);
  return err(
    parsed.issues
      .map((issue) => `${v.getDotPath(issue) ?? "."}: ${issue.message}`)
      .slice(0, 3)
      .join("; "),
  );
}
