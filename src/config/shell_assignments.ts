/**
 * The assignments of a file that a shell reads, such as script.options and the configuration of releases before 4.9.
 * A file of that kind may hold anything that a shell knows: what is no assignment is told apart, never run.
 */
import { type ShellCommand, type ShellWord, shellCommands } from "./shell_words.ts";

export type ShellStatement =
  | {
      readonly kind: "assignment";
      readonly line: number;
      readonly name: string;
      /** Of one that expands: as it stands in the file. */
      readonly value: string;
      readonly expands: boolean;
      /** It stands between words such as `if` and `fi`: whether it counts only a shell can know. */
      readonly conditional: boolean;
    }
  | {
      readonly kind: "command";
      readonly line: number;
      /** The words, with one space between them. */
      readonly text: string;
    }
  | { readonly kind: "malformed"; readonly line: number; readonly reason: string };

const OPENING = new Set(["if", "case", "for", "while", "until", "{"]);
const CLOSING = new Set(["fi", "esac", "done", "}"]);
/** Only joined to another command. */
const JOINING = new Set(["then", "else", "elif", "do"]);
const DECLARING = new Set(["export", "readonly"]);
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;

export function shellStatements(text: string): readonly ShellStatement[] {
  const { commands, unended } = shellCommands(text);
  const statements: ShellStatement[] = [];
  let depth = 0;
  for (const command of commands) {
    let first = 0;
    for (; first < command.words.length; first++) {
      const { text: word } = command.words[first] as ShellWord;
      if (OPENING.has(word)) depth += 1;
      else if (CLOSING.has(word)) depth = Math.max(0, depth - 1);
      else if (!JOINING.has(word)) break;
    }
    const words = command.words.slice(first);
    if (words.length > 0) statements.push(...statementsOf({ ...command, words }, depth > 0));
  }
  if (unended !== undefined) {
    const reason = `expected the end of what ${unended.what} begins, the file ends before it`;
    statements.push({ kind: "malformed", line: unended.line, reason });
  }
  return statements;
}

function statementsOf(
  { line, words }: ShellCommand,
  conditional: boolean,
): readonly ShellStatement[] {
  const [first] = words;
  const declared = first !== undefined && DECLARING.has(first.text);
  const assigned = declared ? words.slice(1) : words;
  if (assigned.length > 0 && assigned.every((word) => ASSIGNMENT.test(word.text))) {
    return assigned.map((word) => assignment(word, line, conditional));
  }
  const text = words.map((word) => word.text).join(" ");
  const loose = looseAssignment(words);
  return [
    loose === undefined
      ? { kind: "command", line, text }
      : { kind: "malformed", line, reason: loose },
  ];
}

function assignment(word: ShellWord, line: number, conditional: boolean): ShellStatement {
  const equals = word.text.indexOf("=");
  const name = word.text.slice(0, equals);
  const value = word.text.slice(equals + 1);
  return { kind: "assignment", line, name, value, expands: word.expands, conditional };
}

/** `NAME = VALUE`, which would run a program NAME, and `NAME=A B`, which would run B. */
function looseAssignment(words: readonly ShellWord[]): string | undefined {
  const [first, second] = words.map((word) => word.text);
  if (first === undefined || second === undefined) return undefined;
  const text = `"${words.map((word) => word.text).join(" ")}"`;
  if (/^[A-Z_][A-Z0-9_]*$/.test(first) && second.startsWith("=")) {
    return `expected NAME=VALUE without spaces, got ${text}`;
  }
  if (/^CTDB_[A-Z0-9_]*=/.test(first)) {
    return `expected quotes around a value with spaces, got ${text}`;
  }
  return undefined;
}
