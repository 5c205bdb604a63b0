/** NODE_FLAGS in the words of the tool. */
import { NODE_FLAGS } from "../../wire/constants.ts";

const WORDS: readonly (readonly [string, number])[] = [
  ["DISCONNECTED", NODE_FLAGS.DISCONNECTED],
  ["DISABLED", NODE_FLAGS.PERMANENTLY_DISABLED],
  ["BANNED", NODE_FLAGS.BANNED],
  ["UNHEALTHY", NODE_FLAGS.UNHEALTHY],
  ["DELETED", NODE_FLAGS.DELETED],
  ["STOPPED", NODE_FLAGS.STOPPED],
];

export const FLAG_WORDS = WORDS.map(([word]) => word);

export function flagWords(flags: number): readonly string[] {
  return WORDS.filter(([, mask]) => (flags & mask) !== 0).map(([word]) => word);
}

/** undefined: there is no such word. */
export function flagOfWord(text: string): number | undefined {
  return WORDS.find(([word]) => word === text)?.[1];
}
