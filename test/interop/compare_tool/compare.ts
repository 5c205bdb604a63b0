/** Runs the cases with a tool on a cluster, and compares two such runs field by field. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "../../support/command.ts";
import type { TestCluster } from "../../support/local_cluster.ts";
import { PROJECT } from "../../support/source_tree.ts";
import { until, when } from "../../support/until.ts";
import { type Case, casesFor, DEAD_PEER, PREPARATION, type Situation } from "./cases.ts";
import { normalise } from "./normalise.ts";

export interface Outcome {
  readonly situation: Situation;
  readonly args: readonly string[];
  readonly result: CommandResult;
}

export interface Difference {
  readonly situation: Situation;
  readonly command: string;
  readonly field: "stdout" | "stderr" | "status";
  readonly expected: string;
  readonly got: string;
}

const SITUATIONS: readonly Situation[] = ["healthy", "peer dead"];
const GONE_TIMEOUT_MS = 60_000;

/** A vacuum between the two tools would move or delete empty records that one of them still shows. */
const NO_VACUUM = ["setvar", "VacuumInterval", "100000"];

/** Without one a node of ours hosts no address, and one of Debian's thinks that it does. */
const SCRIPT = "#!/bin/sh\nexit 0\n";

/** What the scripts behind `natgw` and `lvs` read: Debian's with our functions, which are those of an upgraded node. */
function addGroups(cluster: TestCluster, base: string): void {
  const addresses = cluster.local.description.nodes.map(({ address }) => `${address}\n`).join("");
  const options = ["natgw", "lvs"].map((name) => {
    const file = join(base, `${name}_nodes`);
    writeFileSync(file, addresses);
    return `CTDB_${name.toUpperCase()}_NODES="${file}"\n`;
  });
  writeFileSync(join(base, "script.options"), options.join(""));
  copyFileSync(join(PROJECT, "scripts/events/functions"), join(base, "functions"));
}

function addScript(base: string): void {
  const directory = join(base, "events/legacy");
  // Scripts that come with CTDB: none.
  for (const path of [directory, join(base, "share/events/legacy")]) {
    mkdirSync(path, { recursive: true });
  }
  writeFileSync(join(directory, "00.test.script"), SCRIPT, { mode: 0o755 });
}

/** Node 0 first, so that it leads in every cluster. */
export async function startInOrder(cluster: TestCluster): Promise<void> {
  for (const pnn of [0, 1, 2]) {
    const { base } = cluster.local.process(pnn);
    addScript(base);
    addGroups(cluster, base);
  }
  await cluster.start(0);
  await cluster.start(1, 2);
  for (const pnn of [0, 1, 2]) await mustSucceed(cluster, NO_VACUUM, pnn);
  for (const args of PREPARATION) await mustSucceed(cluster, args);
}

/** All cases in all situations, with each tool in turn; the last node is dead afterwards. */
export async function runCases(
  cluster: TestCluster,
  tools: readonly string[],
  progress: (line: string) => void = () => {},
): Promise<readonly (readonly Outcome[])[]> {
  const outcomes = tools.map((): Outcome[] => []);
  for (const situation of SITUATIONS) {
    if (situation === "peer dead") await killPeer(cluster);
    for (const entry of casesFor(situation)) {
      const started = Date.now();
      for (const [index, tool] of tools.entries()) {
        const result = await runCase(cluster, tool, entry);
        outcomes[index]?.push({ situation, args: entry.args, result });
      }
      progress(`${situation}: ctdb ${entry.args.join(" ")} (${Date.now() - started} ms)`);
    }
  }
  return outcomes;
}

async function runCase(cluster: TestCluster, tool: string, entry: Case): Promise<CommandResult> {
  const stock = (args: readonly string[]) =>
    cluster.stockCtdb(entry.on ?? 0, ...withPlaces(cluster, args));
  for (const args of entry.before ?? []) await stock(args);
  const result = await cluster.run(entry.on ?? 0, [tool, ...withPlaces(cluster, entry.args)]);
  for (const undo of entry.undo ?? []) await stock(undo);
  if (entry.restart !== undefined) await restart(cluster, entry.restart);
  return result;
}

export function withPlaces(cluster: TestCluster, args: readonly string[]): readonly string[] {
  const { path } = cluster.local.directory;
  return args.map((word) => word.replaceAll("DIRECTORY", path));
}

/** A node that was told to shut down, as soon as it has. */
async function restart(cluster: TestCluster, pnn: number): Promise<void> {
  await until(`node ${pnn} has shut down`, GONE_TIMEOUT_MS, () =>
    when(!cluster.local.runningNodes().includes(pnn)),
  );
  await cluster.start(pnn);
}

async function mustSucceed(cluster: TestCluster, args: readonly string[], pnn = 0): Promise<void> {
  const { code, stderr } = await cluster.stockCtdb(pnn, ...withPlaces(cluster, args));
  if (code !== 0) throw new Error(`ctdb ${args.join(" ")} ended with ${code}: ${stderr}`);
}

/** Until the survivors know and have recovered. */
async function killPeer(cluster: TestCluster): Promise<void> {
  await cluster.kill(DEAD_PEER);
  let status = "";
  await until(
    `node ${DEAD_PEER} is gone`,
    GONE_TIMEOUT_MS,
    async () => {
      status = (await cluster.stockCtdb(0, "status")).stdout;
      const gone = new RegExp(`^pnn:${DEAD_PEER} .*DISCONNECTED`, "m").test(status);
      return when(gone && /^Size:2$/m.test(status) && status.includes("NORMAL (0)"));
    },
    () => status,
  );
}

/** Directories and addresses of a cluster, by names that two clusters share. */
export function placesOf(cluster: TestCluster): ReadonlyMap<string, string> {
  const { nodes } = cluster.local.description;
  return new Map([
    [cluster.local.directory.path, "DIRECTORY"],
    ...nodes.map(({ pnn, address }) => [address, `ADDRESS${pnn}`] as const),
  ]);
}

export interface Run {
  readonly places: ReadonlyMap<string, string>;
  readonly outcomes: readonly Outcome[];
}

export function compareRuns(expected: Run, got: Run): readonly Difference[] {
  return expected.outcomes.flatMap((outcome, index) => {
    const other = got.outcomes[index];
    if (other === undefined) throw new Error("both runs have the same cases");
    return differencesOf(outcome, expected.places, other, got.places);
  });
}

function differencesOf(
  { situation, args, result }: Outcome,
  places: Run["places"],
  other: Outcome,
  otherPlaces: Run["places"],
): readonly Difference[] {
  const command = `ctdb ${args.join(" ")}`;
  const fields = {
    stdout: [
      normalise(result.stdout, args, places),
      normalise(other.result.stdout, args, otherPlaces),
    ],
    stderr: [
      normalise(result.stderr, args, places),
      normalise(other.result.stderr, args, otherPlaces),
    ],
    status: [String(result.code), String(other.result.code)],
  } as const;
  return (["stdout", "stderr", "status"] as const)
    .map((field) => {
      const [a, b] = fields[field];
      return { situation, command, field, expected: a, got: b };
    })
    .filter((difference) => difference.expected !== difference.got);
}

export function differenceText({ situation, command, field, expected, got }: Difference): string {
  return `${situation}: ${command}: ${field}\n  stock: ${JSON.stringify(expected)}\n  ours:  ${JSON.stringify(got)}\n`;
}
