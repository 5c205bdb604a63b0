import { expect, test } from "bun:test";
import { endpointText } from "../../wire/structs/connection_text.ts";
import { type KernelSocket, tcpSockets, unixSockets } from "./kernel_sockets.ts";
import { parseFilter } from "./socket_filter.ts";
import { parseSs } from "./ss_arguments.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1127 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 6500010A:01BD C800010A:C001 01 00000010:00000002 00:00000000 00000000     0        0 2 1 0 20 4 24 10 -1
   2: 6500010A:0801 C800010A:C002 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
`;
const TCP6 = `  sl  local_address                         remote_address
   0: 000000FD000000000000000001010000:01BD 000000FD000000000000000002010000:C003 01 00000000:00000000 00:00000000 00000000     0        0 3
   1: 0000000000000000FFFF00006500010A:01BD 0000000000000000FFFF0000C800010A:C004 01 00000000:00000000 00:00000000 00000000     0        0 4
`;
const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
0000000060a5d967: 00000003 00000000 00000000 0001 03 11916969
000000005bdc8b71: 00000002 00000000 00010000 0001 01 77 /run/a name
000000005bdc8b72: 00000002 00000000 00000000 0002 01 78 @abstract
`;

const sockets = [...tcpSockets(TCP), ...tcpSockets(TCP6), ...unixSockets(UNIX)];

function local({ local }: KernelSocket): string {
  return typeof local === "string" ? local : endpointText(local);
}

function selected(...words: readonly string[]): readonly string[] {
  const selects = parseFilter(words);
  if (!selects.ok) return [selects.error];
  return sockets.filter(selects.value).map(local);
}

test("tcpSockets() and unixSockets() read what the kernel lists", () => {
  expect(sockets.map((socket) => `${socket.kind} ${socket.state} ${local(socket)}`)).toEqual([
    "tcp listening 0.0.0.0:4391",
    "tcp established 10.1.0.101:445",
    "tcp time-wait 10.1.0.101:2049",
    "tcp established [fd00::101]:445",
    "tcp established [::ffff:10.1.0.101]:445",
    "u_str established ",
    "u_str listening /run/a name",
    "u_dgr closed @abstract",
  ]);
  expect(sockets[1]).toMatchObject({ receiveQueue: 2, sendQueue: 16 });
});

test("parseFilter() selects by address, whatever form it is written in, and by port", () => {
  const v4 = ["10.1.0.101:445", "10.1.0.101:2049", "[::ffff:10.1.0.101]:445"];
  expect(selected("src", "10.1.0.101")).toEqual(v4);
  expect(selected("src [10.1.0.101]")).toEqual(v4);
  expect(selected("( src [fd00::101] || src [::ffff:10.1.0.101]:2049 )")).toEqual([
    "10.1.0.101:2049",
    "[fd00::101]:445",
  ]);
  expect(selected("sport = :445", "and", "not dst 10.1.0.200")).toEqual(["[fd00::101]:445"]);
  expect(selected("sport = :445 dport >= :49156")).toEqual(["[::ffff:10.1.0.101]:445"]);
  expect(selected("src", "/run/x")).toEqual([]);
  expect(selected("! ( sport gt :0 )", "src @abstract")[0]).toContain("expected an IP address");
});

test("parseFilter() quotes the filter and where it is wrong", () => {
  for (const [filter, reason] of [
    ["src", "expected an address, the filter ends"],
    [
      "src 10.0.0.300",
      'expected an IP address, with or without a port, or a path, got "10.0.0.300"',
    ],
    ["( src 10.1.0.1", 'expected ")", the filter ends'],
    ["sport = 445x", 'expected a number of a port, got "445x"'],
    ["dev eth0", 'expected src, dst, sport or dport, got "dev"'],
    ["src 10.1.0.1 )", 'expected and, or or the end, got ")"'],
  ] as const) {
    expect(selected(filter)[0]).toBe(`filter "${filter}": ${reason}`);
  }
});

test("parseSs() knows states, and refuses what it cannot do", () => {
  const states = (...args: readonly string[]) => {
    const request = parseSs(args);
    return typeof request === "string" ? request : [...request.states].sort().join(" ");
  };
  expect(states("-tnH", "state", "established")).toBe("established");
  expect(states("-ltn")).toBe("closed listening");
  expect(states("-t", "exclude", "listening", "exclude", "connected")).toBe("closed");
  expect(states("-tn")).not.toMatch(/listening|closed|time-wait|syn-recv/);
  expect(states("-K", "src", "10.1.0.1")).toContain("-K (--kill)");
  expect(states("-p")).toContain('"-p"');
  expect(states("--processes")).toContain('"--processes"');
  expect(states("state", "lost")).toContain('got "lost"');
  expect(states("--help")).toBe("help");
});
