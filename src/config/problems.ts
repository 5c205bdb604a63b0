/**
 * Problems of configuration files: how they are collected, and how they are put into words (one line each, ready
 * for the log).
 *
 * 1. However wrong a file is, what is said about it is bounded.
 * 2. Bytes of a file that are no characters, and control characters, are shown as escapes.
 */
import { PROBLEM_LETTERS_MAX, PROBLEMS_MAX, QUOTED_LETTERS_MAX } from "./limits.ts";
import type { ConfigProblem } from "./types.ts";

/** For example `"/etc/ctdb/nodes": line 3: expected an IP address, got "10.0.0.300"`. */
export function problemText(problem: ConfigProblem): string {
  const line = problem.line > 0 ? `line ${problem.line}: ` : "";
  const path = problem.path === undefined ? "" : `${problem.path}: `;
  return shown(`"${problem.file}": ${line}${path}${problem.reason}`, PROBLEM_LETTERS_MAX);
}

/** These stop a start. */
export function hasErrors(problems: readonly ConfigProblem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** What came from a file, for a message: in quotes, and not longer than somebody would read. */
export function quoted(text: string): string {
  return `"${shortened(text, QUOTED_LETTERS_MAX)}"`;
}

/** The problems of one file, in the order in which they were found. */
export class ProblemList {
  readonly #file: string;
  readonly #problems: ConfigProblem[] = [];
  #left = 0;

  /** `file` names the source. */
  constructor(file: string) {
    this.#file = file;
  }

  error(line: number, reason: string, path?: string): void {
    this.#add({ line, reason, path, severity: "error" });
  }

  /** Something that nobody knows: ignored by a start, refused by a check. */
  unknown(line: number, reason: string, path?: string): void {
    this.#add({ line, reason, path, severity: "unknown" });
  }

  warning(line: number, reason: string, path?: string): void {
    this.#add({ line, reason, path, severity: "warning" });
  }

  all(): readonly ConfigProblem[] {
    if (this.#left === 0) return this.#problems;
    const reason = `${this.#left} more problems are not listed`;
    return [...this.#problems, { file: this.#file, line: 0, reason, severity: "error" }];
  }

  #add({ path, ...problem }: Omit<ConfigProblem, "file" | "path"> & { path: string | undefined }) {
    if (this.#problems.length >= PROBLEMS_MAX) {
      this.#left += 1;
      return;
    }
    this.#problems.push({
      file: this.#file,
      ...problem,
      ...(path === undefined ? {} : { path }),
    });
  }
}

function shortened(text: string, lettersMax: number): string {
  return text.length <= lettersMax ? text : `${text.slice(0, lettersMax)}…`;
}

/** C0 and C1 control characters, DEL, and the bytes that stand in text as lone surrogates (base/byte_text.ts). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|[\udc80-\udcff]/gu;

function shown(text: string, lettersMax: number): string {
  return shortened(text, lettersMax).replace(UNSHOWN, (letter) => {
    const code = letter.charCodeAt(0);
    const value = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
    return value < 0x100 ? `\\x${value.toString(16).padStart(2, "0")}` : `\\u${value.toString(16)}`;
  });
}
