/**
 * Changes of the text of a nodes file that keep every other line as it is: a line that goes becomes a hole, so that the
 * nodes behind it keep their numbers, and a node that comes back gets the number that it had.
 */
import { err, ok, type Result } from "../base/result.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import { nodeLine, parseNodes } from "./nodes.ts";
import { problemText } from "./problems.ts";

/** Indexes of the lines that have numbers: that of a node's line is at its pnn. */
function numberedLines(lines: readonly string[]): number[] {
  return lines.flatMap((line, index) => (nodeLine(line) === "" ? [] : [index]));
}

export function withNodeAdded(text: string, address: string): Result<string> {
  const parsed = parseAddress(address);
  if (!parsed.ok) return err(`Cannot add node "${address}": ${parsed.error}`);
  const wanted = parsed.value.address;
  const lines = text.split("\n");
  const numbered = numberedLines(lines);
  const addressAt = (index: number, from: number): string | undefined => {
    const there = parseAddress(nodeLine(nodeLine(lines[index] ?? "").slice(from)));
    return there.ok ? there.value.address : undefined;
  };
  const pnn = numbered.findIndex((index) => addressAt(index, 0) === wanted);
  if (pnn >= 0) return err(`Cannot add node ${wanted}: it is node ${pnn} already`);
  const hole = numbered.find(
    (index) => nodeLine(lines[index] ?? "").startsWith("#") && addressAt(index, 1) === wanted,
  );
  if (hole !== undefined) {
    lines[hole] = wanted;
    return ok(lines.join("\n"));
  }
  const whole = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return ok(`${whole}${wanted}\n`);
}

export function withNodeRemoved(text: string, pnn: number): Result<string> {
  const lines = text.split("\n");
  const index = numberedLines(lines)[pnn];
  if (index === undefined) return err(`Cannot remove node ${pnn}: it is not in the nodes file`);
  const content = nodeLine(lines[index] ?? "");
  if (content.startsWith("#")) return err(`Cannot remove node ${pnn}: it is deleted already`);
  lines[index] = `#${content}`;
  const changed = lines.join("\n");
  const nodes = parseNodes(changed, "nodes");
  if (!nodes.ok)
    return err(`Cannot remove node ${pnn}: ${nodes.error.map(problemText).join("; ")}`);
  if (nodes.value.some(({ deleted }) => !deleted)) return ok(changed);
  return err(`Cannot remove node ${pnn}: no node would be left`);
}

export interface LineDifference {
  /** From 1. */
  readonly line: number;
  /** undefined: that file has no such line. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** By their numbers: a line decides which node it is by where it stands. */
export function lineDifferences(before: string, after: string): readonly LineDifference[] {
  const old = linesOf(before);
  const young = linesOf(after);
  const differences: LineDifference[] = [];
  for (let i = 0; i < Math.max(old.length, young.length); i++) {
    if (old[i] === young[i]) continue;
    differences.push({ line: i + 1, before: old[i], after: young[i] });
  }
  return differences;
}

/** What stands behind the last end of a line is no line. */
function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}
