/** `status` and `nodestatus`; the texts were recorded from Debian's ctdb 4.17, JSON from 4.25. */
import { expect, test } from "bun:test";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { PING_KNOWLEDGE } from "../../src/wire/controls.ts";
import { type NodeAndFlags, nodeKnowledge } from "../../src/wire/structs/cluster.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

/** Repeats the leader to whoever registers, as our ctdbd does. */
function withLeader(ctdbd: FakeCtdbd, pnn: number): FakeCtdbd {
  return ctdbd.on("REGISTER_SRVID", () => {
    setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, pnn)));
    return {};
  });
}

const NODES = [nodeAt(0), nodeAt(1, NODE_FLAGS.DELETED), nodeAt(2, GONE), nodeAt(3)];

test("status shows nodes, vnn map, recovery mode and leader", async () => {
  const ctdbd = withLeader(daemon(NODES), 3);
  expect(await runCtdb({ ctdbd }, "status")).toEqual({
    status: 0,
    err: "",
    out: `Number of nodes:4 (including 1 deleted nodes)
pnn:0 10.0.0.1         OK (THIS NODE)
pnn:2 10.0.0.3         DISCONNECTED|UNHEALTHY|INACTIVE
pnn:3 10.0.0.4         OK
Generation:77
Size:2
hash:0 lmaster:0
hash:1 lmaster:2
Recovery mode:NORMAL (0)
Leader:3
`,
  });
});

test("status ends with why a node is kept out, where the daemon says so, and asks only when one is gone", async () => {
  const text = "Node 2 (10.0.0.3) is kept out: its nodes list is another one";
  const known = {
    leader: 3,
    leader_age: 0,
    heard: [],
    problems: [{ pnn: 2, text }],
    versions: [],
    missing_links: [],
  };
  const data = encode(nodeKnowledge, known);
  const shown = async (nodes: readonly NodeAndFlags[], ...args: string[]) => {
    const ctdbd = withLeader(daemon(nodes), 3).on("PING", () => ({ data }));
    const { out } = await runCtdb({ ctdbd }, ...args, "status");
    const pings = ctdbd.controls.filter(({ name }) => name === "PING");
    return { says: out.includes(text), flags: pings.map(({ flags }) => flags) };
  };
  const told = await shown(NODES);
  expect(told).toEqual({ says: true, flags: [PING_KNOWLEDGE] });
  for (const form of ["-X", "-Y", "-j"]) {
    expect(await shown(NODES, form)).toEqual({ says: false, flags: [] });
  }
  expect(await shown([nodeAt(0), nodeAt(1)])).toEqual({ says: false, flags: [] });
});

test("status of a starting node calls the others unknown and the generation invalid", async () => {
  const ctdbd = withLeader(daemon([nodeAt(0, 2), nodeAt(1, 2), nodeAt(2, GONE)]), 0)
    .on("GET_RUNSTATE", () => ({ data: 3 }))
    .on("GETVNNMAP", () => ({ data: { generation: 1, map: [] } }))
    .on("GET_RECMODE", () => ({ status: 1 }));
  const { out } = await runCtdb({ ctdbd }, "status");
  expect(out).toBe(`Number of nodes:3
pnn:0 10.0.0.1         UNHEALTHY (THIS NODE)
pnn:1 10.0.0.2         UNKNOWN
pnn:2 10.0.0.3         DISCONNECTED|UNHEALTHY|INACTIVE
Generation:INVALID
Size:0
Recovery mode:RECOVERY (1)
Leader:0
`);
});

test("status says UNKNOWN when no leader is heard within the time limit", async () => {
  const time = new ManualTime();
  const run = runCtdb({ ctdbd: daemon([nodeAt(0)]), time }, "-t", "2", "status");
  await time.advance(2000);
  expect((await run).out).toEndWith("Leader:UNKNOWN\n");
});

test("status calls a healthy node with an interface down partially online", async () => {
  const iface = { name: "eth0", link_state: 0, references: 0 };
  const ctdbd = withLeader(daemon([nodeAt(0), nodeAt(1)]), 0).on("GET_IFACES", (_, pnn) => ({
    data: pnn === 1 ? [iface] : [],
  }));
  const { out } = await runCtdb({ ctdbd }, "status");
  expect(out).toContain("pnn:1 10.0.0.2         PARTIALLYONLINE\n");
});

test("status -X gives rows with the separator and needs no leader", async () => {
  const ctdbd = daemon(NODES);
  expect(await runCtdb({ ctdbd }, "-X", "-x", ":", "status")).toEqual({
    status: 0,
    err: "",
    out: `:Node:IP:Disconnected:Unknown:Banned:Disabled:Unhealthy:Stopped:Inactive:PartiallyOnline:ThisNode:
:0:10.0.0.1:0:0:0:0:0:0:0:0:Y:
:2:10.0.0.3:1:0:0:0:1:0:1:0:N:
:3:10.0.0.4:0:0:0:0:0:0:0:0:N:
`,
  });
  expect(ctdbd.controls.map(({ name }) => name)).not.toContain("REGISTER_SRVID");
});

test("status --json has the original's form", async () => {
  const ctdbd = withLeader(daemon([nodeAt(0, NODE_FLAGS.STOPPED)]), 0xffffffff);
  const time = new ManualTime();
  const run = runCtdb({ ctdbd, time }, "-j", "status");
  await settle();
  await time.advance(10_000);
  const { out } = await run;
  expect(out).toBe(`{
  "node_status": {
    "node_count": 1,
    "deleted_node_count": 0,
    "nodes": {
      "0": {
        "pnn": 0,
        "address": "10.0.0.1",
        "partially_online": false,
        "flags_raw": 32,
        "flags_ok": false,
        "flags": {
          "disconnected": false,
          "unknown": false,
          "disabled": false,
          "banned": false,
          "unhealthy": false,
          "deleted": false,
          "stopped": true,
          "inactive": true
        },
        "this_node": true
      }
    }
  },
  "vnn_status": {
    "generation": 77,
    "size": 2,
    "vnn_map": [
      {
        "hash": 0,
        "lmaster": 0
      },
      {
        "hash": 1,
        "lmaster": 2
      }
    ]
  },
  "recovery_mode": "NORMAL",
  "recovery_mode_raw": 0,
  "leader": 4294967295
}`);
});

test("nodestatus exits with the flags of the nodes it shows", async () => {
  const ctdbd = daemon(NODES);
  expect(await runCtdb({ ctdbd }, "nodestatus")).toEqual({
    status: 0,
    err: "",
    out: "pnn:0 10.0.0.1         OK (THIS NODE)\n",
  });
  const all = await runCtdb({ ctdbd: daemon(NODES) }, "nodestatus", "all");
  expect([all.status, all.out.split("\n")[0]]).toEqual([
    GONE,
    "Number of nodes:4 (including 1 deleted nodes)",
  ]);
  const some = await runCtdb({ ctdbd: daemon(NODES) }, "nodestatus", "3,0");
  expect(some).toEqual({
    status: 0,
    err: "",
    out: "pnn:3 10.0.0.4         OK\npnn:0 10.0.0.1         OK (THIS NODE)\n",
  });
});

test("nodestatus refuses nodes that are not there", async () => {
  const wrong = async (list: string) =>
    (await runCtdb({ ctdbd: daemon(NODES) }, "nodestatus", list)).err;
  expect(await wrong("9")).toBe("Node 9 does not exist\n");
  expect(await wrong("x")).toBe("Invalid node x\n");
});

test("the node map comes from another node when ours is banned", async () => {
  const ctdbd = daemon([]).on("GET_NODEMAP", (_, pnn) => ({
    data:
      pnn === 0
        ? [nodeAt(0, NODE_FLAGS.BANNED), nodeAt(1, GONE), nodeAt(2)]
        : [nodeAt(0, NODE_FLAGS.BANNED), nodeAt(1), nodeAt(2)],
  }));
  const { out } = await runCtdb({ ctdbd }, "nodestatus", "1");
  expect(out).toBe("pnn:1 10.0.0.2         OK\n");
  const asked = ctdbd.controls.filter(({ name }) => name === "GET_NODEMAP");
  expect(asked.map(({ destnode }) => destnode)).toEqual([0, 2]);
});
