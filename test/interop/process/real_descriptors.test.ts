/** A real ctdbd that may open few files, and more clients than that. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EventLoop } from "../../../src/platform/loop/event_loop.ts";
import { LoopNetwork } from "../../../src/platform/loop/network.ts";
import type { Stream } from "../../../src/platform/types/network.ts";
import { decodePadded, encode } from "../../../src/wire/codec.ts";
import {
  CTDB_PORT,
  NODE_FLAGS,
  RECOVERY_ACTIVE,
  RECOVERY_NORMAL,
} from "../../../src/wire/constants.ts";
import { CONTROLS } from "../../../src/wire/controls.ts";
import { REAL_TEST_MS, type RealNode, STEP_MS, withRealNode } from "../../daemon/real_node.ts";
import { must } from "../../support/must.ts";
import { RawClient } from "../../support/raw_client.ts";
import { until, when } from "../../support/until.ts";

const DESCRIPTORS = 64;
const CLIENTS = 150;
/** What is left for files and links when clients have taken all that they can. */
const OWN_DESCRIPTORS = 12;
const MEASURED_MS = 500;
/** At rest it is one or two percent; who goes round wants to run all the time. */
const SHARE_MAX = 0.5;
const NOTHING = new Uint8Array(0);

/** Milliseconds in which the main thread ran or wanted to run: a busy machine does not hide that it goes round. */
function runnableMs(pid: number): number {
  const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/schedstat`, "utf8")
    .split(" ")
    .map(Number);
  return (ran + waited) / 1e6;
}

async function runnableShare(pid: number): Promise<number> {
  const [startMs, usedMs] = [performance.now(), runnableMs(pid)];
  await until("some time has passed", STEP_MS, () =>
    when(performance.now() - startMs > MEASURED_MS),
  );
  return (runnableMs(pid) - usedMs) / (performance.now() - startMs);
}

/** Plays the other node: takes the connection of ours and makes one. */
async function connectOther(node: RealNode, other: string): Promise<() => void> {
  const network = new LoopNetwork(new EventLoop());
  const streams: Stream[] = [];
  const handlers = { onData() {}, onDrain() {}, onClose() {} };
  const keep = (stream: Stream) => {
    streams.push(stream);
    return handlers;
  };
  const listener = must(network.listenTcp(other, CTDB_PORT, keep));
  const target = { address: node.address, port: CTDB_PORT, localAddress: other, timeoutMs: 5000 };
  network.connectTcp(target, (outcome) => keep(must(outcome)));
  await until("our node has made its connection, too", STEP_MS, () => when(streams.length === 2));
  return () => {
    listener.close();
    for (const stream of streams) stream.close();
  };
}

async function isConnected(client: RawClient, pnn: number): Promise<boolean> {
  const { opcode, reply } = CONTROLS.GET_NODEMAP;
  const answer = await client.control(opcode, NOTHING, { timeoutMs: STEP_MS });
  if (answer.kind !== "reply") throw new Error(`no node map but ${answer.kind}`);
  const map = must(decodePadded(reply, answer.data));
  const flags = map.find((entry) => entry.pnn === pnn)?.flags ?? NODE_FLAGS.DISCONNECTED;
  return (flags & NODE_FLAGS.DISCONNECTED) === 0;
}

async function recoveryMode(client: RawClient): Promise<number> {
  return await status(client, CONTROLS.GET_RECMODE.opcode, NOTHING);
}

async function setRecoveryMode(client: RawClient, mode: number): Promise<number> {
  const { opcode, request } = CONTROLS.SET_RECMODE;
  return await status(client, opcode, encode(request, mode));
}

async function status(client: RawClient, opcode: number, data: Uint8Array): Promise<number> {
  const answer = await client.control(opcode, data, { timeoutMs: STEP_MS });
  if (answer.kind !== "reply") throw new Error(`no reply but ${answer.kind}`);
  return answer.status;
}

/** More clients than it can have ask for something; resolves when it makes them wait. */
async function crowd(node: RealNode, onAnswer: () => void): Promise<readonly Promise<RawClient>[]> {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => RawClient.connect(node.socket)),
  );
  const pings = clients.map(async (client) => {
    const answer = await client.control(CONTROLS.PING.opcode, NOTHING, { timeoutMs: STEP_MS });
    if (answer.kind === "reply") onAnswer();
    return client;
  });
  await until("the log says that clients wait", STEP_MS, () =>
    when(readFileSync(join(node.base, "log.ctdb"), "utf8").includes("ulimit -n")),
  );
  return pings;
}

test(
  `ctdbd with ${DESCRIPTORS} descriptors and ${CLIENTS} clients rests, serves those it has, and keeps some`,
  () =>
    withRealNode(
      {
        limits: `ulimit -n ${DESCRIPTORS}`,
        others: (own) => [own.replace(/\.1$/, ".2")],
      },
      async (node) => {
        let answered = 0;
        const pings = await crowd(node, () => {
          answered += 1;
        });
        const served = await Promise.race(pings);
        expect(await runnableShare(node.pid)).toBeLessThan(SHARE_MAX);
        expect(answered).toBeGreaterThan(5);
        expect(answered).toBeLessThan(DESCRIPTORS);
        const open = readdirSync(`/proc/${node.pid}/fd`).length;
        expect(DESCRIPTORS - open).toBeGreaterThanOrEqual(OWN_DESCRIPTORS);

        const end = await connectOther(node, node.address.replace(/\.1$/, ".2"));
        expect(await isConnected(served, 1)).toBe(true);

        // Those that end make room for those that wait, until all had their turn.
        for (const ping of pings) void ping.then((client) => client.close());
        await Promise.all(pings);
        expect(answered).toBe(CLIENTS);
        end();
      },
    ),
  REAL_TEST_MS,
);

test(
  "ctdbd whose clients wait for descriptors has a recovery daemon, and is recovered",
  () =>
    withRealNode({ limits: `ulimit -n ${DESCRIPTORS}` }, async (node) => {
      const pings = await crowd(node, () => {});
      const served = await Promise.race(pings);
      // A new one has to connect now, and then its helper.
      const [recoverd = 0] = node.children();
      process.kill(recoverd, "SIGKILL");
      expect(await setRecoveryMode(served, RECOVERY_ACTIVE)).toBe(0);
      await until("the node is recovered", STEP_MS, async () =>
        when((await recoveryMode(served)) === RECOVERY_NORMAL),
      );
      for (const ping of pings) void ping.then((client) => client.close());
      await Promise.all(pings);
    }),
  REAL_TEST_MS,
);
