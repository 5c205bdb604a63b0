/** How problems of configuration files are put into words: one line each, ready for the log. */
import type { ConfigProblem } from "./types.ts";

/** For example `"/etc/ctdb/nodes": line 3: expected an IP address, got "10.0.0.300"`. */
export function problemText(problem: ConfigProblem): string {
  const where = problem.line > 0 ? `line ${problem.line}: ` : "";
  return `"${problem.file}": ${where}${problem.reason}`;
}

export function hasErrors(problems: readonly ConfigProblem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}
