/** Clients of the nodes under measurement, and what most figures do with them before they measure. */
import { type ConnectedClient, connectClient } from "../../src/client/ctdb_client.ts";
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { LoopNetwork } from "../../src/platform/loop/network.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { storeRecord } from "../support/records.ts";
import type { BenchCluster } from "./figures.ts";

/** For one request: a node that does not answer ends the run, it is no figure. */
export const TIMEOUT_MS = 60_000;
export const VALUE_BYTES = 200;

const loop = new EventLoop();
const network = new LoopNetwork(loop);

export async function connect(cluster: BenchCluster, pnn: number): Promise<ConnectedClient> {
  const socket = cluster.socket(pnn);
  return must(await connectClient(network, loop, socket, { timeoutMs: TIMEOUT_MS }));
}

/** One client of each of the first `nodes` nodes. */
export async function connectAll(
  cluster: BenchCluster,
  nodes = cluster.nodes,
): Promise<readonly ConnectedClient[]> {
  return await Promise.all(Array.from({ length: nodes }, (_, pnn) => connect(cluster, pnn)));
}

/** The keys of `fillRecords`. */
export function recordKey(index: number): Uint8Array {
  return textBytes(`record-${index}`);
}

export async function fillRecords(database: RecordDatabase, count: number): Promise<void> {
  const value = new Uint8Array(VALUE_BYTES).fill(0x61);
  for (let i = 0; i < count; i++) await storeRecord(database, recordKey(i), value);
}
