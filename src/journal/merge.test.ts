import { expect, test } from "bun:test";
import { err, ok } from "../base/result.ts";
import { mergeEvents } from "./merge.ts";
import type { KeptEvent, NodeAnswer } from "./types.ts";

/** `[number, wall seconds, monotonic seconds]` of each event. */
function answer(
  node: number,
  aheadS: number,
  events: readonly (readonly [id: number, wall: number, monotonic: number])[],
): NodeAnswer {
  const kept = events.map(([id, wall, monotonic]): KeptEvent => {
    const event = { kind: "election", reason: "" } as const;
    const times = { time_us: wall * 1e6, monotonic_ms: monotonic * 1000 };
    const ring = monotonic < (events[0]?.[2] ?? 0) ? "second" : "first";
    return { id, node, ring, number: id, ...times, process: "ctdbd", event };
  });
  return { node, events: ok(kept), clockAheadUs: aheadS * 1e6, clockErrorUs: 0 };
}

function shown(answers: readonly NodeAnswer[]): readonly string[] {
  return mergeEvents(answers).map(
    ({ node, id, common_us }) => `${node}:${id} at ${common_us / 1e6}`,
  );
}

test("mergeEvents() orders by a common time", () => {
  const one = answer(0, 0, [
    [1, 100, 1],
    [2, 110, 11],
  ]);
  const other = answer(1, 3600, [
    [8, 3705, 50],
    [7, 3699, 44],
  ]);
  const silent: NodeAnswer = { ...one, node: 2, events: err("it has no journal") };
  expect(shown([one, silent, other])).toEqual([
    "1:7 at 99",
    "0:1 at 100",
    "1:8 at 105",
    "0:2 at 110",
  ]);
});

test("mergeEvents() takes out what a clock was set back by", () => {
  const stepped = answer(0, 0, [
    [1, 5100, 100],
    [2, 5101, 101],
    // The clock was set back by 5000 s here; then the machine stood still for 10.
    [3, 102, 102],
    [4, 113, 103],
  ]);
  const other = answer(1, 0, [[1, 111.5, 7]]);
  expect(shown([stepped, other])).toEqual([
    "0:1 at 100",
    "0:2 at 101",
    "0:3 at 102",
    "1:1 at 111.5",
    "0:4 at 113",
  ]);
});

test("mergeEvents() takes no notice of the monotonic clocks of children", () => {
  const own = answer(0, 0, [[1, 100, 1000]]);
  const child = answer(0, 0, [
    [2, 160, 7000],
    [3, 170, 2],
  ]);
  const told = (child.events.ok ? child.events.value : []).map((event) => {
    return { ...event, process: "recovery_helper" as const };
  });
  const both = ok([...(own.events.ok ? own.events.value : []), ...told]);
  expect(shown([{ ...own, events: both }])).toEqual(["0:1 at 100", "0:2 at 160", "0:3 at 170"]);
});

test("mergeEvents() keeps the order of a node over a start of its machine with a wrong clock", () => {
  const restarted = answer(0, 0, [
    [1, 9000, 500],
    [2, 100, 5],
    [3, 101, 6],
  ]);
  const other = answer(1, 0, [
    [1, 99, 1],
    [2, 102, 4],
  ]);
  expect(shown([restarted, other]).map((text) => text.slice(0, 3))).toEqual([
    "1:1",
    "0:1",
    "0:2",
    "0:3",
    "1:2",
  ]);
});

test("mergeEvents() keeps the order of events that a child told of later", () => {
  const late = answer(0, 0, [
    [1, 100, 10],
    [2, 99.5, 9.5],
    [3, 101, 11],
  ]);
  expect(shown([late])).toEqual(["0:1 at 100", "0:2 at 99.5", "0:3 at 101"]);
});
