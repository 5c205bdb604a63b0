/**
 * Observes Samba's ctdb-config anew: `bun run test/golden/ctdb_config/observe.ts PROGRAM`, where PROGRAM was built as
 * docs/testing.md says. Rewrites observed.json, whose files it keeps.
 */
import { writeFileSync } from "node:fs";
import { withTemporaryDirectory } from "../../support/temp_dir.ts";
import { OBSERVED_FILE, observe, observed, prepare } from "./observed_cases.ts";

const program = process.argv[2];
if (program === undefined) throw new Error("expected the path of a ctdb-config");

await withTemporaryDirectory(async (base) => {
  prepare(base);
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: base };
  const ask = (...args: readonly string[]) => {
    const run = Bun.spawnSync([program, ...args], { env });
    return { status: run.exitCode, out: run.stdout.toString() };
  };
  const files = observed.cases.map(({ file }) => file);
  writeFileSync(OBSERVED_FILE, `${JSON.stringify(observe(base, ask, files), null, 2)}\n`);
});
