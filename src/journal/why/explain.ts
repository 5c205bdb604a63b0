/**
 * An event, what led to it, what led to that, and so on.
 *
 * Invariants:
 * 1. An event is there once: where it would come again it is left out. So there are no circles.
 * 2. What led to another cause stands there, not beside it.
 * 3. CHAIN_DEPTH_MAX, CAUSES_MAX and EXPLAINED_EVENTS_MAX bound what is said.
 * 4. Nothing but the events decides: the same events give the same explanation.
 */
import type { Explained, KeptKind, MergedEvent } from "../types.ts";
import type { CauseRule, CauseRules } from "./cause_rules.ts";
import { ADDRESS_CAUSES } from "./causes_of_addresses.ts";
import { RECOVERY_CAUSES } from "./causes_of_recoveries.ts";
import { STANDING_CAUSES } from "./causes_of_standing.ts";
import { EventIndex } from "./event_index.ts";
import { CAUSES_MAX, CHAIN_DEPTH_MAX, CLOCK_ERROR_MS, EXPLAINED_EVENTS_MAX } from "./limits.ts";
import { sentenceOf } from "./sentences.ts";
import { PROCESS_WORDS, timeText } from "./words.ts";

const RULES: CauseRules = { ...STANDING_CAUSES, ...RECOVERY_CAUSES, ...ADDRESS_CAUSES };

/** `events` in the order of merge.ts; `event` is one of them. */
export function explainEvent(event: MergedEvent, events: readonly MergedEvent[]): Explained {
  const index = new EventIndex(events);
  const explained = new Set<MergedEvent>([event]);
  const explain = (each: MergedEvent, text: string, depthLeft: number): Explained => {
    if (depthLeft === 0) return { event: each, text, because: [] };
    const fresh = directCauses(each, index).filter((cause) => !explained.has(cause));
    const room = Math.min(CAUSES_MAX, EXPLAINED_EVENTS_MAX - explained.size);
    const taken = fresh.slice(0, Math.max(0, room));
    for (const cause of taken) explained.add(cause);
    const because = taken.map((cause) => {
      const text = restartText(cause, each);
      // What it tells of was before; what led to it tells nothing more.
      if (text !== undefined) return explain(cause, text, 0);
      return explain(cause, sentenceOf(cause), depthLeft - 1);
    });
    return { event: each, text, because };
  };
  return explain(event, sentenceOf(event), CHAIN_DEPTH_MAX);
}

/** Without those that led to others of them. */
function directCauses(event: MergedEvent, index: EventIndex): readonly MergedEvent[] {
  const causes = [...new Set(causesOf(event, index))].filter((cause) => cause !== event);
  const indirect = new Set<MergedEvent>();
  for (const cause of causes) {
    if (indirect.has(cause)) continue;
    for (const before of causesOf(cause, index)) if (before !== cause) indirect.add(before);
  }
  return causes.filter((cause) => !indirect.has(cause));
}

function causesOf(kept: MergedEvent, index: EventIndex): readonly MergedEvent[] {
  const rule = RULES[kept.event.kind] as CauseRule<KeptKind> | undefined;
  return rule?.(kept.event as never, kept, index) ?? [];
}

/** A process that was killed tells of it only by being there anew, after what it has caused. */
function restartText(cause: MergedEvent, effect: MergedEvent): string | undefined {
  const isLater = cause.common_us > effect.common_us + CLOCK_ERROR_MS * 1000;
  if (cause.event.kind !== "process_started" || !isLater) return undefined;
  const which = PROCESS_WORDS[cause.event.process];
  const when = timeText(cause.common_us);
  return `On node ${cause.node}, ${which} had ended without a word: it was started anew at ${when}`;
}
