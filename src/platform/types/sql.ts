/**
 * A database in a file that answers SQL, the same for each runtime: `platform/bun/sqlite.ts` and
 * `platform/deno/sqlite.ts` export `openSqlite`, and `#sqlite` (package.json, "imports") is the one of the runtime that
 * runs. Everything is synchronous.
 *
 * What fails throws a SqlError, so that a transaction ends in one place; whoever owns the database makes a Result of it
 * (journal/store/sqlite_store.ts).
 */

/** Numbers are integers within ±2^53, or fractions. */
export type SqlValue = number | string | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export type SqlFailure =
  | /** The file is damaged, or is no database. */ "corrupt"
  | "full"
  | /** Another process has it. */ "busy"
  | /** It cannot be opened, read or written: rights, a directory that is missing, a disk that fails. */ "unusable"
  | /** Our statement is wrong. */ "other";

export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly failure: SqlFailure;

  constructor(failure: SqlFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

export interface SqlStatement {
  /** The id of the row that was inserted last. */
  run(...values: readonly SqlValue[]): number;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

export interface SqlDatabase {
  /** One or several statements without values and answers. */
  execute(sql: string): void;
  /** For as long as the database is open. */
  prepare(sql: string): SqlStatement;
  close(): void;
}

/** Creates the file when there is none. */
export type OpenSqlite = (path: string) => SqlDatabase;
