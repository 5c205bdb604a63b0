/** What a check is: a row of the table in checks.ts. */
import type { ClusterFacts, Facts, LocalFacts } from "./facts.ts";

export const SEVERITIES = ["error", "warning", "note"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Check {
  /** Stays the same in later releases. */
  readonly id: string;
  readonly severity: Severity;
  readonly examines: string;
  readonly why: string;
  readonly remedy: string;
  /** It is about what the running daemon says. */
  readonly needsDaemon: boolean;
  /** A sentence for each thing that is wrong. */
  readonly find: (facts: Facts) => readonly string[];
}

type Texts = Pick<Check, "id" | "severity" | "examines" | "why" | "remedy">;

/** A check of files and settings of this machine. */
export function local(
  texts: Texts,
  find: (local: LocalFacts, facts: Facts) => readonly string[],
): Check {
  return { ...texts, needsDaemon: false, find: (facts) => find(facts.local, facts) };
}

/** A check of what daemons say. */
export function cluster(
  texts: Texts,
  find: (cluster: ClusterFacts, facts: Facts) => readonly string[],
): Check {
  return {
    ...texts,
    needsDaemon: true,
    find: (facts) => (facts.cluster === undefined ? [] : find(facts.cluster, facts)),
  };
}

/** One finding, or none. */
export function when(condition: boolean, what: () => string): readonly string[] {
  return condition ? [what()] : [];
}
