/**
 * 20 000 structure-aware packets on the two sockets of a running node: as a local client, and as the other
 * node of a cluster of two. The node answers others in time, counts what it refuses, throws nothing,
 * keeps nothing, and works as before afterwards. CTDB_TEST_SEED repeats a run.
 */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { U64_ZERO } from "../../../src/base/u64.ts";
import type { CtdbClient } from "../../../src/client/types.ts";
import { encode } from "../../../src/wire/codec.ts";
import { CTDB_PORT, SRVID } from "../../../src/wire/constants.ts";
import { buildReqKeepalive } from "../../../src/wire/packets/message.ts";
import { disableMessage } from "../../../src/wire/structs/cluster.ts";
import { SeededRandom, testSeed } from "../../fuzz/seeded_random.ts";
import { type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { ANSWER_MS_MAX, Prober } from "../../support/prober.ts";
import { PROJECT } from "../../support/source_tree.ts";
import { until, when } from "../../support/until.ts";
import { MixedCluster } from "../mixed/mixed_cluster.ts";
import { recordsGoEverywhere } from "../mixed/traffic.ts";
import { expectationOf } from "./expectation.ts";
import { type Choice, type Entrance, type Knowledge, LivePackets } from "./live_packets.ts";
import { nodeCounters, residentKib } from "./node_counters.ts";
import { Sender } from "./sender.ts";

const TIMEOUT_MS = 300_000;
const PACKETS_EACH = 10_000;
/** The node's caches and the compiler settle before memory is compared. */
const WARM_UP_PACKETS = 1_000;
const PROBES_MIN = 100;
const RECORD_PACKETS = 500;
/** Of each kind of packet. */
const HANDLED_MIN = 10;
const BACK_MS = 60_000;
const GROWTH_BYTES_MAX = 10 * 1024 * 1024;
const NODE = 0;
const PEER = 1;
/** Words of a JavaScript exception or of a failed assertion. */
const EXCEPTION =
  /\b(TypeError|RangeError|ReferenceError|SyntaxError|AssertionError|assertion failed|uncaught|unhandled|\.ts:\d+)\b|Recovery daemon ended/i;
const FAILED_PACKETS = join(PROJECT, "node_modules/.cache");

interface Run {
  readonly cluster: TestCluster;
  readonly client: CtdbClient;
  readonly knowledge: Knowledge;
  readonly senders: Readonly<Record<Entrance, Sender>>;
  readonly packets: Readonly<Record<Entrance, LivePackets>>;
}

/** Plays the other node: takes the connection that the node makes, and reads it to nowhere. */
function listenAsPeer(address: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(CTDB_PORT, address, () => resolve(server));
  });
}

async function knowledgeOf(client: CtdbClient): Promise<Knowledge> {
  const volatile = must(await client.control("DB_ATTACH", "live_fuzz.tdb"), "attach");
  const persistent = must(
    await client.control("DB_ATTACH_PERSISTENT", "live_fuzz_persistent.tdb"),
    "attach",
  );
  const replicated = must(
    await client.control("DB_ATTACH_REPLICATED", "live_fuzz_replicated.tdb"),
    "attach",
  );
  const databases = [volatile.data, persistent.data, replicated.data] as const;
  return { databases, generation: await generationOf(client), ownPnn: NODE, peerPnn: PEER };
}

async function generationOf(client: CtdbClient): Promise<number> {
  return must(await client.control("GETVNNMAP", undefined), "GETVNNMAP").data.generation;
}

/** A node that does not say first who it is, and rightly, is kept out. */
function introduction(): Uint8Array {
  const header = { generation: 0, destnode: NODE, srcnode: PEER, reqid: 0 };
  return buildReqKeepalive(header, { version: 0, uptime: 0 }).bytes().slice();
}

function newRun(cluster: TestCluster, client: CtdbClient, knowledge: Knowledge, seed: number): Run {
  const address = (pnn: number) => cluster.local.description.nodes[pnn]?.address ?? "";
  const open: Record<Entrance, () => Socket> = {
    client: () => createConnection(cluster.socket(NODE)),
    node: () =>
      createConnection({ host: address(NODE), port: CTDB_PORT, localAddress: address(PEER) }),
  };
  const packets = (entrance: Entrance, salt: number) =>
    new LivePackets(new SeededRandom((seed ^ salt) >>> 0), entrance, knowledge);
  return {
    cluster,
    client,
    knowledge,
    senders: { client: new Sender(open.client), node: new Sender(open.node, introduction()) },
    packets: { client: packets("client", 0), node: packets("node", 0x5bd1e995) },
  };
}

const GENERATION_EVERY = 200;

async function sendPackets(
  run: Run,
  entrance: Entrance,
  count: number,
  choice: Choice,
): Promise<void> {
  const sender = run.senders[entrance];
  for (let i = 0; i < count; i++) {
    if (i % GENERATION_EVERY === 0) run.knowledge.generation = await generationOf(run.client);
    const bytes = run.packets[entrance].next(choice);
    await sender.send(bytes, expectationOf(bytes, entrance, run.knowledge));
  }
  await sender.end();
}

/** Both sockets at once, as in life. */
async function sendBoth(run: Run, count: number, choice: Choice): Promise<void> {
  await Promise.all([
    sendPackets(run, "client", count, choice),
    sendPackets(run, "node", count, choice),
  ]);
}

/** What strangers ordered is taken back; then the node must find its way to health by itself. */
async function takeBack(run: Run): Promise<void> {
  const { client } = run;
  const ban = { pnn: NODE, time: 0 };
  must(await client.control("SET_BAN_STATE", ban), "unban");
  must(await client.control("CONTINUE_NODE", undefined), "continue");
  must(await client.control("ENABLE_NODE", undefined), "enable");
  must(await client.control("SET_LMASTERROLE", 1), "lmaster role");
  must(await client.control("SET_RECMASTERROLE", 1), "leader role");
  // For hours, if somebody said so.
  const enable = encode(disableMessage, { pnn: NODE, srvid: U64_ZERO, timeout: 0 });
  for (const srvid of [SRVID.DISABLE_RECOVERIES, SRVID.DISABLE_TAKEOVER_RUNS]) {
    client.sendMessage(NODE, srvid, enable);
  }
}

function keepPackets(run: Run, seed: number): string {
  mkdirSync(FAILED_PACKETS, { recursive: true });
  const entries = Object.entries(run.senders).map(([entrance, sender]) => {
    const path = join(FAILED_PACKETS, `live_fuzz_${seed}_${entrance}.hex`);
    const lines = sender.recent.map((bytes) => Buffer.from(bytes).toString("hex"));
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  });
  const log = join(FAILED_PACKETS, `live_fuzz_${seed}.log`);
  writeFileSync(log, run.cluster.log(NODE));
  return `the last packets are in ${entries.join(" and ")}, the node's log in ${log}`;
}

function exceptionsIn(log: string): readonly string[] {
  return log.split("\n").filter((line) => EXCEPTION.test(line));
}

/** Packets got as far as the parts that work on them, or the fuzzer misses its aim. */
async function checkAim({ client, senders }: Run): Promise<void> {
  const { data } = must(await client.control("STATISTICS", undefined), "STATISTICS");
  const { req_call, req_dmaster, reply_dmaster, req_message, req_control, req_tunnel } = data.node;
  const handled = { req_call, req_dmaster, reply_dmaster, req_message, req_control, req_tunnel };
  const ofClients = { call: data.client.req_call, tunnel: data.client.req_tunnel };
  for (const [name, count] of Object.entries({ ...handled, ...ofClients })) {
    if (count < HANDLED_MIN)
      throw new Error(`expected ${HANDLED_MIN} handled ${name}, got ${count}`);
  }
  for (const sender of Object.values(senders)) {
    expect(sender.refusals).toBeGreaterThan(sender.sent / 10);
    expect(sender.refusals).toBeLessThan(sender.sent / 2);
  }
}

async function fuzzNode(run: Run): Promise<void> {
  const { cluster, client, senders } = run;
  const pid = cluster.local.process(NODE).daemonPid() ?? 0;
  await sendPackets(run, "node", RECORD_PACKETS, "records");
  await sendBoth(run, WARM_UP_PACKETS, "anything");
  const before = await nodeCounters(client);
  const refusedBefore = { client: senders.client.refusals, node: senders.node.refusals };
  const residentBefore = residentKib(pid);

  const prober = new Prober(await cluster.connect(NODE), pid);
  const probing = prober.run();
  try {
    await sendBoth(run, PACKETS_EACH, "anything");
  } finally {
    prober.stop();
    await probing;
  }
  const after = await nodeCounters(client);
  const grown = after.liveBytes - before.liveBytes;
  const resident = residentKib(pid) - residentBefore;
  console.log(
    `${senders.client.sent + senders.node.sent} packets, ${prober.count} probes, slowest ` +
      `${prober.slowestMs.toFixed(1)} ms, ${(grown / 1048576).toFixed(1)} MiB more live, ` +
      `${(resident / 1024).toFixed(1)} MiB more resident`,
  );
  expect(cluster.local.process(NODE).daemonPid()).toBe(pid);
  expect(exceptionsIn(cluster.log(NODE))).toEqual([]);
  expect(prober.failure).toBeUndefined();
  expect(prober.count).toBeGreaterThan(PROBES_MIN);
  expect(prober.slowestMs).toBeLessThan(ANSWER_MS_MAX);
  expect({
    clients: after.refusedOfClients - before.refusedOfClients,
    nodes: after.refusedOfNodes - before.refusedOfNodes,
  }).toEqual({
    clients: senders.client.refusals - refusedBefore.client,
    nodes: senders.node.refusals - refusedBefore.node,
  });
  await checkAim(run);
  // What still waits for a peer or an answer is let go of in time.
  await until("memory is back", BACK_MS, async () => {
    const now = await nodeCounters(client);
    return when(now.liveBytes - before.liveBytes < GROWTH_BYTES_MAX);
  });
}

test(
  "a node withstands 20 000 fuzzed packets on its two sockets",
  () =>
    withCluster(
      { nodes: 2, startNothing: true, tunables: { AllowMixedVersions: 1 } },
      async (cluster) => {
        const seed = testSeed();
        const peer = await listenAsPeer(cluster.local.description.nodes[PEER]?.address ?? "");
        await cluster.start(NODE);
        const client = await cluster.connect(NODE);
        const run = newRun(cluster, client, await knowledgeOf(client), seed);
        try {
          await fuzzNode(run);
          await takeBack(run);
          peer.close();
          const mixed = new MixedCluster(cluster);
          await mixed.settled([NODE]);
          await recordsGoEverywhere(mixed, [NODE], "after fuzzing");
          expect(exceptionsIn(cluster.log(NODE))).toEqual([]);
        } catch (cause) {
          const failure = cause instanceof Error ? cause.message : String(cause);
          const exceptions = exceptionsIn(cluster.log(NODE)).slice(0, 3);
          const reason = [failure, ...exceptions].join("\n");
          throw new Error(`with CTDB_TEST_SEED=${seed}: ${reason}\n${keepPackets(run, seed)}`, {
            cause,
          });
        } finally {
          peer.close();
        }
      },
    ),
  TIMEOUT_MS,
);

test("the log pattern finds exceptions and leaves ordinary lines alone", () => {
  const found = exceptionsIn(
    [
      "ctdbd[1]: TypeError: undefined is not an object",
      "      at fromClient (/$bunfs/root/ctdbd:12:3)",
      "ctdbd[1]: assertion failed: a lock is held",
      "ctdbd[1]: Closed connection of client 7: packet length 3, at least 32 bytes are expected",
      "ctdbd[1]: Recovery daemon ended (SIGSEGV). Trying to restart",
    ].join("\n"),
  );
  expect(found.length).toBe(3);
});
