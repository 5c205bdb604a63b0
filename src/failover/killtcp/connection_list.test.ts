import { expect, test } from "bun:test";
import { textBytes } from "../../base/byte_text.ts";
import { ConnectionList } from "./connection_list.ts";
import { LINE_BYTES_MAX } from "./limits.ts";

function read(text: string, pieceBytes = text.length + 1) {
  const problems: [number, string][] = [];
  const list = new ConnectionList((lineNumber, reason) => problems.push([lineNumber, reason]));
  const bytes = textBytes(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    list.push(bytes.subarray(at, at + pieceBytes));
  }
  list.end();
  return { problems, connections: list.connections };
}

const LIST = `
# a comment
10.0.0.9:1000 10.0.0.1:445
\t[fd00::9]:1001   [fd00::1]:445
garbage
10.0.0.9:1 [::1]:2
::ffff:10.0.0.9:1002 10.0.0.1:445 more
${"x".repeat(LINE_BYTES_MAX + 1)}
10.0.0.9:1003 10.0.0.1:445`;

test("ConnectionList tells wrong lines by number and keeps the others, cut anywhere", () => {
  for (const pieceBytes of [1, 7, 1000]) {
    const { problems, connections } = read(LIST, pieceBytes);
    expect(connections.map(({ src, dst }) => [src.address, src.port, dst.address])).toEqual([
      ["10.0.0.9", 1000, "10.0.0.1"],
      ["fd00::9", 1001, "fd00::1"],
      ["10.0.0.9", 1002, "10.0.0.1"],
      ["10.0.0.9", 1003, "10.0.0.1"],
    ]);
    expect(problems.map(([lineNumber]) => lineNumber)).toEqual([5, 6, 8]);
    expect(problems[0]?.[1]).toContain('"garbage"');
  }
});

test("ConnectionList takes a line of the longest length, and none that is longer", () => {
  const line = "10.0.0.9:1 10.0.0.1:2".padEnd(LINE_BYTES_MAX);
  expect(read(`${line}\n`).connections.length).toBe(1);
  expect(read(`${line} \n`).problems.length).toBe(1);
});

test("ConnectionList survives bytes that are no text, and a line without end", () => {
  const list = new ConnectionList(() => {});
  for (let i = 0; i < 100; i++) list.push(new Uint8Array(65_536).fill(0xff));
  list.end();
  expect(list.connections).toEqual([]);
});
