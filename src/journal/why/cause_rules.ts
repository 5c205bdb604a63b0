/**
 * What rules of causes are made of (causes_*.ts): a rule takes an event and finds those that led to it. What stands in
 * its fields decides first (who, which address, which recovery), then what was nearest before.
 */
import type { JournalActor } from "../../base/journal_event.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import type { KeptKind, MergedEvent } from "../types.ts";
import type { AllFields, EventIndex, Look } from "./event_index.ts";
import { EVIDENCE_MS } from "./limits.ts";

export type CauseRule<K extends KeptKind> = (
  event: AllFields[K],
  kept: MergedEvent,
  events: EventIndex,
) => readonly MergedEvent[];
export type CauseRules = { readonly [K in KeptKind]?: CauseRule<K> };

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/** The first that found something. */
export function firstOf(
  ...finders: readonly (() => readonly MergedEvent[])[]
): readonly MergedEvent[] {
  for (const find of finders) {
    const found = find();
    if (found.length > 0) return found;
  }
  return [];
}

/** The nearest `count` of several kinds, nearest first. */
export function nearest(
  from: MergedEvent,
  count: number,
  ...found: readonly (readonly MergedEvent[])[]
): readonly MergedEvent[] {
  const distance = (event: MergedEvent) => Math.abs(from.common_us - event.common_us);
  return found
    .flat()
    .sort((one, other) => distance(one) - distance(other))
    .slice(0, count);
}

/** What a process of another node asked for: only that node's journal knows which one. */
export function askedThere(
  events: EventIndex,
  from: MergedEvent,
  by: JournalActor,
  target: number,
  actions: readonly string[],
): readonly MergedEvent[] {
  if (by.node === null || by.node === from.node) return [];
  return events.find(from, "action", {
    node: by.node,
    withinMs: 30 * SECOND,
    where: (action) => action.target === target && actions.includes(action.action),
  });
}

/** A node got one of these flags. Its own journal knows best; the others' follow from it. */
export function gotFlags(
  events: EventIndex,
  from: MergedEvent,
  target: number,
  mask: number,
  withinMs: number,
): readonly MergedEvent[] {
  return changedFlags(events, from, target, withinMs, ({ before, after }) => {
    return (after & ~before & mask) !== 0;
  });
}

export function lostFlags(
  events: EventIndex,
  from: MergedEvent,
  target: number,
  mask: number,
  withinMs: number,
): readonly MergedEvent[] {
  return changedFlags(events, from, target, withinMs, ({ before, after }) => {
    return (before & ~after & mask) !== 0;
  });
}

function changedFlags(
  events: EventIndex,
  from: MergedEvent,
  target: number,
  withinMs: number,
  changed: (event: AllFields["flags"]) => boolean,
): readonly MergedEvent[] {
  const look: Look<"flags"> = {
    withinMs,
    where: (event) => event.target === target && changed(event),
  };
  return firstOf(
    () => events.find(from, "flags", { ...look, node: target }),
    () => events.find(from, "flags", { ...look, node: from.node }),
    () => events.find(from, "flags", look),
  );
}

/**
 * What ended a node, or took it out of the cluster. One that was killed says nothing itself: what tells of it is that it
 * was started again, or that the others lost it.
 */
export function endOfNode(
  events: EventIndex,
  from: MergedEvent,
  node: number,
  withinMs: number,
): readonly MergedEvent[] {
  return firstOf(
    () => diedOf(events, from, node, withinMs),
    () => events.find(from, "ban", { withinMs, where: ({ target }) => target === node }),
    () => gotFlags(events, from, node, NODE_FLAGS_INACTIVE & ~NODE_FLAGS.DISCONNECTED, withinMs),
    () => linkLost(events, from, node, withinMs),
  );
}

export function linkLost(
  events: EventIndex,
  from: MergedEvent,
  peer: number,
  withinMs: number,
): readonly MergedEvent[] {
  const look: Look<"link_down"> = { withinMs, where: (event) => event.peer === peer };
  return firstOf(
    () => events.find(from, "link_down", { ...look, node: from.node }),
    () => events.find(from, "link_down", look),
  );
}

/** What its own journal says of the end of a node's ctdbd. */
export function diedOf(
  events: EventIndex,
  from: MergedEvent,
  node: number,
  withinMs: number,
): readonly MergedEvent[] {
  const isCtdbd = ({ process }: { readonly process: string }) => process === "ctdbd";
  return firstOf(
    () => events.find(from, "shutdown", { node, withinMs }),
    () => events.find(from, "process_ended", { node, withinMs, where: isCtdbd }),
    () =>
      events.find(from, "process_started", {
        node,
        withinMs: 0,
        afterMs: EVIDENCE_MS,
        where: isCtdbd,
      }),
  );
}
