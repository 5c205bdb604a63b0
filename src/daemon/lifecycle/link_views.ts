/**
 * Who has to leave when two nodes cannot reach each other but others reach both: a pure decision on what nodes of ours
 * said of the nodes that we miss (docs/recovery.md, "Links that are missing").
 *
 * Invariants:
 * 1. Of two sides that know the same at most one leaves: the side of the leader stays, unless the other one is larger;
 *    of two leaders the one leaves whom fewer nodes see, or that has the higher pnn.
 * 2. Nobody leaves for a node that is not there any more: somebody must have heard it lead after we did, or must have a
 *    link to it when ours was gone for a while.
 */

/** Longer than the delays of a network, shorter than the leader timeout. */
const MISSED_MS_MIN = 4000;
/**
 * The same where the link is gone: the leader knows it too, recovers without this node at once, and gives its
 * addresses to others. Longer than it takes until the link is back, or everybody has noticed that the leader died.
 */
export const GONE_MS_MIN = 500;
/** A node that was never connected may be about to be: nodes start one after the other. */
const NEVER_MET_MS_MIN = 10_000;
/** A leader that others lost is given so long to find its nodes again. */
const LEADER_LEAVES_AFTER_MS = 10_000;
/** Leaders say so each second. */
const LEADS_MS_MAX = 2000;

/** What another node has said last. */
export interface LinkView {
  readonly pnn: number;
  readonly atMs: number;
  /** Nodes that it is connected to, of those that we miss, and when it heard them lead; undefined: never. */
  readonly seen: ReadonlyMap<number, number | undefined>;
}

export interface MissedNode {
  readonly pnn: number;
  /** Nothing came from it since. */
  readonly sinceMs: number;
  /** There is no link to it since, and an attempt to make one was due; undefined: there is one, and it is silent. */
  readonly goneMs?: number;
  readonly met: boolean;
}

export interface LinkSituation {
  readonly ownPnn: number;
  readonly leading: boolean;
  readonly nowMs: number;
  /** Other nodes that we are connected to and hear. */
  readonly connected: number;
  readonly missed: readonly MissedNode[];
  /** Of late only. */
  readonly views: readonly LinkView[];
}

export interface Leaving {
  /** The nodes that we miss, because of which. */
  readonly missed: readonly number[];
  /** Nodes that see them. */
  readonly seenBy: readonly number[];
}

/** Why this node has to leave; undefined: it has not. */
export function whyLeave(situation: LinkSituation): Leaving | undefined {
  for (const missed of situation.missed) {
    const leaving = leaveForLeader(situation, missed);
    if (leaving !== undefined) return leaving;
  }
  return situation.leading ? leaveAsLeader(situation) : undefined;
}

/** Those that say that they are connected to it. */
export function seenBy(views: readonly LinkView[], pnn: number): readonly number[] {
  return views.filter(({ seen }) => seen.has(pnn)).map((view) => view.pnn);
}

function leaveForLeader(situation: LinkSituation, missed: MissedNode): Leaving | undefined {
  const { views, leading, ownPnn, connected } = situation;
  const { pnn } = missed;
  if (!views.some((view) => leadsWithoutUs(situation, missed, view))) return undefined;
  const those = seenBy(views, pnn);
  const theirs = 1 + those.length;
  const ours = leading ? 1 + connected : 1 + views.length - those.length;
  const leaves = leading ? theirs > ours || (theirs === ours && ownPnn > pnn) : theirs >= ours;
  return leaves ? { missed: [pnn], seenBy: those } : undefined;
}

/** By what the other says, the missed node leads, and not only until we missed it. */
function leadsWithoutUs(situation: LinkSituation, missed: MissedNode, view: LinkView): boolean {
  const { nowMs, leading } = situation;
  const { pnn, sinceMs, goneMs = Number.POSITIVE_INFINITY, met } = missed;
  const ledMs = view.seen.get(pnn);
  if (ledMs === undefined || view.atMs - ledMs >= LEADS_MS_MAX) return false;
  if (met && !leading && view.atMs >= goneMs + GONE_MS_MIN) return true;
  const isDue = nowMs - sinceMs >= (met ? MISSED_MS_MIN : NEVER_MET_MS_MIN);
  return isDue && ledMs > sinceMs + LEADS_MS_MAX;
}

function leaveAsLeader({ views, missed, nowMs, connected }: LinkSituation): Leaving | undefined {
  const lost = missed
    .filter(({ sinceMs }) => nowMs - sinceMs >= LEADER_LEAVES_AFTER_MS)
    .map(({ pnn }) => pnn)
    .filter((pnn) => seenBy(views, pnn).length > 0);
  if (lost.length <= 1 + connected) return undefined;
  const those = views.filter(({ seen }) => lost.some((pnn) => seen.has(pnn)));
  return { missed: lost, seenBy: those.map(({ pnn }) => pnn) };
}
