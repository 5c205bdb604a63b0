/** Compiles takeover_tests.ts: `bun run test/failover/make_takeover_tests.ts FOLDER` makes FOLDER/ctdb_takeover_tests. */
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("Usage: make_takeover_tests.ts FOLDER\n");
  process.exit(2);
}
const source = join(PROJECT, "test/failover/takeover_tests.ts");
const target = join(folder, "ctdb_takeover_tests");
const { exitCode, stderr } = Bun.spawnSync(
  [process.execPath, "build", "--compile", `--outfile=${target}`, source],
  { stdout: "ignore", stderr: "pipe" },
);
process.stderr.write(exitCode === 0 ? "" : stderr);
process.exit(exitCode);
