import { test } from "bun:test";
import { openSqlite } from "#sqlite";
import { JOURNAL_STORE_CASES, StoreWorld } from "../../../test/contract/journal_store.ts";
import { withTemporaryDirectory } from "../../../test/support/temp_dir.ts";

for (const [name, run] of JOURNAL_STORE_CASES) {
  test(`SqliteStore ${name}`, async () => {
    await withTemporaryDirectory((directory) => run(new StoreWorld(openSqlite, directory)));
  });
}
