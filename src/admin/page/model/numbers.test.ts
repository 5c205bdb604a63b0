import { expect, test } from "bun:test";
import {
  countText,
  keyText,
  listText,
  maybeCount,
  nodesText,
  plural,
  rangesText,
} from "./numbers.ts";

test("countText() is short and grouped", () => {
  expect([0, 0.44, 9.96, 12.7, 1240, 918_204, 12_345_678].map(countText)).toEqual([
    "0",
    "0.4",
    "10",
    "13",
    "1\u202f240",
    "918\u202f204",
    "12.3 M",
  ]);
  expect(maybeCount(null)).toBe("–");
});

test("keyText() shows text where there is text, and cuts what is long", () => {
  expect(keyText("68656c6c6f00")).toBe("hello");
  expect(keyText("68656c6c6f01")).toBe("68656c6c6f01");
  expect(keyText("")).toBe("");
  expect(keyText("61".repeat(100))).toBe(`${"a".repeat(24)}…`);
  expect(keyText("ff".repeat(100))).toBe(`${"ff".repeat(12)}…`);
});

test("rangesText() is short for many", () => {
  expect(rangesText([5, 0, 1, 2, 3])).toBe("0–3, 5");
  expect(rangesText([7, 7])).toBe("7");
  expect(rangesText([])).toBe("");
});

test("words of numbers", () => {
  expect(plural(1, "event")).toBe("1 event");
  expect(plural(2, "event is", "events are")).toBe("2 events are");
  expect(listText(["a", "b", "c"])).toBe("a, b and c");
  expect([nodesText([2]), nodesText([0, 2])]).toEqual(["node 2", "nodes 0 and 2"]);
});
