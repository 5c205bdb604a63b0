/** `ctdb wait` against a scripted daemon, with time that stands until the test moves it. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { waitFacts } from "../../src/cli/schemas/waiting.ts";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import type { NodeAndFlags } from "../../src/wire/structs/cluster.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { until, when } from "../support/until.ts";
import { daemon, GONE, nodeAt, runCtdb, type ToolRun } from "./tool_harness.ts";

const PATIENCE_MS = 2000;

/** A daemon whose node map is what `nodes` says at the moment. */
function changing(nodes: { map: readonly NodeAndFlags[] }): FakeCtdbd {
  return daemon(nodes.map).on("GET_NODEMAP", () => ({ data: nodes.map }));
}

/** Moves the time until the command has ended. */
async function ended(running: Promise<ToolRun>, time: ManualTime, byMs: number): Promise<ToolRun> {
  let run: ToolRun | undefined;
  void running.then((value) => {
    run = value;
  });
  return await until("the end of ctdb wait", PATIENCE_MS, async () => {
    await time.advance(byMs);
    return run;
  });
}

test("wait ends at once when the condition holds", async () => {
  const ctdbd = daemon([nodeAt(0), nodeAt(1)]);
  for (const words of [["healthy"], ["recovered"], ["node", "1", "ok"]]) {
    const out = `${words.join(" ")} after 0.0 s\n`;
    expect(await runCtdb({ ctdbd }, "wait", ...words)).toEqual({ status: 0, out, err: "" });
  }
});

test("wait looks again when the cluster tells of a change, before it would by itself", async () => {
  const nodes = { map: [nodeAt(0), nodeAt(1)] };
  const ctdbd = changing(nodes);
  const time = new ManualTime();
  const running = runCtdb({ ctdbd, time }, "wait", "node", "1", "stopped");
  const looks = () => ctdbd.controls.filter(({ name }) => name === "GET_NODEMAP").length;
  await until("the first look", PATIENCE_MS, () => when(looks() === 1));
  await time.advance(0);
  nodes.map = [nodeAt(0), nodeAt(1, NODE_FLAGS.STOPPED)];
  ctdbd.sendMessage(SRVID.SET_NODE_FLAGS, new Uint8Array(12));
  const run = await ended(running, time, 10);
  expect(run.status).toBe(0);
  expect(time.nowMs).toBeLessThan(1000);
});

test("wait gives up with status 75 and says what is missing then", async () => {
  const nodes = { map: [nodeAt(0), nodeAt(1, NODE_FLAGS.STOPPED), nodeAt(2, GONE)] };
  const time = new ManualTime();
  const ctdbd = changing(nodes);
  const running = runCtdb({ ctdbd, time }, "wait", "healthy", "--timeout", "3");
  expect(await ended(running, time, 250)).toEqual({
    status: 75,
    out: "",
    err:
      'Gave up after 3.0 s of waiting for "healthy": node 1 is STOPPED|INACTIVE, ' +
      "node 2 is DISCONNECTED|UNHEALTHY|INACTIVE\n",
  });
  const bounded = runCtdb({ ctdbd, time }, "wait", "healthy", "--timeout=0", "-T", "2", "--json");
  const { status, out } = await ended(bounded, time, 250);
  const { schema_version: _, ...facts } = JSON.parse(out);
  expect(status).toBe(75);
  expect(v.parse(waitFacts, facts)).toMatchObject({ holds: false, waited_seconds: 2 });
});

test("wait has time for its last look, however little of it is left", async () => {
  const time = new ManualTime();
  const ctdbd = changing({ map: [nodeAt(0), nodeAt(1, NODE_FLAGS.STOPPED)] });
  ctdbd.answerLater = (answer) => void time.after(150, answer);
  const { status, err } = await ended(
    runCtdb({ ctdbd, time }, "wait", "node", "1", "ok", "--timeout", "1"),
    time,
    250,
  );
  expect(status).toBe(75);
  expect(err).toContain("node 1 is STOPPED");
});

test("wait outlives its daemon, and waits for one that is not there yet", async () => {
  const nodes = { map: [nodeAt(0, NODE_FLAGS.UNHEALTHY)] };
  const ctdbd = changing(nodes);
  const time = new ManualTime();
  let listens = false;
  const network: FakeCtdbd["network"] = {
    connectUnix: (path, connected) =>
      ctdbd.network.connectUnix(listens ? path : "/nowhere", connected),
  };
  const running = runCtdb({ network, time }, "wait", "node", "0", "ok", "-v");
  await time.advance(1000);
  expect(ctdbd.connections).toBe(0);
  listens = true;
  await until("a connection", PATIENCE_MS, async () => {
    await time.advance(250);
    return when(ctdbd.controls.some(({ name }) => name === "GET_NODEMAP"));
  });
  listens = false;
  ctdbd.drop();
  await time.advance(500);
  nodes.map = [nodeAt(0)];
  listens = true;
  const run = await ended(running, time, 250);
  expect(run.status).toBe(0);
  expect(ctdbd.connections).toBe(2);
  expect(run.err).toContain("ENOENT");
  expect(run.err).toContain("Waiting: node 0 is UNHEALTHY\n");
});

test("wait leader hears the leader's broadcasts, and not those of an election", async () => {
  const ctdbd = daemon([nodeAt(0)]);
  const time = new ManualTime();
  const running = runCtdb({ ctdbd, time }, "wait", "leader", "--json");
  await until("a look", PATIENCE_MS, () =>
    when(ctdbd.controls.some(({ name }) => name === "GET_NODEMAP")),
  );
  ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, UNKNOWN_PNN));
  await time.advance(1500);
  ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 2));
  const { status, out } = await ended(running, time, 20);
  expect(status).toBe(0);
  expect(JSON.parse(out).seen.leader).toBe(2);
});

test("wait ips assigned believes of an address only its host", async () => {
  const addr = nodeAt(7).addr;
  let host = 1;
  const ctdbd = daemon([nodeAt(0), nodeAt(1)]).on("GET_PUBLIC_IPS", (_, pnn) => ({
    // Node 0 thinks what was so before.
    data: [{ addr, pnn: pnn === 0 ? 1 : host }],
  }));
  host = UNKNOWN_PNN;
  const time = new ManualTime();
  const words = ["wait", "ips", "assigned", "--timeout", "1"];
  const failed = await ended(runCtdb({ ctdbd, time }, ...words), time, 250);
  expect(failed).toMatchObject({ status: 75 });
  expect(failed.err).toEndWith(`on no node: ${addr.address}\n`);
  host = 1;
  expect((await runCtdb({ ctdbd }, ...words)).status).toBe(0);
});

test("wait says which conditions and states there are, with status 64", async () => {
  const unknown = await runCtdb({}, "wait", "health");
  expect(unknown).toMatchObject({ status: 64, out: "" });
  expect(unknown.err).toStartWith('Unknown condition "health", expected one of: healthy, ');
  const state = await runCtdb({}, "wait", "node", "1", "fine");
  expect(state.err).toStartWith('Unknown state of a node "fine", expected one of: ok, ');
  expect((await runCtdb({}, "wait")).status).toBe(64);
  expect((await runCtdb({}, "pnn", "--timeout", "1")).status).toBe(1);
});
