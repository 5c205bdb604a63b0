/**
 * Short options as GNU getopt reads them, for roles whose command line is that of a C program: options
 * may stand together and after operands, a value may follow its letter at once or as the next word.
 */
import { err, ok, type Result } from "../base/result.ts";

export interface ShortOption {
  readonly letter: string;
  /** Of an option that takes one. */
  readonly value: string;
}

export interface ShortOptions {
  readonly options: readonly ShortOption[];
  readonly operands: readonly string[];
}

/** `letters` as in C: a colon follows each that takes a value. The error is getopt's own text. */
export function parseShortOptions(args: readonly string[], letters: string): Result<ShortOptions> {
  const options: ShortOption[] = [];
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      const known = letter === ":" ? -1 : letters.indexOf(letter);
      if (known < 0) return err(`invalid option -- '${letter}'`);
      if (letters[known + 1] !== ":") {
        options.push({ letter, value: "" });
        continue;
      }
      const value = at + 1 < word.length ? word.slice(at + 1) : args[++i];
      if (value === undefined) return err(`option requires an argument -- '${letter}'`);
      options.push({ letter, value });
      break;
    }
  }
  return ok({ options, operands });
}
