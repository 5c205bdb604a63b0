/**
 * A leader that has lost the cluster lock and finds no leader, itself or another, may be the one that is cut off: others
 * lead then, and give its public addresses to somebody else. So it lets go of them, long before RecoveryDropAllIPs does
 * (docs/failover.md, "Who lets go of addresses").
 */
import type { Logger } from "../base/log.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Timer, Timers } from "../platform/types/time.ts";
import { CURRENT_NODE, UNKNOWN_PNN } from "../wire/packet.ts";

export interface SelfFenceHost {
  readonly client: CtdbClient;
  readonly timers: Timers;
  readonly log: Logger;
  /** As long as a leader may be silent: others elect a new one then. */
  readonly leaderTimeoutMs: number;
  leaderKnown(): boolean;
}

export class SelfFence {
  readonly #host: SelfFenceHost;
  #timer: Timer | undefined;

  constructor(host: SelfFenceHost) {
    this.#host = host;
  }

  lockLost(): void {
    this.#timer?.cancel();
    this.#timer = this.#host.timers.after(this.#host.leaderTimeoutMs, () => {
      if (!this.#host.leaderKnown()) void this.#releaseAll();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  async #releaseAll(): Promise<void> {
    const { client, log, leaderTimeoutMs } = this.#host;
    const options = { pnn: CURRENT_NODE, timeoutMs: leaderTimeoutMs };
    const known = await client.control("GET_PUBLIC_IPS", undefined, options);
    if (!known.ok) {
      log.error(`Cannot let go of the public addresses of this node: ${known.error.reason}`);
      return;
    }
    const own = known.value.data.filter(({ pnn }) => pnn === client.pnn);
    if (own.length === 0 || this.#host.leaderKnown()) return;
    log.error(
      `The cluster lock is lost and nobody leads: releasing ${own.length} public addresses`,
    );
    for (const { addr } of own) {
      client.controlNoReply("RELEASE_IP", { pnn: UNKNOWN_PNN, addr }, { pnn: CURRENT_NODE });
    }
  }
}
