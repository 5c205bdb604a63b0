/** The stages of the gate (`npm run ok`): everything that is fast enough to run before each commit. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { holdsTests, PROJECT, type Stage } from "./stage.ts";

/** Folders of test/ that need peers, privileges or minutes: the full suite runs them, the longest first. */
export const SLOW_TESTS = "torture interop netns scenarios compiled bench scripts".split(" ");

/** The core: folders of src/ that know no outside world, so that they run on every runtime. */
export const CORE_FOLDERS = [
  "base",
  "wire",
  "tdb",
  "config",
  "transport",
  "control",
  "client",
  "lock",
  "membership",
  "database",
  "services",
  "failover",
  "recovery",
  "cluster",
  "authority",
  "daemon",
  "journal",
];

/** What runs, as the runtime loads it: they reach everything but what other runtimes have. In the suite only. */
export const PROGRAMS = ["src/main.ts", "src/platform/node/lock_worker.ts"];

/** How many stages run at a time. Two cores: the third fills the gaps in which the others wait. */
export const GATE_WIDTH = 3;

/** Begun first: for a long one that is begun last, the other core waits. Those that mostly wait are in front. */
const LONG_STAGES = [
  "compile",
  "test/daemon",
  "unit tests",
  "test/tdb",
  "deno check",
  "test/recovery",
];

const INCREMENTAL = ["--incremental", "--tsBuildInfoFile", "node_modules/.cache/types.tsbuildinfo"];

/** Tests that run for seconds: the last compiler and many collectors cost more than they give. */
const SHORT_RUNS = { BUN_JSC_useFTLJIT: "0", BUN_JSC_numberOfGCMarkers: "1" };

export function gateStages(): readonly Stage[] {
  const rank = ({ name }: Stage) => LONG_STAGES.indexOf(name) + 1 || LONG_STAGES.length + 1;
  const stages = allStages().map((stage) =>
    stage.tests === undefined ? stage : { ...stage, environment: SHORT_RUNS },
  );
  return stages.sort((one, other) => rank(one) - rank(other));
}

function allStages(): readonly Stage[] {
  return [
    { name: "compile", command: ["build/compile"] },
    // What did not change since the last time is not looked at again. More checkers than cores do work twice.
    { name: "types", command: ["tsc", "--noEmit", "--checkers", "2", ...INCREMENTAL] },
    // What runs in a browser has that one's types and no other.
    { name: "types of the page", command: ["tsc", "--noEmit", "-p", "src/admin/page/view"] },
    { name: "format and lint", command: ["biome", "check", "--error-on-warnings", "."] },
    { name: "tidy", tests: ["test/tidy.test.ts"] },
    { name: "unit tests", tests: ["src"], processes: 2 },
    ...quickFolders().map((name) => ({ name: folderTitle(name), tests: [`test/${name}`] })),
    {
      name: "deno check",
      command: ["deno", "check", "--quiet", ...portableFiles()],
    },
    { name: "compiled smoke", command: ["bun", "run", "build/smoke.ts"], after: ["compile"] },
  ];
}

function folderTitle(name: string): string {
  const titles: Record<string, string> = {
    contract: "contract tests",
    fuzz: "fuzz smoke",
    sim: "simulator smoke",
  };
  return titles[name] ?? `test/${name}`;
}

function quickFolders(): readonly string[] {
  return readdirSync(join(PROJECT, "test"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !SLOW_TESTS.includes(entry.name))
    .map((entry) => entry.name)
    .filter((name) => holdsTests(join(PROJECT, "test", name)))
    .sort();
}

function portableFiles(): readonly string[] {
  const names = readdirSync(join(PROJECT, "src"), { recursive: true }) as string[];
  return names
    .filter((name) => CORE_FOLDERS.includes(name.split("/")[0] ?? ""))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => `src/${name}`);
}
