/** Client connections for tests, over the real platform. */
import { connectClient } from "../../src/client/ctdb_client.ts";
import type { Connect } from "../../src/local/node_health.ts";
import { BunNetwork } from "../../src/platform/bun/network.ts";
import { BunTimers } from "../../src/platform/bun/timers.ts";

const timers = new BunTimers();
const network = new BunNetwork(timers);

/** A client of the daemon at `socketPath`. */
export const connect: Connect = (socketPath, timeoutMs) =>
  connectClient(network, timers, socketPath, { timeoutMs });
