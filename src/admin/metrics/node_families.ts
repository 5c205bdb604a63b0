/** Families of what the own ctdbd tells (NODE_FACTS). Every label comes from a list that ctdbd bounds. */
import type { NodeFacts } from "../../wire/node_facts.ts";
import type { Family, HistogramSample, Labels, NumberFamily } from "./exposition.ts";

const MS_PER_SECOND = 1000;

type Row = readonly [labels: Labels, value: number];

function rows(type: "counter" | "gauge", name: string, help: string, all: readonly Row[]): Family {
  return { type, name, help, samples: all.map(([labels, value]) => ({ labels, value })) };
}

export function gauge(name: string, help: string, value: number): NumberFamily {
  return { type: "gauge", name, help, samples: [{ value }] };
}

export function counter(name: string, help: string, value: number): NumberFamily {
  return { type: "counter", name, help, samples: [{ value }] };
}

export function nodeFamilies(facts: NodeFacts, nowMs: number): readonly Family[] {
  return [
    ...processFamilies(facts, nowMs),
    ...turnFamilies(facts),
    ...queueFamilies(facts),
    ...databaseFamilies(facts),
    ...vacuumFamilies(facts),
    ...clusterWorkFamilies(facts),
    ...scriptFamilies(facts),
    ...journalFamilies(facts),
    ...tlsFamilies(facts),
  ];
}

function processFamilies({ version, uptime_ms, memory }: NodeFacts, nowMs: number): Family[] {
  return [
    rows("gauge", "ctdb_build_info", "The release of ctdbd.", [[{ version }, 1]]),
    gauge(
      "ctdb_start_time_seconds",
      "When ctdbd started, in seconds since 1970.",
      Math.round((nowMs - uptime_ms) / MS_PER_SECOND),
    ),
    gauge("ctdb_memory_resident_bytes", "Memory of ctdbd that is in use.", memory.resident_bytes),
    gauge("ctdb_memory_heap_bytes", "Memory of ctdbd's heap.", memory.heap_bytes),
    gauge(
      "ctdb_memory_external_bytes",
      "Memory of ctdbd outside of its heap.",
      memory.external_bytes,
    ),
  ];
}

function turnFamilies({ turns }: NodeFacts): Family[] {
  const bounds = turns.bounds_ms.map((ms) => ms / MS_PER_SECOND);
  return [
    {
      type: "histogram",
      name: "ctdb_loop_turn_duration_seconds",
      help: "Turns of ctdbd's event loop by their outermost span.",
      samples: turns.spans.map(({ name, total_ms, buckets }) => ({
        labels: { span: name },
        bounds,
        counts: buckets,
        sum: total_ms / MS_PER_SECOND,
      })),
    },
    rows("gauge", "ctdb_loop_longest_turn_seconds", "The longest turn since the start.", [
      [{ span: turns.longest_span }, turns.longest_ms / MS_PER_SECOND],
    ]),
    rows(
      "gauge",
      "ctdb_loop_busiest_turn_seconds",
      "The turn with the most processor time since the start.",
      [[{ span: turns.busiest_span }, turns.busiest_ms / MS_PER_SECOND]],
    ),
  ];
}

function queueFamilies({ calls, queues }: NodeFacts): Family[] {
  return [
    gauge("ctdb_pending_calls", "Calls to other nodes without an answer yet.", calls.pending),
    gauge(
      "ctdb_collapsed_calls",
      "Calls that wait behind one for the same record.",
      calls.collapsed,
    ),
    gauge("ctdb_pending_controls", "Controls without an answer yet.", calls.pending_controls),
    rows(
      "gauge",
      "ctdb_peer_queue_bytes",
      "Bytes that wait to be sent to a node.",
      queues.peers.map(({ node, bytes }) => [{ peer: String(node) }, bytes] as const),
    ),
    gauge("ctdb_own_queue_bytes", "Bytes of packets to itself.", queues.own_bytes),
    gauge("ctdb_clients", "Clients of ctdbd.", queues.clients),
    gauge("ctdb_client_queue_bytes", "Bytes that wait to be read by clients.", queues.client_bytes),
    gauge(
      "ctdb_client_longest_queue_bytes",
      "Bytes that wait for the client that is most behind.",
      Math.max(0, ...queues.longest.map(({ bytes }) => bytes)),
    ),
  ];
}

function databaseFamilies({ databases, wait_bounds_ms }: NodeFacts): Family[] {
  const bounds = wait_bounds_ms.map((ms) => ms / MS_PER_SECOND);
  const each = (read: (database: (typeof databases)[number]) => number): readonly Row[] =>
    databases.map((database) => [{ database: database.name }, read(database)]);
  const histogram = (
    read: (database: (typeof databases)[number]) => {
      readonly total_ms: number;
      readonly buckets: readonly number[];
    },
  ): readonly HistogramSample[] =>
    databases.map((database) => {
      const { total_ms, buckets } = read(database);
      const labels = { database: database.name };
      return { labels, bounds, counts: buckets, sum: total_ms / MS_PER_SECOND };
    });
  return [
    rows(
      "gauge",
      "ctdb_database_info",
      "An attached database.",
      databases.map(({ name, kind, id }) => [
        { database: name, kind, id: `0x${id.toString(16).padStart(8, "0")}` },
        1,
      ]),
    ),
    {
      type: "histogram",
      name: "ctdb_database_lock_wait_seconds",
      help: "Waits for a chain that another process held.",
      samples: histogram(({ lock_waits }) => lock_waits),
    },
    rows(
      "counter",
      "ctdb_database_lock_waits_failed_total",
      "Waits for a chain that failed.",
      each(({ lock_waits }) => lock_waits.failed),
    ),
    rows(
      "gauge",
      "ctdb_database_lock_waiting",
      "Waits for a chain that go on.",
      each(({ lock_waits }) => lock_waits.waiting),
    ),
    {
      type: "histogram",
      name: "ctdb_database_migration_seconds",
      help: "Records that were fetched from another node for a call.",
      samples: histogram(({ migrations }) => migrations),
    },
    rows(
      "counter",
      "ctdb_database_calls_total",
      "Calls by the hops that they made, at most.",
      databases.flatMap(({ name, hops }) =>
        hops.map((count, bits) => [{ database: name, hops_max: String(2 ** bits - 1) }, count]),
      ),
    ),
    rows(
      "gauge",
      "ctdb_database_deferred_calls",
      "Calls that wait for a record.",
      each(({ deferred_calls }) => deferred_calls),
    ),
    rows(
      "gauge",
      "ctdb_database_deferred_bytes",
      "Bytes of calls that wait for a record.",
      each(({ deferred_bytes }) => deferred_bytes),
    ),
  ];
}

function vacuumFamilies({ databases }: NodeFacts): Family[] {
  const each = (
    read: (vacuum: (typeof databases)[number]["vacuum"]) => readonly Row[],
  ): readonly Row[] =>
    databases.flatMap(({ name, vacuum }) =>
      read(vacuum).map(([labels, value]) => [{ database: name, ...labels }, value] as const),
    );
  return [
    rows(
      "gauge",
      "ctdb_vacuum_backlog_records",
      "Records that wait for the vacuum, by what for.",
      each(({ delete_queue, fetch_queue }) => [
        [{ queue: "delete" }, delete_queue],
        [{ queue: "fetch" }, fetch_queue],
      ]),
    ),
    rows(
      "counter",
      "ctdb_vacuum_runs_total",
      "Runs of the vacuum, by how much they look at.",
      each(({ runs, full_runs }) => [
        [{ run: "fast" }, Math.max(0, runs - full_runs)],
        [{ run: "full" }, full_runs],
      ]),
    ),
    rows(
      "counter",
      "ctdb_vacuum_failed_runs_total",
      "Runs of the vacuum that failed.",
      each(({ failed_runs }) => [[{}, failed_runs]]),
    ),
    rows(
      "counter",
      "ctdb_vacuum_seconds_total",
      "Time that the vacuum took.",
      each(({ total_ms }) => [[{}, total_ms / MS_PER_SECOND]]),
    ),
    rows(
      "counter",
      "ctdb_vacuum_records_total",
      "Records that the vacuum looked at, by what became of them.",
      each(({ deleted, kept }) => [
        [{ outcome: "deleted" }, deleted],
        [{ outcome: "kept" }, kept],
      ]),
    ),
  ];
}

function clusterWorkFamilies({
  recoveries,
  takeovers,
  addresses,
  flags_refused,
}: NodeFacts): Family[] {
  const results = ({ succeeded, failed }: typeof takeovers | typeof recoveries): readonly Row[] => [
    [{ result: "succeeded" }, succeeded],
    [{ result: "failed" }, failed],
  ];
  return [
    rows(
      "counter",
      "ctdb_recoveries_total",
      "Recoveries that this node ran as the leader.",
      results(recoveries),
    ),
    counter(
      "ctdb_recovery_seconds_total",
      "Time that recoveries took.",
      recoveries.total_ms / MS_PER_SECOND,
    ),
    gauge(
      "ctdb_recovery_last_duration_seconds",
      "How long the last recovery took.",
      recoveries.last_ms / MS_PER_SECOND,
    ),
    rows(
      "counter",
      "ctdb_recovery_steps_total",
      "Steps of recoveries.",
      recoveries.steps.map(({ name, count }) => [{ step: name }, count]),
    ),
    rows(
      "counter",
      "ctdb_recovery_step_seconds_total",
      "Time that steps of recoveries took.",
      recoveries.steps.map(({ name, total_ms }) => [{ step: name }, total_ms / MS_PER_SECOND]),
    ),
    rows(
      "counter",
      "ctdb_takeovers_total",
      "Takeover runs that this node ran as the leader.",
      results(takeovers),
    ),
    counter(
      "ctdb_takeover_seconds_total",
      "Time that takeover runs took.",
      takeovers.total_ms / MS_PER_SECOND,
    ),
    counter(
      "ctdb_flag_changes_refused_total",
      "Changes of flags of nodes that somebody asked for who may not.",
      flags_refused,
    ),
    rows("counter", "ctdb_address_moves_total", "Public addresses that came here or went.", [
      [{ move: "taken" }, addresses.taken],
      [{ move: "released" }, addresses.released],
      [{ move: "failed" }, addresses.failed],
    ]),
  ];
}

function scriptFamilies({ scripts }: NodeFacts): Family[] {
  const labels = ({ event, script }: (typeof scripts)[number]) => ({ event, script });
  return [
    rows(
      "gauge",
      "ctdb_script_last_duration_seconds",
      "How long the last run of an event script took.",
      scripts.flatMap((each) =>
        each.duration_ms === null ? [] : [[labels(each), each.duration_ms / MS_PER_SECOND]],
      ),
    ),
    rows(
      "gauge",
      "ctdb_script_last_result",
      "The exit status of the last run of an event script; negative: an errno.",
      scripts.map((each) => [labels(each), each.result]),
    ),
  ];
}

function tlsFamilies({ tls }: NodeFacts): Family[] {
  if (tls === undefined) return [];
  return [
    rows(
      "counter",
      "ctdb_node_connections_refused_total",
      "Connections between nodes that TLS refused.",
      Object.entries(tls.refused).map(([cause, count]) => [{ cause }, count] as const),
    ),
    rows(
      "gauge",
      "ctdb_certificate_end_time_seconds",
      "When a certificate of the node links ends, in seconds since 1970.",
      [
        [{ of: "node" }, tls.certificate_until_ms / MS_PER_SECOND],
        [{ of: "authority" }, tls.authority_until_ms / MS_PER_SECOND],
      ],
    ),
  ];
}

function journalFamilies({ journal }: NodeFacts): Family[] {
  return [
    rows(
      "counter",
      "ctdb_journal_recorded_events_total",
      "Events that were recorded, by kind.",
      Object.entries(journal.kinds).map(([kind, count]) => [{ kind }, count]),
    ),
    gauge(
      "ctdb_journal_waiting_events",
      "Events that are not kept yet: the lag of the journal.",
      journal.size,
    ),
    counter(
      "ctdb_journal_lost_events_total",
      "Events that had to go before anybody kept them.",
      journal.lost,
    ),
  ];
}
