/** NODE_FLAGS in the words of the tool, in the order in which it shows them. */
import { NODE_FLAGS } from "./constants.ts";

export const FLAGS_BY_WORD: readonly (readonly [word: string, flag: number])[] = [
  ["DISCONNECTED", NODE_FLAGS.DISCONNECTED],
  ["DISABLED", NODE_FLAGS.PERMANENTLY_DISABLED],
  ["BANNED", NODE_FLAGS.BANNED],
  ["UNHEALTHY", NODE_FLAGS.UNHEALTHY],
  ["DELETED", NODE_FLAGS.DELETED],
  ["STOPPED", NODE_FLAGS.STOPPED],
];

export const FLAG_WORDS = FLAGS_BY_WORD.map(([word]) => word);

export function flagWords(flags: number): readonly string[] {
  return FLAGS_BY_WORD.filter(([, flag]) => (flags & flag) !== 0).map(([word]) => word);
}

/** undefined: there is no such word. */
export function flagOfWord(text: string): number | undefined {
  return FLAGS_BY_WORD.find(([word]) => word === text)?.[1];
}
