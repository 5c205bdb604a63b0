/** Causes of what becomes of nodes: their processes, links and flags, and who leads. */
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { MergedEvent } from "../types.ts";
import {
  askedThere,
  type CauseRules,
  diedOf,
  endOfNode,
  firstOf,
  gotFlags,
  linkLost,
  MINUTE,
  nearest,
  SECOND,
} from "./cause_rules.ts";
import type { EventIndex } from "./event_index.ts";

const { DISCONNECTED, UNHEALTHY, BANNED, DELETED } = NODE_FLAGS;
/** Nothing sets them but who asks for it. */
const BY_SOMEBODY = NODE_FLAGS.STOPPED | NODE_FLAGS.PERMANENTLY_DISABLED;

export const STANDING_CAUSES: CauseRules = {
  process_started({ process }, kept, events) {
    const look = { node: kept.node, withinMs: 5 * MINUTE };
    const ended = events.find(kept, "process_ended", {
      ...look,
      where: (event) => event.process === process,
    });
    if (process !== "ctdbd") return ended;
    const isEnd = ({ missing }: { readonly missing: number | null }) => missing === null;
    return firstOf(
      () => nearest(kept, 1, ended, events.find(kept, "shutdown", look)),
      // One that was killed leaves nothing but a hole.
      () => events.find(kept, "gap", { ...look, where: isEnd }),
    );
  },
  process_ended: (_, kept, events) =>
    events.find(kept, "shutdown", { node: kept.node, withinMs: MINUTE }),

  link_up: ({ peer }, kept, events) =>
    firstOf(
      () =>
        events.find(kept, "process_started", {
          node: peer,
          withinMs: MINUTE,
          where: ({ process }) => process === "ctdbd",
        }),
      () =>
        events.find(kept, "process_started", {
          node: kept.node,
          withinMs: MINUTE,
          where: ({ process }) => process === "ctdbd",
        }),
    ),
  link_down: ({ peer }, kept, events) =>
    firstOf(
      () => diedOf(events, kept, peer, MINUTE),
      () =>
        events.find(kept, "nodes_file", {
          node: kept.node,
          withinMs: 10 * SECOND,
          where: ({ removed }) => removed.includes(peer),
        }),
      () => [
        ...cutInterface(events, kept, peer),
        ...cutInterface(events, kept, kept.node),
        ...busy(events, kept, peer),
        ...busy(events, kept, kept.node),
      ],
    ),

  flags({ target, before, after, by }, kept, events) {
    const gained = after & ~before;
    const lost = before & ~after;
    const near = { node: kept.node, withinMs: MINUTE };
    if ((gained & DISCONNECTED) !== 0) return linkLost(events, kept, target, MINUTE);
    if ((lost & DISCONNECTED) !== 0) {
      return events.find(kept, "link_up", { ...near, where: ({ peer }) => peer === target });
    }
    if (((gained | lost) & DELETED) !== 0) return events.find(kept, "nodes_file", near);
    if (target !== kept.node) {
      // It says so itself where it has a journal.
      const own = events.find(kept, "flags", {
        node: target,
        withinMs: MINUTE,
        where: (event) =>
          event.target === target &&
          ((event.after & ~event.before & gained) !== 0 ||
            (event.before & ~event.after & lost) !== 0),
      });
      if (own.length > 0) return own;
    }
    return [
      ...((gained & BANNED) === 0 ? [] : banOf(events, kept, target)),
      ...((lost & BANNED) === 0 ? [] : unbanOf(events, kept, target)),
      ...(((gained | lost) & BY_SOMEBODY) === 0
        ? []
        : askedThere(events, kept, by, target, ["stop", "continue", "disable", "enable"])),
      ...((gained & UNHEALTHY) === 0 ? [] : failureOf(events, kept, target)),
      ...((lost & UNHEALTHY) === 0
        ? []
        : events.find(kept, "event_recovered", { node: target, withinMs: MINUTE })),
    ];
  },

  election: ({ reason }, kept, events) =>
    firstOf(
      () => calledBy(events, kept, reason),
      () => events.find(kept, "lock_lost", { node: kept.node, withinMs: 30 * SECOND }),
      () => endOfLeader(events, kept),
      () =>
        events.find(kept, "leader", {
          node: kept.node,
          withinMs: 30 * SECOND,
          where: ({ after }) => after === null,
        }),
      () =>
        events.find(kept, "process_started", {
          node: kept.node,
          withinMs: MINUTE,
          where: ({ process }) => process === "recoverd" || process === "ctdbd",
        }),
    ),
  leader({ before, after, reason }, kept, events) {
    const withinMs = MINUTE;
    const ended = () => {
      if (before === null || before === after) return [];
      const lock = events.find(kept, "lock_lost", { node: before, withinMs });
      return lock.length > 0 ? lock : endOfNode(events, kept, before, withinMs);
    };
    if (after === null) {
      return firstOf(() => calledBy(events, kept, reason), ended);
    }
    return [
      ...ended(),
      ...events.find(kept, "lock_taken", { node: after, withinMs }),
      ...firstOf(
        () => events.find(kept, "election", { node: after, withinMs }),
        () => events.find(kept, "election", { withinMs }),
      ),
    ];
  },
  lock_taken: (_, kept, events) =>
    events.find(kept, "election", { node: kept.node, withinMs: MINUTE }),
  lock_refused: (_, kept, events) =>
    events.find(kept, "lock_taken", {
      withinMs: 30 * MINUTE,
      where: (_event, taken) => taken.node !== kept.node,
    }),
  lock_lost: (_, kept, events) => busy(events, kept, kept.node),
  lock_released: (_, kept, events) =>
    nearest(
      kept,
      1,
      events.find(kept, "shutdown", { node: kept.node, withinMs: 30 * SECOND }),
      events.find(kept, "leader", { node: kept.node, withinMs: 30 * SECOND }),
      events.find(kept, "flags", {
        node: kept.node,
        withinMs: 30 * SECOND,
        where: ({ target }) => target === kept.node,
      }),
    ),

  event_failed: ({ event, duration_ms }, kept, events) =>
    events.find(kept, "script_failed", {
      node: kept.node,
      withinMs: duration_ms + 5 * SECOND,
      where: (failed) => failed.event === event,
    }),
  event_recovered: ({ event }, kept, events) =>
    events.find(kept, "event_failed", {
      node: kept.node,
      withinMs: 30 * MINUTE,
      where: (failed) => failed.event === event,
    }),
};

function banOf(events: EventIndex, kept: MergedEvent, target: number): readonly MergedEvent[] {
  const look = { withinMs: 30 * SECOND, where: (ban: { target: number }) => ban.target === target };
  return firstOf(
    () => events.find(kept, "ban", { ...look, node: target }),
    () => events.find(kept, "ban", look),
  );
}

function unbanOf(events: EventIndex, kept: MergedEvent, target: number): readonly MergedEvent[] {
  return events.find(kept, "unban", {
    withinMs: 30 * SECOND,
    where: (unban) => unban.target === target,
  });
}

/** The script says most. One that goes on failing alike is written down every ten minutes. */
function failureOf(events: EventIndex, kept: MergedEvent, node: number): readonly MergedEvent[] {
  const look = { node, withinMs: 11 * MINUTE };
  const isMonitor = ({ event }: { readonly event: string }) => event === "monitor";
  return firstOf(
    () => events.find(kept, "script_failed", { ...look, where: isMonitor }),
    () => events.find(kept, "event_failed", { ...look, where: isMonitor }),
    () => events.find(kept, "script_failed", { node, withinMs: MINUTE }),
    () => events.find(kept, "database_unhealthy", { node, withinMs: MINUTE }),
    () =>
      events.find(kept, "process_ended", {
        node,
        withinMs: MINUTE,
        where: ({ process }) => process === "eventd",
      }),
  );
}

function cutInterface(events: EventIndex, kept: MergedEvent, node: number): readonly MergedEvent[] {
  return events.find(kept, "interface_link", { node, withinMs: MINUTE, where: ({ up }) => !up });
}

/** A ctdbd that does one thing for long hears of nobody, and says nothing. */
function busy(events: EventIndex, kept: MergedEvent, node: number): readonly MergedEvent[] {
  const isLong = ({ duration_ms }: { readonly duration_ms: number }) => duration_ms >= 5 * SECOND;
  return events.find(kept, "long_turn", {
    node,
    withinMs: MINUTE,
    afterMs: MINUTE,
    where: isLong,
  });
}

/** Another node's election: it knows why. Its number stands in the reason only. */
function calledBy(events: EventIndex, kept: MergedEvent, reason: string): readonly MergedEvent[] {
  const caller = /\bnode (\d+) calls one\b/.exec(reason)?.[1];
  if (caller === undefined || Number(caller) === kept.node) return [];
  return events.find(kept, "election", { node: Number(caller), withinMs: 30 * SECOND });
}

function endOfLeader(events: EventIndex, kept: MergedEvent): readonly MergedEvent[] {
  const [last] = events.find(kept, "leader", { node: kept.node, withinMs: 30 * MINUTE });
  const leader = last?.event.kind === "leader" ? (last.event.after ?? last.event.before) : null;
  if (leader === null || leader === undefined) {
    // Nobody knows who led: the last one that was lost.
    return events.find(kept, "link_down", { node: kept.node, withinMs: MINUTE });
  }
  if (leader === kept.node) {
    const inactive = NODE_FLAGS.BANNED | NODE_FLAGS.STOPPED;
    return gotFlags(events, kept, leader, inactive, MINUTE);
  }
  return endOfNode(events, kept, leader, MINUTE);
}
