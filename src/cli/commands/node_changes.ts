/** `ctdb node add`, `remove` and `repair`: the nodes file of all nodes is changed, and read by all. */

import { parseNodes } from "../../config/nodes.ts";
import {
  type LineDifference,
  lineDifferences,
  withNodeAdded,
  withNodeRemoved,
} from "../../config/nodes_edit.ts";
import { problemText } from "../../config/problems.ts";
import type { ConfiguredNode } from "../../config/types.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import type { Command, CommandContext } from "../command.ts";
import { isAgreed } from "../confirm.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { printable } from "../format.ts";
import { answerFacts } from "../json.ts";
import { changeEverywhere, problemsOf } from "../nodes_change/change.ts";
import { type LookedAt, NodesFiles } from "../nodes_change/nodes_files.ts";
import { planRepair } from "../nodes_change/repair_plan.ts";
import { parseUnsigned32 } from "../numbers.ts";
import type { nodeChangeFacts } from "../schemas/cluster.ts";
import type { Facts } from "../schemas/facts.ts";
import type { Session } from "../session.ts";
import { compareNodes, connectedOf, reloadOn, sameNodes } from "./reloadnodes.ts";

type ChangeFacts = Facts<typeof nodeChangeFacts>;
type Files = ReadonlyMap<number, LookedAt>;

export const node: Command = async (context, args) => {
  const [action, ...rest] = args;
  switch (action) {
    case "add":
      expectArguments(rest, 1, Number.POSITIVE_INFINITY);
      return await changeNodes(context, "add", (text) => added(text, rest));
    case "remove": {
      expectArguments(rest, 1, Number.POSITIVE_INFINITY);
      const pnns = rest.map(pnnOf);
      const known = await context.session.nodes();
      for (const pnn of pnns) expectGone(known, pnn);
      return await changeNodes(context, "remove", (text) => removed(text, pnns));
    }
    case "repair":
      expectArguments(rest, 0, 1);
      return await repair(context, rest[0] === undefined ? undefined : pnnOf(rest[0]));
    default:
      throw new WrongArguments();
  }
};

function pnnOf(text: string): number {
  const pnn = parseUnsigned32(text);
  if (pnn.ok) return pnn.value;
  throw new CommandFailure(1, `Expected the number of a node, got "${printable(text)}"`);
}

function added(text: string, addresses: readonly string[]): string {
  let changed = text;
  for (const address of addresses) {
    const next = withNodeAdded(changed, address);
    if (!next.ok) throw new CommandFailure(1, printable(next.error));
    changed = next.value;
  }
  return changed;
}

function removed(text: string, pnns: readonly number[]): string {
  let changed = text;
  for (const pnn of pnns) {
    const next = withNodeRemoved(changed, pnn);
    if (!next.ok) throw new CommandFailure(1, next.error);
    changed = next.value;
  }
  return changed;
}

/** A node that runs would go on with records and addresses of a cluster that does not know it any more. */
function expectGone(known: readonly NodeAndFlags[], pnn: number): void {
  const flags = known.find((entry) => entry.pnn === pnn)?.flags ?? NODE_FLAGS.DELETED;
  if ((flags & (NODE_FLAGS.DELETED | NODE_FLAGS.DISCONNECTED)) !== 0) return;
  const isActive = (flags & (NODE_FLAGS.STOPPED | NODE_FLAGS.BANNED)) === 0;
  const first = isActive ? `"ctdb drain ${pnn}", then ` : "";
  const reason = `Node ${pnn} is still connected${isActive ? " and active" : ""}`;
  throw new CommandFailure(1, `${reason}: run ${first}"ctdb shutdown -n ${pnn}" first`);
}

async function changeNodes(
  context: CommandContext,
  action: "add" | "remove",
  edit: (text: string) => string,
): Promise<number> {
  const { session, host, options } = context;
  const known = await session.nodes();
  const pnns = connectedOf(known);
  const nodesFiles = await NodesFiles.open(session);
  const files = await nodesFiles.look(pnns);
  expectNothingLeft(files);
  const { present, path } = own(context, files);
  expectSame(session.pnn, new Map([...files].map(([pnn, file]) => [pnn, file.present.text])));
  const text = edit(present.text);
  const after = parsed(text, path);
  const lines = lineDifferences(present.text, text);
  if (!options.json) showLines(context, path, pnns, lines);
  const changes = planned(context, known, after);
  const facts: ChangeFacts = {
    node: session.pnn,
    action,
    dry_run: options.dryRun,
    nodes: [...pnns],
    file: path,
    lines: lines.map(lineFacts),
    changes,
    repairs: [],
    reloaded: false,
  };
  if (!options.dryRun) {
    if (!(await isAgreed(context, `All of nodes ${pnns.join(",")} get this nodes file.`))) {
      throw new CommandFailure(1, "Not done");
    }
    await changeEverywhere(session, nodesFiles, files, text);
    await readEverywhere(session, pnns);
    facts.reloaded = true;
  }
  if (options.json) answerFacts(host, facts);
  else if (!options.dryRun) host.out(`Changed on nodes ${pnns.join(",")}\n${toDo(after, changes)}`);
  return 0;
}

/** The files are changed: what is left is done as soon as it can be. */
async function readEverywhere(session: Session, pnns: readonly number[]): Promise<void> {
  try {
    await reloadOn(session, pnns, RECOVERY_PATIENCE_MS);
  } catch (error) {
    session.host.err('The files are changed, and not read by all nodes: run "ctdb node repair"\n');
    throw error;
  }
}

/** A recovery of large databases. */
const RECOVERY_PATIENCE_MS = 60_000;

/** What a person has to do on nodes that come. */
function toDo(file: readonly ConfiguredNode[], changes: ChangeFacts["changes"]): string {
  return changes
    .filter(({ change }) => change !== "deleted")
    .map(({ pnn }) => {
      const what = "put this nodes file there, then start ctdbd";
      return `Node ${pnn} (${file[pnn]?.address ?? "?"}): ${what}\n`;
    })
    .join("");
}

async function repair(context: CommandContext, right: number | undefined): Promise<number> {
  const { session, host, options } = context;
  const known = await session.nodes();
  const pnns = connectedOf(known);
  const nodesFiles = await NodesFiles.open(session);
  const files = await nodesFiles.look(pnns);
  const plan = planRepair(files);
  const { path } = own(context, files);
  const named = right === undefined ? undefined : plan.texts.get(right);
  if (right !== undefined && named === undefined) {
    throw new CommandFailure(1, `Node ${right} is not connected: its nodes file is not known`);
  }
  const text = named ?? plan.texts.get(session.pnn) ?? "";
  const copies = named === undefined ? [] : pnns.filter((pnn) => plan.texts.get(pnn) !== text);
  const repairs: ChangeFacts["repairs"] = [
    ...plan.steps,
    ...copies.map((pnn) => ({ node: pnn, repair: "copy" as const })),
  ];
  if (!options.json) host.out(repairs.map((step) => `${repairText(step, right)}\n`).join(""));
  const agree = async (): Promise<void> => {
    if (await isAgreed(context, "The nodes files are changed.")) return;
    throw new CommandFailure(1, "Not done");
  };
  if (repairs.length > 0 && !options.dryRun) await agree();
  if (!options.dryRun) {
    await takeSteps(nodesFiles, files, plan.steps);
    if (named === undefined) expectSame(session.pnn, plan.texts);
    else await changeEverywhere(session, nodesFiles, await nodesFiles.look(pnns), text);
  } else if (named === undefined) expectSame(session.pnn, plan.texts);
  const file = parsed(text, path);
  const maps = await Promise.all(pnns.map((pnn) => session.ask("GET_NODEMAP", undefined, pnn)));
  const isRead = maps.every((map) => sameNodes(file, map));
  const changes = isRead ? [] : planned(context, known, file);
  const facts: ChangeFacts = {
    node: session.pnn,
    action: "repair",
    dry_run: options.dryRun,
    nodes: [...pnns],
    file: path,
    lines: lineDifferences(files.get(session.pnn)?.present.text ?? "", text).map(lineFacts),
    changes,
    repairs,
    reloaded: false,
  };
  if (!isRead && !options.dryRun) {
    await readEverywhere(session, pnns);
    facts.reloaded = true;
  }
  if (options.json) answerFacts(host, facts);
  else if (facts.reloaded) host.out(`Nodes ${pnns.join(",")} have read their nodes files\n`);
  else if (!isRead) host.out("Not all nodes have read their nodes file: they would\n");
  else if (repairs.length === 0) host.out("Nothing to repair\n");
  return 0;
}

function repairText({ node: pnn, repair: what }: ChangeFacts["repairs"][number], right?: number) {
  switch (what) {
    case "install":
      return `Node ${pnn} installs the change that another node has installed already`;
    case "drop":
      return `Node ${pnn} drops a change that no node has installed`;
    case "copy":
      return `Node ${pnn} gets the nodes file of node ${right}`;
  }
}

async function takeSteps(
  nodesFiles: NodesFiles,
  files: Files,
  steps: readonly { readonly node: number; readonly repair: "install" | "drop" }[],
): Promise<void> {
  const stepOf = new Map(steps.map(({ node: pnn, repair: what }) => [pnn, what]));
  const pnns = [...stepOf.keys()];
  const answers = await nodesFiles.each(pnns, (pnn) => {
    const after = files.get(pnn)?.next?.digest ?? "";
    const before = files.get(pnn)?.present.digest ?? "";
    return stepOf.get(pnn) === "install"
      ? { step: "install", before, after }
      : { step: "drop", after };
  });
  const problems = problemsOf(pnns, answers);
  if (problems.length > 0) throw new CommandFailure(1, problems.join("\n"));
}

function own({ session }: CommandContext, files: Files): LookedAt {
  const file = files.get(session.pnn);
  if (file !== undefined) return file;
  throw new CommandFailure(1, `Node ${session.pnn} is not connected to itself`);
}

function expectNothingLeft(files: Files): void {
  const left = [...files].filter(([, { next }]) => next !== undefined).map(([pnn]) => pnn);
  if (left.length === 0) return;
  const reason = `A change of the nodes file was begun and not ended on nodes ${left.join(",")}`;
  throw new CommandFailure(1, `${reason}: run "ctdb node repair" first`);
}

/** Only a person knows which one is right. */
function expectSame(ownPnn: number, texts: ReadonlyMap<number, string>): void {
  const mine = texts.get(ownPnn) ?? "";
  const lines = [...texts].flatMap(([pnn, theirs]) => {
    const different = lineDifferences(mine, theirs);
    if (theirs === mine) return [];
    const head = `The nodes files of node ${ownPnn} and node ${pnn} differ:`;
    if (different.length === 0) return [head, "  the end of the last line"];
    const shown = (line: string | undefined) =>
      line === undefined ? "nothing" : `"${printable(line)}"`;
    const each = different.map(
      ({ line, before, after }) =>
        `  line ${line}: ${shown(before)} on node ${ownPnn}, ${shown(after)} on node ${pnn}`,
    );
    return [head, ...each];
  });
  if (lines.length === 0) return;
  const advice = `"ctdb node repair PNN" gives all nodes the file of node PNN`;
  throw new CommandFailure(1, [...lines, `Nothing was changed. ${advice}`].join("\n"));
}

function parsed(text: string, path: string): readonly ConfiguredNode[] {
  const nodes = parseNodes(text, path);
  if (nodes.ok) return nodes.value;
  throw new CommandFailure(1, printable(nodes.error.map(problemText).join("\n")));
}

/** What the cluster will say of it; what it cannot take ends the command. */
function planned(
  { host, options }: CommandContext,
  known: readonly NodeAndFlags[],
  file: readonly ConfiguredNode[],
): ChangeFacts["changes"] {
  const plan = compareNodes(known, file);
  const said = plan.lines.filter(({ change }) => !options.json || change === undefined);
  for (const { text, change } of said) host[change === undefined ? "err" : "out"](`${text}\n`);
  if (plan.failed) throw new CommandFailure(1, "Running nodes cannot take this nodes file");
  return plan.lines.flatMap(({ change }) => (change === undefined ? [] : [change]));
}

function showLines(
  { host }: CommandContext,
  path: string,
  pnns: readonly number[],
  lines: readonly LineDifference[],
): void {
  const texts = lines.flatMap(({ line, before, after }) => [
    ...(before === undefined ? [] : [`- line ${line}: ${printable(before)}\n`]),
    ...(after === undefined ? [] : [`+ line ${line}: ${printable(after)}\n`]),
  ]);
  host.out(`${path} on nodes ${pnns.join(",")}:\n${texts.join("")}`);
}

function lineFacts({ line, before, after }: LineDifference): ChangeFacts["lines"][number] {
  return { line, before: before ?? null, after: after ?? null };
}
