/** The journal of ctdb-admind: the file, the one that fills it, and answers made of the journals of all nodes. */
import { openSqlite } from "#sqlite";
import { NodesJournal, RememberedSource, sourcesOf } from "../admin/journal/nodes_journal.ts";
import type { JournalAnswers } from "../admin/parts.ts";
import { ok, type Result } from "../base/result.ts";
import { u64 } from "../base/u64.ts";
import type { ApiRequests } from "../client/api_request.ts";
import type { ClientFailure, CtdbClient } from "../client/types.ts";
import type { JournalConfig } from "../config/admin_options.ts";
import { mergeEvents } from "../journal/merge.ts";
import { JournalReader } from "../journal/reader/journal_reader.ts";
import { RetentionTimer } from "../journal/reader/retention_timer.ts";
import { readState } from "../journal/state/read_state.ts";
import { SqliteStore } from "../journal/store/sqlite_store.ts";
import type { KeptEvent } from "../journal/types.ts";
import { answerWhy } from "../journal/why/answer_why.ts";
import { sentenceOf } from "../journal/why/sentences.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import { NODE_FLAGS, SRVID } from "../wire/constants.ts";

const DAY_MS = 24 * 3600 * 1000;
const MEGABYTE = 1024 * 1024;
const FILE = "journal";
const OTHERS_MAY_NOT = 0o700;
const NODES_MS_MAX = 1000;

export interface AdmindJournalParts {
  readonly config: JournalConfig;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: RoleLogger;
  /** A connection of its own for the reader. */
  connect(): Promise<Result<CtdbClient, ClientFailure>>;
  client(): CtdbClient | undefined;
  node(): number | undefined;
  requests(): ApiRequests | undefined;
}

export class AdmindJournal {
  readonly answers: JournalAnswers;
  readonly #store: SqliteStore;
  readonly #reader: JournalReader;
  readonly #retention: RetentionTimer;

  constructor(parts: AdmindJournalParts) {
    const { config, files, clock, timers, log } = parts;
    makeDirectories(files, config.directory, log);
    this.#store = new SqliteStore({
      open: openSqlite,
      files,
      path: `${config.directory}/${FILE}`,
      retention: { ageMaxMs: config.keepDays * DAY_MS, bytesMax: config.keepMegabytes * MEGABYTE },
      log,
    });
    this.#retention = new RetentionTimer(this.#store, clock, timers, log);
    this.#reader = new JournalReader({
      connect: () => parts.connect(),
      store: this.#store,
      timers,
      log,
      reader: u64(SRVID.OUR_ANSWERS.hi, parts.random.u32()),
    });
    this.answers = answersOf(this.#store, parts);
  }

  onEvents(listener: (events: readonly KeptEvent[]) => void): void {
    this.#reader.onEvents(listener);
  }

  close(): void {
    this.#retention.close();
    this.#reader.close();
    this.#store.close();
  }
}

function makeDirectories(files: FileSystem, directory: string, log: RoleLogger): void {
  const above = directory.slice(0, directory.lastIndexOf("/"));
  for (const each of [above, directory]) {
    if (each === "" || files.exists(each)) continue;
    const made = files.makeDirectory(each, OTHERS_MAY_NOT);
    if (!made.ok) log.error(`Cannot make the directory of the journal: ${made.error.message}`);
  }
}

function answersOf(store: SqliteStore, parts: AdmindJournalParts): JournalAnswers {
  const nodes = new NodesJournal({
    store,
    ownNode: () => parts.node(),
    nodes: () => nodesOf(parts.client()),
    async ask(node, path, timeoutMs) {
      const requests = parts.requests();
      if (requests !== undefined) return await requests.ask(node, path, timeoutMs);
      const reason = `node ${node} cannot be asked: ctdbd is not connected`;
      return { ok: false, error: { kind: "unreachable", reason } };
    },
  });
  return {
    query: (query) => store.query(query),
    facts: () => store.facts(),
    sentence: sentenceOf,
    async queryNodes(query, wantedNodes) {
      const answers = await nodes.ask(query, wantedNodes);
      const merged = mergeEvents(answers);
      const wanted = query.newestFirst === true ? merged.toReversed() : merged;
      return ok({ value: wanted.slice(0, query.limit), sources: sourcesOf(answers) });
    },
    async explain(question) {
      const source = new RememberedSource(nodes);
      const value = await answerWhy(question, source);
      return ok({ value, sources: source.sources });
    },
    async stateAt(atUs) {
      const source = new RememberedSource(nodes);
      const value = await readState(atUs, source);
      return ok({ value, sources: source.sources });
    },
  };
}

async function nodesOf(client: CtdbClient | undefined) {
  if (client === undefined) return [];
  const options = { pnn: client.pnn, timeoutMs: NODES_MS_MAX };
  const map = await client.control("GET_NODEMAP", undefined, options);
  if (!map.ok) return [];
  return map.value.data
    .filter(({ flags }) => (flags & NODE_FLAGS.DELETED) === 0)
    .map(({ pnn, flags }) => ({ node: pnn, connected: (flags & NODE_FLAGS.DISCONNECTED) === 0 }));
}
