/** The journals of all nodes, read from their files: what nodes wrote down themselves, whoever lives now. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { JournalEvent } from "../../../src/base/journal_event.ts";
import { until, when } from "../../support/until.ts";
import type { NetnsCluster } from "../cluster.ts";
import type { Host } from "../host.ts";

/** Kept by ctdb-admind, from whichever process it came. */
export type NodeEvent = JournalEvent & { readonly node: number; readonly atMs: number };

interface Row {
  readonly time_us: number;
  readonly kind: string;
  readonly fields: string;
}

const QUERY = `SELECT time_us, name AS kind, fields FROM events JOIN names ON names.id = events.kind
  WHERE time_us >= ? ORDER BY time_us`;
/** A tunable whose change is written down, and that at such values changes nothing. */
const MARKED = "LogLatencyMs";
const MARK_MIN = 1_000_000;
const CATCHES_UP_MS = 20_000;

export function eventsOf(cluster: NetnsCluster, sinceMs: number): readonly NodeEvent[] {
  const events = cluster.nodes.flatMap(({ host }, node) => {
    const file = fileOf(host);
    if (!existsSync(file)) return [];
    const database = new Database(file, { readonly: true });
    try {
      const rows = database.query<Row, [number]>(QUERY).all(sinceMs * 1000);
      return rows.map(({ time_us, kind, fields }) => {
        const event = { kind, ...JSON.parse(fields) } as JournalEvent;
        return { ...event, node, atMs: time_us / 1000 };
      });
    } finally {
      database.close();
    }
  });
  return events.sort((one, other) => one.atMs - other.atMs);
}

/** Each node has written down something that was done now, and so all that came before. */
export async function journalsCaughtUp(cluster: NetnsCluster): Promise<void> {
  const sinceMs = Date.now() - 1;
  const value = String(MARK_MIN + (sinceMs % MARK_MIN));
  for (const node of cluster.nodes) {
    await node.ourCtdb(["setvar", MARKED, value], { timeoutMs: 30_000 });
  }
  await until("the journals of all nodes have caught up", CATCHES_UP_MS, () => {
    const marked = eventsOf(cluster, sinceMs).filter(({ kind }) => kind === "tunable");
    return when(new Set(marked.map(({ node }) => node)).size === cluster.nodes.length);
  });
}

function fileOf(host: Host): string {
  return host.path("/var/lib/ctdb/journal/journal.sqlite");
}
