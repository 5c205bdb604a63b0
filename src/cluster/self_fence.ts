/**
 * A leader that has lost the cluster lock, or cannot prove that it has it, may be the one that is cut off: others lead
 * then, and give its public addresses to somebody else. So it lets go of them at once, long before RecoveryDropAllIPs does
 * (docs/failover.md, "Who lets go of addresses"). When it was not cut off, the next leader's first takeover run brings
 * them back.
 */
import type { Logger } from "../base/log.ts";
import type { CtdbClient } from "../client/types.ts";
import { CURRENT_NODE, UNKNOWN_PNN } from "../wire/packet.ts";

export interface SelfFenceHost {
  readonly client: CtdbClient;
  readonly log: Logger;
  /** Of the question to the own ctdbd. */
  readonly leaderTimeoutMs: number;
}

export class SelfFence {
  readonly #host: SelfFenceHost;
  #closed = false;

  constructor(host: SelfFenceHost) {
    this.#host = host;
  }

  close(): void {
    this.#closed = true;
  }

  async lockLost(): Promise<void> {
    const { client, log, leaderTimeoutMs } = this.#host;
    const options = { pnn: CURRENT_NODE, timeoutMs: leaderTimeoutMs };
    const known = await client.control("GET_PUBLIC_IPS", undefined, options);
    if (this.#closed) return;
    if (!known.ok) {
      log.error(`Cannot let go of the public addresses of this node: ${known.error.reason}`);
      return;
    }
    const own = known.value.data.filter(({ pnn }) => pnn === client.pnn);
    if (own.length === 0) return;
    log.error(`The cluster lock is lost: releasing ${own.length} public addresses`);
    for (const { addr } of own) {
      client.controlNoReply("RELEASE_IP", { pnn: UNKNOWN_PNN, addr }, { pnn: CURRENT_NODE });
    }
  }
}
