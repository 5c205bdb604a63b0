/**
 * What the journal's store must do on every runtime (src/journal/types.ts, src/journal/store/sqlite_store.ts). Without a
 * test runner, since Deno has another: each case throws when it fails.
 */
import { deepStrictEqual, ok as isTrue } from "node:assert";
import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { JournalEvent } from "../../src/base/journal_event.ts";
import { silentLogger } from "../../src/base/log.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import type { JournalQuery, KeptEvent } from "../../src/journal/types.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import type { OpenSqlite, SqlDatabase } from "../../src/platform/types/sql.ts";
import type { JournalBatch } from "../../src/wire/journal_messages.ts";
import { must } from "../support/must.ts";

const HOUR_MS = 3_600_000;
const START_US = 1_700_000_000_000_000;
const MIB = 1024 * 1024;

export class StoreWorld {
  readonly directory: string;
  readonly open: OpenSqlite;

  constructor(open: OpenSqlite, directory: string) {
    this.open = open;
    this.directory = directory;
  }

  get file(): string {
    return join(this.directory, "journal.sqlite");
  }

  store(retention = { ageMaxMs: HOUR_MS, bytesMax: 100 * MIB }): SqliteStore {
    return new SqliteStore({
      open: this.open,
      files: new SystemFiles(),
      path: join(this.directory, "journal"),
      retention,
      log: silentLogger,
    });
  }
}

type Case = readonly [name: string, run: (world: StoreWorld) => void];

/** Events from `first` on, a second apart; `peer` is the number of each. */
function batch(
  ring: string,
  first: number,
  count: number,
  event: (number: number) => unknown = (number) => ({ kind: "link_up", peer: number }),
): JournalBatch {
  const entries = Array.from({ length: count }, (_, index) => ({
    time_us: START_US + (first + index) * 1_000_000,
    monotonic_ms: first + index + 0.25,
    process: "ctdbd" as const,
    event: event(first + index) as JournalEvent,
  }));
  return { ring, node: 2, first, entries };
}

function numbers(events: readonly KeptEvent[]): readonly string[] {
  return events.map(({ ring, number, event }) => {
    return event.kind === "gap" ? `${ring}:${number} gap ${event.missing}` : `${ring}:${number}`;
  });
}

function found(store: SqliteStore, query: Partial<JournalQuery> = {}): readonly KeptEvent[] {
  return must(store.query({ limit: 1000, ...query }));
}

function fill(store: SqliteStore, ring: string, count: number): void {
  for (let first = 1; first <= count; first += 500) {
    must(store.keep(batch(ring, first, Math.min(500, count + 1 - first))));
  }
}

function damage(path: string, from: number, bytes: number): void {
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, new Uint8Array(bytes).fill(0xa5), 0, bytes, from);
  closeSync(descriptor);
}

function keepsOnce(world: StoreWorld): void {
  const store = world.store();
  deepStrictEqual(store.position(), { ring: "", kept: 0 });
  deepStrictEqual(numbers(must(store.keep(batch("r1", 1, 3)))), ["r1:1", "r1:2", "r1:3"]);
  deepStrictEqual(must(store.keep(batch("r1", 1, 3))), []);
  deepStrictEqual(numbers(must(store.keep(batch("r1", 2, 4)))), ["r1:4", "r1:5"]);
  deepStrictEqual(store.position(), { ring: "r1", kept: 5 });
  const all = found(store);
  deepStrictEqual(
    all.map(({ id }) => id),
    [1, 2, 3, 4, 5],
  );
  deepStrictEqual(all[4], {
    id: 5,
    node: 2,
    ring: "r1",
    number: 5,
    time_us: START_US + 5_000_000,
    monotonic_ms: 5.25,
    process: "ctdbd",
    event: { kind: "link_up", peer: 5 },
  });
  store.close();
  const again = world.store();
  deepStrictEqual([again.position(), found(again)], [{ ring: "r1", kept: 5 }, all]);
  again.close();
}

function sharesTheFile(world: StoreWorld): void {
  const [ending, beginning] = [world.store(), world.store()];
  must(ending.keep(batch("r1", 1, 1)));
  must(beginning.keep(batch("r1", 2, 1, () => ({ kind: "election", reason: "x" }))));
  must(ending.keep(batch("r1", 3, 1, () => ({ kind: "election", reason: "y" }))));
  deepStrictEqual(must(beginning.keep(batch("r1", 1, 3))), []);
  for (const store of [ending, beginning]) {
    deepStrictEqual(numbers(found(store)), ["r1:1", "r1:2", "r1:3"]);
    deepStrictEqual(numbers(found(store, { kinds: ["election"] })), ["r1:2", "r1:3"]);
    deepStrictEqual(store.facts().setAside, []);
  }
  ending.close();
  must(beginning.keep(batch("r1", 4, 1)));
  beginning.close();
}

function marksGaps(world: StoreWorld): void {
  const store = world.store();
  must(store.keep(batch("r1", 1, 2)));
  deepStrictEqual(numbers(must(store.keep(batch("r1", 6, 1)))), ["r1:3 gap 3", "r1:6"]);
  deepStrictEqual(must(store.keep(batch("r1", 6, 1))), []);
  // The ctdbd of r1 was killed: nobody knows what it had.
  deepStrictEqual(numbers(must(store.keep(batch("r2", 3, 1)))), [
    "r2:0 gap null",
    "r2:1 gap 2",
    "r2:3",
  ]);
  must(store.keep(batch("r2", 4, 1, () => ({ kind: "shutdown", reason: "asked" }))));
  deepStrictEqual(numbers(must(store.keep(batch("r3", 1, 1)))), ["r3:1"]);
  deepStrictEqual([store.facts().gaps, store.facts().events], [3, 9]);
  // A ring without events says nothing yet.
  deepStrictEqual(must(store.keep(batch("r4", 9, 0))), []);
  deepStrictEqual(store.position(), { ring: "r3", kept: 1 });
  store.close();
}

function keepsWhatIsNone(world: StoreWorld): void {
  const store = world.store();
  const wrong = [
    { kind: "nothing" },
    { kind: "link_up", peer: "x".repeat(5000) },
    "text",
    null,
    { kind: "election", reason: "y".repeat(5000) },
  ];
  const kept = must(store.keep(batch("r1", 1, wrong.length, (number) => wrong[number - 1])));
  deepStrictEqual(
    kept.map(({ event }) => event.kind),
    ["gap", "gap", "gap", "gap", "election"],
  );
  const broken = [null, 7, { time_us: "x", process: "evil", event: { kind: "link_up", peer: 1 } }];
  must(store.keep({ ring: "r1", node: 2, first: 6, entries: broken as never }));
  deepStrictEqual(store.position(), { ring: "r1", kept: 8 });
  deepStrictEqual(found(store).at(-1)?.process, "ctdbd");
  isTrue(JSON.stringify(found(store)).length < 8000);
  store.close();
}

function answersQueries(world: StoreWorld): void {
  const store = world.store();
  const kinds = (number: number) =>
    number % 100 === 0 ? { kind: "election", reason: `${number}` } : { kind: "link_up", peer: 1 };
  for (let first = 1; first <= 5000; first += 500) {
    must(store.keep(batch("r1", first, 500, kinds)));
  }
  const ids = (query: Partial<JournalQuery>) => {
    const all = found(store, query).map(({ id }) => id);
    return [all.length, all[0], all.at(-1)];
  };
  const at = (number: number) => START_US + number * 1_000_000;
  deepStrictEqual(ids({}), [1000, 1, 1000]);
  deepStrictEqual(ids({ limit: 1e9, newestFirst: true }), [1000, 5000, 4001]);
  deepStrictEqual(ids({ sinceUs: at(2000), untilUs: at(2999) }), [1000, 2000, 2999]);
  deepStrictEqual(ids({ untilUs: at(10), newestFirst: true, limit: 3 }), [3, 10, 8]);
  deepStrictEqual(ids({ afterId: 4990 }), [10, 4991, 5000]);
  deepStrictEqual(ids({ beforeId: 5, newestFirst: true }), [4, 4, 1]);
  deepStrictEqual(ids({ afterId: 10, beforeId: 11 }), [0, undefined, undefined]);
  deepStrictEqual(ids({ kinds: ["election"] }), [50, 100, 5000]);
  deepStrictEqual(
    ids({ kinds: ["election", "ban"], newestFirst: true, limit: 2 }),
    [2, 5000, 4900],
  );
  const both: Partial<JournalQuery> = { kinds: ["election", "link_up"], sinceUs: at(4095) };
  deepStrictEqual(ids(both), [906, 4095, 5000]);
  deepStrictEqual(
    ids({ kinds: ["election"], sinceUs: at(1001), untilUs: at(1250) }),
    [2, 1100, 1200],
  );
  deepStrictEqual(ids({ kinds: [] }), [0, undefined, undefined]);
  deepStrictEqual(ids({ limit: -1 }), [0, undefined, undefined]);
  deepStrictEqual(ids({ sinceUs: at(9999) }), [0, undefined, undefined]);
  store.close();
}

function clockJumps(world: StoreWorld): void {
  const store = world.store();
  const times = [10, 11, 5000, 12, 3, 13];
  const entries = times.map((second) => ({
    time_us: second * 1_000_000,
    monotonic_ms: second,
    process: "ctdbd" as const,
    event: { kind: "election", reason: `${second}` } as const,
  }));
  must(store.keep({ ring: "r1", node: 0, first: 1, entries }));
  const seconds = (query: Partial<JournalQuery>) =>
    found(store, query).map(({ time_us }) => time_us / 1_000_000);
  deepStrictEqual(seconds({}), times);
  deepStrictEqual(seconds({ sinceUs: 11_000_000, untilUs: 13_000_000 }), [11, 12, 13]);
  deepStrictEqual([store.facts().oldestUs, store.facts().newestUs], [3_000_000, 5_000_000_000]);
  store.close();
}

function retainsByAgeAndSize(world: StoreWorld): void {
  const store = world.store();
  fill(store, "r1", 40_000);
  const nowUs = START_US + 40_000 * 1_000_000;
  let calls = 0;
  while (must(store.retain(nowUs))) calls += 1;
  // An hour is 3 600 of them, but the newest five chunks stay in any case.
  isTrue(calls > 10 && calls < 200, `${calls} calls`);
  const { events } = store.facts();
  isTrue(events >= 10_240 && events < 13_000, `${events} events`);
  deepStrictEqual(found(store, { newestFirst: true, limit: 1 })[0]?.number, 40_000);
  // A clock that jumped into the next century takes no more.
  while (must(store.retain(4 * nowUs)));
  deepStrictEqual(store.facts().events, events);
  store.close();
  const small = world.store({ ageMaxMs: 1e12, bytesMax: 1 });
  while (must(small.retain(nowUs)));
  deepStrictEqual(small.facts().events, events);
  fill(small, "r2", 30_000);
  const before = small.facts().bytes;
  while (must(small.retain(nowUs)));
  isTrue(small.facts().events < 13_000);
  isTrue(small.facts().bytes < before * 0.8, `${small.facts().bytes} of ${before} bytes`);
  // The ring that has no events left is forgotten, the one that is read is not.
  deepStrictEqual(small.position(), { ring: "r2", kept: 30_000 });
  small.close();
}

function setsCorruptFilesAside(world: StoreWorld): void {
  for (let round = 1; round <= 5; round++) {
    writeFileSync(world.file, "this is no database, and longer than a header of one".repeat(100));
    const store = world.store();
    const kept = must(store.keep(batch("r1", 5, 1)));
    deepStrictEqual(numbers(kept), ["r1:4 gap null", "r1:5"]);
    isTrue(JSON.stringify(kept[0]).includes(`journal.corrupt-${round}.sqlite`));
    deepStrictEqual(numbers(must(store.keep(batch("r1", 6, 1)))), ["r1:6"]);
    const expected = [round - 2, round - 1, round]
      .filter((number) => number > 0)
      .map((number) => join(world.directory, `journal.corrupt-${number}.sqlite`));
    deepStrictEqual(store.facts().setAside, expected);
    store.close();
  }
}

function survivesDamageWhileItRuns(world: StoreWorld): void {
  const first = world.store();
  // More than is kept in memory.
  const reason = "x".repeat(1000);
  for (let at = 1; at <= 12_000; at += 500) {
    must(first.keep(batch("r1", at, 500, () => ({ kind: "election", reason }))));
  }
  first.close();
  const store = world.store();
  deepStrictEqual(store.position().kept, 12_000);
  damage(world.file, 8192, statSync(world.file).size - 8192);
  deepStrictEqual(found(store, { afterId: 6000 }), []);
  deepStrictEqual(store.facts().setAside.length, 1);
  deepStrictEqual(numbers(must(store.keep(batch("r1", 12_001, 1)))), [
    "r1:12000 gap null",
    "r1:12001",
  ]);
  store.close();
}

function takesFilesThatWereCut(world: StoreWorld): void {
  const first = world.store();
  fill(first, "r1", 3000);
  first.close();
  const whole = join(world.directory, "whole");
  copyFileSync(world.file, whole);
  for (const share of [0, 0.01, 0.3, 0.9]) {
    copyFileSync(whole, world.file);
    truncateSync(world.file, Math.floor(statSync(whole).size * share));
    const store = world.store();
    deepStrictEqual(numbers(must(store.keep(batch("r1", 3001, 1)))).at(-1), "r1:3001");
    store.close();
  }
}

function leavesNewerFilesAlone(world: StoreWorld): void {
  const first = world.store();
  must(first.keep(batch("r1", 1, 1)));
  first.close();
  const newer = world.open(world.file);
  newer.execute("PRAGMA user_version = 2");
  newer.close();
  const store = world.store();
  must(store.keep(batch("r1", 1, 2)));
  deepStrictEqual(store.facts().file, join(world.directory, "journal-1.sqlite"));
  deepStrictEqual([store.facts().events, store.facts().setAside], [2, []]);
  store.close();
  const left = world.open(world.file);
  deepStrictEqual(left.prepare("SELECT count(*) AS n FROM events").all()[0]?.["n"], 1);
  left.close();
}

function goesOnWhenThereIsRoom(world: StoreWorld): void {
  let database: SqlDatabase | undefined;
  const tight: OpenSqlite = (path) => {
    database = world.open(path);
    // What a full disk is to SQLite: the file must not become larger.
    database.execute("PRAGMA max_page_count = 40");
    return database;
  };
  const store = new StoreWorld(tight, world.directory).store();
  const reason = "x".repeat(1000);
  const long = (first: number) => batch("r1", first, 10, () => ({ kind: "election", reason }));
  let first = 1;
  while (store.keep(long(first)).ok) first += 10;
  isTrue(first > 10 && first < 200, `full at ${first}`);
  const refused = store.keep(long(first));
  isTrue(!refused.ok && refused.error.includes("full"));
  // What was kept is there, and nothing of what was refused.
  deepStrictEqual(store.position(), { ring: "r1", kept: first - 1 });
  deepStrictEqual(found(store).length, first - 1);
  deepStrictEqual(store.facts().setAside, []);
  database?.execute("PRAGMA max_page_count = 100000");
  must(store.keep(long(first)));
  deepStrictEqual(store.position(), { ring: "r1", kept: first + 9 });
  store.close();
}

function refusesWithoutADirectory(world: StoreWorld): void {
  const nowhere = new StoreWorld(world.open, join(world.directory, "not", "there"));
  const store = nowhere.store();
  deepStrictEqual(store.position(), { ring: "", kept: 0 });
  isTrue(!store.keep(batch("r1", 1, 1)).ok);
  deepStrictEqual(store.facts().events, 0);
  store.close();
  isTrue(!store.keep(batch("r1", 1, 1)).ok);
  deepStrictEqual(readdirSync(world.directory), []);
}

export const JOURNAL_STORE_CASES: readonly Case[] = [
  ["keeps each event once, in order, and over a restart", keepsOnce],
  ["shares the file with one that ends while it begins", sharesTheFile],
  ["marks what is missing as gaps", marksGaps],
  ["keeps what is no event as a gap that says why", keepsWhatIsNone],
  ["answers by ids, times and kinds, from either end", answersQueries],
  ["keeps the order of keeping when the clock jumps", clockJumps],
  ["takes away what is too old or too much, and never the newest", retainsByAgeAndSize],
  ["sets corrupt files aside, and not more than some", setsCorruptFilesAside],
  ["begins anew when the file shows to be damaged later", survivesDamageWhileItRuns],
  ["opens whatever is left of a file", takesFilesThatWereCut],
  ["leaves a file of a newer version alone", leavesNewerFilesAlone],
  ["goes on when there is room again", goesOnWhenThereIsRoom],
  ["says that it cannot, without a directory", refusesWithoutADirectory],
];
