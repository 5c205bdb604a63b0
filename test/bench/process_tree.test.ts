import { expect, test } from "bun:test";
import { parseStat, processTree } from "./process_tree.ts";

test("parseStat() reads names with blanks and parentheses", () => {
  expect(parseStat("42 (a (b) c) S 7 42 42 0 -1")).toEqual({ pid: 42, role: "a (b) c", parent: 7 });
  expect(parseStat("")).toBeUndefined();
});

test("processTree() has the process itself first and its children behind it", () => {
  const child = Bun.spawn(["sleep", "60"]);
  try {
    const [own, ...others] = processTree(process.pid);
    expect(own?.pid).toBe(process.pid);
    expect(others.map(({ pid }) => pid)).toContain(child.pid);
  } finally {
    child.kill();
  }
});

test("processTree() of a process that does not run throws", () => {
  expect(() => processTree(2 ** 30)).toThrow("process 1073741824 does not run");
});
