/**
 * Steps of a commit at which a test ends the process with SIGKILL, right before one or right after it:
 * whatever was done by then, the transaction must be on all nodes or on none (test/torture/
 * crash_matrix.test.ts). Outside of tests there is no such object, and a step costs one comparison.
 */

/** Who takes the step: the node whose client commits, or every node that writes. */
export const CRASH_STEPS = {
  "send-updates": "coordinator",
  "answer-client": "coordinator",
  "begin-transaction": "writer",
  "store-records": "writer",
  "write-journal": "writer",
  "arm-journal": "writer",
  "write-blocks": "writer",
  "disarm-journal": "writer",
  "answer-update": "writer",
} as const;

export type CrashStep = keyof typeof CRASH_STEPS;
export type CrashMoment = "before" | "after";

export interface CrashPoints {
  /** Does not return when this is the point. */
  at(step: CrashStep, moment: CrashMoment): void;
}
