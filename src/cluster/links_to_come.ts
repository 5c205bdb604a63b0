/**
 * A leader that was out of reach, paused or cut off, gets its links back one after the other. A recovery that it began after the
 * first of them would be one without the nodes that come a moment later: what those alone have would not be asked for, and
 * is lost, though all others saw them all the time.
 *
 * Invariants:
 * 1. It is waited only while links come back: a node that has died is missed by nobody who has only lost links.
 * 2. It is waited for WAIT_MS at most, and then not again before there was nobody to wait for.
 */
import { NODE_FLAGS } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { connectedNodes, seesActive } from "./snapshot.ts";

/** A peer tries to connect each second. */
const WAIT_MS = 3000;

export class LinksToCome {
  #connected: ReadonlySet<number> = new Set();
  /** When a link came last. */
  #cameMs = Number.NEGATIVE_INFINITY;
  #waitingSinceMs: number | undefined;

  learn(nodes: readonly NodeAndFlags[], nowMs: number): void {
    const connected = new Set(connectedNodes(nodes));
    for (const pnn of connected) if (!this.#connected.has(pnn)) this.#cameMs = nowMs;
    this.#connected = connected;
  }

  /** Whom other nodes have a link to and this one has none, in words; undefined: nobody has to be waited for. */
  awaited(
    nodes: readonly NodeAndFlags[],
    nodeMaps: ReadonlyMap<number, readonly NodeAndFlags[]>,
    nowMs: number,
  ): string | undefined {
    const missing = missedLink(nodes, nodeMaps);
    if (missing === undefined) {
      this.#waitingSinceMs = undefined;
      return undefined;
    }
    this.#waitingSinceMs ??= nowMs - this.#cameMs <= WAIT_MS ? nowMs : Number.NEGATIVE_INFINITY;
    return nowMs - this.#waitingSinceMs <= WAIT_MS ? missing : undefined;
  }
}

function missedLink(
  nodes: readonly NodeAndFlags[],
  nodeMaps: ReadonlyMap<number, readonly NodeAndFlags[]>,
): string | undefined {
  for (const { pnn, flags } of nodes) {
    const isGone = (flags & NODE_FLAGS.DELETED) !== 0;
    if (isGone || (flags & NODE_FLAGS.DISCONNECTED) === 0) continue;
    for (const [viewer, map] of nodeMaps) {
      if (!seesActive(map, pnn)) continue;
      return `node ${viewer} has a link to node ${pnn}, and this node not yet`;
    }
  }
  return undefined;
}
