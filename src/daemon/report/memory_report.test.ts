import { expect, test } from "bun:test";
import { memoryReport } from "./memory_report.ts";

test("memoryReport() shows the parts below their owner, and sums them up", () => {
  const report = memoryReport({
    name: "all",
    bytes: 100,
    children: [
      { name: "clients", bytes: 20, children: [{ name: "client-1", bytes: 3.4 }] },
      { name: "nodes", bytes: 1_000_000 },
    ],
  });
  const lines = report.split("\n");
  expect(lines.map((line) => line.replace(/ {2,}contains/, " contains"))).toEqual([
    "full talloc report on 'all' (total 1000123 bytes in 4 blocks)",
    "    clients contains     23 bytes in   2 blocks (ref 0) 0x1",
    "        client-1 contains      3 bytes in   1 blocks (ref 0) 0x2",
    "    nodes contains 1000000 bytes in   1 blocks (ref 0) 0x3",
    "",
  ]);
});

test("memoryReport() keeps one space before the number of blocks in the first line", () => {
  const [first] = memoryReport({ name: "small", bytes: 123_456 }).split("\n");
  expect(first).toBe("full talloc report on 'small' (total 123456 bytes in 1 blocks)");
});
