/** Commands that show the cluster while peers hang: at once, from what the own node knows, and with its age. */
import { expect, test } from "bun:test";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { nodeKnowledge } from "../../src/wire/structs/cluster.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { until, when, within } from "../support/until.ts";
import { daemon, nodeAt, runCtdb, type ToolRun } from "./tool_harness.ts";

const LIMIT_MS = 100;
const PATIENCE_MS = 2000;
const NODES = [nodeAt(0), nodeAt(1), nodeAt(2)];

/** Nodes 1 and 2 hang; node 0 has last heard of a leader as told. */
function withHungPeers(leader: number, leaderAge = 7250): FakeCtdbd {
  const known = {
    leader,
    leader_age: leaderAge,
    heard: [0, 3000, 12_340],
    problems: [],
    versions: [],
    missing_links: [],
  };
  return daemon(NODES)
    .on("GET_IFACES", (_, pnn) => (pnn === 0 ? { data: [] } : "silent"))
    .on("PING", () => ({ status: 1, data: encode(nodeKnowledge, known) }));
}

/** What the tool has said when the limit is over: it counts from the first question to a peer, then stands still. */
async function shownAfter(limitMs: number, ctdbd: FakeCtdbd, ...args: string[]): Promise<ToolRun> {
  const time = new ManualTime();
  const run = runCtdb({ ctdbd, time }, ...args);
  const peerIsAsked = () => ctdbd.controls.some(({ destnode }) => destnode === 1);
  await until("a peer is asked", PATIENCE_MS, () => when(peerIsAsked()));
  await time.advance(limitMs);
  return await within(`the end of ctdb ${args.join(" ")}`, PATIENCE_MS, run);
}

const SILENT =
  "Node 1 has not answered: shown is what node 0 knows of it, at most 3.0 s old\n" +
  "Node 2 has not answered: shown is what node 0 knows of it, at most 12.3 s old\n";
const LINES = `pnn:0 10.0.0.1         OK (THIS NODE)
pnn:1 10.0.0.2         OK
pnn:2 10.0.0.3         OK
`;

test("status with peers that hang answers from the own node, and says how old that is", async () => {
  expect(await shownAfter(LIMIT_MS, withHungPeers(2), "status")).toEqual({
    status: 0,
    out: `Number of nodes:3
${LINES}Generation:77
Size:2
hash:0 lmaster:0
hash:1 lmaster:2
Recovery mode:NORMAL (0)
Leader:2
`,
    err: `${SILENT}The leader is not heard: shown is what node 0 knows of it, 7.3 s old\n`,
  });
  const electing = await shownAfter(LIMIT_MS, withHungPeers(UNKNOWN_PNN), "status");
  expect(electing.out).toEndWith("Leader:UNKNOWN\n");
  expect(electing.err).toBe(SILENT);
});

test("leader shows the one that the own node last heard, and waits for an election", async () => {
  const time = new ManualTime();
  const ctdbd = withHungPeers(2);
  const isAsked = (name: string) => when(ctdbd.controls.some((seen) => seen.name === name));
  const run = runCtdb({ ctdbd, time }, "leader");
  await until("the leader is listened for", PATIENCE_MS, () => isAsked("REGISTER_SRVID"));
  await time.advance(LIMIT_MS);
  expect(await within("the end of ctdb leader", PATIENCE_MS, run)).toEqual({
    status: 0,
    out: "2\n",
    err: "The leader is not heard: shown is what node 0 knows of it, 7.3 s old\n",
  });

  const electing = withHungPeers(UNKNOWN_PNN);
  const waiting = runCtdb({ ctdbd: electing, time }, "leader");
  await until("a broadcast can come", PATIENCE_MS, () =>
    when(electing.controls.some(({ name }) => name === "REGISTER_SRVID")),
  );
  await time.advance(LIMIT_MS);
  electing.sendMessage(SRVID.LEADER, encode(u32Codec, 1));
  expect((await within("the end of ctdb leader", PATIENCE_MS, waiting)).out).toBe("1\n");
});

test("The forms for programs are the same with peers that hang", async () => {
  const rows = (await shownAfter(LIMIT_MS, withHungPeers(2), "-X", "status")).out;
  expect(rows.split("\n").slice(1)).toEqual([
    "|0|10.0.0.1|0|0|0|0|0|0|0|0|Y|",
    "|1|10.0.0.2|0|0|0|0|0|0|0|0|N|",
    "|2|10.0.0.3|0|0|0|0|0|0|0|0|N|",
    "",
  ]);
  const json = await shownAfter(LIMIT_MS, withHungPeers(2), "-j", "status");
  expect(JSON.parse(json.out)).toMatchObject({ node_status: { node_count: 3 }, leader: 2 });
});

test("nodestatus with peers that hang answers from the own node", async () => {
  expect(await shownAfter(LIMIT_MS, withHungPeers(2), "nodestatus", "all")).toEqual({
    status: 0,
    out: `Number of nodes:3\n${LINES}`,
    err: SILENT,
  });
});

test("A banned node whose peers hang shows its own node map", async () => {
  const nodes = [nodeAt(0, NODE_FLAGS.BANNED), nodeAt(1), nodeAt(2)];
  const ctdbd = withHungPeers(2).on("GET_NODEMAP", (_, pnn) =>
    pnn === 0 ? { data: nodes } : "silent",
  );
  const shown = await shownAfter(2 * LIMIT_MS, ctdbd, "nodestatus", "all");
  expect(shown.out).toStartWith("Number of nodes:3\npnn:0 10.0.0.1         BANNED|INACTIVE");
  expect(shown.err).toContain("Node 1 has not answered");
});

test("status asks the own node for its knowledge only when somebody is silent", async () => {
  const ctdbd = withHungPeers(2)
    .on("GET_IFACES", () => ({ data: [] }))
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 1)));
      return {};
    });
  const { out, err } = await runCtdb({ ctdbd }, "status");
  expect([out.endsWith("Leader:1\n"), err]).toEqual([true, ""]);
  expect(ctdbd.controls.map(({ name }) => name)).not.toContain("PING");
});
