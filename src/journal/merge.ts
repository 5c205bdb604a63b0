/**
 * Events of several nodes in one order.
 *
 * Invariants:
 * 1. Events of one node keep their order, whatever its clock did.
 * 2. What its clock was set by while it ran is taken out: an event of before the step has the time that it would have by
 *    the clock of now. Its monotonic clock tells such steps, as long as the machine was not started anew.
 * 3. Between nodes the common time decides, as exactly as their clocks are known.
 */
import type { KeptEvent, MergedEvent, NodeAnswer } from "./types.ts";

/** Below it a clock was slewed, not set. */
const STEP_US_MIN = 500_000;
/** Children tell of events a little later than ctdbd tells of its own. */
const DISORDER_MS_MAX = 2000;

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
    if (later !== undefined) stepUs += stepBetween(event, later);
    const commonUs = event.time_us + stepUs - aheadUs;
    placeUs = Math.min(placeUs, commonUs);
    placed.push({ event: { ...event, common_us: commonUs }, placeUs });
    later = event;
  }
  return placed.reverse();
}

/** What the clock was set forward by between two events; 0 over a start of the machine. */
function stepBetween(before: KeptEvent, after: KeptEvent): number {
  const passedMs = after.monotonic_ms - before.monotonic_ms;
  if (passedMs < -DISORDER_MS_MAX) return 0;
  const stepUs = after.time_us - before.time_us - passedMs * 1000;
  return Math.abs(stepUs) < STEP_US_MIN ? 0 : Math.round(stepUs);
}
