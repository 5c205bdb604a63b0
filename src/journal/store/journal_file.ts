/**
 * The file of a journal: opened, looked through, made when there is none.
 *
 * Invariants:
 * 1. The file is a log with a database (WAL), and a commit is on the disk when it returns (synchronous = FULL): neither a
 *    process nor the machine that goes away at any moment costs what was committed, as far as the disk keeps its word.
 * 2. A file of a newer version is not touched, and not set aside: this version writes beside it
 *    (`journal-1.sqlite` beside `journal.sqlite`), until the newer one is back.
 * 3. Looking through takes bounded time: all of a file up to WHOLE_CHECK_BYTES_MAX, of a larger one the summaries and
 *    both ends. What lies between shows when it is read, and is treated alike (sqlite_store.ts).
 */
import { type OpenSqlite, type SqlDatabase, SqlError } from "../../platform/types/sql.ts";
import {
  BUSY_WAIT_MS,
  CACHE_KILOBYTES,
  CHUNK_EVENTS,
  LOG_BYTES_MAX,
  WHOLE_CHECK_BYTES_MAX,
} from "../limits.ts";

const VERSION = 1;
/** Tells a journal from another program's database: "ctdj". */
const APPLICATION = 0x6374646a;

/**
 * Kinds, processes and rings by number: they are in each event. `chunks` sums up CHUNK_EVENTS ids: it finds times
 * without an index of them, counts, and says what is old.
 */
const TABLES = `
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE rings (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, node INTEGER NOT NULL, kept INTEGER NOT NULL) STRICT;
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  ring INTEGER NOT NULL,
  number INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  monotonic_ms REAL NOT NULL,
  process INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  fields TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_number ON events (ring, number);
CREATE INDEX events_kind ON events (kind);
CREATE TABLE chunks (
  chunk INTEGER PRIMARY KEY,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  events INTEGER NOT NULL,
  gaps INTEGER NOT NULL
) STRICT;
PRAGMA application_id = ${APPLICATION};
PRAGMA user_version = ${VERSION};
`;

/** What may come before a file is known to be a journal of this version: nothing is written. */
const READING = `
PRAGMA busy_timeout = ${BUSY_WAIT_MS};
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA cache_size = -${CACHE_KILOBYTES};
PRAGMA temp_store = MEMORY;
`;
const WRITING = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = ${LOG_BYTES_MAX};
`;

export interface OpenedFile {
  readonly path: string;
  readonly database: SqlDatabase;
  /** A file with this name is of a newer version. */
  readonly newer: string | undefined;
}

/** It has to make room for a new one. */
export interface CorruptFile {
  readonly path: string;
  readonly corrupt: string;
}

/** `path` without its ending `.sqlite`. Throws a SqlError for what time or an administrator may mend. */
export function openJournalFile(open: OpenSqlite, path: string): OpenedFile | CorruptFile {
  const usual = `${path}.sqlite`;
  const file = openKnown(open, usual);
  if (file !== "newer") return { ...file, newer: undefined };
  const beside = `${path}-${VERSION}.sqlite`;
  const other = openKnown(open, beside);
  if (other !== "newer") return { ...other, newer: usual };
  throw new SqlError("unusable", `"${usual}" and "${beside}" are of a newer version`);
}

function openKnown(
  open: OpenSqlite,
  path: string,
): Omit<OpenedFile, "newer"> | CorruptFile | "newer" {
  const database = open(path);
  try {
    database.execute(READING);
    const version = readNumber(database, "PRAGMA user_version");
    const application = readNumber(database, "PRAGMA application_id");
    const isEmpty = readNumber(database, "SELECT count(*) FROM sqlite_schema") === 0;
    if (!isEmpty && application !== APPLICATION) {
      throw new SqlError("corrupt", "it is no journal");
    }
    if (version > VERSION) {
      database.close();
      return "newer";
    }
    if (isEmpty) create(database);
    else database.execute(WRITING);
    check(database);
    return { path, database };
  } catch (error) {
    closeQuietly(database);
    if (error instanceof SqlError && error.failure === "corrupt") {
      return { path, corrupt: error.message };
    }
    throw error;
  }
}

function create(database: SqlDatabase): void {
  // Freed pages are given back only if the file was begun so.
  database.execute("PRAGMA auto_vacuum = INCREMENTAL");
  database.execute(WRITING);
  database.execute(`BEGIN IMMEDIATE; ${TABLES} COMMIT`);
}

function check(database: SqlDatabase): void {
  const bytes =
    readNumber(database, "PRAGMA page_count") * readNumber(database, "PRAGMA page_size");
  if (bytes <= WHOLE_CHECK_BYTES_MAX) {
    expectOk(database, "PRAGMA quick_check(1)");
    return;
  }
  for (const table of ["names", "rings", "chunks"]) {
    expectOk(database, `PRAGMA quick_check(${table})`);
  }
  for (const direction of ["ASC", "DESC"]) {
    readNumber(
      database,
      `SELECT sum(length(fields)) FROM (SELECT fields FROM events ORDER BY id ${direction} LIMIT ${CHUNK_EVENTS})`,
    );
  }
}

function expectOk(database: SqlDatabase, pragma: string): void {
  const [row] = database.prepare(pragma).all();
  const said = Object.values(row ?? {})[0];
  if (said !== "ok") throw new SqlError("corrupt", String(said));
}

/** The one number that a statement answers with; 0 for none. */
function readNumber(database: SqlDatabase, sql: string): number {
  return Number(Object.values(database.prepare(sql).all()[0] ?? {})[0] ?? 0);
}

/** Of a file that has shown to be damaged: what else it complains of tells nothing. */
export function closeQuietly(database: SqlDatabase): void {
  try {
    database.close();
  } catch {
    // It is given up.
  }
}
