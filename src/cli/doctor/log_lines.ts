/** What the log says: its lines carry no level, so what speaks of a failure is told by its words. */
import type { LogFacts } from "./facts.ts";
import { LOG_BYTES, LOG_RECENT_SEC } from "./limits.ts";
import type { Machine } from "./machine.ts";

const PROBLEM = /\b(error|failed|failure|cannot|could not|unable|refused|corrupt\w*)\b/i;
/** Of a last start that failed: what is older is about something else. */
const END_LINES = 30;
const LAST_LINES = 5;
const TIME_LENGTH = "2026-11-21T06:21:16".length;

export function logFacts(machine: Machine, path: string | undefined, nowSec: number): LogFacts {
  const text = path === undefined ? undefined : machine.tail(path, LOG_BYTES);
  // The first line is cut where the tail begins.
  const lines = (text ?? "").split("\n").slice(text?.length === LOG_BYTES ? 1 : 0);
  const said = lines.filter((line) => line !== "");
  const problems = said.filter((line) => PROBLEM.test(line));
  const end = said.slice(-END_LINES);
  const endProblems = end.filter((line) => PROBLEM.test(line));
  return {
    path,
    lastLines: (endProblems.length > 0 ? endProblems : end).slice(-LAST_LINES),
    recentProblems: problems.filter((line) => isRecent(line, nowSec)),
  };
}

/** A line of the log begins with its time; one without counts as old. */
function isRecent(line: string, nowSec: number): boolean {
  const offset = /^\S{19}[.0-9]*([+-]\d\d:\d\d)/.exec(line)?.[1] ?? "Z";
  const atMs = Date.parse(`${line.slice(0, TIME_LENGTH)}${offset}`);
  return !Number.isNaN(atMs) && nowSec - atMs / 1000 < LOG_RECENT_SEC;
}
