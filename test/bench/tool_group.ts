/**
 * The start of the tool: `ctdb pnn` of ours and of Debian's against one and the same daemon, and a compiled
 * program that does nothing, one after the other. What ours takes above the empty program is ours to save.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileExecutable, ENTRY_POINTS } from "../../build/executable.ts";
import { DIST } from "../support/executables.ts";
import { STOCK_CTDB, withCluster } from "../support/local_cluster.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { stockMissing } from "./cluster_group.ts";
import { type Heading, type Kind, median } from "./figures.ts";
import type { Group } from "./group.ts";

const ROUNDS = 3;
const RUNS = 40;
const TOOL = "ctdb pnn";
const EMPTY = "an empty compiled program";
const RUN_TIMEOUT_MS = 20_000;
/** As build/executable.ts names them. */

interface Program {
  readonly kind: Kind;
  readonly what: string;
  readonly argv: readonly string[];
  readonly prints: string;
}

interface Taken {
  readonly elapsedMs: number;
  readonly processorMs: number;
}

function runOnce({ argv, prints }: Program, env: Record<string, string>): Taken {
  const started = performance.now();
  const result = Bun.spawnSync([...argv], { env, stdin: "ignore", timeout: RUN_TIMEOUT_MS });
  const elapsedMs = performance.now() - started;
  const stdout = result.stdout.toString();
  if (result.exitCode !== 0 || stdout !== prints) {
    throw new Error(`${argv.join(" ")}: status ${result.exitCode}, "${stdout}"${result.stderr}`);
  }
  return { elapsedMs, processorMs: Number(result.resourceUsage.cpuTime.total) / 1000 };
}

/** The same bundler options and entry points as ours, and nothing in them. */
async function compileEmpty(directory: TemporaryDirectory): Promise<string> {
  for (const name of ENTRY_POINTS) {
    mkdirSync(dirname(directory.file(name)), { recursive: true });
    writeFileSync(directory.file(name), "export {};\n");
  }
  const program = directory.file("empty");
  await compileExecutable(process.execPath, directory.path, program);
  return program;
}

function headings(what: string): readonly [elapsed: Heading, processor: Heading] {
  return [
    { name: what, unit: "ms", better: "lower" },
    { name: `${what}: processor time`, unit: "ms", better: "lower" },
  ];
}

/** Medians of many runs of each, alternating. */
function measureRound(
  programs: readonly Program[],
  env: Record<string, string>,
): ReadonlyMap<Program, Taken> {
  const taken = new Map(programs.map((program) => [program, [] as Taken[]]));
  for (let run = 0; run < RUNS; run++) {
    for (const [program, runs] of taken) runs.push(runOnce(program, env));
  }
  return new Map(
    [...taken].map(([program, runs]) => [
      program,
      {
        elapsedMs: median(runs.map(({ elapsedMs }) => elapsedMs)),
        processorMs: median(runs.map(({ processorMs }) => processorMs)),
      },
    ]),
  );
}

export const toolGroup: Group = {
  names: [TOOL, EMPTY].flatMap((what) => headings(what).map(({ name }) => name)),
  rounds: ROUNDS,
  missing: stockMissing,
  async measure({ rounds, wanted }, results) {
    using directory = new TemporaryDirectory("empty");
    const empty = await compileEmpty(directory);
    await withCluster({ nodes: 1 }, async (cluster) => {
      const programs: readonly Program[] = [
        { kind: "ours", what: TOOL, argv: [join(DIST, "ctdb"), "pnn"], prints: "0\n" },
        { kind: "stock", what: TOOL, argv: [STOCK_CTDB, "pnn"], prints: "0\n" },
        { kind: "ours", what: EMPTY, argv: [empty], prints: "" },
      ];
      const env = cluster.environment(0);
      for (let round = 1; round <= rounds; round++) {
        process.stderr.write(`round ${round} of ${rounds}\n`);
        for (const [{ kind, what }, taken] of measureRound(programs, env)) {
          const [elapsed, processor] = headings(what);
          if (wanted(elapsed.name)) results.add(kind, elapsed, taken.elapsedMs);
          if (wanted(processor.name)) results.add(kind, processor, taken.processorMs);
        }
      }
    });
  },
};
