/**
 * The answer to NODE_FACTS (wire/node_facts.ts): counters and gauges of this node that no control has.
 *
 * Invariants:
 * 1. Only clients of this node are answered, each request at most once.
 * 2. The event daemon is asked how long scripts took, and not waited for longer than FACTS_SCRIPTS_MS.
 * 3. Every list is bounded.
 */
import { type TracedTurns, TURN_BUCKETS_MS, type TurnTimes } from "../../base/trace.ts";
import { WAIT_BUCKETS_MS } from "../../database/database_statistics.ts";
import type { Timers } from "../../platform/types/time.ts";
import type { ScriptRun } from "../../services/event_runner.ts";
import { SRVID } from "../../wire/constants.ts";
import {
  type DatabaseFacts,
  decodeNodeFactsRequest,
  encodeNodeFacts,
  NODE_FACTS_MAX,
  type NodeFacts,
  type NodeFactsRequest,
  OTHERS,
  type ScriptFacts,
} from "../../wire/node_facts.ts";
import type { DatabasePart } from "../database_part.ts";
import type { DaemonDependencies } from "../dependencies.ts";
import type { JournalRing } from "../journal/journal_ring.ts";
import { FACTS_REQUESTS_MAX, FACTS_SCRIPTS_MS } from "../journal/limits.ts";
import type { NodeEvents } from "../lifecycle/node_events.ts";
import type { NodeCore } from "../node_core.ts";
import type { ClientTable } from "../routing/client_table.ts";
import type { MessageRouter } from "../routing/message_router.ts";
import type { NodeOutput } from "../routing/node_output.ts";

const NAME_CHARACTERS_MAX = 1024;

export interface NodeFactsParts {
  readonly core: Pick<NodeCore, "nodes" | "log">;
  readonly dependencies: Pick<
    DaemonDependencies,
    "ownPid" | "version" | "memoryUse" | "clock" | "tls"
  >;
  readonly startedMs: number;
  readonly trace: TracedTurns;
  readonly clients: Pick<ClientTable, "all">;
  readonly messages: Pick<MessageRouter, "listen" | "send">;
  readonly output: Pick<NodeOutput, "queuedBytes">;
  readonly database: Pick<DatabasePart, "facts" | "callFacts">;
  readonly pendingControls: () => number;
  readonly ring: JournalRing;
  readonly events: Pick<NodeEvents, "scriptRuns">;
  readonly timers: Timers;
}

export class NodeFactsService {
  readonly #p: NodeFactsParts;
  readonly #remove: () => void;
  #waiting = 0;
  #closed = false;

  constructor(parts: NodeFactsParts) {
    this.#p = parts;
    const { ownPnn } = parts.core.nodes;
    this.#remove = parts.messages.listen(SRVID.NODE_FACTS, (data, srcnode) => {
      if (srcnode === ownPnn) this.#asked(data);
    });
  }

  close(): void {
    this.#closed = true;
    this.#remove();
  }

  #asked(data: Uint8Array): void {
    const { core, events, timers } = this.#p;
    const request = decodeNodeFactsRequest(data);
    if (!request.ok) {
      core.log.warning(`Dropped a request for the facts of this node: ${request.error}`);
      return;
    }
    if (this.#waiting >= FACTS_REQUESTS_MAX) return;
    this.#waiting += 1;
    let answered = false;
    const answer = (scripts: readonly ScriptRun[]): void => {
      if (answered) return;
      answered = true;
      limit.cancel();
      this.#waiting -= 1;
      if (!this.#closed) this.#answer(request.value, scripts);
    };
    const limit = timers.after(FACTS_SCRIPTS_MS, () => answer([]));
    events.scriptRuns(answer);
  }

  #answer({ id, answer }: NodeFactsRequest, scripts: readonly ScriptRun[]): void {
    const { core, messages } = this.#p;
    const facts = { id, ...this.#facts(), scripts: scripts.map(scriptFacts) };
    messages.send(core.nodes.ownPnn, answer, encodeNodeFacts(facts));
  }

  #facts(): Omit<NodeFacts, "id" | "scripts"> {
    const { core, dependencies: d, startedMs, database, ring } = this.#p;
    const { heapBytes, externalBytes, residentBytes } = d.memoryUse();
    const { kinds, ...runs } = ring.counts.facts();
    return {
      node: core.nodes.ownPnn,
      pid: d.ownPid,
      version: d.version,
      uptime_ms: d.clock.monotonicMs() - startedMs,
      memory: {
        resident_bytes: residentBytes,
        heap_bytes: heapBytes,
        external_bytes: externalBytes,
      },
      turns: turnFacts(this.#p.trace),
      calls: { ...database.callFacts(), pending_controls: this.#p.pendingControls() },
      queues: this.#queues(),
      wait_bounds_ms: [...WAIT_BUCKETS_MS],
      databases: database.facts(NODE_FACTS_MAX.DATABASES).map(withName),
      journal: {
        ring: ring.name,
        size: ring.size,
        first: ring.first,
        last: ring.last,
        lost: ring.lost,
        kinds,
      },
      flags_refused: core.nodes.refusals,
      ...runs,
      ...tlsFacts(d.tls),
    };
  }

  #queues(): NodeFacts["queues"] {
    const { core, clients, output } = this.#p;
    const { ownPnn } = core.nodes;
    const peers = core.nodes
      .configured()
      .filter((pnn) => pnn !== ownPnn)
      .slice(0, NODE_FACTS_MAX.PEERS)
      .map((node) => ({ node, bytes: output.queuedBytes(node) }));
    const queued = [...clients.all()].map(({ pid, link }) => ({ pid, bytes: link.queuedBytes }));
    const longest = queued.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
    return {
      peers,
      own_bytes: output.queuedBytes(ownPnn),
      clients: queued.length,
      client_bytes: longest.reduce((sum, { bytes }) => sum + bytes, 0),
      longest: longest.slice(0, NODE_FACTS_MAX.CLIENTS),
    };
  }
}

function tlsFacts(tls: DaemonDependencies["tls"]): Pick<NodeFacts, "tls"> {
  const facts = tls?.facts;
  if (facts === undefined) return {};
  return {
    tls: {
      refused: Object.fromEntries(facts.refused),
      serial: facts.serial,
      certificate_until_ms: facts.certificateUntilMs,
      authority_until_ms: facts.authorityUntilMs,
    },
  };
}

function turnFacts(trace: TracedTurns): NodeFacts["turns"] {
  return {
    bounds_ms: [...TURN_BUCKETS_MS],
    spans: trace.turnTimes().map(([name = OTHERS, times]) => ({ name, ...timesFacts(times) })),
    longest_ms: trace.longestMs,
    longest_span: trace.longestSpan,
    busiest_ms: trace.busiestMs,
    busiest_span: trace.busiestSpan,
  };
}

function timesFacts({ count, totalMs, longestMs, buckets }: TurnTimes) {
  return { count, total_ms: totalMs, longest_ms: longestMs, buckets: [...buckets] };
}

function scriptFacts({ event, script, result, durationMs, endedUs }: ScriptRun): ScriptFacts {
  return { event, script, result, duration_ms: durationMs ?? null, ended_us: endedUs };
}

/** Names of databases are as long as somebody made them. */
function withName(facts: DatabaseFacts): DatabaseFacts {
  return { ...facts, name: facts.name.slice(0, NAME_CHARACTERS_MAX) };
}
