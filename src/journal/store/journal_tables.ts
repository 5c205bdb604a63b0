/**
 * The tables of an open journal (journal_file.ts has them): what is written in one transaction, and what is read.
 *
 * Invariants:
 * 1. An event is kept once: `rings.kept` is read and raised in the transaction that inserts.
 * 2. Ids grow in the order of keeping, and are never used again.
 * 3. `chunks` says of every chunk what its events are, in the same transaction.
 * 4. A read that goes through times or kinds touches what it answers with, and at most the chunks at the ends of its
 *    span beside.
 *
 * Everything throws SqlErrors.
 */
import type { JournalProcess } from "../../base/journal_event.ts";
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from "../../platform/types/sql.ts";
import { readKeptEvent } from "../event_schemas.ts";
import type { KeptEvent, KeptKind } from "../types.ts";
import { chunkOf, chunkRange, type IdRange } from "./chunk_runs.ts";

export interface RingRow {
  readonly id: number;
  readonly name: string;
  readonly node: number;
  /** Number of the last event that is kept. */
  readonly kept: number;
}

export type NewEvent = Omit<KeptEvent, "id">;

interface Chunk {
  firstUs: number;
  lastUs: number;
  events: number;
  gaps: number;
}

const EVENT_COLUMNS = `
  SELECT events.id, rings.name AS ring, rings.node AS node, number, time_us, monotonic_ms, process, kind, fields
  FROM events JOIN rings ON rings.id = events.ring`;

export class JournalTables {
  readonly #database: SqlDatabase;
  readonly #statements = new Map<string, SqlStatement>();
  /** Numbers of kinds and processes, and back. */
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#readNames();
  }

  /** What `action` writes is kept as a whole or not at all. */
  transaction<T>(action: () => T): T {
    this.#database.execute("BEGIN IMMEDIATE");
    try {
      const value = action();
      this.#database.execute("COMMIT");
      return value;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#database.execute("ROLLBACK");
    } catch {
      // SQLite has done so by itself: a full disk, for one.
    }
    // Names that were given a number meanwhile have none now.
    this.#readNames();
  }

  // --- rings

  ring(name: string): RingRow | undefined {
    const [row] = this.#all("SELECT id, name, node, kept FROM rings WHERE name = ?", name);
    return row as RingRow | undefined;
  }

  /** The one that was begun last. */
  newestRing(): RingRow | undefined {
    const [row] = this.#all("SELECT id, name, node, kept FROM rings ORDER BY id DESC LIMIT 1");
    return row as RingRow | undefined;
  }

  addRing(name: string, node: number): RingRow {
    const id = this.#run("INSERT INTO rings (name, node, kept) VALUES (?, ?, 0)", name, node);
    return { id, name, node, kept: 0 };
  }

  setKept(ring: RingRow, kept: number): void {
    this.#run("UPDATE rings SET kept = ? WHERE id = ?", kept, ring.id);
  }

  ringHasKind(ring: RingRow, kind: KeptKind): boolean {
    const sql =
      "SELECT ring FROM events INDEXED BY events_kind WHERE kind = ? ORDER BY id DESC LIMIT 1";
    const [row] = this.#all(sql, this.#number(kind));
    return row?.["ring"] === ring.id;
  }

  // --- events

  insert(ring: RingRow, events: readonly NewEvent[]): readonly KeptEvent[] {
    const chunks = new Map<number, Chunk>();
    const kept = events.map((event) => {
      const id = this.#insertOne(ring, event);
      count(chunks, chunkOf(id), event);
      return { id, ...event };
    });
    for (const [chunk, of] of chunks) {
      this.#run(
        `INSERT INTO chunks (chunk, first_us, last_us, events, gaps) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (chunk) DO UPDATE SET
           first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us),
           events = events + excluded.events, gaps = gaps + excluded.gaps`,
        chunk,
        of.firstUs,
        of.lastUs,
        of.events,
        of.gaps,
      );
    }
    return kept;
  }

  #insertOne(ring: RingRow, { number, time_us, monotonic_ms, process, event }: NewEvent): number {
    const { kind, ...fields } = event;
    return this.#run(
      `INSERT INTO events (ring, number, time_us, monotonic_ms, process, kind, fields)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ring.id,
      number,
      time_us,
      monotonic_ms,
      this.#number(process),
      this.#number(kind),
      JSON.stringify(fields),
    );
  }

  /** Ids of a range whose events have times in a span, in order. */
  ids(ids: IdRange, times: TimeRange | undefined, order: Order, limit: number): readonly number[] {
    const within = times === undefined ? "" : "AND time_us BETWEEN ? AND ?";
    const span = times === undefined ? [] : [times.sinceUs, times.untilUs];
    const sql = `SELECT id FROM events WHERE id BETWEEN ? AND ? ${within} ORDER BY id ${order} LIMIT ?`;
    return this.#all(sql, ids.first, ids.last, ...span, limit).map(idOf);
  }

  /** As `ids`, of one kind. */
  idsOfKind(
    kind: KeptKind,
    ids: IdRange,
    times: TimeRange | undefined,
    order: Order,
    limit: number,
  ): readonly number[] {
    const within = times === undefined ? "" : "AND time_us BETWEEN ? AND ?";
    const span = times === undefined ? [] : [times.sinceUs, times.untilUs];
    const sql = `SELECT id FROM events INDEXED BY events_kind WHERE kind = ? AND id BETWEEN ? AND ? ${within} ORDER BY id ${order} LIMIT ?`;
    const number = this.#knownNumber(kind);
    if (number === undefined) return [];
    return this.#all(sql, number, ids.first, ids.last, ...span, limit).map(idOf);
  }

  events(ids: readonly number[], order: Order): readonly KeptEvent[] {
    const sql = `${EVENT_COLUMNS} WHERE events.id IN (SELECT value FROM json_each(?)) ORDER BY events.id ${order}`;
    return this.#all(sql, JSON.stringify(ids)).map((row) => this.#keptEvent(row));
  }

  #keptEvent(row: SqlRow): KeptEvent {
    const kind = this.#name(row["kind"] as number) ?? "";
    return {
      id: row["id"] as number,
      node: row["node"] as number,
      ring: row["ring"] as string,
      number: row["number"] as number,
      time_us: row["time_us"] as number,
      monotonic_ms: row["monotonic_ms"] as number,
      process: (this.#name(row["process"] as number) ?? "ctdbd") as JournalProcess,
      event: readStored(kind, row["fields"] as string),
    };
  }

  // --- summaries

  /** Chunks that have events of a span of time, within a range of ids, in ascending order. */
  chunks(times: TimeRange, ids: IdRange): readonly number[] {
    const sql = `SELECT chunk FROM chunks
      WHERE chunk BETWEEN ? AND ? AND last_us >= ? AND first_us <= ? ORDER BY chunk`;
    const range = [chunkOf(ids.first), chunkOf(ids.last)] as const;
    return this.#all(sql, ...range, times.sinceUs, times.untilUs).map(
      (row) => row["chunk"] as number,
    );
  }

  /** The oldest chunk before `end`, or the oldest that has nothing newer than `untilUs`. */
  oldestChunk(end: number, untilUs: number | undefined): number | undefined {
    const sql = "SELECT chunk FROM chunks WHERE chunk < ? AND last_us <= ? ORDER BY chunk LIMIT 1";
    const [row] = this.#all(sql, end, untilUs ?? Number.MAX_SAFE_INTEGER);
    return row?.["chunk"] as number | undefined;
  }

  dropChunk(chunk: number): void {
    const { first, last } = chunkRange(chunk);
    this.#run("DELETE FROM events WHERE id BETWEEN ? AND ?", first, last);
    this.#run("DELETE FROM chunks WHERE chunk = ?", chunk);
    this.#run("DELETE FROM rings WHERE id < (SELECT ring FROM events ORDER BY id LIMIT 1)");
  }

  summary(): SqlRow {
    const sql = `SELECT coalesce(sum(events), 0) AS events, coalesce(sum(gaps), 0) AS gaps,
      min(first_us) AS oldest_us, max(last_us) AS newest_us FROM chunks`;
    return this.#all(sql)[0] ?? {};
  }

  newestId(): number {
    return this.number("SELECT max(id) FROM events");
  }

  /** The one number that a statement without values answers with; 0 for none. */
  number(sql: string): number {
    return Number(Object.values(this.#all(sql)[0] ?? {})[0] ?? 0);
  }

  /** Free pages go back to the disk, so many. */
  giveBack(pages: number): void {
    this.#all(`PRAGMA incremental_vacuum(${pages})`);
  }

  // --- statements and names

  #statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #run(sql: string, ...values: readonly SqlValue[]): number {
    return this.#statement(sql).run(...values);
  }

  #all(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    return this.#statement(sql).all(...values);
  }

  #readNames(): void {
    this.#numbers.clear();
    this.#names.clear();
    for (const { id, name } of this.#all("SELECT id, name FROM names")) {
      this.#numbers.set(name as string, id as number);
      this.#names.set(id as number, name as string);
    }
  }

  #number(name: string): number {
    const known = this.#knownNumber(name);
    if (known !== undefined) return known;
    const id = this.#run("INSERT INTO names (name) VALUES (?)", name);
    this.#numbers.set(name, id);
    this.#names.set(id, name);
    return id;
  }

  /** Another process may have written it: one that ends while this one begins, or one that this one looks at. */
  #knownNumber(name: string): number | undefined {
    if (!this.#numbers.has(name)) this.#readNames();
    return this.#numbers.get(name);
  }

  #name(id: number): string | undefined {
    if (!this.#names.has(id)) this.#readNames();
    return this.#names.get(id);
  }
}

export interface TimeRange {
  readonly sinceUs: number;
  readonly untilUs: number;
}

export type Order = "ASC" | "DESC";

function idOf(row: SqlRow): number {
  return row["id"] as number;
}

function count(chunks: Map<number, Chunk>, chunk: number, { time_us, event }: NewEvent): void {
  const gaps = event.kind === "gap" ? 1 : 0;
  const of = chunks.get(chunk);
  if (of === undefined) {
    chunks.set(chunk, { firstUs: time_us, lastUs: time_us, events: 1, gaps });
    return;
  }
  of.firstUs = Math.min(of.firstUs, time_us);
  of.lastUs = Math.max(of.lastUs, time_us);
  of.events += 1;
  of.gaps += gaps;
}

/** The disk may have damaged what SQLite does not look at. */
function readStored(kind: string, text: string): KeptEvent["event"] {
  try {
    return readKeptEvent({ ...(JSON.parse(text) as object), kind });
  } catch {
    return readKeptEvent(undefined);
  }
}
