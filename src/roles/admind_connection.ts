/** ctdb-admind's connection to the own ctdbd, which is made again whenever it ends. */

import { CONNECT_MS_MAX, RECONNECT_MS } from "../admin/limits.ts";
import { type ConnectedClient, connectClient } from "../client/ctdb_client.ts";
import type { Network } from "../platform/types/network.ts";
import type { Timers } from "../platform/types/time.ts";

export interface ConnectionParts {
  readonly network: Pick<Network, "connectUnix">;
  readonly timers: Timers;
  readonly socket: string;
  readonly log: { warning(text: string): void; notice(text: string): void };
  connected(client: ConnectedClient): void;
}

export class CtdbdConnection {
  readonly #d: ConnectionParts;
  #client: ConnectedClient | undefined;
  #node: number | undefined;
  /** What was logged last. */
  #problem = "";

  constructor(parts: ConnectionParts) {
    this.#d = parts;
    void this.#connect();
  }

  get client(): ConnectedClient | undefined {
    return this.#client;
  }

  /** As it was when we last were connected. */
  get node(): number | undefined {
    return this.#node;
  }

  async #connect(): Promise<void> {
    const { network, timers, socket, log } = this.#d;
    const made = await connectClient(network, timers, socket, { timeoutMs: CONNECT_MS_MAX });
    if (!made.ok) {
      this.#again(made.error.reason);
      return;
    }
    const client = made.value;
    this.#client = client;
    this.#node = client.pnn;
    if (this.#problem !== "") log.notice("Connected to ctdbd");
    this.#problem = "";
    client.onDisconnect((reason) => {
      this.#client = undefined;
      this.#again(reason);
    });
    this.#d.connected(client);
  }

  #again(reason: string): void {
    if (reason !== this.#problem) this.#d.log.warning(reason);
    this.#problem = reason;
    this.#d.timers.after(RECONNECT_MS, () => void this.#connect());
  }
}
