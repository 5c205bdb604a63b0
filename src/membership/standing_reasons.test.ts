import { expect, test } from "bun:test";
import { NODE_FLAGS } from "../wire/constants.ts";
import { STANDING_FLAGS_MAX, STANDING_REASON_BYTES_MAX } from "../wire/limits.ts";
import { StandingReasons } from "./standing_reasons.ts";

const { BANNED, STOPPED, UNHEALTHY } = NODE_FLAGS;

const NONE = { databases: 0, ready: 0, recovering: [] };

test("StandingReasons keeps the first reason of a flag while it stays, and none of one that went", () => {
  let nowMs = 1000;
  const reasons = new StandingReasons({ monotonicMs: () => nowMs });
  reasons.changed({ target: 1, before: 0, after: STOPPED, reason: "stopped by hand" });
  nowMs = 3000;
  reasons.changed({ target: 1, before: STOPPED, after: STOPPED | BANNED, reason: "banned" });
  nowMs = 4000;
  const told = (flags: number) => reasons.toWire([{ pnn: 1, flags }], NONE).flags;
  expect(told(STOPPED | BANNED)).toEqual([
    { pnn: 1, flag: BANNED, age_ms: 1000, reason: "banned" },
    { pnn: 1, flag: STOPPED, age_ms: 3000, reason: "stopped by hand" },
  ]);
  reasons.changed({ target: 1, before: STOPPED | BANNED, after: BANNED, reason: "continued" });
  expect(told(BANNED).map(({ flag }) => flag)).toEqual([BANNED]);
  // Of before it was told anything only the start is known.
  expect(reasons.toWire([{ pnn: 7, flags: UNHEALTHY }], NONE).flags[0]?.age_ms).toBe(3000);
});

test("StandingReasons tells a recovery while it lasts, and no more than its limits", () => {
  const reasons = new StandingReasons({ monotonicMs: () => 0 });
  reasons.recoveryModeChanged("x".repeat(2 * STANDING_REASON_BYTES_MAX));
  expect(reasons.toWire([], NONE).recovery_reason).toHaveLength(STANDING_REASON_BYTES_MAX);
  reasons.recoveryModeChanged(undefined);
  expect(reasons.toWire([], NONE).recovery_reason).toBe("");
  const many = Array.from({ length: 2 * STANDING_FLAGS_MAX }, (_, pnn) => ({
    pnn,
    flags: STOPPED,
  }));
  expect(reasons.toWire(many, NONE).flags).toHaveLength(STANDING_FLAGS_MAX);
});
