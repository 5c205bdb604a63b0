/**
 * Compares allocation with the original: generated situations, decided by Samba's program and by our modules; the
 * placement, and every line about how it was decided, must be the same. The program is Samba's `ctdb_takeover_tests`.
 *
 *   bun run test/failover/compare_allocation.ts PROGRAM [--seeds COUNT] [--first SEED]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runCommand } from "../support/command.ts";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";
import { firstDifference } from "./first_difference.ts";
import { NODES_MAX, type Situation, situationOf, situationText } from "./situations.ts";
import { runTakeoverProgram } from "./takeover_program.ts";

const USAGE = `bun run test/failover/compare_allocation.ts PROGRAM [--seeds COUNT] [--first SEED]

PROGRAM  Samba's ctdb_takeover_tests
--seeds  how many situations (default 500)
--first  the first seed (default 1)`;
/** Situations up to this many comparisons of an address with a node show each of them. */
const DETAILED_MAX = 20 * NODES_MAX;
const DIFFERENT_SHOWN_MAX = 5;

const { program, seeds, first } = parsedOptions(USAGE, () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: "string", default: "500" },
      first: { type: "string", default: "1" },
    },
  });
  const [path] = positionals;
  if (path === undefined) throw new Error("expected the path of a program");
  return {
    program: path,
    seeds: wholeNumber(USAGE, "seeds", values.seeds),
    first: wholeNumber(USAGE, "first", values.first),
  };
});

/** Where in its source the original stands, and what each of us says of a home node that does not exist. */
function comparable(text: string): string {
  return text
    .replace(/^\S*\.c:[0-9]+ /gm, "")
    .split("\n")
    .filter((line) => !/too large/.test(line))
    .join("\n");
}

function environmentOf(situation: Situation, directory: string): Record<string, string> {
  const isSmall = situation.addresses.length * situation.flags.length <= DETAILED_MAX;
  return {
    CTDB_TEST_MODE: "yes",
    CTDB_BASE: directory,
    CTDB_TEST_LOGLEVEL: isSmall ? "DEBUG" : "INFO",
    CTDB_IP_ALGORITHM: situation.algorithm,
    CTDB_TEST_RUNSTATE: situation.runstates.join(","),
    CTDB_SET_NoIPTakeover: situation.noTakeover ? "1" : "0",
  };
}

const counts: Record<string, number> = { lcp2: 0, nondet: 0, det: 0 };
let different = 0;
let lines = 0;
await withTemporaryDirectory(async (directory) => {
  for (let seed = first; seed < first + seeds; seed++) {
    const situation = situationOf(seed);
    const folder = `${directory}/${seed}`;
    mkdirSync(folder);
    if (situation.homeNodes !== undefined) {
      writeFileSync(`${folder}/home_nodes`, situation.homeNodes);
    }
    const environment = environmentOf(situation, folder);
    const args = ["ipalloc", situation.flags.map((flags) => `0x${flags.toString(16)}`).join()];
    const text = situationText(situation);
    const theirs = await runCommand([program, ...args], { env: environment, input: text });
    const ours = runTakeoverProgram({ args, environment, text, homeNodes: situation.homeNodes });
    counts[situation.algorithm] = (counts[situation.algorithm] ?? 0) + 1;
    lines += ours.stdout.split("\n").length + ours.stderr.split("\n").length - 2;
    const isSame =
      theirs.code === ours.status &&
      theirs.stdout === ours.stdout &&
      comparable(theirs.stderr) === comparable(ours.stderr);
    if (isSame) continue;
    different += 1;
    if (different > DIFFERENT_SHOWN_MAX) continue;
    console.log(`seed ${seed}: ${JSON.stringify(environment)} ${args.join(" ")}\n${text}`);
    console.log(
      firstDifference(
        comparable(theirs.stderr) + theirs.stdout,
        comparable(ours.stderr) + ours.stdout,
      ),
    );
  }
});
const kinds = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
console.log(`${seeds} situations (${kinds.join(", ")}), ${lines} lines, ${different} different`);
process.exit(different === 0 ? 0 : 1);
