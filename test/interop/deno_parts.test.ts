/** Parts that meet the runtime's own files and databases do under Deno what they do under Bun. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { JOURNAL_STORE_CASES } from "../contract/journal_store.ts";
import { CHANGED_TOKENS } from "../contract/token_file.ts";
import { runCommand } from "../support/command.ts";
import { denoEnvironment } from "../support/deno_cluster.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const DENO = join(PROJECT, "node_modules/.bin/deno");

function runUnderDeno(program: string, ...args: readonly string[]) {
  const path = join(PROJECT, "test/contract", program);
  const command = [DENO, "run", "--quiet", "--allow-all", path, ...args];
  return runCommand(command, { env: denoEnvironment() });
}

test("every case of the journal's store holds under Deno", async () => {
  const { code, stdout, stderr } = await runUnderDeno("journal_store_alone.ts");
  const expected = JOURNAL_STORE_CASES.map(([name]) => `ok ${name}\n`).join("");
  expect({ stderr, stdout, code }).toEqual({ stderr: "", stdout: expected, code: 0 });
}, 120_000);

test("TokenFile.tokens() sees under Deno what happens to a file in the moment after it was read", async () => {
  using directory = new TemporaryDirectory("tokens");
  const { code, stdout, stderr } = await runUnderDeno(
    "token_file_alone.ts",
    directory.file("tokens"),
  );
  expect({ stderr, stdout, code }).toEqual({
    stderr: "",
    stdout: `${JSON.stringify(CHANGED_TOKENS)}\n`,
    code: 0,
  });
}, 120_000);
