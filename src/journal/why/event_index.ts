/**
 * Events by kind, and the nearest ones before another.
 *
 * Invariants:
 * 1. "Before" is the order of one process of one node. Between processes and nodes it is time, within what their clocks
 *    may be wrong by: so a cause is not missed that seems to come a moment after what it caused.
 */

import type { JournalEventFields } from "../../base/journal_event.ts";
import type { GapEvent, KeptKind, MergedEvent } from "../types.ts";
import { CLOCK_ERROR_MS, REPORT_DELAY_MS } from "./limits.ts";

export interface AllFields extends JournalEventFields {
  readonly gap: GapEvent;
}

/** What is looked for; the kinds are given apart. */
export interface Look<K extends KeptKind> {
  readonly withinMs: number;
  /** Whose journal; any when left out. */
  readonly node?: number;
  readonly where?: (event: AllFields[K], kept: MergedEvent) => boolean;
  /** Also what came so long after it: what tells of it, rather than what caused it. */
  readonly afterMs?: number;
  readonly count?: number;
}

export class EventIndex {
  readonly #byKind = new Map<KeptKind, MergedEvent[]>();
  readonly #position = new Map<MergedEvent, number>();

  /** In the order of merge.ts. */
  constructor(events: readonly MergedEvent[]) {
    for (const [position, event] of events.entries()) {
      this.#position.set(event, position);
      const known = this.#byKind.get(event.event.kind);
      if (known === undefined) this.#byKind.set(event.event.kind, [event]);
      else known.push(event);
    }
  }

  /** Nearest first; those after it last. */
  find<K extends KeptKind>(from: MergedEvent, kind: K, look: Look<K>): readonly MergedEvent[] {
    const { node, where, withinMs, afterMs = 0, count = 1 } = look;
    const found: MergedEvent[] = [];
    const sinceUs = from.common_us - withinMs * 1000;
    const candidates = this.#byKind.get(kind) ?? [];
    for (let at = candidates.length - 1; at >= 0 && found.length < count; at--) {
      const candidate = candidates[at] as MergedEvent;
      if (candidate.common_us < sinceUs) continue;
      if (node !== undefined && candidate.node !== node) continue;
      if (!this.#isBefore(candidate, from)) continue;
      if (where?.(candidate.event as unknown as AllFields[K], candidate) === false) continue;
      found.push(candidate);
    }
    if (found.length > 0 || afterMs === 0) return found;
    return this.#after(from, kind, look, from.common_us + afterMs * 1000);
  }

  #after<K extends KeptKind>(
    from: MergedEvent,
    kind: K,
    { node, where, count = 1 }: Look<K>,
    untilUs: number,
  ): readonly MergedEvent[] {
    return (this.#byKind.get(kind) ?? [])
      .filter((each) => each.common_us >= from.common_us && each.common_us <= untilUs)
      .filter((each) => node === undefined || each.node === node)
      .filter(
        (each) => each !== from && where?.(each.event as unknown as AllFields[K], each) !== false,
      )
      .slice(0, count);
  }

  #isBefore(candidate: MergedEvent, from: MergedEvent): boolean {
    if (candidate === from) return false;
    if (candidate.node !== from.node) {
      return candidate.common_us <= from.common_us + CLOCK_ERROR_MS * 1000;
    }
    if (candidate.process !== from.process) {
      return candidate.common_us <= from.common_us + REPORT_DELAY_MS * 1000;
    }
    return (this.#position.get(candidate) ?? 0) < (this.#position.get(from) ?? 0);
  }
}
