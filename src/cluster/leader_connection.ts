/** Notices that the leader is out of reach; its silence would tell as well, later. */
import type { Random, Timer, Timers } from "../platform/types/time.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { byChance } from "./by_chance.ts";
import { connectedNodes, flagsOf } from "./snapshot.ts";

/** How long the leader must be disconnected before it is given up: a link may come back. */
const LEADER_GONE_MS = 900;
/**
 * By chance it takes so much longer for each connected node, so that of many that lose the leader at the same moment a few
 * call an election, and not all: longer than a message takes.
 */
const SPREAD_MS = 4;
const SPREAD_MS_MAX = 250;

export class LeaderConnection {
  readonly #timers: Timers;
  readonly #random: Random;
  /** Since when every look found the leader disconnected. */
  #goneMs: number | undefined;
  #call: Timer | undefined;

  constructor({ timers, random }: { readonly timers: Timers; readonly random: Random }) {
    this.#timers = timers;
    this.#random = random;
  }

  forget(): void {
    this.#goneMs = undefined;
    this.#call?.cancel();
    this.#call = undefined;
  }

  /** `lost` runs when the leader is to be given up. */
  look(nodes: readonly NodeAndFlags[], leader: number, nowMs: number, lost: () => void): void {
    const flags = flagsOf(nodes, leader) ?? NODE_FLAGS.DELETED;
    if ((flags & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) === 0) {
      this.forget();
      return;
    }
    this.#goneMs ??= nowMs;
    if (nowMs - this.#goneMs < LEADER_GONE_MS || this.#call !== undefined) return;
    const limitMs = Math.min(SPREAD_MS * connectedNodes(nodes).length, SPREAD_MS_MAX);
    this.#call = this.#timers.after(byChance(this.#random, limitMs), () => {
      this.#call = undefined;
      lost();
    });
  }
}
