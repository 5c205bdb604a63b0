/** SQLite of Deno (platform/types/sql.ts). */
import { DatabaseSync } from "node:sqlite";
import { asSql } from "../node/sql_error.ts";
import type { OpenSqlite, SqlDatabase, SqlRow, SqlStatement } from "../types/sql.ts";

export const openSqlite: OpenSqlite = (path) => asSql(() => new DenoSqlite(path));

class DenoSqlite implements SqlDatabase {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
  }

  execute(sql: string): void {
    asSql(() => this.#database.exec(sql));
  }

  prepare(sql: string): SqlStatement {
    const statement = asSql(() => this.#database.prepare(sql));
    return {
      run: (...values) => asSql(() => Number(statement.run(...values).lastInsertRowid)),
      all: (...values) => asSql(() => statement.all(...values) as readonly SqlRow[]),
    };
  }

  close(): void {
    this.#database.close();
  }
}
