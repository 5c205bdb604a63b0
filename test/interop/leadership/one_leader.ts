/**
 * Never two leaders acting under one cluster lock, judged by the logs of all nodes: who takes the lock begins a term, which
 * lasts until another node takes it. Whatever only a leader does must lie in a term of the node that does it. A leader that
 * was stopped may *say* late that it has lost the lock; it may not have done anything meanwhile.
 */
import { countedForMs } from "../../support/collected_log.ts";

export interface NodeLog {
  readonly pnn: number;
  readonly text: string;
}

/** LEADER with its own number, as a client of a node has heard it. */
export interface LeaderClaim {
  readonly pnn: number;
  readonly atMs: number;
}

export interface Term {
  readonly pnn: number;
  readonly fromMs: number;
}

interface Act {
  readonly pnn: number;
  /** Some moment from here on. */
  readonly fromMs: number;
  /** Up to here, when it was said. */
  readonly atMs: number;
  readonly what: string;
}

const TAKEN = "Took cluster lock, leader=";
/** What only a leader does; each is said in the step in which it is done. */
const ACTS = [
  "Starting recovery, new generation",
  "Recovery - updated flags",
  "Recovery complete after",
  "Takeover run starting",
  "Takeover run completed successfully",
  "Pushing updated flags",
  "Banning node",
];
/** What a child does for a leader: when it has begun, and when it has ended, well or not. */
const RUNS = [
  {
    begun: "Takeover run starting",
    ended: ["Takeover run completed successfully", "Takeover run unsuccessful"],
  },
  {
    begun: "Starting recovery, new generation",
    ended: ["Recovery complete after", "Recovery failed ("],
  },
];
/** How late a message of another node may be heard. */
const LATE_MS = 300;

export function termsOf(logs: readonly NodeLog[]): readonly Term[] {
  return linesOf(logs)
    .filter(({ line }) => line.includes(TAKEN))
    .map(({ pnn, atMs }) => ({ pnn, fromMs: atMs }))
    .sort((a, b) => a.fromMs - b.fromMs);
}

/** Whether all that a leader's log says it has begun has ended. What the log only counts at first is not in it yet. */
export function runsHaveEnded(log: string): boolean {
  return RUNS.every(({ begun, ended }) => {
    const lastEnd = Math.max(...ended.map((text) => log.lastIndexOf(text)));
    return log.lastIndexOf(begun) <= lastEnd;
  });
}

/** Empty when all is well. What a log has only counted until now is looked at when it was said. */
export function leadershipProblems(
  logs: readonly NodeLog[],
  claims: readonly LeaderClaim[] = [],
): readonly string[] {
  const terms = termsOf(logs);
  const acts: Act[] = linesOf(logs).flatMap(({ pnn, atMs, line }) => {
    const what = ACTS.find((text) => line.includes(text));
    return what === undefined ? [] : [{ pnn, fromMs: atMs - countedForMs(line), atMs, what }];
  });
  const leaderAt = (atMs: number) => terms.findLast(({ fromMs }) => fromMs <= atMs)?.pnn;
  const problem = ({ pnn, atMs, what }: Act) => {
    const leader = leaderAt(atMs);
    const leads = leader === undefined ? "nobody has taken the lock" : `node ${leader} leads`;
    return `${timeText(atMs)}: node ${pnn} acts (${what}), but ${leads}`;
  };
  // It may have been on its way.
  const heard = claims.map(({ pnn, atMs }) => ({
    pnn,
    fromMs: atMs - LATE_MS,
    atMs,
    what: "LEADER",
  }));
  const mayAct = ({ pnn, fromMs, atMs }: Act) =>
    leaderAt(fromMs) === pnn ||
    terms.some((term) => term.pnn === pnn && term.fromMs >= fromMs && term.fromMs <= atMs);
  return [...acts, ...heard].filter((act) => !mayAct(act)).map(problem);
}

function linesOf(logs: readonly NodeLog[]) {
  return logs.flatMap(({ pnn, text }) =>
    text.split("\n").flatMap((line) => {
      const atMs = timeOf(line);
      return atMs === undefined ? [] : [{ pnn, atMs, line }];
    }),
  );
}

/** With microseconds, which Date does not read. */
function timeOf(line: string): number | undefined {
  const match = /^(\S+T\d\d:\d\d:\d\d)\.(\d{6})([+-]\d\d:\d\d)/.exec(line);
  if (match === null) return undefined;
  return Date.parse(`${match[1]}${match[3]}`) + Number(match[2]) / 1000;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
