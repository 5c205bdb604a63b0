/**
 * /metrics: what the own ctdbd tells, what this node sees of the cluster, and what ctdb-admind is itself. What cannot be
 * had is left out, and ctdb_up says so: whoever scrapes gets an answer.
 */
import type { ClusterWatch } from "../cluster/cluster_watch.ts";
import { KeptAnswer } from "../kept_answer.ts";
import { NODE_FACTS_MS_OLD } from "../limits.ts";
import type { AdminParts } from "../parts.ts";
import { clusterFamilies } from "./cluster_families.ts";
import { CONTENT_TYPE, exposition, type Family, formatOf } from "./exposition.ts";
import { counter, gauge, nodeFamilies } from "./node_families.ts";

/** Of ctdb-admind itself. */
export interface OwnCounts {
  readonly streams: number;
  readonly streamsDropped: number;
  readonly sessions: number;
  readonly requestsByStatus: ReadonlyMap<number, number>;
  readonly requestsNow: number;
  readonly webhooks: {
    readonly sent: number;
    readonly failed: number;
    readonly dropped: number;
  };
}

export interface MetricsParts {
  readonly parts: AdminParts;
  readonly watch: ClusterWatch;
  counts(): OwnCounts;
}

export class Metrics {
  readonly contentTypes: readonly string[] = Object.values(CONTENT_TYPE);
  readonly #d: MetricsParts;
  readonly #families: KeptAnswer<readonly Family[]>;

  constructor(parts: MetricsParts) {
    this.#d = parts;
    this.#families = new KeptAnswer(() => this.#gather(), parts.parts.clock, NODE_FACTS_MS_OLD);
  }

  async answer(accept: string): Promise<{ readonly text: string; readonly contentType: string }> {
    const format = formatOf(accept);
    const families = [...(await this.#families.get()), ...this.#own()];
    return { text: exposition(families, format), contentType: CONTENT_TYPE[format] };
  }

  async #gather(): Promise<readonly Family[]> {
    const { parts, watch } = this.#d;
    const [facts, cluster] = await Promise.all([parts.daemon.nodeFacts(), watch.facts()]);
    const { sec } = parts.clock.wallTime();
    return [
      gauge("ctdb_up", "Whether ctdbd answers.", cluster.ok ? 1 : 0),
      ...(facts.ok ? nodeFamilies(facts.value, sec * 1000) : []),
      ...(cluster.ok ? clusterFamilies(cluster.value) : []),
      ...this.#journal(),
    ];
  }

  #journal(): readonly Family[] {
    const { journal } = this.#d.parts;
    if (journal === undefined) return [];
    const { events, bytes, gaps, oldestUs, newestUs, setAside } = journal.facts();
    const time = (name: string, help: string, us: number | null) =>
      us === null ? [] : [gauge(name, help, us / 1_000_000)];
    return [
      gauge("ctdb_journal_events", "Events that the journal of this node has.", events),
      gauge("ctdb_journal_bytes", "The size of the journal of this node.", bytes),
      gauge("ctdb_journal_gaps", "Places in the journal where events are missing.", gaps),
      gauge("ctdb_journal_set_aside", "Corrupt files of the journal set aside.", setAside.length),
      ...time("ctdb_journal_oldest_timestamp_seconds", "The time of its oldest event.", oldestUs),
      ...time("ctdb_journal_newest_timestamp_seconds", "The time of its newest event.", newestUs),
    ];
  }

  #own(): readonly Family[] {
    const { parts } = this.#d;
    const counts = this.#d.counts();
    const { sent, failed, dropped } = counts.webhooks;
    return [
      gauge("ctdb_admind_memory_resident_bytes", "Memory of ctdb-admind.", parts.residentBytes()),
      gauge("ctdb_admind_event_streams", "Event streams that are open.", counts.streams),
      counter(
        "ctdb_admind_event_streams_dropped_total",
        "Event streams whose reader was too slow.",
        counts.streamsDropped,
      ),
      gauge("ctdb_admind_sessions", "Sessions of the page.", counts.sessions),
      gauge("ctdb_admind_requests", "Requests that are being answered.", counts.requestsNow),
      {
        type: "counter",
        name: "ctdb_admind_requests_total",
        help: "Requests that were answered, by status.",
        samples: [...counts.requestsByStatus].map(([status, value]) => ({
          labels: { status: String(status) },
          value,
        })),
      },
      {
        type: "counter",
        name: "ctdb_admind_webhooks_total",
        help: "Events for webhooks, by what became of them.",
        samples: [
          { labels: { outcome: "sent" }, value: sent },
          { labels: { outcome: "failed" }, value: failed },
          { labels: { outcome: "dropped" }, value: dropped },
        ],
      },
    ];
  }
}
