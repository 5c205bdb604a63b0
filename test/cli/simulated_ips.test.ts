/** `ctdb ip --simulate`: nothing is changed, and the placement is that of the leader's algorithm. */
import { expect, test } from "bun:test";
import { TunableSet } from "../../src/config/tunables.ts";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../../src/wire/controls.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { must } from "../support/must.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const LEADER = 2;
const HOSTS = new Map([
  ["10.0.0.31", 1],
  ["10.0.0.32", 1],
  ["10.0.0.33", 2],
  ["10.0.0.34", 0],
]);

/** Every node can host every address; node 3 is gone. Only the leader has these tunables. */
function cluster(tunables: Readonly<Record<string, number>> = {}): FakeCtdbd {
  const ctdbd = daemon([nodeAt(0), nodeAt(1), nodeAt(2), nodeAt(3, GONE)]);
  return ctdbd
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, LEADER)));
      return {};
    })
    .on("GET_PUBLIC_IPS", () => ({
      data: [...HOSTS].map(([text, pnn]) => ({ addr: must(parseAddress(text)), pnn })),
    }))
    .on("GET_ALL_TUNABLES", (_, pnn) => {
      const set = new TunableSet();
      for (const [name, value] of Object.entries(tunables)) {
        if (pnn === LEADER) set.set(name, value);
      }
      return { data: set.inWireOrder() };
    });
}

test("ip --simulate shows where the addresses of a node would go, and asks only", async () => {
  const ctdbd = cluster();
  const { status, out, err } = await runCtdb({ ctdbd }, "ip", "--simulate", "1");
  expect([status, err]).toEqual([0, ""]);
  const lines = out.trimEnd().split("\n");
  expect(lines[0]).toBe("Public IPs on ALL nodes if node 1 left");
  expect(lines.slice(3)).toEqual(["10.0.0.33 2", "10.0.0.34 0"]);
  const moved = lines.slice(1, 3).map((line) => /^(10\.0\.0\.3[12]) 1 -> ([02])$/.exec(line)?.[2]);
  // One each: the others are as full as each other.
  expect(moved.sort()).toEqual(["0", "2"]);
  const asks = /^(GET_.*|REGISTER_SRVID|DEREGISTER_SRVID)$/;
  expect(ctdbd.controls.filter(({ name }) => !asks.test(name))).toEqual([]);
  expect(ctdbd.messages).toEqual([]);
  const available = ctdbd.controls.filter(({ flags }) => flags === PUBLIC_IPS_ONLY_AVAILABLE);
  expect(available.map(({ destnode }) => destnode)).toEqual([0, 2]);
});

test("ip --simulate follows the leader's tunables", async () => {
  const { out } = await runCtdb(
    { ctdbd: cluster({ NoIPTakeover: 1 }) },
    "-X",
    "ip",
    "--simulate=1",
  );
  expect(out).toBe(`|Public IP|Node|NewNode|
|10.0.0.31|1|-1|
|10.0.0.32|1|-1|
|10.0.0.33|2|2|
|10.0.0.34|0|0|
`);
});

test("deterministic allocation in ip --simulate has the file of home nodes", async () => {
  const files = { "/cluster/node.0/home_nodes": "10.0.0.31 2\n10.0.0.32 2\n" };
  const world = { ctdbd: cluster({ IPAllocAlgorithm: 0 }), files };
  const { out } = await runCtdb(world, "ip", "--simulate", "1");
  expect(out).toContain("10.0.0.31 1 -> 2\n10.0.0.32 1 -> 2\n");
});

test("--simulate is for ip, and for nodes that host something", async () => {
  const wrong = async (...args: string[]) => {
    const { status, err } = await runCtdb({ ctdbd: cluster() }, ...args);
    expect(status).toBe(1);
    return err;
  };
  expect(await wrong("status", "--simulate", "1")).toBe(
    "--simulate not supported by the status subcommand\n",
  );
  for (const pnn of ["3", "7"]) {
    expect(await wrong("ip", "--simulate", pnn)).toBe(
      `Node ${pnn} is not active, and hosts nothing\n`,
    );
  }
  const silent = cluster().on("GET_PUBLIC_IPS", (_, pnn) =>
    pnn === 2 ? { status: -1 } : { data: [] },
  );
  const { status, err } = await runCtdb({ ctdbd: silent }, "ip", "--simulate", "1");
  expect(status).toBe(1);
  expect(err).toContain("Failed to get Public IPs from node 2\n");
});
