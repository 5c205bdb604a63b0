/** A real ctdbd that may open few files, and more clients than that. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BunNetwork } from "../../src/platform/bun/network.ts";
import { BunTimers } from "../../src/platform/bun/timers.ts";
import type { Stream } from "../../src/platform/types/network.ts";
import { decodePadded } from "../../src/wire/codec.ts";
import { CTDB_PORT, NODE_FLAGS } from "../../src/wire/constants.ts";
import { CONTROLS } from "../../src/wire/controls.ts";
import { must } from "../support/must.ts";
import { RawClient } from "../support/raw_client.ts";
import { until, when } from "../support/until.ts";
import { REAL_TEST_MS, type RealNode, STEP_MS, withRealNode } from "./real_node.ts";

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
  const network = new BunNetwork(new BunTimers());
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

test(
  `ctdbd with ${DESCRIPTORS} descriptors and ${CLIENTS} clients rests, serves those it has, and keeps some`,
  () =>
    withRealNode(
      {
        limits: `ulimit -n ${DESCRIPTORS}`,
        others: (own) => [own.replace(/\.1$/, ".2")],
      },
      async (node) => {
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, () => RawClient.connect(node.socket)),
        );
        let answered = 0;
        const pings = clients.map(async (client) => {
          const answer = await client.control(CONTROLS.PING.opcode, NOTHING, {
            timeoutMs: STEP_MS,
          });
          if (answer.kind === "reply") answered += 1;
          return client;
        });
        const served = await Promise.race(pings);
        await until("the log says that clients wait", STEP_MS, () =>
          when(readFileSync(join(node.base, "log.ctdb"), "utf8").includes("ulimit -n")),
        );
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
