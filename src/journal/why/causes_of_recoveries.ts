/** Causes of recoveries, of blame and of bans. */
import { NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import type { MergedEvent } from "../types.ts";
import {
  askedThere,
  type CauseRules,
  endOfNode,
  firstOf,
  linkLost,
  MINUTE,
  nearest,
  SECOND,
} from "./cause_rules.ts";
import type { AllFields, EventIndex } from "./event_index.ts";
import { CAUSES_MAX } from "./limits.ts";

/** Credits are forgotten after some minutes (RecoveryGracePeriod), and a recovery may take as long. */
const BLAME_MS = 10 * MINUTE;

export const RECOVERY_CAUSES: CauseRules = {
  recovery_started(_, kept, events) {
    const withinMs = sinceLastRecovery(events, kept);
    const own = { node: kept.node, withinMs };
    const changes = inactiveChanges(events, kept, withinMs);
    const changed = changes.map(({ event }) => (event.kind === "flags" ? event.target : -1));
    return nearest(
      kept,
      CAUSES_MAX,
      events.find(kept, "recovery_ended", { ...own, where: ({ succeeded }) => !succeeded }),
      events.find(kept, "leader", { ...own, where: ({ after }) => after === kept.node }),
      changes,
      // One that stopped since its flags changed says nothing more.
      events.find(kept, "recovery_mode", {
        withinMs,
        where: ({ active }, mode) =>
          active && !changed.includes(mode.node) && !isOfRecovery(events, mode),
      }),
      events.find(kept, "client_died", { withinMs }),
      events.find(kept, "database_detached", own),
    );
  },
  recovery_step: ({ generation }, kept, events) => begunAs(events, kept, generation),
  recovery_database: ({ generation }, kept, events) => begunAs(events, kept, generation),
  recovery_ended({ generation, succeeded, duration_ms }, kept, events) {
    const begun = begunAs(events, kept, generation);
    if (succeeded) return begun;
    const withinMs = duration_ms + 5 * SECOND;
    const trouble = nearest(
      kept,
      2,
      events.find(kept, "link_down", { node: kept.node, withinMs }),
      events.find(kept, "shutdown", { withinMs }),
      events.find(kept, "database_unhealthy", { withinMs }),
      events.find(kept, "lock_lost", { withinMs }),
      events.find(kept, "long_turn", {
        withinMs,
        where: ({ duration_ms: turnMs }) => turnMs >= 5 * SECOND,
      }),
    );
    return [...trouble, ...begun];
  },
  recovery_mode({ active, reason }, kept, events) {
    const recovery = events.find(kept, "recovery_started", {
      withinMs: active ? 30 * SECOND : 10 * MINUTE,
      where: ({ nodes }) => nodes.includes(kept.node),
    });
    if (!active) return recovery;
    // An administrator's own.
    if (reason.includes("(ctdb)")) return [];
    // Told to: not of its own accord, for packets that are lost or a client that died.
    const isTold = reason === "" || reason.includes("asked for it");
    if (isTold && recovery.length > 0) return recovery;
    const own = { node: kept.node, withinMs: 10 * SECOND };
    const isOwn = ({ target }: { readonly target: number }) => target === kept.node;
    const ownTurn = nearest(
      kept,
      1,
      recovery,
      events.find(kept, "ban", { ...own, where: isOwn }),
      events.find(kept, "flags", {
        ...own,
        where: (event) => isOwn(event) && (event.after & ~event.before & NODE_FLAGS_INACTIVE) !== 0,
      }),
      events.find(kept, "client_died", own),
      // What was on its way to or from another node is lost, or was not sent.
      isTold ? [] : events.find(kept, "link_down", own),
      isTold ? [] : events.find(kept, "link_up", own),
      events.find(kept, "process_started", {
        ...own,
        where: ({ process }) => process === "ctdbd",
      }),
    );
    // Led by a node without a journal: what it may have seen, too.
    return ownTurn.length > 0 ? ownTurn : inactiveChanges(events, kept, MINUTE);
  },

  blame({ target }, kept, events) {
    const failed = events.find(kept, "recovery_ended", {
      node: kept.node,
      withinMs: 10 * SECOND,
      where: ({ succeeded }) => !succeeded,
    });
    return [...failed, ...endOfNode(events, kept, target, MINUTE)];
  },
  ban({ target, by, reason }, kept, events) {
    const isDue = (blame: AllFields["blame"]) =>
      blame.target === target && blame.total >= blame.limit;
    if (target === kept.node && by.node !== null && by.node !== kept.node) {
      const decided = events.find(kept, "ban", {
        node: by.node,
        withinMs: 30 * SECOND,
        where: (ban) => ban.target === target,
      });
      // Its recovery daemon writes down what it decides; others there only ask.
      return firstOf(
        () => decided,
        () => askedThere(events, kept, by, target, ["ban"]),
        () =>
          events.find(kept, "blame", {
            node: by.node ?? kept.node,
            withinMs: BLAME_MS,
            count: CAUSES_MAX,
            where: isDue,
          }),
      );
    }
    // An administrator's own.
    if (by.pid !== undefined && by.program === "ctdb") return [];
    const blamed = () =>
      events.find(kept, "blame", {
        ...(by.node === null ? {} : { node: by.node }),
        withinMs: BLAME_MS,
        count: CAUSES_MAX,
        where: (blame) => blame.target === target,
      });
    // Of its own accord a node bans itself for what it cannot do, whoever blames it meanwhile.
    const isOwnAccord = target === kept.node && kept.process === "ctdbd" && by.pid === undefined;
    if (!isOwnAccord) return firstOf(blamed, () => ownTrouble(events, kept));
    return firstOf(
      () => failedEvents(events, kept, reason),
      () => ownTrouble(events, kept),
      blamed,
    );
  },
  unban: ({ target }, kept, events) =>
    events.find(kept, "ban", {
      withinMs: 30 * MINUTE,
      where: (ban) => ban.target === target,
    }),
};

/** An event whose scripts took too long is named: `event "ipreallocated" timed out`. */
function failedEvents(
  events: EventIndex,
  kept: MergedEvent,
  reason: string,
): readonly MergedEvent[] {
  const look = { node: kept.node, withinMs: MINUTE };
  const isNamed = ({ event }: { readonly event: string }) => reason.includes(`"${event}"`);
  return firstOf(
    () => events.find(kept, "script_failed", { ...look, where: isNamed }),
    () => events.find(kept, "event_failed", { ...look, where: isNamed }),
  );
}

/** Why a node bans itself. */
function ownTrouble(events: EventIndex, kept: MergedEvent): readonly MergedEvent[] {
  const look = { node: kept.node, withinMs: MINUTE };
  return nearest(
    kept,
    2,
    events.find(kept, "lock_lost", look),
    events.find(kept, "lock_refused", look),
    events.find(kept, "event_failed", look),
    events.find(kept, "database_unhealthy", look),
    events.find(kept, "recovery_ended", { ...look, where: ({ succeeded }) => !succeeded }),
    linkLost(events, kept, kept.node, MINUTE),
  );
}

function begunAs(
  events: EventIndex,
  kept: MergedEvent,
  generation: number,
): readonly MergedEvent[] {
  return events.find(kept, "recovery_started", {
    withinMs: 30 * MINUTE,
    where: (begun) => begun.generation === generation,
  });
}

/** What a recovery has mended is not the cause of the next one, whoever led it. */
function sinceLastRecovery(events: EventIndex, kept: MergedEvent): number {
  const [last] = events.find(kept, "recovery_ended", {
    withinMs: MINUTE,
    where: ({ succeeded }) => succeeded,
  });
  if (last === undefined) return MINUTE;
  return Math.max(SECOND, (kept.common_us - last.common_us) / 1000);
}

/** One event for each node that came or went: by its own journal where there is one. */
function inactiveChanges(
  events: EventIndex,
  kept: MergedEvent,
  withinMs: number,
): readonly MergedEvent[] {
  const seen = new Set<number>();
  const changes = events.find(kept, "flags", {
    node: kept.node,
    withinMs,
    count: 4 * CAUSES_MAX,
    where: ({ before, after }) => ((before ^ after) & NODE_FLAGS_INACTIVE) !== 0,
  });
  return changes.filter(({ event }) => {
    if (event.kind !== "flags" || seen.has(event.target)) return false;
    seen.add(event.target);
    return true;
  });
}

/** A recovery has stopped it: that is what is to be explained, not its cause. */
function isOfRecovery(events: EventIndex, mode: MergedEvent): boolean {
  return (
    events.find(mode, "recovery_started", {
      withinMs: 5 * SECOND,
      where: ({ nodes }) => nodes.includes(mode.node),
    }).length > 0
  );
}
