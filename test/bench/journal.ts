/**
 * A journal of ten million events: what keeping, asking, explaining and rebuilding cost, and how large the file is
 * (docs/journal.md, "Figures").
 *
 *     bun test/bench/journal.ts DIRECTORY [EVENTS]
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "#sqlite";
import type { JournalEvent } from "../../src/base/journal_event.ts";
import { silentLogger } from "../../src/base/log.ts";
import { readState } from "../../src/journal/state/read_state.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import type { JournalQuery, JournalSource } from "../../src/journal/types.ts";
import { answerWhy } from "../../src/journal/why/answer_why.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import { must } from "../support/must.ts";

const BATCH_EVENTS = 512;
const START_US = 1_700_000_000_000_000;
const EVENT_US = 250_000;
const STATE_EVENTS = 2400;
const ROUNDS = 20;

/** A busy cluster's: mostly long turns and scripts, now and then a recovery and its moves. */
function eventOf(number: number): JournalEvent {
  const peer = number % 3;
  const by = { node: peer };
  if (number % STATE_EVENTS === 1) return state();
  if (number % 1_000_003 === 0)
    return { kind: "ban", target: 1, seconds: 300, reason: "it failed", by };
  switch (number % 16) {
    case 0:
      return {
        kind: "flags",
        target: peer,
        before: 0,
        after: 2,
        reason: "its monitor event failed",
        by,
      };
    case 1:
      return {
        kind: "script_failed",
        event: "monitor",
        script: "50.samba",
        result: 1,
        line: "ERROR: smbd not listening on TCP port 445",
        duration_ms: 812,
      };
    case 2:
      return {
        kind: "address_assigned",
        address: `10.0.0.${number % 200}`,
        from: peer,
        to: (peer + 1) % 3,
        reason: "node 1 is unhealthy",
      };
    case 3:
      return {
        kind: "address_taken",
        address: `10.0.0.${number % 200}`,
        interface: "eth1",
        duration_ms: 31,
        failure: null,
      };
    case 4:
      return {
        kind: "recovery_started",
        generation: number,
        reason: "the vnn map has 3 nodes, expected the 2 active lmasters",
        nodes: [0, 1, 2],
        culprit: null,
      };
    case 5:
      return {
        kind: "recovery_ended",
        generation: number,
        succeeded: true,
        reason: null,
        duration_ms: 321.5,
      };
    case 6:
      return { kind: "link_down", peer, reason: "connection reset by peer" };
    default:
      return {
        kind: "long_turn",
        duration_ms: 61.25,
        busy_ms: 60.5,
        spans: [
          { name: "turn", depth: 0, duration_ms: 61.25 },
          { name: "vacuum", depth: 1, duration_ms: 58.5 },
        ],
      };
  }
}

function state(): JournalEvent {
  return {
    kind: "state",
    runstate: "RUNNING",
    generation: 1,
    recovering: false,
    leader: 0,
    nodes: [0, 1, 2].map((node) => ({ node, address: `10.1.0.${node}`, flags: 0 })),
    addresses: Array.from({ length: 20 }, (_, at) => ({ address: `10.0.0.${at}`, node: at % 3 })),
    databases: Array.from({ length: 20 }, (_, id) => ({ name: `${id}.tdb`, id, kind: "volatile" })),
  };
}

function fill(store: SqliteStore, events: number): void {
  const begun = performance.now();
  for (let first = store.position().kept + 1; first <= events; first += BATCH_EVENTS) {
    const entries = Array.from({ length: Math.min(BATCH_EVENTS, events + 1 - first) }, (_, at) => ({
      time_us: START_US + (first + at) * EVENT_US,
      monotonic_ms: ((first + at) * EVENT_US) / 1000,
      process: "ctdbd" as const,
      event: eventOf(first + at),
    }));
    must(store.keep({ ring: "r1", node: 0, first, entries }));
  }
  const ms = performance.now() - begun;
  console.log(
    `kept ${events} events in ${(ms / 1000).toFixed(1)} s, ${((ms * 1000) / events).toFixed(1)} µs each`,
  );
}

/** The median and the longest of several runs. */
async function measure(what: string, run: (round: number) => unknown): Promise<void> {
  const times: number[] = [];
  let answer: unknown;
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    answer = await run(round);
    times.push(performance.now() - begun);
  }
  times.sort((one, other) => one - other);
  const size = Array.isArray(answer) ? `, ${answer.length} events` : "";
  const [median, longest] = [times[ROUNDS >> 1] ?? 0, times.at(-1) ?? 0];
  console.log(`${what}: ${median.toFixed(1)} ms, at most ${longest.toFixed(1)} ms${size}`);
}

const [directory = "", count = "10000000"] = process.argv.slice(2);
const events = Number(count);
const path = join(directory, "journal");
const retention = { ageMaxMs: 1e15, bytesMax: 1e12 };
const open = () =>
  new SqliteStore({
    open: openSqlite,
    files: new SystemFiles(),
    path,
    retention,
    log: silentLogger,
  });
const filled = open();
fill(filled, events);
filled.close();

const begun = performance.now();
const store = open();
console.log(`opened in ${(performance.now() - begun).toFixed(1)} ms`);
const bytes = statSync(`${path}.sqlite`).size;
console.log(`${(bytes / 1e6).toFixed(0)} MB, ${(bytes / events).toFixed(0)} bytes an event`);
const source: JournalSource = {
  async ask(query) {
    return [{ node: 0, events: store.query(query), clockAheadUs: 0, clockErrorUs: 0 }];
  },
};
/** Another moment in each round. */
const atUs = (round: number) =>
  START_US + Math.floor((events * ((round * 7919) % 997)) / 997) * EVENT_US;
const ask = (what: string, query: (round: number) => Omit<JournalQuery, "limit">) =>
  measure(what, (round) => must(store.query({ ...query(round), limit: 1000 })));
const HOUR_US = 3_600_000_000;

await ask("newest thousand", () => ({ newestFirst: true }));
await ask("a thousand after an id", (round) => ({
  afterId: Math.floor((events * round) / ROUNDS),
}));
await ask("of a minute", (round) => ({ sinceUs: atUs(round), untilUs: atUs(round) + 60_000_000 }));
await ask("newest of a day", (round) => ({
  sinceUs: atUs(round),
  untilUs: atUs(round) + 24 * HOUR_US,
  newestFirst: true,
}));
await ask("newest of a rare kind", () => ({ kinds: ["ban"], newestFirst: true }));
await ask("of a rare kind in a day", (round) => ({
  kinds: ["ban"],
  sinceUs: atUs(round),
  untilUs: atUs(round) + 24 * HOUR_US,
}));
await ask("of five kinds in an hour", (round) => ({
  kinds: ["flags", "ban", "link_down", "leader", "recovery_started"],
  sinceUs: atUs(round),
  untilUs: atUs(round) + HOUR_US,
}));
await ask("of a kind that there is none of", () => ({ kinds: ["lock_lost"] }));
await ask("before the beginning", () => ({ untilUs: START_US - 1 }));
await measure("facts", () => store.facts());
await measure("why an address moved", (round) =>
  answerWhy({ subject: "address", address: "10.0.0.2", atUs: atUs(round + 3) }, source),
);
await measure("why a node was banned", () => answerWhy({ subject: "ban", node: 1 }, source));
await measure("why of an address that there is not", () =>
  answerWhy({ subject: "address", address: "192.0.2.1" }, source),
);
await measure("state at a time", (round) => readState(atUs(round + 3), source));
const small = new SqliteStore({
  open: openSqlite,
  files: new SystemFiles(),
  path,
  retention: { ageMaxMs: 1e15, bytesMax: bytes / 2 },
  log: silentLogger,
});
await measure("a piece of retention", () => small.retain(START_US));
small.close();
store.close();
console.log(`${(process.memoryUsage().rss / 1e6).toFixed(0)} MB of memory`);
