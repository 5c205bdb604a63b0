/** Node flags in words. */
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import { FLAGS_BY_WORD } from "../wire/flag_words.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";

/** Of the tool only: the node's flags are not known yet. */
export const FLAG_UNKNOWN = 0x40;

/** In the order in which they are shown. INACTIVE stands for several flags. */
export const FLAG_WORDS: readonly (readonly [word: string, mask: number])[] = [
  ...FLAGS_BY_WORD.toSpliced(1, 0, ["UNKNOWN", FLAG_UNKNOWN]),
  ["INACTIVE", NODE_FLAGS_INACTIVE],
];

/** Words joined by |, or OK. */
export function flagNames(flags: number): string {
  const words = FLAG_WORDS.filter(([, mask]) => (flags & mask) !== 0).map(([word]) => word);
  return words.length === 0 ? "OK" : words.join("|");
}

/** Flags of a node as the tool shows them while the asked node starts up. */
export function flagsWhileStarting(node: NodeAndFlags, target: number): number {
  const settled = NODE_FLAGS.DELETED | NODE_FLAGS.DISCONNECTED;
  return (node.flags & settled) !== 0 || node.pnn === target ? node.flags : FLAG_UNKNOWN;
}
