/**
 * Events of several nodes in one order.
 *
 * Invariants:
 * 1. Events of one node keep their order, whatever its clock did.
 * 2. What its clock was set back by while its ctdbd ran is taken out: an event of before has the time that it would have by
 *    the clock of now. The monotonic clock of ctdbd tells it. (A clock that was set forward looks like a machine that stood
 *    still for a while, whose clock was right before and after: that stays.)
 * 3. Between nodes the common time decides, as exactly as their clocks are known.
 */
import type { KeptEvent, MergedEvent, NodeAnswer } from "./types.ts";

/** Below it a clock was slewed, not set. */
const STEP_US_MIN = 500_000;

export function mergeEvents(answers: readonly NodeAnswer[]): readonly MergedEvent[] {
  const placed = answers.flatMap(({ events, clockAheadUs }) => {
    return events.ok ? placeNode(events.value, clockAheadUs) : [];
  });
  // Sorting is stable, and each node's places are in order.
  return placed.sort((one, other) => one.placeUs - other.placeUs).map(({ event }) => event);
}

interface Placed {
  readonly event: MergedEvent;
  /** Not later than that of the next event of its node. */
  readonly placeUs: number;
}

function placeNode(events: readonly KeptEvent[], aheadUs: number): readonly Placed[] {
  const sorted = [...events].sort((one, other) => one.id - other.id);
  const placed: Placed[] = [];
  let stepUs = 0;
  let placeUs = Number.POSITIVE_INFINITY;
  let later: KeptEvent | undefined;
  for (const event of sorted.reverse()) {
    if (event.process === "ctdbd") {
      if (later !== undefined) stepUs += setBackBetween(event, later);
      later = event;
    }
    const commonUs = event.time_us + stepUs - aheadUs;
    placeUs = Math.min(placeUs, commonUs);
    placed.push({ event: { ...event, common_us: commonUs }, placeUs });
  }
  return placed.reverse();
}

/** Of two events of ctdbd; each start of it has a monotonic clock of its own. Negative, or 0. */
function setBackBetween(before: KeptEvent, after: KeptEvent): number {
  if (before.ring !== after.ring) return 0;
  const passedUs = (after.monotonic_ms - before.monotonic_ms) * 1000;
  const stepUs = after.time_us - before.time_us - passedUs;
  return stepUs > -STEP_US_MIN ? 0 : Math.round(stepUs);
}
