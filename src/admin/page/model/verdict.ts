/** How the cluster is, in one line: the first thing that is read at three in the morning. */
import type { ClusterDocument, PastDocument } from "./documents.ts";
import { type Level, stateLevel, stateText, worst } from "./flags.ts";
import { plural } from "./numbers.ts";

export interface Verdict {
  readonly level: Level;
  readonly text: string;
  /** For the title of the tab: as short as can be. */
  readonly brief: string;
}

interface Seen {
  readonly leader: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly { readonly node: number; readonly flags: readonly string[] }[];
}

export function verdictOf(cluster: ClusterDocument): Verdict {
  const { level, text } = stateOf(cluster);
  const levels = cluster.conditions.map(({ severity }) => severity);
  const count = levels.length;
  const parts = count === 0 ? [text] : [text, `${plural(count, "condition")} to look at`];
  const whole = worst([level, ...levels]);
  return { level: whole, text: parts.join(" · "), brief: whole === "good" ? "ok" : text };
}

export function pastVerdictOf(past: PastDocument): Verdict {
  const { level, text } = stateOf(past);
  return { level, text, brief: "past" };
}

function stateOf({ leader, recovering, nodes }: Seen): { level: Level; text: string } {
  const present = nodes.filter(({ flags }) => !flags.includes("DELETED"));
  const level = worst(present.map(({ flags }) => stateLevel(flags)));
  const parts = [
    nodesState(present),
    ...(recovering ? ["a recovery is running"] : []),
    ...(leader === null && present.length > 0 ? ["there is no leader"] : []),
  ];
  const more: Level[] = [
    ...(recovering ? (["warning"] as const) : []),
    ...(leader === null && present.length > 0 ? (["critical"] as const) : []),
  ];
  return { level: worst([level, ...more]), text: parts.join(" · ") };
}

function nodesState(nodes: Seen["nodes"]): string {
  const bad = nodes.filter(({ flags }) => flags.length > 0);
  const [first] = bad;
  if (nodes.length === 0) return "No nodes are known";
  if (first === undefined) {
    return nodes.length === 1 ? "The one node is well" : `All ${nodes.length} nodes are well`;
  }
  if (bad.length === 1) return `Node ${first.node} is ${stateText(first.flags)}`;
  return `${bad.length} of ${plural(nodes.length, "node")} are not well`;
}
