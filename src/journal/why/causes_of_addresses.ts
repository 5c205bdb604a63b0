/** Causes of what becomes of public addresses. */
import { NODE_FLAGS_HOSTS_NOTHING, NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import type { MergedEvent } from "../types.ts";
import {
  type CauseRules,
  firstOf,
  gotFlags,
  linkLost,
  lostFlags,
  MINUTE,
  nearest,
  SECOND,
} from "./cause_rules.ts";
import type { AllFields, EventIndex } from "./event_index.ts";

/** A takeover run may wait for a recovery, and itself takes some time. */
const RUN_MS = 2 * MINUTE;
/** What a node changes of itself, others see within this. */
const SAME_CHANGE_US = 3_000_000;

export const ADDRESS_CAUSES: CauseRules = {
  takeover_started: (_, kept, events) =>
    nearest(
      kept,
      3,
      changesOfHosts(events, kept),
      events.find(kept, "interface_link", { withinMs: MINUTE }),
      events.find(kept, "configuration", { withinMs: 30 * SECOND }),
      events.find(kept, "recovery_ended", {
        node: kept.node,
        withinMs: MINUTE,
        where: ({ succeeded }) => succeeded,
      }),
    ),
  address_assigned: ({ from, to }, kept, events) =>
    firstOf(
      () => (from === null || from === to ? [] : lostHost(events, kept, from)),
      () => (to === null || from === to ? [] : foundHost(events, kept, to)),
      () => events.find(kept, "takeover_started", { node: kept.node, withinMs: RUN_MS }),
    ),
  takeover_ended: (_, kept, events) =>
    events.find(kept, "takeover_started", { node: kept.node, withinMs: 10 * MINUTE }),
  address_taken: ({ address }, kept, events) =>
    firstOf(
      () =>
        events.find(kept, "address_assigned", {
          withinMs: RUN_MS,
          where: (assigned) => assigned.address === address && assigned.to === kept.node,
        }),
      () => runOf(events, kept),
    ),
  address_released: ({ address }, kept, events) =>
    firstOf(
      () =>
        events.find(kept, "address_assigned", {
          withinMs: RUN_MS,
          where: (assigned) => assigned.address === address && assigned.from === kept.node,
        }),
      () => events.find(kept, "shutdown", { node: kept.node, withinMs: MINUTE }),
      () => gotFlags(events, kept, kept.node, NODE_FLAGS_INACTIVE, MINUTE),
      () => runOf(events, kept),
    ),
};

/** Of a leader without a journal: what it may have seen, too. */
function runOf(events: EventIndex, kept: MergedEvent): readonly MergedEvent[] {
  return firstOf(
    () => events.find(kept, "takeover_started", { withinMs: RUN_MS }),
    () => changesOfHosts(events, kept),
  );
}

function lostHost(events: EventIndex, kept: MergedEvent, node: number): readonly MergedEvent[] {
  return firstOf(
    () =>
      newest(
        gotFlags(events, kept, node, NODE_FLAGS_HOSTS_NOTHING, RUN_MS),
        seenByLeader(events, kept, node, ({ before, after }) => after & ~before),
      ),
    () => linkLost(events, kept, node, RUN_MS),
    () => interfaceChange(events, kept, node, false),
  );
}

function foundHost(events: EventIndex, kept: MergedEvent, node: number): readonly MergedEvent[] {
  return firstOf(
    () =>
      newest(
        lostFlags(events, kept, node, NODE_FLAGS_HOSTS_NOTHING, RUN_MS),
        seenByLeader(events, kept, node, ({ before, after }) => before & ~after),
      ),
    () => interfaceChange(events, kept, node, true),
  );
}

function seenByLeader(
  events: EventIndex,
  kept: MergedEvent,
  target: number,
  changed: (event: AllFields["flags"]) => number,
): readonly MergedEvent[] {
  return events.find(kept, "flags", {
    node: kept.node,
    withinMs: RUN_MS,
    where: (event) => event.target === target && (changed(event) & NODE_FLAGS_HOSTS_NOTHING) !== 0,
  });
}

/**
 * The node's own word, unless the leader has seen another change since: a node that was banned a minute ago, and is cut off
 * now, knows of the ban only.
 */
function newest(own: readonly MergedEvent[], seen: readonly MergedEvent[]): readonly MergedEvent[] {
  const [first, second] = [own[0], seen[0]];
  if (first === undefined || second === undefined) return first === undefined ? seen : own;
  return second.common_us > first.common_us + SAME_CHANGE_US ? seen : own;
}

function interfaceChange(
  events: EventIndex,
  kept: MergedEvent,
  node: number,
  up: boolean,
): readonly MergedEvent[] {
  return events.find(kept, "interface_link", {
    node,
    withinMs: RUN_MS,
    where: (link) => link.up === up,
  });
}

/** Nodes that may host addresses since, or may no longer. */
function changesOfHosts(events: EventIndex, kept: MergedEvent): readonly MergedEvent[] {
  return events.find(kept, "flags", {
    node: kept.node,
    withinMs: MINUTE,
    count: 2,
    where: ({ before, after }) => ((before ^ after) & NODE_FLAGS_HOSTS_NOTHING) !== 0,
  });
}
