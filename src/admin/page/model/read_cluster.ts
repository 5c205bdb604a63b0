/** The document of /api/v1/cluster as the page works with it (docs/admin.md). */
import type {
  AddressFacts,
  ClusterDocument,
  Condition,
  DatabaseFacts,
  NodeFacts,
  Sight,
  TurnFacts,
  View,
} from "./documents.ts";
import { type Fields, fields, list, number, numbers, text, textOrNull, texts } from "./lenient.ts";
import { parseTimeUs } from "./time.ts";

/** undefined: no such document. */
export function readCluster(value: unknown): ClusterDocument | undefined {
  const document = fields(value);
  const timeUs = parseTimeUs(text(document["time"]));
  const node = number(document["node"]);
  if (timeUs === undefined || node === null) return undefined;
  return {
    timeUs,
    node,
    leader: number(document["leader"]),
    generation: number(document["generation"]),
    recovering: document["recovering"] === true,
    nodes: list(document["nodes"], readNode),
    views: list(document["views"], readView),
    addresses: list(document["addresses"], readAddress),
    databases: list(document["databases"], readDatabase),
    turns: list(document["turns"], readTurns),
    conditions: list(document["conditions"], readCondition),
    ...(typeof document["actions"] === "boolean" ? { actions: document["actions"] } : {}),
  };
}

function readNode(entry: Fields): NodeFacts | undefined {
  const node = number(entry["node"]);
  if (node === null) return undefined;
  return {
    node,
    address: text(entry["address"]),
    flags: texts(entry["flags"]),
    why: textOrNull(entry["why"]),
    version: text(entry["version"]),
    ownJournal: text(entry["own_journal"]),
  };
}

function readView(entry: Fields): View | undefined {
  const by = number(entry["by"]);
  if (by === null) return undefined;
  return { by, sees: Array.isArray(entry["sees"]) ? list(entry["sees"], readSight) : null };
}

function readSight(entry: Fields): Sight | undefined {
  const node = number(entry["node"]);
  if (node === null) return undefined;
  return {
    node,
    flags: texts(entry["flags"]),
    connected: entry["connected"] === true,
    heardMs: number(entry["heard_ms"]),
  };
}

function readAddress(entry: Fields): AddressFacts {
  return {
    address: text(entry["address"]),
    node: number(entry["node"]),
    mayBeOn: numbers(entry["may_be_on"]),
  };
}

function readDatabase(entry: Fields): DatabaseFacts {
  return {
    name: text(entry["name"]),
    id: text(entry["id"]),
    kind: text(entry["kind"]),
    healthy: entry["healthy"] === true,
    records: number(entry["records"]),
    callsPerSecond: number(entry["calls_per_second"]),
    migrationsPerSecond: number(entry["migrations_per_second"]),
    hotKeys: list(entry["hot_keys"], (key) => ({
      keyHex: text(key["key_hex"]),
      count: number(key["count"]) ?? 0,
    })),
  };
}

function readTurns(entry: Fields): TurnFacts | undefined {
  const node = number(entry["node"]);
  if (node === null) return undefined;
  return {
    node,
    longestMs: number(entry["longest_ms"]) ?? 0,
    buckets: list(entry["buckets"], (bucket) => ({
      leMs: number(bucket["le_ms"]),
      count: number(bucket["count"]) ?? 0,
    })),
  };
}

function readCondition(entry: Fields): Condition {
  return {
    id: text(entry["id"]),
    severity: entry["severity"] === "critical" ? "critical" : "warning",
    text: text(entry["text"]),
    advice: text(entry["advice"]),
  };
}
