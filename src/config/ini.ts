/**
 * The line format that ctdb.conf and tunables files share: `[section]`, `name = value`, comment lines
 * that begin with # or ;, a backslash at the end of a line that continues it, and runs of white space
 * that count as one space. A # behind a value belongs to the value.
 *
 * Only splits; what a name or value means is the caller's.
 */

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
  if (content.startsWith("[")) {
    const end = content.indexOf("]");
    if (end < 0) {
      return {
        kind: "malformed",
        line,
        reason: `expected "]" after the section's name, got "${content}"`,
      };
    }
    return { kind: "section", line, name: trimmed(content.slice(1, end)) };
  }
  const equals = content.indexOf("=");
  if (equals < 0) {
    return { kind: "malformed", line, reason: `expected "name = value", got "${content}"` };
  }
  const name = trimmed(content.slice(0, equals));
  if (name === "") {
    return { kind: "malformed", line, reason: `expected a name before "=", got "${content}"` };
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
    while (content.endsWith("\\") && i + 1 < lines.length) {
      i += 1;
      content = `${content.slice(0, -1)}${(lines[i] as string).replace(SPACE_BEHIND, "")}`;
    }
    yield { line, content: trimmed(content.replace(SPACE, " ")) };
  }
}

/** What C's isspace takes: other spaces of Unicode belong to a path as any other character does. */
const SPACE = /[ \t\v\f\r]+/g;
const SPACE_AROUND = /^[ \t\v\f\r]+|[ \t\v\f\r]+$/g;
const SPACE_BEHIND = /[ \t\v\f\r]+$/;

function trimmed(text: string): string {
  return text.replace(SPACE_AROUND, "");
}
