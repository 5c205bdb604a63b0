/** Message figures: round trips with one in flight, and a ring of three nodes with many. */
import { u64 } from "../../src/base/u64.ts";
import { must } from "../support/must.ts";
import { connect, connectAll } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";
import { loadFigures, type Timed } from "./loads.ts";
import { Ring } from "./ring.ts";

const WARM_UP = 500;
const ROUND_TRIPS = 5000;
const RING_MS = 3000;
const RING_IN_FLIGHT = 150;
/** Srvids of the test range (0xAE in the top byte). */
const ECHO = u64(0xae000000, 1);
const ANSWER = u64(0xae000000, 2);
const RING = u64(0xae000000, 3);

/** A message there and its answer back, one at a time. */
async function roundTrips(
  cluster: BenchCluster,
  from: number,
  to: number,
  timed: Timed,
): Promise<void> {
  const stations = [
    { client: await connect(cluster, from), srvid: ANSWER },
    { client: await connect(cluster, to), srvid: ECHO },
  ] as const;
  const payload = new Uint8Array(64);
  const ring = new Ring(stations.length, (at, next) => {
    const { client, srvid } = stations[next] as (typeof stations)[number];
    stations[at]?.client.sendMessage(client.pnn, srvid, payload);
  });
  for (const [at, { client, srvid }] of stations.entries()) {
    must(await client.registerSrvid(srvid, () => ring.arrived(at)));
  }
  await ring.go(2 * WARM_UP);
  await timed(async () => (await ring.go(2 * ROUND_TRIPS)) / 2);
  for (const { client } of stations) client.close();
}

/** Messages around 0 → 1 → 2 → 0 with many in flight, counted at every hop. */
async function busyRing(cluster: BenchCluster, timed: Timed): Promise<void> {
  const clients = await connectAll(cluster);
  let count = 0;
  let running = true;
  for (const [pnn, client] of clients.entries()) {
    const next = (pnn + 1) % clients.length;
    const handler = (data: Uint8Array) => {
      count += 1;
      if (running) client.sendMessage(next, RING, data.slice());
    };
    must(await client.registerSrvid(RING, handler));
  }
  const payload = new Uint8Array(128);
  for (let i = 0; i < RING_IN_FLIGHT; i++) clients[0]?.sendMessage(1, RING, payload);
  await Bun.sleep(RING_MS / 10);
  await timed(async () => {
    const before = count;
    await Bun.sleep(RING_MS);
    return count - before;
  });
  running = false;
  for (const client of clients) client.close();
}

export const messageFigures = loadFigures([
  {
    name: "message round trip, one node",
    unit: "µs",
    run: (cluster, timed) => roundTrips(cluster, 0, 0, timed),
  },
  {
    name: "message round trip, two nodes",
    unit: "µs",
    run: (cluster, timed) => roundTrips(cluster, 0, 1, timed),
  },
  {
    name: `message ring, three nodes, ${RING_IN_FLIGHT} in flight`,
    unit: "1/s",
    run: busyRing,
  },
]);
