/** Runs the cases of journal_store.ts without a test runner, for a runtime that has another one: one line each. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite } from "#sqlite";
import { JOURNAL_STORE_CASES, StoreWorld } from "./journal_store.ts";

for (const [name, run] of JOURNAL_STORE_CASES) {
  const directory = mkdtempSync(join(tmpdir(), "ctdb-journal-"));
  try {
    run(new StoreWorld(openSqlite, directory));
    console.log(`ok ${name}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
