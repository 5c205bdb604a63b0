/** Notices that the leader is out of reach; its silence would tell as well, later. */
import { NODE_FLAGS } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { flagsOf } from "./snapshot.ts";

/** How long the leader must be disconnected before it is given up: a link may come back. */
const LEADER_GONE_MS = 900;

export class LeaderConnection {
  /** Since when every look found the leader disconnected. */
  #goneMs: number | undefined;

  forget(): void {
    this.#goneMs = undefined;
  }

  /** Whether the leader is to be given up. */
  isLost(nodes: readonly NodeAndFlags[], leader: number, nowMs: number): boolean {
    const flags = flagsOf(nodes, leader) ?? NODE_FLAGS.DELETED;
    const gone = (flags & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) !== 0;
    this.#goneMs = gone ? (this.#goneMs ?? nowMs) : undefined;
    return this.#goneMs !== undefined && nowMs - this.#goneMs >= LEADER_GONE_MS;
  }
}
