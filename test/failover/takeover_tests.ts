/** The executable `ctdb_takeover_tests` (takeover_program.ts), which make_takeover_tests.ts compiles. */
import { readFileSync } from "node:fs";
import { resolvePaths } from "../../src/config/paths.ts";
import { runTakeoverProgram } from "./takeover_program.ts";

const STANDARD_INPUT = 0;

function readHomeNodes(): string | undefined {
  const paths = resolvePaths(process.env, "/usr/bin");
  if (!paths.ok) return undefined;
  try {
    return readFileSync(`${paths.value.etcDirectory}/home_nodes`, "latin1");
  } catch {
    return undefined;
  }
}

const args = process.argv.slice(2);
const { status, stdout, stderr } = runTakeoverProgram({
  args,
  environment: process.env,
  text: args.length < 2 ? "" : readFileSync(STANDARD_INPUT, "latin1"),
  homeNodes: readHomeNodes(),
});
process.stderr.write(stderr);
process.stdout.write(stdout);
process.exitCode = status;
