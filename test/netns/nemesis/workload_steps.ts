/** What the client of a host does, step by step, as it tells it (workload_process.ts) and as the checkers read it. */

export const COUNTER_DATABASE = "nemesis.tdb";
export const COUNTER_KEYS: readonly string[] = Array.from({ length: 12 }, (_, i) => `counter${i}`);
export const PERSISTENT_DATABASE = "nemesis_kept.tdb";
export const PERSISTENT_KEY = "total";

/** How long the client waits for one answer: longer than any cluster here needs after it was healed. */
export const PATIENCE_MS = 90_000;

/** `how`: "done", or the kind of failure. A value that is done is one that was acknowledged. */
export interface Outcome {
  readonly how: string;
  readonly value?: number;
  readonly reason?: string;
}

/** Times are those of Date.now(): all hosts have the one clock of this machine. */
export type Step = {
  readonly id: number;
  readonly database: string;
  readonly key: string;
  readonly atMs: number;
} & ({ readonly step: "begin" } | ({ readonly step: "end" } & Outcome));

/** One operation, as the checkers read it. */
export interface Operation {
  readonly node: number;
  readonly database: string;
  readonly key: string;
  readonly beginMs: number;
  /** Infinity: it has not ended. */
  readonly endMs: number;
  /** Undefined: not ended, or the client died. */
  readonly how: string | undefined;
  readonly value: number | undefined;
}
