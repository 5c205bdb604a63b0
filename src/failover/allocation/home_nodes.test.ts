import { expect, test } from "bun:test";
import { parseHomeNodes } from "./home_nodes.ts";

function homes(text: string) {
  const parsed = parseHomeNodes(text);
  if (!parsed.ok) return parsed.error;
  return parsed.value.map(({ addr, pnn }) => `${addr.address} ${pnn}`);
}

test("parseHomeNodes() takes an address and a node of each line, and ignores what says nothing", () => {
  expect(homes("10.0.0.1 2\n\n \t\n10.0.0.2\n\tfd00::1\t 3 and more\n10.0.0.3 0")).toEqual([
    "10.0.0.1 2",
    "fd00::1 3",
    "10.0.0.3 0",
  ]);
  expect(homes("")).toEqual([]);
});

test("parseHomeNodes() refuses the file for one wrong line, and names it", () => {
  expect(homes("10.0.0.1 2\n# home nodes\n")).toBe('line 2: expected an IP address, got "#"');
  expect(homes("10.0.0.300 1")).toBe('line 1: expected an IP address, got "10.0.0.300"');
  for (const node of ["-1", "two", "1x", "99999999999", "1\r"]) {
    expect(homes(`10.0.0.1 ${node}\n`)).toBe(`line 1: expected a node number, got "${node}"`);
  }
});
