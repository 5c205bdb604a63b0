/** The API of a node without sockets: a ctdbd that a test scripts, a journal in a list, and a clock that a test moves. */
import { createApi } from "../../src/admin/api/app.ts";
import type { ClusterFacts } from "../../src/admin/cluster/facts.ts";
import type {
  AdminParts,
  JournalAnswers,
  Origin,
  OwnState,
  PageFile,
  Token,
} from "../../src/admin/parts.ts";
import type { JournalEvent } from "../../src/base/journal_event.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { commandRow } from "../../src/cli/commands.ts";
import { jsonSchema } from "../../src/cli/json_schema.ts";
import type { JournalQuery, KeptEvent, MergedEvent } from "../../src/journal/types.ts";
import { sentenceOf } from "../../src/journal/why/sentences.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import type { NodeFacts } from "../../src/wire/node_facts.ts";
import { daemon, nodeAt, runCtdb } from "../cli/tool_harness.ts";
import { fakeMachine } from "../support/fake_machine.ts";
import { ManualTime } from "../support/manual_time.ts";
import { nodeFacts } from "./node_facts.ts";

export const READER: Token = { token: "reader-token-0123456789", right: "read" };
export const ACTOR: Token = { token: "actor-token-0123456789", right: "act" };
export const UNIX: Origin = { kind: "unix" };
export const STRANGER = { kind: "tcp", address: "192.0.2.7", certified: false } as const;
/** What the tool says of a command that has acted. */
export const DONE = {
  status: 0,
  text: '{"schema_version":1,"node":1,"messages":[]}',
  error: "",
} as const;

const STEP_MS = 500;
/** Of which nothing is remembered between tests. */
const NO_LIMIT = { perSecond: 1e9, burst: 1e9 };

export interface BenchOptions {
  readonly actions?: boolean;
  readonly withoutJournal?: boolean;
  readonly rates?: Partial<AdminParts["rates"]>;
  readonly page?: readonly PageFile[];
  readonly metrics?: boolean;
  /** Instead of the tool. */
  readonly run?: AdminParts["tool"]["run"];
}

export class AdminBench {
  readonly time = new ManualTime();
  readonly recorded: JournalEvent[] = [];
  readonly logged: string[] = [];
  /** Arguments of each run of the tool. */
  readonly runs: (readonly string[])[] = [];
  events: KeptEvent[] = [];
  tokens: readonly Token[] = [READER, ACTOR];
  own: Result<OwnState> = ok(OWN);
  facts: Result<ClusterFacts> = ok(clusterFacts());
  nodeFacts: Result<NodeFacts> = ok(nodeFacts());
  silentSinceMs: number | undefined;
  journalProblem: string | undefined;
  looks = 0;
  readonly api: ReturnType<typeof createApi>;

  constructor(options: BenchOptions = {}) {
    const bench = this;
    this.api = createApi({
      version: "9.9.9",
      clock: this.time,
      timers: this.time,
      secrets: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
      log: { warning: (text) => this.logged.push(text), notice: (text) => this.logged.push(text) },
      tool: {
        command: commandRow,
        schema: async (name) => jsonSchema(name) ?? {},
        async run(args) {
          bench.runs.push(args);
          if (options.run !== undefined) return await options.run(args);
          // One for each, since it knows one connection at a time; of two, as doctor makes them, none.
          const alone = args.includes("doctor") ? {} : { ctdbd: daemon([nodeAt(0), nodeAt(1)]) };
          const world = { ...alone, machine: fakeMachine({}, []) };
          const ran = await runCtdb({ ...world, time: bench.time }, ...args);
          return { status: ran.status, text: ran.out, error: ran.err };
        },
      },
      daemon: {
        node: 0,
        get silentSinceMs() {
          return bench.silentSinceMs;
        },
        ownState: async () => this.own,
        nodeFacts: async () => this.nodeFacts,
        look: async () => {
          this.looks += 1;
          return this.facts;
        },
      },
      journal: options.withoutJournal === true ? undefined : this.#journal(),
      record: (event) => this.recorded.push(event),
      tokens: () => this.tokens,
      actions: options.actions ?? false,
      secureCookies: false,
      rates: { requests: NO_LIMIT, actions: NO_LIMIT, wrongTokens: NO_LIMIT, ...options.rates },
      metrics: options.metrics ?? true,
      page: options.page ?? [],
      residentBytes: () => 42_000_000,
    });
  }

  ask(path: string, init: RequestInit = {}, origin: Origin = UNIX): Promise<Response> {
    return this.api.fetch(new Request(`http://node${path}`, init), origin);
  }

  /** `[status, document]`. */
  async json(
    path: string,
    init: RequestInit = {},
    origin: Origin = UNIX,
  ): Promise<readonly [status: number, document: Record<string, unknown>]> {
    const response = await this.ask(path, init, origin);
    return [response.status, (await response.json()) as Record<string, unknown>];
  }

  /** As `ask`; what waits for an answer that nobody gives waits no longer than it may. */
  async askInTime(path: string, init: RequestInit = {}): Promise<Response> {
    const state = { isOver: false };
    const asked = this.ask(path, init).finally(() => {
      state.isOver = true;
    });
    while (!state.isOver) await this.time.advance(STEP_MS);
    return await asked;
  }

  act(name: string, body: object, init: RequestInit = {}, origin: Origin = UNIX) {
    return this.json(`/api/v1/actions/${name}`, post(body, init), origin);
  }

  /** Keeps events and tells of them, as ctdb-admind does. */
  happen(...events: readonly JournalEvent[]): void {
    const kept = events.map((event, i) => keptEvent(this.events.length + i + 1, event));
    this.events.push(...kept);
    this.api.publish(kept);
  }

  #journal(): JournalAnswers {
    return {
      query: (query) =>
        this.journalProblem === undefined
          ? ok(queried(this.events, query))
          : err(this.journalProblem),
      facts: () => ({
        events: this.events.length,
        bytes: 4096,
        oldestUs: this.events[0]?.time_us ?? null,
        newestUs: this.events.at(-1)?.time_us ?? null,
        gaps: 0,
        setAside: [],
      }),
      sentence: sentenceOf,
      queryNodes: async (query, nodes) => {
        const wanted = this.events.filter(({ node }) => nodes?.includes(node) !== false);
        const value = queried(wanted, query).map(merged);
        return ok({ value, sources: [SOURCE, SILENT] });
      },
      explain: async (question) => {
        const [first, second] = this.events.map(merged).reverse();
        const because =
          second === undefined ? [] : [{ event: second, text: "earlier", because: [] }];
        const answer =
          first === undefined ? undefined : { event: first, text: "that happened", because };
        return ok({ value: { question, answer, caveats: ["a gap"] }, sources: [SOURCE] });
      },
      stateAt: async (atUs) =>
        ok({
          value: {
            atUs,
            leader: 0,
            generation: 7,
            recovering: false,
            nodes: [{ node: 0, address: "10.0.0.1", flags: NODE_FLAGS.BANNED, running: true }],
            addresses: [{ address: "10.1.0.1", node: null }],
            databases: [{ name: "a.tdb", id: 1, kind: "volatile" }],
            caveats: [],
          },
          sources: [SOURCE],
        }),
    };
  }
}

const SOURCE = {
  node: 0,
  journal: "kept",
  reason: null,
  clock_ahead_ms: 0,
  clock_error_ms: 0,
} as const;
const SILENT = {
  node: 1,
  journal: "none",
  reason: "no journal on node 1",
  clock_ahead_ms: null,
  clock_error_ms: null,
} as const;

export const OWN: OwnState = {
  node: 0,
  runstate: "RUNNING",
  recovering: false,
  flags: 0,
  leader: 1,
};

export function post(body: unknown, init: RequestInit = {}): RequestInit {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json", ...init.headers };
  return { method: "POST", body: text, ...init, headers };
}

export function bearer({ token }: Token): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } };
}

function keptEvent(id: number, event: JournalEvent): KeptEvent {
  const timeUs = 1_795_000_000_000_000 + id * 1_000_001;
  const process = "ctdbd";
  return {
    id,
    node: 0,
    ring: "r1",
    number: id,
    time_us: timeUs,
    monotonic_ms: id * 1000,
    process,
    event,
  };
}

function merged(event: KeptEvent): MergedEvent {
  return { ...event, common_us: event.time_us };
}

function queried(events: readonly KeptEvent[], query: JournalQuery): readonly KeptEvent[] {
  const wanted = events.filter(
    ({ id, time_us, event }) =>
      id > (query.afterId ?? 0) &&
      id < (query.beforeId ?? Number.MAX_SAFE_INTEGER) &&
      time_us >= (query.sinceUs ?? 0) &&
      time_us <= (query.untilUs ?? Number.MAX_SAFE_INTEGER) &&
      (query.kinds === undefined || query.kinds.includes(event.kind)),
  );
  return (query.newestFirst === true ? wanted.toReversed() : wanted).slice(0, query.limit);
}

export function clusterFacts(more: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    atUs: 1_795_000_000_000_001,
    node: 0,
    leader: 1,
    generation: 77,
    recovering: false,
    nodes: [
      {
        node: 0,
        address: "10.0.0.1",
        flags: 0,
        answers: true,
        why: null,
        version: "4.25",
        ownJournal: "kept",
        sees: [
          { node: 0, flags: 0, heardMs: null },
          { node: 1, flags: NODE_FLAGS.BANNED, heardMs: 120 },
        ],
        turns: { longestMs: 12.5, buckets: [9, 8, 7, 0, 0, 0, 0, 0, 0, 0, 1] },
      },
      {
        node: 1,
        address: "10.0.0.2",
        flags: NODE_FLAGS.BANNED,
        answers: false,
        why: "it fails",
        version: null,
        ownJournal: "unknown",
        sees: undefined,
        turns: undefined,
      },
    ],
    addresses: [{ address: "10.1.0.1", node: null, mayBeOn: [0, 1] }],
    databases: [
      {
        name: 'hostile"name\\\n\ud800<script>.tdb',
        id: 0x1234,
        kind: "volatile",
        healthy: true,
        records: null,
        callsPerSecond: 1.5,
        migrationsPerSecond: null,
        hotKeys: [{ count: 9, keyHex: "00ff" }],
      },
    ],
    conditions: [
      { id: "node-banned", severity: "critical", text: "Node 1 is banned", advice: "unban it" },
    ],
    ...more,
  };
}
