/**
 * The cluster at a time, from what its nodes' journals say of it.
 *
 * Whom to believe: a node about itself, as long as it ran; the leader about the others, and about who was connected; then
 * whoever ran. Where they differ, a caveat says so.
 */
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import type { ClusterState, MergedEvent } from "../types.ts";
import { listText, timeText } from "../why/words.ts";
import { NodeView } from "./node_view.ts";

/** What the journal of one node says of a time. */
export interface NodeHistory {
  readonly node: number;
  /** From its last `state` event before that time on, or whatever is kept, up to that time; the oldest first. */
  readonly events: readonly MergedEvent[];
  /** Whether its ctdbd of then is that of its next event; null: there is none yet. */
  readonly wentOn: boolean | null;
}

type Nodes = ClusterState["nodes"];

export function clusterStateAt(atUs: number, histories: readonly NodeHistory[]): ClusterState {
  const views = histories.map(viewOf);
  const running = views.filter(
    (view, at) => isRunning(view, histories[at]?.wentOn, views) === true,
  );
  const witnesses = running.length > 0 ? running : views;
  const leader = leaderOf(witnesses);
  // The leader, then those who know it: one that is cut off takes all others for gone.
  const rank = (view: NodeView) => (view.node === leader ? 0 : view.leader === leader ? 1 : 2);
  const ordered = [...witnesses].sort((one, other) => rank(one) - rank(other));
  const best = ordered[0];
  const caveats = [...views.flatMap(wholeCaveat(atUs)), ...leaderCaveat(witnesses)];
  const active = running.filter(({ ownFlags }) => (ownFlags & NODE_FLAGS_INACTIVE) === 0);
  return {
    atUs,
    leader,
    generation: best?.generation ?? null,
    recovering: active.some(({ recovering }) => recovering),
    nodes: nodesOf(ordered, views, histories),
    addresses: addressesOf(ordered, running, views, caveats),
    databases: databasesOf(witnesses),
    caveats,
  };
}

function viewOf({ node, events }: NodeHistory): NodeView {
  const view = new NodeView(node);
  for (const event of events) view.apply(event);
  if (events.length === 0) view.running = false;
  return view;
}

/** One that was killed says nothing of it: then the others' view decides. null: nobody knows. */
function isRunning(
  view: NodeView,
  wentOn: boolean | null | undefined,
  views: readonly NodeView[],
): boolean | null {
  if (!view.running) return false;
  if (wentOn === true) return true;
  const others = views.filter((each) => each.node !== view.node && each.running);
  // One that has seen the other go in turn was there then: the network is cut between them.
  const lost = others.some((other) => hasLost(other, view.node) && !hasLost(view, other.node));
  if (!lost) return true;
  return wentOn === false ? false : null;
}

function hasLost({ flagsOf }: NodeView, node: number): boolean {
  return ((flagsOf.get(node) ?? 0) & NODE_FLAGS.DISCONNECTED) !== 0;
}

function leaderOf(views: readonly NodeView[]): number | null {
  const claims = views.filter(({ node, leader }) => leader === node);
  const votes = (node: number) => views.filter(({ leader }) => leader === node).length;
  const [claim] = [...claims].sort((one, other) => votes(other.node) - votes(one.node));
  if (claim !== undefined) return claim.node;
  const named = views.flatMap(({ leader }) => (leader === null ? [] : [leader]));
  return named.sort((one, other) => votes(other) - votes(one))[0] ?? null;
}

function leaderCaveat(views: readonly NodeView[]): readonly string[] {
  const leaders = new Set(views.map(({ leader }) => leader));
  if (leaders.size < 2) return [];
  const said = views.map(({ node, leader }) => {
    return leader === null ? `node ${node} knew none` : `node ${node} took node ${leader} for it`;
  });
  return [`The nodes did not agree who led: ${listText(said)}`];
}

function wholeCaveat(atUs: number): (view: NodeView) => readonly string[] {
  return ({ isWhole, node }) =>
    isWhole
      ? []
      : [
          `The journal of node ${node} has no note of the whole state before ${timeText(atUs)}: what did not change since its beginning is not known`,
        ];
}

function nodesOf(
  ordered: readonly NodeView[],
  views: readonly NodeView[],
  histories: readonly NodeHistory[],
): Nodes {
  const numbers = new Set(views.flatMap((view) => [view.node, ...view.flagsOf.keys()]));
  return [...numbers]
    .sort((one, other) => one - other)
    .map((node) => {
      const own = views.find((view) => view.node === node);
      const wentOn = histories.find((history) => history.node === node)?.wentOn;
      const seen = ordered.find((view) => view.node !== node && view.flagsOf.has(node));
      const seenFlags = seen?.flagsOf.get(node);
      const running = own === undefined ? runsForOthers(seenFlags) : isRunning(own, wentOn, views);
      const address = [...ordered, ...views].find((view) => view.addressOf.has(node));
      const ran = own !== undefined && running === true;
      return {
        node,
        address: address?.addressOf.get(node) ?? "",
        flags: ran ? own.ownFlags | lostFor(ordered[0], node) : (seenFlags ?? own?.ownFlags ?? 0),
        running,
      };
    });
}

/** A node that is cut off does not know it: what the one that leads the others has seen. 0: it is connected. */
function lostFor(witness: NodeView | undefined, node: number): number {
  if (witness === undefined || witness.node === node || !hasLost(witness, node)) return 0;
  return witness.flagsOf.get(node) ?? 0;
}

/** Without a journal of its own: one that is connected runs; one that is not may. */
function runsForOthers(flags: number | undefined): boolean | null {
  if (flags === undefined) return null;
  return (flags & NODE_FLAGS.DISCONNECTED) === 0 ? true : null;
}

function addressesOf(
  ordered: readonly NodeView[],
  running: readonly NodeView[],
  views: readonly NodeView[],
  caveats: string[],
): ClusterState["addresses"] {
  const addresses = new Set(ordered.flatMap(({ hostOf }) => [...hostOf.keys()]));
  return [...addresses].sort().map((address) => {
    const hosts = running.filter(({ node, hostOf }) => hostOf.get(address) === node);
    if (hosts.length > 1) {
      const said = listText(hosts.map(({ node }) => `node ${node}`));
      caveats.push(`${said} each had address ${address}`);
    }
    // The one that clients reach where the others are.
    const host = hosts.find(({ node }) => lostFor(ordered[0], node) === 0) ?? hosts[0];
    if (host !== undefined) return { address, node: host.node };
    // The leader knows of nodes that have no journal; those that have one would say so.
    const told = ordered.find(({ hostOf }) => hostOf.has(address))?.hostOf.get(address) ?? null;
    const hasJournal = views.some(({ node }) => node === told);
    return { address, node: hasJournal ? null : told };
  });
}

function databasesOf(views: readonly NodeView[]): ClusterState["databases"] {
  const all = new Map(views.flatMap(({ databases }) => [...databases]));
  return [...all.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}
