/**
 * Reads a file of the configuration: how large it is, that it is text, and that its lines are no longer than any
 * that means something. So what parses a line afterwards may take more than linear time for it.
 *
 * 1. A carriage return before a line's end is white space. Bytes that are no UTF-8 are taken as they are: a path may
 *    have them, and comments may be in Latin-1.
 * 2. A mark of byte order and NUL bytes are errors. Stock programs take the mark for a part of the first line, which
 *    then counts for nothing, and end a line at a NUL.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { CONFIG_FILE_BYTES_MAX, CONFIG_LINE_LETTERS_MAX } from "./limits.ts";
import { hasErrors, ProblemList } from "./problems.ts";
import type { ConfigProblem } from "./types.ts";

export type TextOutcome = Result<string | undefined, readonly ConfigProblem[]>;

/** The text; undefined when there is no such file. */
export function readConfigFile(files: FileSystem, path: string): TextOutcome {
  const text = files.readText(path, CONFIG_FILE_BYTES_MAX);
  if (text.ok) {
    const problems = textProblems(text.value, path);
    return hasErrors(problems) ? err(problems) : ok(text.value);
  }
  if (text.error.code === "ENOENT") return ok(undefined);
  const problems = new ProblemList(path);
  problems.error(0, unreadable(text.error.code));
  return err(problems.all());
}

function unreadable(code: string): string {
  if (code === "EFBIG") return `expected at most ${CONFIG_FILE_BYTES_MAX} bytes, it has more`;
  if (code === "EISDIR") return "expected a file, it is a directory";
  return `cannot be read: ${code}`;
}

/** What makes a text no configuration, whatever its lines say. */
function textProblems(text: string, path: string): readonly ConfigProblem[] {
  const problems = new ProblemList(path);
  if (/^(\udcff\udcfe|\udcfe\udcff)/.test(text)) {
    problems.error(1, "expected text in UTF-8, it is UTF-16");
    return problems.all();
  }
  if (text.startsWith("\ufeff")) {
    problems.error(1, "expected text without a byte order mark: take the first three bytes away");
  }
  for (const [index, line] of text.split("\n").entries()) {
    if (line.length > CONFIG_LINE_LETTERS_MAX) {
      const max = CONFIG_LINE_LETTERS_MAX;
      problems.error(index + 1, `expected at most ${max} letters, it has ${line.length}`);
    }
    if (line.includes("\0")) problems.error(index + 1, "expected text, it has a NUL byte");
  }
  return problems.all();
}
