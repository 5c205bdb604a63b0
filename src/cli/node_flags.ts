/** Node flags in words. */
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";

/** Of the tool only: the node's flags are not known yet. */
export const FLAG_UNKNOWN = 0x40;

/** In the order in which they are shown. INACTIVE stands for several flags. */
export const FLAG_WORDS: readonly (readonly [word: string, mask: number])[] = [
  ["DISCONNECTED", NODE_FLAGS.DISCONNECTED],
  ["UNKNOWN", FLAG_UNKNOWN],
  ["DISABLED", NODE_FLAGS.PERMANENTLY_DISABLED],
  ["BANNED", NODE_FLAGS.BANNED],
  ["UNHEALTHY", NODE_FLAGS.UNHEALTHY],
  ["DELETED", NODE_FLAGS.DELETED],
  ["STOPPED", NODE_FLAGS.STOPPED],
  ["INACTIVE", NODE_FLAGS_INACTIVE],
];

/** Words joined by |, or OK. */
export function flagNames(flags: number): string {
  const words = FLAG_WORDS.filter(([, mask]) => (flags & mask) !== 0).map(([word]) => word);
  return words.length === 0 ? "OK" : words.join("|");
}
