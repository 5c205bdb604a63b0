/**
 * Four thousand idle clients, a client that asks and never reads, and five hundred connections of strangers to the
 * node port: others are answered in time throughout, and everything is given back.
 */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { U64_ZERO } from "../../src/base/u64.ts";
import { EMPTY } from "../../src/wire/codec.ts";
import { CTDB_PORT } from "../../src/wire/constants.ts";
import { CONTROLS } from "../../src/wire/controls.ts";
import { buildReqControl } from "../../src/wire/packets.ts";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { ANSWER_MS_MAX, Prober } from "../support/prober.ts";
import { until, when } from "../support/until.ts";
import { residentKib } from "./live_fuzz/node_counters.ts";

const TIMEOUT_MS = 180_000;
/** The daemon looks every ten seconds whether it can give memory back. */
const STEP_MS = 45_000;
const IDLE_CLIENTS = 4000;
const AT_ONCE = 200;
const STRANGERS = 500;
const UNREAD_REQUESTS = 2000;
const PROBES_MIN = 200;
/** What is kept of so many links: their tables, and pages of the allocator. */
const KEPT_KIB_MAX = 24 * 1024;
const NODE = 0;

function connected(open: () => Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open();
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.once("close", () => resolve());
    socket.resume();
  });
}

async function idleClients(path: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < IDLE_CLIENTS) {
    const next = Array.from({ length: AT_ONCE }, () => connected(() => createConnection(path)));
    sockets.push(...(await Promise.all(next)));
  }
  return sockets;
}

/** Not faster than the node lets them go, some 12 µs each: a probe stands in one line with them. */
async function leave(sockets: Socket[]): Promise<void> {
  while (sockets.length > 0) {
    for (const socket of sockets.splice(0, AT_ONCE / 4)) socket.destroy();
    await Bun.sleep(2);
  }
}

/** Each answer is larger than its request, and none is read. */
async function neverReads(path: string): Promise<Socket> {
  const socket = await connected(() => createConnection(path));
  socket.pause();
  const { opcode } = CONTROLS.GET_ALL_TUNABLES;
  const header = { generation: 0, destnode: NODE, srcnode: 0, reqid: 1 };
  const body = { opcode, srvid: U64_ZERO, client_id: 0, flags: 0, data: EMPTY };
  const packet = buildReqControl(header, body).bytes();
  for (let i = 0; i < UNREAD_REQUESTS; i++) socket.write(packet);
  return socket;
}

/** From an address that is no node's. */
async function strangers(address: string): Promise<void> {
  const from = address.replace(/\d+$/, "200");
  const one = async () => {
    const target = { host: address, port: CTDB_PORT, localAddress: from };
    const socket = createConnection(target);
    await ended(socket);
  };
  for (let done = 0; done < STRANGERS; done += AT_ONCE / 4) {
    await Promise.all(Array.from({ length: AT_ONCE / 4 }, one));
  }
}

const descriptorsOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

async function crowd(cluster: TestCluster): Promise<void> {
  const pid = cluster.local.process(NODE).daemonPid() ?? 0;
  const address = cluster.local.description.nodes[NODE]?.address ?? "";
  const path = cluster.socket(NODE);
  const client = await cluster.connect(NODE);
  const prober = new Prober(client, pid);
  const before = { descriptors: descriptorsOf(pid), kib: residentKib(pid) };
  const probing = prober.run();
  const sockets = await idleClients(path);
  // Its descriptors do not tell: some of those before were open for a moment only.
  await until("all are accepted", STEP_MS, async () => {
    const statistics = await client.control("STATISTICS", undefined, { timeoutMs: STEP_MS });
    return when(statistics.ok && statistics.value.data.num_clients >= IDLE_CLIENTS);
  });
  sockets.push(await neverReads(path));
  await strangers(address);
  await until("others are answered in the crowd", STEP_MS, () => when(prober.count >= PROBES_MIN));
  await leave(sockets);
  await until("all descriptors are back", STEP_MS, () =>
    when(descriptorsOf(pid) <= before.descriptors),
  );
  prober.stop();
  await probing;
  expect(prober.failure).toBeUndefined();
  expect(prober.slowestMs).toBeLessThan(ANSWER_MS_MAX);
  await until("memory is back", STEP_MS, () => when(residentKib(pid) - before.kib < KEPT_KIB_MAX));
}

test(
  "idle clients, one that never reads and strangers do not keep a node from answering",
  () => withCluster({ nodes: 2 }, crowd),
  TIMEOUT_MS,
);
