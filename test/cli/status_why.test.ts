/** `status --why`: what is said of flags, of nodes that are in no map, and of a cluster that recovers. */
import { expect, test } from "bun:test";
import { TUNABLES } from "../../src/config/tunables.ts";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { CAPABILITIES, NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { PING_STANDING } from "../../src/wire/controls.ts";
import { CURRENT_NODE } from "../../src/wire/packet.ts";
import {
  type FlagReason,
  type NodeAndFlags,
  nodeStanding,
  STANDING_MAGIC,
} from "../../src/wire/structs/cluster.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

/** Those of a node that recovers. */
const FROZEN = [
  { name: "g_lock.tdb", doing: 2, age_ms: 12_040, records: 123_456 },
  ...["a", "b", "c", "d"].map((name) => ({ name, doing: 1, age_ms: 12_000, records: 0 })),
];

const RECOVERY =
  "node 1 died; 2 of 100 databases are ready on the asked node; g_lock.tdb in transaction (12.0 s, 123456 records moved); " +
  "a frozen (12.0 s); b frozen (12.0 s); c frozen (12.0 s); 94 more";

const { BANNED, DISCONNECTED, STOPPED } = NODE_FLAGS;

function said(pnn: number, flag: number, ageMs: number, reason: string): FlagReason {
  return { pnn, flag, age_ms: ageMs, reason };
}

/** What each node knows, by its pnn; others do not tell. */
function cluster(
  nodes: readonly NodeAndFlags[],
  known: Readonly<Record<number, readonly FlagReason[]>>,
  recovery = "",
): FakeCtdbd {
  const ctdbd = daemon([...nodes]);
  ctdbd.on("REGISTER_SRVID", () => {
    setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 0)));
    return {};
  });
  if (recovery !== "") ctdbd.on("GET_RECMODE", () => ({ status: 1 }));
  return ctdbd
    .on("PING", (_nothing, destnode, flags) => {
      const standing = known[destnode === CURRENT_NODE ? ctdbd.pnn : destnode];
      if (flags !== PING_STANDING || standing === undefined) return { status: 1 };
      const value = {
        magic: STANDING_MAGIC,
        flags: [...standing],
        recovery_age_ms: recovery === "" ? 0 : 1500,
        recovery_reason: recovery,
        databases: recovery === "" ? 0 : 100,
        ready: 2,
        recovering: recovery === "" ? [] : FROZEN,
      };
      return { status: 1, data: encode(nodeStanding, value) };
    })
    .on("GET_CAPABILITIES", (_nothing, pnn) => ({
      data: pnn === 3 ? CAPABILITIES.RECMASTER : CAPABILITIES.RECMASTER | CAPABILITIES.LMASTER,
    }));
}

async function why(ctdbd: FakeCtdbd) {
  const { out } = await runCtdb({ ctdbd }, "--json", "status", "--why");
  return (JSON.parse(out) as { why: readonly Record<string, unknown>[] }).why;
}

test("status --why has nothing to say of a cluster that is as it should be", async () => {
  const ctdbd = cluster([nodeAt(0), nodeAt(2)], { 0: [] });
  expect(await why(ctdbd)).toEqual([]);
  const plain = await runCtdb({ ctdbd: cluster([nodeAt(0), nodeAt(2)], { 0: [] }) }, "status");
  const asked = await runCtdb({ ctdbd }, "status", "--why");
  expect(asked.out).toBe(plain.out);
});

test("status --why has the reason of the node itself, or what the asked one knows", async () => {
  const nodes = [nodeAt(0), nodeAt(1, STOPPED), nodeAt(2, GONE), nodeAt(4, BANNED)];
  const ctdbd = cluster(nodes, {
    0: [
      said(1, STOPPED, 9000, "node 1 says so"),
      said(2, DISCONNECTED, 2500, "its link is lost: \u001b[2J"),
      said(4, BANNED, 4000, "node 4 says so"),
    ],
    1: [said(1, STOPPED, 9100, "asked for by node 0")],
  });
  const { out } = await runCtdb({ ctdbd }, "status", "--why");
  expect(out).toEndWith(
    "Node 1 is STOPPED for 9.1 s: asked for by node 0. Do: ctdb continue -n 1\n" +
      "Node 2 is DISCONNECTED for 2.5 s: its link is lost: ?[2J. Do: look whether ctdbd runs there, " +
      "and whether each host reaches the other's TCP port 4379\n" +
      "Node 4 is BANNED for 4.0 s: node 4 says so. Do: mend the cause; the ban ends by itself, or " +
      "by ctdb unban -n 4\n",
  );
  const asked = ctdbd.controls.filter(
    ({ name, flags }) => name === "PING" && flags === PING_STANDING,
  );
  // Nobody waits for a node that is gone.
  expect(asked.map(({ destnode }) => destnode)).not.toContain(2);
});

test("status --why says why an active node has no share, and why there is a recovery", async () => {
  const nodes = [nodeAt(0), nodeAt(2), nodeAt(3), nodeAt(5)];
  expect(await why(cluster(nodes, {}))).toMatchObject([
    { node: 3, condition: "NOT IN THE MAP", reason: "its lmaster capability is off" },
    { node: 5, condition: "NOT IN THE MAP", reason: "no recovery has taken it in yet" },
  ]);
  expect(await why(cluster([nodeAt(0)], { 0: [] }, "node 1 died"))).toMatchObject([
    { node: null, condition: "IN RECOVERY", reason: RECOVERY, since_seconds: 1.5 },
  ]);
});

test("status --why names nodes with other tunables, and the values, but none that are obsolete", async () => {
  const nodes = [nodeAt(0), nodeAt(2)];
  const defaults = TUNABLES.map(({ defaultValue }) => defaultValue);
  const changed = (index: number) => defaults.with(index, (defaults[index] ?? 0) + 1);
  const told = async (index: number) =>
    await why(
      cluster(nodes, { 0: [] }).on("GET_ALL_TUNABLES", (_nothing, pnn) => ({
        data: pnn === 2 ? changed(index) : defaults,
      })),
    );
  const at = TUNABLES.findIndex(({ name }) => name === "MonitorInterval");
  expect(await told(at)).toMatchObject([
    {
      node: 2,
      condition: "OF OTHER TUNABLES",
      reason: "MonitorInterval is 16 there and 15 on node 0",
    },
  ]);
  expect(await told(TUNABLES.findIndex(({ obsolete }) => obsolete))).toEqual([]);
});
