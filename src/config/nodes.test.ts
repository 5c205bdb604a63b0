import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { loadNodesFile, nodesSource, parseNodes } from "./nodes.ts";
import { problemText } from "./problems.ts";

test("parseNodes() numbers the lines, deleted ones included, and skips empty ones", () => {
  const outcome = parseNodes("10.0.0.1\n\n#10.0.0.2\n \tFD00::0:3 \n", "nodes");
  expect(outcome.ok && outcome.value).toEqual([
    { pnn: 0, address: "10.0.0.1", deleted: false },
    { pnn: 1, address: "", deleted: true },
    { pnn: 2, address: "fd00::3", deleted: false },
  ]);
});

test("parseNodes() strips what the original strips, and keeps one way to write an address", () => {
  const outcome = parseNodes("127.0.0.1\r\n\t[::1] \r\n::ffff:127.0.0.2\n", "nodes");
  expect(outcome.ok && outcome.value.map(({ address }) => address)).toEqual([
    "127.0.0.1",
    "::1",
    "127.0.0.2",
  ]);
  const wrong = parseNodes("127.0.0.1\v\n\u00a0127.0.0.2\n::ffff:127.0.0.3\n127.0.0.3\n", "n");
  expect(wrong.ok ? [] : wrong.error.map(problemText)).toEqual([
    '"n": line 1: expected an IP address, got "127.0.0.1\\x0b"',
    '"n": line 2: expected an IP address, got "\u00a0127.0.0.2"',
    '"n": line 4: expected an address of its own, "127.0.0.3" is node 2 already',
  ]);
});

test("parseNodes() reports every wrong line with its value", () => {
  const outcome = parseNodes("10.0.0.300\n10.0.0.1\nhost\n10.0.0.1", "/etc/ctdb/nodes");
  expect(outcome.ok ? [] : outcome.error.map(problemText)).toEqual([
    '"/etc/ctdb/nodes": line 1: expected an IP address, got "10.0.0.300"',
    '"/etc/ctdb/nodes": line 3: expected an IP address, got "host"',
    '"/etc/ctdb/nodes": line 4: expected an address of its own, "10.0.0.1" is node 1 already',
  ]);
});

test("parseNodes() refuses a file without nodes", () => {
  const outcome = parseNodes("\n \n", "nodes");
  expect(outcome.ok ? [] : outcome.error.map((problem) => problem.reason)).toEqual([
    "expected at least one node, it is empty",
  ]);
});

test("loadNodesFile() names a file that is missing", () => {
  const outcome = loadNodesFile(new MemoryFiles(), "/n/nodes");
  expect(outcome.ok ? [] : outcome.error.map(problemText)).toEqual([
    '"/n/nodes": expected a nodes file, there is none',
  ]);
});

test("nodesSource() tells a file from a command", () => {
  const paths = { etcDirectory: "/etc/ctdb" };
  expect(nodesSource({ cluster: { nodesList: undefined } }, paths)).toEqual({
    kind: "file",
    path: "/etc/ctdb/nodes",
  });
  expect(nodesSource({ cluster: { nodesList: "! /bin/cat  /x" } }, paths)).toEqual({
    kind: "command",
    argv: ["/bin/cat", "/x"],
  });
});
