/**
 * Rings of three nodes with one packet in flight, after upstream's message_ring, fetch_ring and tunnel_test:
 * what one message, one record and one tunnel packet cost on their way when there is no queue to hide in.
 */
import { u64 } from "../../src/base/u64.ts";
import { type ConnectedClient, TUNNEL_FLAGS } from "../../src/client/ctdb_client.ts";
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { openRecords, storeRecord } from "../support/records.ts";
import { connectAll, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";
import { type Load, loadFigures, type Timed } from "./loads.ts";
import { Ring } from "./ring.ts";

const WARM_UP_HOPS = 600;
const MESSAGE_HOPS = 12_000;
const FETCH_HOPS = 4500;
const MESSAGE = u64(0xae000000, 4);
const FETCH = u64(0xae000000, 5);
const TUNNEL = u64(0xae000000, 6);
const PAYLOAD = new Uint8Array(64);

async function goRound(ring: Ring, hops: number, timed: Timed): Promise<void> {
  await ring.go(WARM_UP_HOPS);
  await timed(() => ring.go(hops));
}

async function messageRing(cluster: BenchCluster, timed: Timed): Promise<void> {
  const clients = await connectAll(cluster);
  const ring = new Ring(clients.length, (from, to) =>
    clients[from]?.sendMessage(to, MESSAGE, PAYLOAD),
  );
  for (const [pnn, client] of clients.entries()) {
    must(await client.registerSrvid(MESSAGE, () => ring.arrived(pnn)));
  }
  await goRound(ring, MESSAGE_HOPS, timed);
  for (const client of clients) client.close();
}

/** The message says whose turn it is; the record follows it. */
async function fetchRing(cluster: BenchCluster, timed: Timed): Promise<void> {
  const clients = await connectAll(cluster);
  const databases = await Promise.all(
    clients.map((client) => openRecords(client, "bench_fetch_ring.tdb")),
  );
  const key = textBytes("testkey");
  const value = new Uint8Array(VALUE_BYTES).fill(0x61);
  const ring = new Ring(
    clients.length,
    (from, to) => clients[from]?.sendMessage(to, FETCH, PAYLOAD),
    (station) => storeRecord(databases[station] as RecordDatabase, key, value),
  );
  for (const [pnn, client] of clients.entries()) {
    must(await client.registerSrvid(FETCH, () => ring.arrived(pnn)));
  }
  await goRound(ring, FETCH_HOPS, timed);
  for (const database of databases) database.close();
  for (const client of clients) client.close();
}

async function tunnelRing(cluster: BenchCluster, timed: Timed): Promise<void> {
  const clients: readonly ConnectedClient[] = await connectAll(cluster);
  const ring = new Ring(clients.length, (from, to) =>
    clients[from]?.sendTunnel(to, TUNNEL, TUNNEL_FLAGS.REQUEST, PAYLOAD),
  );
  for (const [pnn, client] of clients.entries()) {
    must(await client.registerTunnel(TUNNEL, () => ring.arrived(pnn)));
  }
  await goRound(ring, MESSAGE_HOPS, timed);
  for (const client of clients) client.close();
}

const RINGS: readonly Load[] = [
  { name: "message ring, three nodes, one in flight", unit: "1/s", run: messageRing },
  { name: "fetch ring, three nodes, one in flight", unit: "1/s", run: fetchRing },
  { name: "tunnel ring, three nodes, one in flight", unit: "1/s", run: tunnelRing },
];

export const ringFigures = loadFigures(RINGS);
