/** SQLite of Bun (platform/types/sql.ts). */
import { Database, type Statement } from "bun:sqlite";
import { asSql } from "../node/sql_error.ts";
import type { OpenSqlite, SqlDatabase, SqlRow, SqlStatement, SqlValue } from "../types/sql.ts";

export const openSqlite: OpenSqlite = (path) => asSql(() => new BunSqlite(path));

class BunSqlite implements SqlDatabase {
  readonly #database: Database;
  readonly #statements: Statement[] = [];

  constructor(path: string) {
    this.#database = new Database(path, { create: true, readwrite: true });
  }

  execute(sql: string): void {
    asSql(() => this.#database.run(sql));
  }

  prepare(sql: string): SqlStatement {
    const statement = asSql(() => this.#database.prepare<SqlRow, SqlValue[]>(sql));
    this.#statements.push(statement);
    return {
      run: (...values) => asSql(() => Number(statement.run(...values).lastInsertRowid)),
      all: (...values) => asSql(() => statement.all(...values)),
    };
  }

  close(): void {
    // One that is left keeps the file open and locked.
    for (const statement of this.#statements) statement.finalize();
    asSql(() => this.#database.close(true));
  }
}
