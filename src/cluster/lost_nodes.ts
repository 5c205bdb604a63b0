/**
 * Nodes that this one has lost a moment ago, and that others may still hear: then they are alive, and hold public
 * addresses until they have learned that they are out. A leader that gave those to other hosts before would have them
 * on two.
 *
 *     connected ── lost ──▶ not asked yet ── somebody hears it, and sees it active ──▶ awaited
 *                                │                                                    │
 *                                └────── nobody does ──▶ given up ◀── or WAIT_MS over ┘
 *
 * Invariants:
 * 1. A node that is dead, or that has let go of its addresses, is awaited by nobody.
 * 2. It is waited for WAIT_MS at most since the link was lost.
 */
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { connectedNodes, type RemoteSnapshot, seesActive } from "./snapshot.ts";

/** A node that misses the leader stands aside within 5 s (docs/recovery.md, "Links that are missing"). */
const WAIT_MS = 6000;

interface Lost {
  readonly atMs: number;
  /** Why its addresses are left where they are, in words. */
  awaited: string;
}

export class LostNodes {
  #connected: ReadonlySet<number> = new Set();
  readonly #lost = new Map<number, Lost>();

  learn(nodes: readonly NodeAndFlags[], nowMs: number): void {
    const connected = new Set(connectedNodes(nodes));
    for (const pnn of connected) this.#lost.delete(pnn);
    for (const pnn of this.#connected) {
      if (connected.has(pnn)) continue;
      const awaited = `it is not known yet whether others hear node ${pnn}, which this one has lost`;
      this.#lost.set(pnn, { atMs: nowMs, awaited });
    }
    for (const [pnn, { atMs }] of this.#lost) if (nowMs - atMs > WAIT_MS) this.#lost.delete(pnn);
    this.#connected = connected;
  }

  /** Of whom others are to be asked how lately they have heard them. */
  get some(): boolean {
    return this.#lost.size > 0;
  }

  /** What the others say; `keepaliveMs`: how often each node is heard at least. */
  told({ nodeMaps, heardMs }: RemoteSnapshot, keepaliveMs: number): void {
    // What came is counted by the interval.
    const latelyMs = 2 * keepaliveMs;
    for (const [pnn, lost] of this.#lost) {
      const hears = [...heardMs].find(([viewer, heard]) => {
        const isLately = (heard[pnn] ?? Number.POSITIVE_INFINITY) <= latelyMs;
        return isLately && seesActive(nodeMaps.get(viewer) ?? [], pnn);
      });
      if (hears === undefined) this.#lost.delete(pnn);
      else
        lost.awaited = `node ${hears[0]} hears node ${pnn}, which this one has lost: it may have addresses`;
    }
  }

  /** Why no addresses are to be given away now; undefined: they may be. */
  awaited(nowMs: number): string | undefined {
    for (const { atMs, awaited } of this.#lost.values())
      if (nowMs - atMs <= WAIT_MS) return awaited;
    return undefined;
  }
}
