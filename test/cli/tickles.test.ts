/** Commands about connections of others; texts were recorded from Debian's ctdb 4.17. */
import { expect, test } from "bun:test";
import type { TcpSegment } from "../../src/platform/types/raw_network.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const NODES = [nodeAt(0), nodeAt(1)];
const EINVAL = 22;

function end(address: string, port: number) {
  return must(parseAddress(address, port));
}
const CONNECTION = { src: end("10.9.9.9", 50001), dst: end("10.0.0.31", 445) };
const CONNECTION6 = { src: end("fd00::9", 50002), dst: end("fd00::31", 445) };

test("gettickles shows the connections of an address", async () => {
  const ctdbd = daemon(NODES).on("GET_TCP_TICKLE_LIST", (addr) => ({
    data: { addr, connections: [CONNECTION, CONNECTION6] },
  }));
  expect(await runCtdb({ ctdbd }, "gettickles", "10.0.0.31")).toEqual({
    status: 0,
    err: "",
    out: `Connections for IP: 10.0.0.31
Num connections: 2
SRC: 10.9.9.9:50001   DST: 10.0.0.31:445
SRC: [fd00::9]:50002   DST: [fd00::31]:445
`,
  });
  expect((await runCtdb({ ctdbd }, "-X", "-n", "1", "gettickles", "10.0.0.31", "445")).out).toBe(
    `|Source IP|Port|Destination IP|Port|
|10.9.9.9|50001|10.0.0.31|445|
|fd00::9|50002|fd00::31|445|
`,
  );
  expect(ctdbd.controls.at(-1)).toMatchObject({ destnode: 1, request: end("10.0.0.31", 445) });
  for (const port of ["x", "445x", ""]) {
    expect((await runCtdb({ ctdbd }, "gettickles", "10.0.0.31", port)).status).toBe(EINVAL);
  }
});

test("gettickles of an address that the node does not know fails with its positive status", async () => {
  const ctdbd = daemon(NODES).on("GET_TCP_TICKLE_LIST", () => ({ status: 1 }));
  expect(await runCtdb({ ctdbd }, "gettickles", "10.0.0.99")).toEqual({
    status: 1,
    out: "",
    err: "Control GET_TCP_TICKLE_LIST failed, ret=1\nFailed to get list of connections\n",
  });
});

test("addtickle and deltickle take one connection", async () => {
  const ctdbd = daemon(NODES)
    .on("TCP_ADD_DELAYED_UPDATE", () => ({}))
    .on("TCP_REMOVE", () => ({ status: -1 }));
  const run = (...args: string[]) => runCtdb({ ctdbd }, ...args);
  expect((await run("addtickle", "10.9.9.9:50001", "10.0.0.31:445")).status).toBe(0);
  expect(ctdbd.controls.at(-1)).toMatchObject({
    name: "TCP_ADD_DELAYED_UPDATE",
    request: CONNECTION,
  });
  expect(await run("deltickle", "[fd00::9]:50002", "fd00::31:445")).toEqual({
    status: 1,
    out: "",
    err: "Control TCP_REMOVE failed, ret=-1\nFailed to unregister connection\n",
  });
  expect(ctdbd.controls.at(-1)?.request).toEqual(CONNECTION6);
  for (const wrong of ["10.0.0.31", "10.0.0.31:", "10.0.0.31:65536", ":445", "10.0.0.31:x"]) {
    expect(await run("addtickle", "10.9.9.9:1", wrong)).toMatchObject({
      status: 1,
      err: `Invalid IP address ${wrong}\n`,
    });
  }
  expect((await run("addtickle", "10.9.9.9:1")).out).toContain("add a tickle");
});

test("addtickle sends every connection of a long list, some at a time, and counts what failed", async () => {
  const COUNT = 2345;
  let waiting = 0;
  let waitingMax = 0;
  const ctdbd = daemon(NODES).on("TCP_ADD_DELAYED_UPDATE", ({ src }) => {
    waiting += 1;
    waitingMax = Math.max(waitingMax, waiting);
    return src.port % 100 === 0 ? { status: -1 } : {};
  });
  ctdbd.answerLater = (answer) =>
    setImmediate(() => {
      waiting -= 1;
      answer();
    });
  const lines = Array.from({ length: COUNT }, (_, i) => `10.9.9.9:${i + 1} 10.0.0.31:445`);
  const input = `# the ones of yesterday\n\n${lines.join("\n")}`;
  expect(await runCtdb({ ctdbd, input }, "addtickle")).toEqual({
    status: 1,
    out: "",
    err: "Failed to add 23 tickles\n",
  });
  const ports = ctdbd.controls
    .filter(({ name }) => name === "TCP_ADD_DELAYED_UPDATE")
    .map(({ request }) => (request as typeof CONNECTION).src.port);
  expect(ports).toEqual(lines.map((_, i) => i + 1));
  expect(waitingMax).toBeLessThanOrEqual(500);
});

test("a list with a line that is no connection changes nothing, and the line is named", async () => {
  const ctdbd = daemon(NODES).on("TCP_REMOVE", () => ({}));
  const wrong = async (line: string) => {
    const input = `10.9.9.9:1 10.0.0.31:445\n${line}\n`;
    const { status, err } = await runCtdb({ ctdbd, input }, "deltickle");
    expect(status).toBe(EINVAL);
    return err;
  };
  expect(await wrong("garbage")).toBe(
    'Cannot use standard input: line 2: expected SOURCE:PORT DESTINATION:PORT, got "garbage"\n',
  );
  expect(await wrong("10.9.9.9:1 10.0.0.31")).toContain('and a port, got "10.0.0.31"');
  expect(await wrong("[::1]:445 10.0.0.31:445")).toContain("addresses of one family");
  expect(ctdbd.controls.filter(({ name }) => name === "TCP_REMOVE")).toEqual([]);
  const input = "[::1]:445\t::2:9 more\n::ffff:10.0.0.1:445   10.0.0.31:1\n";
  expect((await runCtdb({ ctdbd, input }, "deltickle")).status).toBe(0);
  expect(ctdbd.controls.slice(-2).map(({ request }) => request)).toEqual([
    { src: end("::1", 445), dst: end("::2", 9) },
    { src: end("10.0.0.1", 445), dst: end("10.0.0.31", 1) },
  ]);
});

test("tickle sends an acknowledgement to the first end as if from the second, without a daemon", async () => {
  const segments: TcpSegment[] = [];
  expect(await runCtdb({ segments }, "tickle", "10.9.9.9:50001", "10.0.0.31:445")).toEqual({
    status: 0,
    out: "",
    err: "",
  });
  expect(segments).toMatchObject([
    {
      src: { family: "ipv4", address: "10.0.0.31", port: 445 },
      dst: { family: "ipv4", address: "10.9.9.9", port: 50001 },
      seq: 0,
      ack: 0,
      flags: { ack: true, rst: false, syn: false },
      window: 1234,
    },
  ]);
});

test("tickle takes a list, and counts what could not be sent", async () => {
  const segments: TcpSegment[] = [];
  const input = "10.9.9.9:1 10.0.0.31:445\n[fd00::9]:2 [fd00::31]:445\n10.9.9.8:3 10.0.0.31:445\n";
  const world = { segments, input, unreachable: ["fd00::9"] };
  expect(await runCtdb(world, "tickle")).toMatchObject({
    status: 1,
    err: "Failed to send 1 tickles\n",
  });
  expect(segments.map(({ dst }) => dst.port)).toEqual([1, 3]);
  expect(await runCtdb({ input: "" }, "tickle")).toMatchObject({ status: 0, err: "" });
  const notPermitted = await runCtdb({}, "tickle", "10.9.9.9:1", "10.0.0.31:445");
  expect(notPermitted.status).toBe(1);
  expect(notPermitted.err).toStartWith("Failed to send tickle ack");
});

test("tickle waits for a network that takes no more", async () => {
  const segments: TcpSegment[] = [];
  const time = new ManualTime();
  const busy = { times: 3 };
  const run = runCtdb({ segments, busy, time }, "tickle", "10.9.9.9:1", "10.0.0.31:445");
  for (let i = 0; i < 3; i++) {
    await settle();
    expect(segments).toEqual([]);
    await time.advance(1);
  }
  expect((await run).status).toBe(0);
  expect(segments.length).toBe(1);
});
