/**
 * What a node does with one step of a change of the nodes file that another node leads (wire/nodes_file_messages.ts).
 *
 *     unchanged ── prepare ──▶ prepared ── install ──▶ changed
 *         ▲                       │
 *         └──────── drop ─────────┘
 *
 * Invariants:
 * 1. Each step can be repeated: what is done already is done, also when several nodes share one file.
 * 2. A file is replaced only while it is the one that the change began with: what somebody saved meanwhile stays.
 * 3. A change that was prepared stays until it is installed or dropped by its digest: nobody overwrites another's.
 * 4. A list in which this node is another one, or none, is refused: it could not be read again while we run.
 */
import { parseNodes } from "../config/nodes.ts";
import { problemText } from "../config/problems.ts";
import type { ConfiguredNode } from "../config/types.ts";
import type { PendingFileState } from "../platform/types/pending_file.ts";
import type { NodesFileStep } from "../wire/nodes_file_messages.ts";

export type NodesFileVerdict =
  | { readonly act: "nothing" | "install" | "drop" }
  | { readonly act: "prepare"; readonly text: string }
  | { readonly act: "refuse"; readonly reason: string };

export interface OwnLine {
  readonly pnn: number;
  readonly address: string;
}

const NOTHING: NodesFileVerdict = { act: "nothing" };

export function judgeStep(
  step: NodesFileStep,
  { present, next }: PendingFileState,
  own: OwnLine,
): NodesFileVerdict {
  switch (step.step) {
    case "look":
      return NOTHING;
    case "prepare": {
      if (present === undefined) return refuse("it has no nodes file");
      if (present.text === step.text) return NOTHING;
      if (present.digest !== step.before) return refuse("its nodes file has changed meanwhile");
      if (next !== undefined) {
        return next.text === step.text ? NOTHING : refuse("another change was prepared there");
      }
      const problem = problemOf(step.text, own);
      return problem === undefined ? { act: "prepare", text: step.text } : refuse(problem);
    }
    case "install": {
      const prepared = next?.digest === step.after;
      if (present?.digest === step.after) return prepared ? { act: "drop" } : NOTHING;
      if (!prepared) return refuse("this change was not prepared there");
      if (present?.digest === step.before) return { act: "install" };
      return refuse("its nodes file has changed meanwhile");
    }
    case "drop":
      if (next === undefined) return NOTHING;
      return next.digest === step.after
        ? { act: "drop" }
        : refuse("another change was prepared there");
  }
}

function refuse(reason: string): NodesFileVerdict {
  return { act: "refuse", reason };
}

function problemOf(text: string, own: OwnLine): string | undefined {
  const nodes = parseNodes(text, "the new nodes file");
  if (!nodes.ok) return nodes.error.map(problemText).join("; ");
  return ownLineProblem(nodes.value, own);
}

/** The own line decides who we are: it cannot change while we run. */
export function ownLineProblem(nodes: readonly ConfiguredNode[], own: OwnLine): string | undefined {
  const line = nodes[own.pnn];
  if (line !== undefined && !line.deleted && line.address === own.address) return undefined;
  const got = line === undefined ? "nothing" : line.deleted ? "a deleted node" : line.address;
  return `expected our address ${own.address} for node ${own.pnn}, got ${got}`;
}
