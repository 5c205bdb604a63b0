/**
 * The line format that ctdb.conf and tunables files share: `[section]`, `name = value`, comment lines
 * that begin with # or ;, a backslash at the end of a line that continues it, and runs of white space
 * that count as one space. A # behind a value belongs to the value.
 *
 * Only splits; what a name or value means is the caller's.
 */
import { trimmedAtEnd, trimmedOf } from "../base/trimmed.ts";
import { CONFIG_LINE_LETTERS_MAX } from "./limits.ts";
import { quoted } from "./problems.ts";

export type IniLine =
  | { readonly kind: "section"; readonly line: number; readonly name: string }
  | {
      readonly kind: "option";
      readonly line: number;
      readonly name: string;
      readonly value: string;
    }
  | { readonly kind: "malformed"; readonly line: number; readonly reason: string };

/** Lines that say something, in order; `line` counts from 1 and is where a continued line began. */
export function parseIni(text: string): readonly IniLine[] {
  const parsed: IniLine[] = [];
  for (const { line, content } of logicalLines(text)) parsed.push(parseLine(line, content));
  return parsed;
}

function parseLine(line: number, content: string): IniLine {
  if (tooLong(content)) {
    const reason = `expected at most ${CONFIG_LINE_LETTERS_MAX} letters with the lines that continue it`;
    return { kind: "malformed", line, reason };
  }
  if (content.startsWith("[")) {
    const end = content.indexOf("]");
    if (end < 0) {
      return {
        kind: "malformed",
        line,
        reason: `expected "]" after the section's name, got ${quoted(content)}`,
      };
    }
    // Blanks inside the brackets are part of the name, as in the original.
    return { kind: "section", line, name: content.slice(1, end) };
  }
  const equals = content.indexOf("=");
  if (equals < 0) {
    return { kind: "malformed", line, reason: `expected "name = value", got ${quoted(content)}` };
  }
  const name = trimmed(content.slice(0, equals));
  if (name === "") {
    return {
      kind: "malformed",
      line,
      reason: `expected a name before "=", got ${quoted(content)}`,
    };
  }
  return { kind: "option", line, name, value: trimmed(content.slice(equals + 1)) };
}

/** Joins continued lines, drops comments and empty lines, makes white space single. */
function* logicalLines(text: string): Generator<{ line: number; content: string }> {
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const first = trimmed(lines[i] as string);
    if (first === "" || first.startsWith("#") || first.startsWith(";")) continue;
    const line = i + 1;
    let content = first;
    // What is too long stays so: no more is joined to it.
    while (content.endsWith("\\") && i + 1 < lines.length && !tooLong(content)) {
      i += 1;
      content = `${content.slice(0, -1)}${trimmedAtEnd(lines[i] as string, SPACES)}`;
    }
    yield { line, content: trimmed(content.replace(SPACE, " ")) };
  }
}

function tooLong(content: string): boolean {
  return content.length > CONFIG_LINE_LETTERS_MAX;
}

/** What C's isspace takes: other spaces of Unicode belong to a path as any other character does. */
const SPACES = " \t\v\f\r";
const SPACE = /[ \t\v\f\r]+/g;

function trimmed(text: string): string {
  return trimmedOf(text, SPACES);
}
