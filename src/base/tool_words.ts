/**
 * The command line of the small tools (ctdb-config, ctdb-path, ctdb-event), as popt reads it.
 *
 * 1. Options stand anywhere until `--`; short ones run together. An option that is given twice is given.
 * 2. The first wrong option ends everything, but none behind a request for help does.
 * 3. The level of messages is taken, since scripts give it, and has no effect: there are no such messages.
 */
import { err, ok, type Result } from "./result.ts";

export interface ToolWords {
  /** What is no option. */
  readonly words: readonly string[];
  readonly help: boolean;
  readonly json: boolean;
  /** Of the tool's own flags those that were given. */
  readonly flags: ReadonlySet<string>;
}

const HELP = ["-h", "-?", "--help", "--usage"];
const JSON_FLAGS = ["-j", "--json"];
const DEBUG = ["-d", "--debug"];

/** `ownFlags` are long names. The error is a line, without its end. */
export function parseToolWords(
  args: readonly string[],
  ownFlags: readonly string[] = [],
): Result<ToolWords> {
  const words: string[] = [];
  const given = new Set<string>();
  let help = false;
  const left = args.flatMap(separated);
  for (let at = 0; at < left.length; at++) {
    const word = left[at] as string;
    if (word === "--") {
      words.push(...left.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") words.push(word);
    else if (HELP.includes(word)) help = true;
    else if (JSON_FLAGS.includes(word) || ownFlags.includes(word)) given.add(word);
    else if (DEBUG.includes(word)) {
      at += 1;
      if (at >= left.length && !help) return err(`Invalid option ${word}: missing argument`);
    } else if (!help && !/^--debug=/.test(word)) {
      return err(`Invalid option ${word}: unknown option`);
    }
  }
  return ok({ words, help, json: JSON_FLAGS.some((flag) => given.has(flag)), flags: given });
}

/** Of a command line that could not be read: whether it asks for documents shows only as a word. */
export function asksForJson(args: readonly string[]): boolean {
  return args.some((word) => JSON_FLAGS.includes(word));
}

/** `-jh` as `-j -h`, `-dDEBUG` as `-d DEBUG`; nothing is taken apart behind `--`. */
function separated(word: string, at: number, args: readonly string[]): readonly string[] {
  if (!/^-[hjd?]./.test(word) || args.slice(0, at).includes("--")) return [word];
  const letters = /^-([hj?]*)(d?)(.*)$/s.exec(word);
  const [, flags = "", debug = "", rest = ""] = letters ?? [];
  const front = [...flags].map((letter) => `-${letter}`);
  if (debug !== "") return [...front, "-d", ...(rest === "" ? [] : [rest])];
  return rest === "" ? front : [...front, `-${rest}`];
}
