/** What ctdb-admind asks of the nodes while somebody looks on. */
import { expect, test } from "bun:test";
import { err } from "../../src/base/result.ts";
import { connectClient } from "../../src/client/ctdb_client.ts";
import { AdmindLook } from "../../src/roles/admind_look.ts";
import { PING_KNOWLEDGE } from "../../src/wire/controls.ts";
import { doctorWorld, healthyDaemon } from "../cli/doctor_world.ts";
import { toolHost } from "../cli/tool_harness.ts";
import { ManualTime } from "../support/manual_time.ts";
import { must } from "../support/must.ts";

const LOOKS = 5;
const SECOND_MS = 1000;
const OLD_MS = 10_000;

test("each look asks a node for what moves, one in ten seconds for what stays", async () => {
  const time = new ManualTime();
  const ctdbd = healthyDaemon(time);
  const client = must(await connectClient(ctdbd.network, time, "/run/ctdbd.socket"));
  // What it finds on the machine it asks a daemon for on a connection of its own.
  const { machine } = doctorWorld(ctdbd, time);
  const host = toolHost({ time, ...(machine && { machine }) });
  const look = new AdmindLook({ host, nodeFacts: async () => err("none in this test") });
  const asked = (name: string, pnn: number) =>
    ctdbd.controls.filter((seen) => seen.name === name && seen.destnode === pnn).length;
  const knowledgeAsked = (pnn: number) =>
    ctdbd.controls.filter((seen) => seen.flags === PING_KNOWLEDGE && seen.destnode === pnn).length;
  for (let i = 0; i < LOOKS; i++) {
    const { nodes } = must(await look.take(client));
    expect(nodes.map(({ answers }) => answers)).toEqual([true, true]);
    await time.advance(SECOND_MS);
  }
  for (const pnn of [0, 1]) {
    expect([asked("GET_NODES_FILE", pnn), asked("GET_ALL_TUNABLES", pnn)]).toEqual([1, 1]);
    expect([asked("GET_RECMODE", pnn), asked("UPTIME", pnn)]).toEqual([LOOKS, LOOKS]);
    expect(knowledgeAsked(pnn)).toBe(LOOKS);
  }
  await time.advance(OLD_MS);
  must(await look.take(client));
  expect([asked("GET_NODES_FILE", 0), asked("GET_NODES_FILE", 1)]).toEqual([2, 2]);
});
