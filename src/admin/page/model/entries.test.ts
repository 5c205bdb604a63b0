import { expect, test } from "bun:test";
import type { Entry } from "./documents.ts";
import { Entries } from "./entries.ts";

const entry = (node: number, id: number, timeUs: number): Entry => ({
  node,
  id,
  timeUs,
  process: "ctdbd",
  text: "",
  event: { kind: "link_up", peer: 1 },
});

test("Entries.add() keeps each once, by time", () => {
  const entries = new Entries(10);
  expect(entries.add([entry(0, 2, 20), entry(1, 2, 10), entry(0, 2, 20)])).toBe(2);
  const { version } = entries;
  expect(entries.add([entry(0, 2, 20)])).toBe(0);
  expect(entries.version).toBe(version);
  expect(entries.add([entry(0, 2, 20), entry(0, 1, 10)])).toBe(1);
  expect(entries.version).not.toBe(version);
  expect(entries.all.map(({ node, id }) => `${node}:${id}`)).toEqual(["0:1", "1:2", "0:2"]);
});

test("Entries.add() lets the oldest go, and may take them again", () => {
  const entries = new Entries(3);
  entries.add([1, 2, 3, 4, 5].map((id) => entry(0, id, id)));
  expect(entries.all.map(({ id }) => id)).toEqual([3, 4, 5]);
  entries.clear();
  expect(entries.add([entry(0, 5, 5)])).toBe(1);
});

test("Entries.inside() has both ends; neighbour() has neither", () => {
  const entries = new Entries(10);
  entries.add([10, 20, 30].map((us) => entry(0, us, us)));
  expect(entries.inside({ fromUs: 10, toUs: 20 }).map(({ id }) => id)).toEqual([10, 20]);
  expect(entries.neighbour(20, "before", () => true)?.id).toBe(10);
  expect(entries.neighbour(20, "after", () => true)?.id).toBe(30);
  expect(entries.neighbour(20, "after", () => false)).toBeUndefined();
  expect(entries.neighbour(10, "before", () => true)).toBeUndefined();
});
