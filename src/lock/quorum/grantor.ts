/**
 * What one node gives to whoever wants the cluster lock by majority: its vote, as a lease, to one holder at a time.
 *
 * 1. A vote that was given is given to nobody else before its lease is over, by this node's own clock, or given back.
 * 2. Whoever starts remembers nothing, and gives nothing for a whole lease: a vote of before may still count.
 * 3. A vote counts among the same nodes only: with another list of nodes other majorities would be made.
 *
 * It has no clock: the time comes with each call, from one that never goes back and may stand still.
 */
import { LEASE_MS } from "./limits.ts";

export interface VoteRequest {
  /** Of one attempt to hold the lock; drawn at random. */
  readonly holder: string;
  readonly pnn: number;
  /** Of the list of nodes, as whoever asks knows it. */
  readonly nodesHash: number;
}

export type Vote =
  | { readonly kind: "granted" }
  /** Another holder has it. */
  | { readonly kind: "taken"; readonly pnn: number }
  /** Not for a while after the start. */
  | { readonly kind: "quiet" }
  | { readonly kind: "other nodes" };

export class Grantor {
  readonly #quietUntilMs: number;
  #holder: { readonly id: string; readonly pnn: number; readonly untilMs: number } | undefined;

  constructor(startMs: number) {
    this.#quietUntilMs = startMs + LEASE_MS;
  }

  request({ holder, pnn, nodesHash }: VoteRequest, ownNodesHash: number, nowMs: number): Vote {
    if (nodesHash !== ownNodesHash) return { kind: "other nodes" };
    if (nowMs < this.#quietUntilMs) return { kind: "quiet" };
    const current = this.#holder;
    if (current !== undefined && current.id !== holder && nowMs < current.untilMs) {
      return { kind: "taken", pnn: current.pnn };
    }
    this.#holder = { id: holder, pnn, untilMs: nowMs + LEASE_MS };
    return { kind: "granted" };
  }

  release(holder: string): void {
    if (this.#holder?.id === holder) this.#holder = undefined;
  }
}
