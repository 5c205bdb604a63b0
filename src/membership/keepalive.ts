/**
 * Keepalives between ctdbds: who is silent too long is dead, and who announces another Samba version must
 * go unless mixed versions are allowed (docs/protocol.md, "Keepalive").
 *
 * Invariants:
 * 1. Every KeepaliveInterval each connected node gets one keepalive, whatever else was sent to it; but not the first ones
 *    while its version is not known and would decide what it is told.
 * 2. A node is dead after KeepaliveLimit intervals in a row in which nothing came from it.
 */
import type { Logger } from "../base/log.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import { KEEPALIVES_HELD_BACK_MAX, KEEPALIVES_IN_RESERVE } from "./limits.ts";
import type { NodeEntry, NodeTable } from "./node_table.ts";

export interface KeepaliveHost {
  sendKeepalive(pnn: number): void;
  /** What a node is told of us depends on what it says of itself. */
  readonly waitsForVersion: boolean;
  /** Nothing came for too long: its links are to be restarted. */
  nodeSilent(pnn: number): void;
}

export class Keepalive {
  readonly #nodes: NodeTable;
  readonly #host: KeepaliveHost;
  readonly #timers: Timers;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #tunable: (name: string) => number;
  readonly #log: Logger;
  #timer: Timer | undefined;
  #lastTickMs: number;

  constructor(
    nodes: NodeTable,
    host: KeepaliveHost,
    timers: Timers,
    clock: Pick<Clock, "monotonicMs">,
    tunable: (name: string) => number,
    log: Logger,
  ) {
    this.#nodes = nodes;
    this.#host = host;
    this.#timers = timers;
    this.#clock = clock;
    this.#lastTickMs = clock.monotonicMs();
    this.#tunable = tunable;
    this.#log = log;
  }

  start(): void {
    this.stop();
    if (this.#tunable("AllowMixedVersions") === 1) {
      this.#log.warning("CTDB cluster with mixed versions configured");
    }
    this.#plan();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /**
   * How long ago the last packet of a connected node came, at most: packets are counted, not timed, so it is
   * known but for an interval.
   */
  heardWithinMs(node: NodeEntry): number {
    const sinceMs = node.received > 0 ? undefined : node.heardSinceMs;
    return this.#clock.monotonicMs() - (sinceMs ?? this.#lastTickMs);
  }

  #plan(): void {
    // The interval is read each time, so that a changed tunable acts at the next tick.
    const intervalMs = Math.max(1, this.#tunable("KeepaliveInterval")) * 1000;
    this.#timer = this.#timers.after(intervalMs, () => {
      this.#tick();
      this.#plan();
    });
  }

  #tick(): void {
    const limit = this.#tunable("KeepaliveLimit");
    const sinceMs = this.#lastTickMs;
    this.#lastTickMs = this.#clock.monotonicMs();
    for (const node of this.#nodes.entries()) {
      if (node.pnn === this.#nodes.ownPnn) continue;
      if ((node.flags & (NODE_FLAGS.DELETED | NODE_FLAGS.DISCONNECTED)) !== 0) continue;
      if (node.received > 0 || node.heardSinceMs === undefined) node.heardSinceMs = sinceMs;
      node.silentTicks = node.received === 0 ? node.silentTicks + 1 : 0;
      node.received = 0;
      if (node.silentTicks >= limit) {
        this.#log.notice(`dead count reached for node ${node.pnn}`);
        this.#host.nodeSilent(node.pnn);
      }
      if (!this.#isHeldBack(node, limit)) this.#host.sendKeepalive(node.pnn);
    }
  }

  #isHeldBack(node: NodeEntry, limit: number): boolean {
    if (!this.#host.waitsForVersion || node.version !== 0) return false;
    node.keepalivesHeldBack += 1;
    const most = Math.min(KEEPALIVES_HELD_BACK_MAX, limit - KEEPALIVES_IN_RESERVE);
    return node.keepalivesHeldBack <= most;
  }
}

export interface KeepaliveIdentity {
  /** Samba release, major << 16 | minor; 0 when the keepalive carried none. */
  readonly version: number;
  /** Seconds since the start. */
  readonly uptime: number;
}

/**
 * Why we must shut down after this keepalive; undefined when we may stay. Of two versions the younger
 * process goes; of two equally old ones the one with the lower version.
 */
export function versionConflict(
  own: KeepaliveIdentity,
  peer: KeepaliveIdentity,
): string | undefined {
  if (peer.version === 0) return "its keepalive carries no version";
  if (peer.version === own.version) return undefined;
  const weGo =
    peer.uptime > own.uptime || (peer.uptime === own.uptime && peer.version > own.version);
  if (!weGo) return undefined;
  return `Keepalive version mismatch ${hex(own.version)} != ${hex(peer.version)}`;
}

function hex(version: number): string {
  return `0x${version.toString(16).padStart(8, "0")}`;
}
