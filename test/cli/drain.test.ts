/** `ctdb drain` with a `net` that a test scripts. */
import { expect, test } from "bun:test";
import { err, ok } from "../../src/base/result.ts";
import type { ToolHost } from "../../src/cli/host.ts";
import { decodeExact, encode, i32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { srvidMessage } from "../../src/wire/structs/cluster.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const HOSTED = ["10.0.0.31", "10.0.0.131", "fd00::31"];
const ELSEWHERE = "10.0.0.32";

/** Node 1 has addresses, 0 and 2 are there to take them, 3 is not. */
function cluster(others = 0): FakeCtdbd {
  let disabled = 0;
  const ctdbd = daemon([]);
  ctdbd
    .on("GET_NODEMAP", () => ({
      data: [nodeAt(0, others), nodeAt(1, disabled), nodeAt(2, others), nodeAt(3, 2)],
    }))
    .on("GET_PUBLIC_IPS", () => ({
      data: [...HOSTED, ELSEWHERE].map((text) => ({
        addr: must(parseAddress(text)),
        pnn: text === ELSEWHERE ? 0 : 1,
      })),
    }))
    .on("DISABLE_NODE", () => {
      disabled = NODE_FLAGS.PERMANENTLY_DISABLED;
      return {};
    });
  ctdbd.onMessage = ({ data }) => {
    const message = must(decodeExact(srvidMessage, data));
    ctdbd.sendMessage(message.srvid, encode(i32Codec, 0));
  };
  return ctdbd;
}

/** A `net` with such registrations, whose clients go when they are asked, or do not. */
function net(addresses: readonly string[], clientsGo = true) {
  const commands: string[] = [];
  let left = [...addresses];
  const run: ToolHost["run"] = async (argv) => {
    if (argv[0] === "/bin/sh") {
      const registrations = Object.fromEntries(left.map((ip_address, i) => [i, { ip_address }]));
      return ok(JSON.stringify({ filters: {}, registrations }));
    }
    commands.push(argv.join(" "));
    const pattern = new RegExp(argv[3]?.replace("--witness-ip-address=", "") ?? "");
    if (clientsGo) left = left.filter((address) => !pattern.test(address));
    return ok("");
  };
  return { run, commands };
}

const wasDisabled = (ctdbd: FakeCtdbd) =>
  ctdbd.controls.filter(({ name }) => name === "DISABLE_NODE").map(({ destnode }) => destnode);

test("drain asks the clients of each address to move to the other healthy nodes in turn, then disables", async () => {
  const ctdbd = cluster();
  const { run, commands } = net(["10.0.0.31", "10.0.0.31", ELSEWHERE, "10.0.0.131", "fd00::31"]);
  expect(await runCtdb({ ctdbd, run }, "drain", "1")).toEqual({
    status: 0,
    out: "Asked 4 clients of node 1 to move\n",
    err: "",
  });
  const move = "net witness client-move --witness-ip-address";
  expect(commands).toEqual([
    `${move}=^10[.]0[.]0[.]31$ --witness-new-node=0`,
    `${move}=^10[.]0[.]0[.]131$ --witness-new-node=2`,
    `${move}=^fd00::31$ --witness-new-node=0`,
  ]);
  expect(wasDisabled(ctdbd)).toEqual([1]);
});

test("drain disables when the time of clients that stay is over", async () => {
  const ctdbd = cluster();
  const time = new ManualTime();
  const { run } = net(["10.0.0.31"], false);
  const running = runCtdb({ ctdbd, run, time }, "-t", "1", "-n", "1", "drain");
  for (let i = 0; i < 4; i++) {
    await settle();
    await time.advance(500);
  }
  expect(await running).toMatchObject({ status: 0, err: "1 clients have not left node 1\n" });
  expect(wasDisabled(ctdbd)).toEqual([1]);
});

test("drain without a net that knows of witnesses says so and disables", async () => {
  const said = async (output: ReturnType<typeof ok<string>> | ReturnType<typeof err<string>>) => {
    const ctdbd = cluster();
    const outcome = await runCtdb({ ctdbd, run: async () => output }, "-n", "1", "drain");
    expect(outcome.status).toBe(0);
    expect(wasDisabled(ctdbd)).toEqual([1]);
    return outcome.err;
  };
  const head = 'Clients are not asked to move first: "net witness list"';
  for (const output of ["", "Usage: net …", "[]", "null", '{"registrations": 7}', "{}"]) {
    expect(await said(ok(output))).toBe(`${head} gives no list\n`);
  }
  expect(await said(err("ENOENT"))).toBe(`${head} cannot be started: ENOENT\n`);
  const odd = { registrations: { a: { ip_address: 7 }, b: null, c: { ip_address: "nowhere" } } };
  expect(await said(ok(JSON.stringify(odd)))).toBe("");
});

test("drain of a node whose part no other can take, or that is none, changes nothing", async () => {
  const ctdbd = cluster(NODE_FLAGS.UNHEALTHY);
  expect(await runCtdb({ ctdbd }, "drain", "1")).toEqual({
    status: 1,
    out: "",
    err: "No other node can take over from node 1\n",
  });
  expect((await runCtdb({ ctdbd }, "drain", "7")).err).toBe("Node 7 does not exist\n");
  expect((await runCtdb({ ctdbd }, "drain", "x")).err).toBe("Invalid PNN x\n");
  expect(wasDisabled(ctdbd)).toEqual([]);
});
