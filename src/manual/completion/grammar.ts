/** What can be typed behind a program's name: both shells' completions are made of it. */
import { type Argument, parseArguments } from "../../cli/manual/arguments.ts";

export interface GrammarOption {
  /** `-n`, `--node`. */
  readonly names: readonly string[];
  /** What its value is, written as the argument of a command is; absent: it has none. */
  readonly value?: string;
  readonly help: string;
  /** The only commands that take it. */
  readonly commands?: readonly string[] | undefined;
}

export interface GrammarCommand {
  /** One word or several; none for what stands behind the program itself. */
  readonly name: string;
  /** As rows of the table of commands write them. */
  readonly args: string;
  readonly summary: string;
  /** The program whose words follow. */
  readonly continues?: string;
}

export interface Grammar {
  readonly program: string;
  readonly options: readonly GrammarOption[];
  readonly commands: readonly GrammarCommand[];
}

/** What is asked for when somebody completes; "nothing": nobody can know. */
const SOURCES = [
  "address",
  "command",
  "database",
  "file",
  "interface",
  "node",
  /** Numbers with commas between them. */
  "node list",
  /** What onnode takes: words and numbers, with commas between them, and ranges of numbers. */
  "node specification",
  "option",
  "script",
  "nothing",
] as const;
/** Words that stand for several nodes. */
export const NODE_WORDS = ["all", "any", "ok", "healthy", "con", "connected"];
export type Source = (typeof SOURCES)[number];

/** What a placeholder stands for: a source, or words. */
export type Meaning = Source | readonly string[];

/** An argument: words to offer and sources to ask. */
export interface Offer {
  readonly words: readonly string[];
  readonly sources: readonly Source[];
  readonly repeated: boolean;
}

/** Placeholders are those of `meanings`; an unknown one is an error of the tables. */
export function offersOf(args: string, meanings: Readonly<Record<string, Meaning>>): Offer[] {
  return parseArguments(args).map((argument) => offerOf(argument, meanings));
}

function offerOf(argument: Argument, meanings: Readonly<Record<string, Meaning>>): Offer {
  const words: string[] = [];
  const sources: Source[] = [];
  for (const alternative of argument.alternatives) {
    if ("word" in alternative) {
      words.push(alternative.word);
      continue;
    }
    const meaning = meanings[alternative.placeholder];
    if (meaning === undefined) {
      throw new Error(
        `expected a meaning of <${alternative.placeholder}> in src/manual/completion/meanings.ts`,
      );
    }
    if (typeof meaning !== "string") words.push(...meaning);
    else if (meaning !== "nothing") sources.push(meaning);
  }
  return { words, sources, repeated: argument.repeated };
}
