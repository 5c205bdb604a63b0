/** Commands that move, add and delete public addresses; texts were recorded from Debian's ctdb 4.17. */
import { expect, test } from "bun:test";
import { u64, u64Equal } from "../../src/base/u64.ts";
import { decodeExact, encode, i32Codec, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { BROADCAST_CONNECTED } from "../../src/wire/packet.ts";
import { disableMessage, srvidMessage } from "../../src/wire/structs/cluster.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";
import type { FakeCtdbd, SeenMessage } from "../support/fake_ctdbd.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const NODES = [nodeAt(0), nodeAt(1), nodeAt(2), nodeAt(3, 0x20), nodeAt(4, GONE)];
const ETIME = 62;
const ADDRESS = must(parseAddress("10.0.0.31"));
const CHANGES = new Set([
  "RELEASE_IP",
  "TAKEOVER_IP",
  "IPREALLOCATED",
  "RELOAD_PUBLIC_IPS",
  "ADD_PUBLIC_IP",
  "DEL_PUBLIC_IP",
]);

interface Course {
  readonly ctdbd: FakeCtdbd;
  /** What happened, in order. */
  readonly course: string[];
}

/** Nodes that can host the address; `answer` is what a node says to a message about takeover runs. */
function world(answer: (pnn: number) => number | undefined = (pnn) => pnn): Course {
  const course: string[] = [];
  const ctdbd = daemon(NODES).on("GET_PUBLIC_IPS", () => ({ data: [{ addr: ADDRESS, pnn: 0 }] }));
  for (const name of CHANGES) {
    ctdbd.on(name as "IPREALLOCATED", (_, pnn) => {
      course.push(`${name} ${pnn}`);
      return {};
    });
  }
  ctdbd.onMessage = ({ srvid, destnode, data }: SeenMessage) => {
    if (u64Equal(srvid, SRVID.DISABLE_TAKEOVER_RUNS)) {
      const message = must(decodeExact(disableMessage, data));
      course.push(`${message.timeout === 0 ? "enable" : `disable ${message.timeout}`} ${destnode}`);
      const status = answer(destnode);
      if (status !== undefined) ctdbd.sendMessage(message.srvid, encode(i32Codec, status));
    } else if (u64Equal(srvid, SRVID.TAKEOVER_RUN)) {
      course.push("takeover run");
      const message = must(decodeExact(srvidMessage, data));
      ctdbd.sendMessage(message.srvid, encode(i32Codec, 0));
    }
  };
  return { ctdbd, course };
}

const all = (what: string) => [0, 1, 2, 3].map((pnn) => `${what} ${pnn}`);

test("moveip releases on active nodes and takes, while takeover runs are off, then tells all", async () => {
  const { ctdbd, course } = world();
  expect(await runCtdb({ ctdbd }, "moveip", "10.0.0.31", "1")).toEqual({
    status: 0,
    out: "",
    err: "",
  });
  expect(course).toEqual([
    ...all("disable 20"),
    "RELEASE_IP 0",
    "RELEASE_IP 2",
    "TAKEOVER_IP 1",
    ...all("enable"),
    ...all("IPREALLOCATED"),
  ]);
  const taken = ctdbd.controls.find(({ name }) => name === "TAKEOVER_IP");
  expect(taken?.request).toEqual({ pnn: 1, addr: ADDRESS });
});

test("moveip tries five times before it gives up", async () => {
  const time = new ManualTime();
  const { ctdbd, course } = world();
  const run = runCtdb({ ctdbd, time }, "moveip", "10.0.0.99", "1");
  for (let i = 0; i < 4; i++) {
    await settle();
    await time.advance(3000);
  }
  const line = "Node 1 CANNOT host IP address 10.0.0.99\n";
  expect(await run).toEqual({
    status: 1,
    out: "",
    err: `${line.repeat(5)}Failed to move IP 10.0.0.99 to node 1\n`,
  });
  expect(course).toEqual([]);
});

test("moveip turns takeover runs on again when a node refuses in the middle", async () => {
  const time = new ManualTime();
  const { ctdbd, course } = world();
  let refusals = 0;
  ctdbd.on("TAKEOVER_IP", () => {
    refusals += 1;
    return refusals === 1 ? { status: -1 } : {};
  });
  const run = runCtdb({ ctdbd, time }, "moveip", "10.0.0.31", "1");
  await settle();
  await time.advance(3000);
  expect(await run).toMatchObject({
    status: 0,
    err: "Control TAKEOVER_IP failed, ret=-1\nFailed to takeover IP on node 1\n",
  });
  const attempt = [...all("disable 20"), "RELEASE_IP 0", "RELEASE_IP 2", ...all("enable")];
  expect(course).toEqual([...attempt, ...attempt, ...all("IPREALLOCATED")]);
});

test("a node that does not turn takeover runs off ends the attempt", async () => {
  const time = new ManualTime();
  const silent = world((pnn) => (pnn === 2 ? undefined : pnn));
  const run = runCtdb({ ctdbd: silent.ctdbd, time }, "-t", "1", "reloadips");
  await settle();
  await time.advance(1000);
  expect(await run).toEqual({
    status: ETIME,
    out: "",
    err: "Timed out waiting to disable takeover runs\nFailed to disable takeover runs\n",
  });
  expect(silent.course).toEqual([...all("disable 2"), ...all("enable")]);
  const refusing = world((pnn) => (pnn === 2 ? -22 : pnn));
  const refused = runCtdb({ ctdbd: refusing.ctdbd, time }, "-t", "1", "reloadips");
  await settle();
  await advanceInSteps(time, 1000);
  expect(await refused).toEqual({
    status: 1,
    out: "",
    err: "Failed to disable takeover runs\n",
  });
  expect(refusing.course.some((step) => step.startsWith("RELOAD"))).toBe(false);
});

test("a node in the middle of a takeover run is asked again until that is over", async () => {
  const time = new ManualTime();
  let asked = 0;
  const busy = world((pnn) => {
    if (pnn !== 2) return pnn;
    asked += 1;
    return asked <= 2 ? -22 : pnn;
  });
  const run = runCtdb({ ctdbd: busy.ctdbd, time }, "reloadips");
  await settle();
  await advanceInSteps(time, 500);
  expect(await run).toEqual({ status: 0, out: "", err: "" });
  expect(busy.course.slice(0, 7)).toEqual([
    ...all("disable 20"),
    "disable 20 2",
    "disable 20 2",
    "RELOAD_PUBLIC_IPS 0",
  ]);
});

async function advanceInSteps(time: ManualTime, untilMs: number): Promise<void> {
  for (let atMs = 0; atMs < untilMs; atMs += 250) {
    await time.advance(250);
    await settle();
  }
}

test("reloadips reloads on the active ones of the nodes, then asks for a takeover run", async () => {
  const one = world();
  expect((await runCtdb({ ctdbd: one.ctdbd }, "reloadips")).status).toBe(0);
  expect(one.course).toEqual([
    ...all("disable 20"),
    "RELOAD_PUBLIC_IPS 0",
    ...all("enable"),
    "takeover run",
  ]);
  const many = world();
  many.ctdbd.on("RELOAD_PUBLIC_IPS", (_, pnn) => {
    many.course.push(`RELOAD_PUBLIC_IPS ${pnn}`);
    return pnn === 1 ? { status: 1 } : {};
  });
  expect(await runCtdb({ ctdbd: many.ctdbd }, "reloadips", "all")).toEqual({
    status: 0,
    out: "",
    err: "Failed to reload IPs on some nodes.\n",
  });
  expect(many.course).toEqual([
    ...all("disable 20"),
    ...[0, 1, 2].map((pnn) => `RELOAD_PUBLIC_IPS ${pnn}`),
    ...all("enable"),
    "takeover run",
  ]);
  expect((await runCtdb({ ctdbd: world().ctdbd }, "reloadips", "3")).status).toBe(1);
});

test("addip adds what is not known, and has the leader give the node addresses", async () => {
  const { ctdbd, course } = world();
  const run = (...args: string[]) => runCtdb({ ctdbd }, ...args);
  expect(await run("addip", "10.0.0.31/24", "eth0")).toEqual({
    status: 0,
    out: "",
    err: "Node already knows about IP 10.0.0.31\n",
  });
  expect(course).toEqual([]);
  expect((await run("-n", "1", "addip", "fd00::31/64", "eth0")).status).toBe(0);
  const added = ctdbd.controls.find(({ name }) => name === "ADD_PUBLIC_IP");
  expect(added).toMatchObject({
    destnode: 1,
    request: { addr: must(parseAddress("fd00::31")), mask: 64, iface: "eth0" },
  });
  expect(ctdbd.messages).toEqual([
    { destnode: BROADCAST_CONNECTED, srvid: SRVID.REBALANCE_NODE, data: encode(u32Codec, 1) },
  ]);
  for (const wrong of ["10.0.0.31", "10.0.0.31/33", "fd00::31/129", "x/24", "10.0.0.31/", "/24"]) {
    expect(await run("addip", wrong, "eth0")).toMatchObject({
      status: 1,
      err: `Invalid IP/Mask ${wrong}\n`,
    });
  }
});

test("addip gives up after five refusals", async () => {
  const time = new ManualTime();
  const { ctdbd } = world();
  ctdbd.on("ADD_PUBLIC_IP", () => ({ status: -1 }));
  const run = runCtdb({ ctdbd, time }, "addip", "10.0.0.32/24", "eth0");
  for (let i = 0; i < 4; i++) {
    await settle();
    await time.advance(3000);
  }
  const line = "Control ADD_PUBLIC_IP failed, ret=-1\n";
  expect(await run).toEqual({
    status: 1,
    out: "",
    err: `${line.repeat(5)}Failed to add public IP to node 0. Giving up\n`,
  });
  expect(ctdbd.messages).toEqual([]);
});

test("delip deletes what is known", async () => {
  const { ctdbd } = world();
  expect((await runCtdb({ ctdbd }, "-n", "1", "delip", "10.0.0.31")).status).toBe(0);
  expect(ctdbd.controls.at(-1)).toMatchObject({
    name: "DEL_PUBLIC_IP",
    destnode: 1,
    request: { addr: ADDRESS, mask: 0, iface: "" },
  });
  expect(await runCtdb({ ctdbd }, "delip", "10.0.0.99")).toEqual({
    status: 0,
    out: "",
    err: "Node does not know about IP address 10.0.0.99\n",
  });
  ctdbd.on("GET_PUBLIC_IPS", () => ({ status: -1 }));
  expect(await runCtdb({ ctdbd }, "delip", "10.0.0.31")).toMatchObject({
    status: 1,
    err: "Control GET_PUBLIC_IPS failed, ret=-1\nFailed to get Public IPs from node 0\n",
  });
});

test("gratarp has the node announce the address", async () => {
  const { ctdbd } = world();
  ctdbd.on("SEND_GRATUITOUS_ARP", () => ({}));
  expect((await runCtdb({ ctdbd }, "-n", "2", "gratarp", "10.0.0.31", "eth0")).status).toBe(0);
  expect(ctdbd.controls.at(-1)).toMatchObject({
    name: "SEND_GRATUITOUS_ARP",
    destnode: 2,
    request: { addr: ADDRESS, mask: 0, iface: "eth0" },
    srvid: u64(0, 0),
  });
});
