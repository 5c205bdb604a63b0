/**
 * What `ctdb node repair` does with files that a change left behind.
 *
 * Invariants:
 * 1. A change that a node has installed was prepared everywhere: whoever still has it prepared installs it.
 * 2. A change that no node has installed was never decided: it is dropped.
 * 3. Which of two different files is right only a person knows: without a named node they stay.
 */
import type { LookedAt } from "./nodes_files.ts";

export interface RepairPlan {
  /** What nodes do with what they have prepared. */
  readonly steps: readonly { readonly node: number; readonly repair: "install" | "drop" }[];
  /** The files as they are then. */
  readonly texts: ReadonlyMap<number, string>;
}

export function planRepair(files: ReadonlyMap<number, LookedAt>): RepairPlan {
  const installed = new Set([...files.values()].map(({ present }) => present.digest));
  const steps: RepairPlan["steps"][number][] = [];
  const texts = new Map<number, string>();
  for (const [node, { present, next }] of files) {
    const decided = next !== undefined && installed.has(next.digest);
    if (next !== undefined) steps.push({ node, repair: decided ? "install" : "drop" });
    texts.set(node, decided ? next.text : present.text);
  }
  return { steps, texts };
}
