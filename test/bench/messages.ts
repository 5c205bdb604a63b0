/** Message figures: round trips with one in flight, and a ring of three nodes with many. */
import { type U64, u64 } from "../../src/base/u64.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { must } from "../support/must.ts";
import { connect, connectAll } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";

const WARM_UP = 500;
const ROUND_TRIPS = 5000;
const RING_MS = 3000;
const RING_IN_FLIGHT = 150;
/** Srvids of the test range (0xAE in the top byte). */
const ECHO = u64(0xae000000, 1);
const ANSWER = u64(0xae000000, 2);
const RING = u64(0xae000000, 3);

async function listen(
  client: CtdbClient,
  srvid: U64,
  handler: (data: Uint8Array) => void,
): Promise<void> {
  must(await client.registerSrvid(srvid, handler), "register a srvid");
}

/** Microseconds for a message there and its answer back, one at a time. */
async function roundTripMicros(cluster: BenchCluster, from: number, to: number): Promise<number> {
  const asker = await connect(cluster, from);
  const answerer = await connect(cluster, to);
  await listen(answerer, ECHO, (data) => answerer.sendMessage(from, ANSWER, data.slice()));
  const payload = new Uint8Array(64);
  let left = WARM_UP + ROUND_TRIPS;
  let started = 0;
  const elapsedMs = await new Promise<number>((resolve) => {
    void listen(asker, ANSWER, () => {
      left -= 1;
      if (left === ROUND_TRIPS) started = performance.now();
      if (left === 0) resolve(performance.now() - started);
      else asker.sendMessage(to, ECHO, payload);
    }).then(() => asker.sendMessage(to, ECHO, payload));
  });
  asker.close();
  answerer.close();
  return (elapsedMs * 1000) / ROUND_TRIPS;
}

/** Messages a second around 0 → 1 → 2 → 0 with many in flight, counted at every hop. */
async function ringPerSecond(cluster: BenchCluster): Promise<number> {
  const clients = await connectAll(cluster);
  let count = 0;
  let running = true;
  for (const [pnn, client] of clients.entries()) {
    await listen(client, RING, (data) => {
      count += 1;
      if (running) client.sendMessage((pnn + 1) % clients.length, RING, data.slice());
    });
  }
  const payload = new Uint8Array(128);
  for (let i = 0; i < RING_IN_FLIGHT; i++) clients[0]?.sendMessage(1, RING, payload);
  await new Promise((resolve) => setTimeout(resolve, RING_MS / 10));
  const before = count;
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, RING_MS));
  const perSecond = ((count - before) * 1000) / (performance.now() - started);
  running = false;
  for (const client of clients) client.close();
  return perSecond;
}

export const messageFigures: readonly Figure[] = [
  {
    name: "message round trip, one node",
    unit: "µs",
    better: "lower",
    measure: (cluster) => roundTripMicros(cluster, 0, 0),
  },
  {
    name: "message round trip, two nodes",
    unit: "µs",
    better: "lower",
    measure: (cluster) => roundTripMicros(cluster, 0, 1),
  },
  {
    name: `message ring, three nodes, ${RING_IN_FLIGHT} in flight`,
    unit: "1/s",
    better: "higher",
    measure: ringPerSecond,
  },
];
