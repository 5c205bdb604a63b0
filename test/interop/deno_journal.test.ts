/** The journal's store under Deno does what it does under Bun (src/journal/store/sqlite_store.test.ts). */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { JOURNAL_STORE_CASES } from "../contract/journal_store.ts";
import { runCommand } from "../support/command.ts";
import { denoEnvironment } from "../support/deno_cluster.ts";
import { PROJECT } from "../support/source_tree.ts";

const DENO = join(PROJECT, "node_modules/.bin/deno");
const PROGRAM = join(PROJECT, "test/contract/journal_store_alone.ts");

test("every case of the journal's store holds under Deno", async () => {
  const command = [DENO, "run", "--quiet", "--allow-all", PROGRAM];
  const { code, stdout, stderr } = await runCommand(command, { env: denoEnvironment() });
  const expected = JOURNAL_STORE_CASES.map(([name]) => `ok ${name}\n`).join("");
  expect({ stderr, stdout, code }).toEqual({ stderr: "", stdout: expected, code: 0 });
}, 60_000);
