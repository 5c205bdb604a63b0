/** Commands that show public addresses and interfaces; texts were recorded from Debian's ctdb 4.17. */
import { expect, test } from "bun:test";
import { encode } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { nodeKnowledge } from "../../src/wire/structs/cluster.ts";
import { parseAddress, type SockAddr } from "../../src/wire/structs/socket_address.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { until, when } from "../support/until.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const NODES = [nodeAt(0), nodeAt(1), nodeAt(2), nodeAt(3, NODE_FLAGS.BANNED), nodeAt(4, GONE)];
const PATIENCE_MS = 2000;

function address(text: string): SockAddr {
  return must(parseAddress(text));
}
const [V6, HIGH, LOW, NOWHERE] = ["fd00::31", "10.0.0.131", "10.0.0.31", "10.0.0.32"] as const;

const IFACES = [
  { name: "eth2", link_state: 1, references: 2 },
  { name: "eth1", link_state: 0, references: 4 },
];

/** Each node knows what it hosts; what node 2 thinks of node 1 is old. */
function withAddresses(): FakeCtdbd {
  const hosts = new Map([
    [V6, 2],
    [HIGH, 1],
    [LOW, 0],
    [NOWHERE, UNKNOWN_PNN],
  ]);
  return daemon(NODES)
    .on("GET_PUBLIC_IPS", (_, pnn) => ({
      data: [...hosts].map(([text, host]) => ({
        addr: address(text),
        pnn: pnn === 2 && text === HIGH ? 0 : host,
      })),
    }))
    .on("GET_IFACES", () => ({ data: IFACES }))
    .on("GET_PUBLIC_IP_INFO", (addr, pnn) => ({
      data: { head: { ip: { addr, pnn }, active_idx: 0 }, ifaces: IFACES },
    }));
}

test("ip shows what the node knows, sorted by address, IPv4 first", async () => {
  expect(await runCtdb({ ctdbd: withAddresses() }, "-n", "1", "ip")).toEqual({
    status: 0,
    err: "",
    out: `Public IPs on node 1
10.0.0.31 0
10.0.0.32 -1
10.0.0.131 1
fd00::31 2
`,
  });
});

test("ip all believes only the host of an address, and asks only active nodes", async () => {
  const ctdbd = withAddresses();
  expect((await runCtdb({ ctdbd }, "-X", "ip", "all")).out).toBe(`|Public IP|Node|
|10.0.0.31|0|
|10.0.0.32|-1|
|10.0.0.131|1|
|fd00::31|2|
`);
  const asked = ctdbd.controls.filter(({ name }) => name === "GET_PUBLIC_IPS");
  expect(asked.map(({ destnode }) => destnode)).toEqual([0, 1, 2]);
});

test("ip -v shows interfaces, of an address that nobody hosts none", async () => {
  const ctdbd = withAddresses();
  expect((await runCtdb({ ctdbd }, "-v", "ip", "all")).out).toBe(`Public IPs on ALL nodes
10.0.0.31 node[0] active[eth2] available[eth2] configured[eth2,eth1]
10.0.0.32 node[-1] active[] available[] configured[]
10.0.0.131 node[1] active[eth2] available[eth2] configured[eth2,eth1]
fd00::31 node[2] active[eth2] available[eth2] configured[eth2,eth1]
`);
  const machine = await runCtdb({ ctdbd }, "-Y", "-v", "-x", ",", "ip");
  expect(machine.out.split("\n").slice(0, 2)).toEqual([
    ",Public IP,Node,ActiveInterfaces,AvailableInterfaces,ConfiguredInterfaces,",
    ",10.0.0.31,0,eth2,eth2,eth2,eth1,",
  ]);
});

test("ip all with a node that hangs shows what the own node knows of it, and says so", async () => {
  const time = new ManualTime();
  const known = {
    leader: 0,
    leader_age: 0,
    heard: [0, 0, 7000],
    problems: [],
    versions: [],
    missing_links: [],
  };
  const ctdbd = withAddresses()
    .on("GET_PUBLIC_IPS", (_, pnn) =>
      pnn === 2 ? "silent" : { data: [{ addr: address(V6), pnn: 2 }] },
    )
    .on("PING", () => ({ data: encode(nodeKnowledge, known) }));
  const run = runCtdb({ ctdbd, time }, "ip", "all");
  await until("node 2 is asked", PATIENCE_MS, () =>
    when(ctdbd.controls.some(({ destnode }) => destnode === 2)),
  );
  await time.advance(100);
  expect(await run).toEqual({
    status: 0,
    out: "Public IPs on ALL nodes\nfd00::31 2\n",
    err: "Node 2 has not answered: shown is what node 0 knows of it, at most 7.0 s old\n",
  });
});

test("ip all ends with the status of a node that refuses, and is a failure when no node is active", async () => {
  const refusing = withAddresses().on("GET_PUBLIC_IPS", (_, pnn) =>
    pnn === 1 ? { status: -1 } : { data: [{ addr: address(LOW), pnn: 0 }] },
  );
  expect(await runCtdb({ ctdbd: refusing }, "ip", "all")).toEqual({
    status: 1,
    out: "Public IPs on ALL nodes\n10.0.0.31 0\n",
    err: "Control GET_PUBLIC_IPS failed, ret=-1\n",
  });
  const stopped = daemon([nodeAt(0, NODE_FLAGS.STOPPED)]);
  expect((await runCtdb({ ctdbd: stopped }, "ip", "all")).status).toBe(1);
});

test("ipinfo shows the interfaces of an address, and says when the node does not know it", async () => {
  const ctdbd = withAddresses();
  expect((await runCtdb({ ctdbd }, "-n", "1", "ipinfo", HIGH)).out).toBe(
    `Public IP[10.0.0.131] info on node 1
IP:10.0.0.131
CurrentNode:1
NumInterfaces:2
Interface[1]: Name:eth2 Link:up References:2 (active)
Interface[2]: Name:eth1 Link:down References:4
`,
  );
  ctdbd.on("GET_PUBLIC_IP_INFO", () => ({ status: -1 }));
  expect(await runCtdb({ ctdbd }, "ipinfo", "10.0.0.99")).toEqual({
    status: 1,
    out: "Node 0 does not know about IP 10.0.0.99\n",
    err: "Control GET_PUBLIC_IP_INFO failed, ret=-1\n",
  });
  expect((await runCtdb({ ctdbd }, "ipinfo", "10.0.0.300")).err).toBe(
    "Invalid IP address 10.0.0.300\n",
  );
});

test("ifaces and setifacelink", async () => {
  const ctdbd = withAddresses().on("SET_IFACE_LINK_STATE", () => ({}));
  expect((await runCtdb({ ctdbd }, "ifaces")).out).toBe(`Interfaces on node 0
name:eth2 link:up references:2
name:eth1 link:down references:4
`);
  expect((await runCtdb({ ctdbd }, "-X", "ifaces")).out).toBe(
    "|Name|LinkStatus|References|\n|eth2|1|2|\n|eth1|0|4|\n",
  );
  expect((await runCtdb({ ctdbd: daemon(NODES) }, "ifaces")).out).toBe(
    "No interfaces configured on node 0\n",
  );
  expect((await runCtdb({ ctdbd }, "-n", "1", "setifacelink", "eth1", "up")).status).toBe(0);
  expect(ctdbd.controls.at(-1)).toMatchObject({
    name: "SET_IFACE_LINK_STATE",
    destnode: 1,
    request: { name: "eth1", link_state: 1, references: 0 },
  });
  expect(await runCtdb({ ctdbd }, "setifacelink", "eth0", "up")).toMatchObject({
    status: 1,
    out: "Interface eth0 not configured on node 0\n",
  });
  expect((await runCtdb({ ctdbd }, "setifacelink", "a_name_that_is_long", "up")).err).toBe(
    "Interface name 'a_name_that_is_long' too long\n",
  );
  expect((await runCtdb({ ctdbd }, "setifacelink", "eth1", "sideways")).out).toContain(
    "setifacelink    <iface> up|down",
  );
});
