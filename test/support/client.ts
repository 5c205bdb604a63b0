/** Client connections for tests, over the real platform. */
import { connectClient } from "../../src/client/ctdb_client.ts";
import type { Connect } from "../../src/local/node_health.ts";
import { LoopNetwork } from "../../src/platform/loop/network.ts";
import { loop } from "./loop.ts";

const network = new LoopNetwork(loop);

/** A client of the daemon at `socketPath`. */
export const connect: Connect = (socketPath, timeoutMs) =>
  connectClient(network, loop, socketPath, { timeoutMs });
