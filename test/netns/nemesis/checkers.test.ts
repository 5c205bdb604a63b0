/** Each checker is fed with a bad history, and with the good one beside it. */
import { expect, test } from "bun:test";
import {
  keysWatched,
  type LeaderEvent,
  lostPersistent,
  lostVolatile,
  otherLeaders,
  unanswered,
} from "./checkers.ts";
import type { NodeEvent } from "./node_journals.ts";
import { survivorsOf } from "./survivors.ts";
import { Visibility } from "./visibility.ts";
import {
  COUNTER_DATABASE,
  COUNTER_KEYS,
  type Operation,
  PERSISTENT_DATABASE,
  PERSISTENT_KEY,
} from "./workload_steps.ts";

const [KEY = ""] = COUNTER_KEYS;
const NEVER = Number.POSITIVE_INFINITY;

/** One that ends 5 ms after it began, with that number. */
function commit(node: number, beginMs: number, value: number): Operation {
  const where = { database: PERSISTENT_DATABASE, key: PERSISTENT_KEY };
  return { node, ...where, beginMs, endMs: beginMs + 5, how: "done", value };
}
function write(node: number, beginMs: number, value: number): Operation {
  return { ...commit(node, beginMs, value), database: COUNTER_DATABASE, key: KEY };
}
/** One that nobody has answered. */
function pending(node: number, beginMs: number): Operation {
  return { ...write(node, beginMs, 0), endMs: NEVER, how: undefined, value: undefined };
}

test("lostPersistent() tells of a number that was given twice", () => {
  expect(lostPersistent([commit(0, 0, 1), commit(1, 10, 2), commit(0, 20, 3)])).toEqual([]);
  expect(lostPersistent([commit(0, 0, 1), commit(1, 2, 1), commit(0, 20, 2)]).length).toBe(1);
});

test("lostPersistent() tells of a commit that is gone at the end", () => {
  const wrong = lostPersistent([commit(0, 0, 7), commit(1, 10, 9), commit(2, 90, 8)]);
  expect(wrong).toEqual([
    "total: 8 was acknowledged to node 2 at 95, after 9 was acknowledged to node 1 at 15",
  ]);
});

test("lostPersistent() lets commits that were under way together come in any order", () => {
  expect(lostPersistent([commit(0, 0, 2), commit(1, 3, 1), commit(0, 20, 3)])).toEqual([]);
});

const round = { fromMs: 100, togetherMs: 200, survivors: new Set([0, 1]) };

test("lostVolatile() tells of a write of a survivor that is gone", () => {
  const kept = [write(0, 50, 5), write(1, 150, 6)];
  expect(lostVolatile([...kept, write(2, 210, 7)], round)).toEqual([]);
  expect(lostVolatile([...kept, write(2, 210, 6)], round).length).toBeGreaterThan(0);
  expect(lostVolatile([write(0, 50, 5), write(2, 210, 3)], round).length).toBe(1);
});

test("lostVolatile() forgives what went with a node that did not survive", () => {
  const lost = [write(0, 50, 5), write(2, 60, 6), write(0, 210, 6)];
  expect(lostVolatile(lost, round)).toEqual([]);
  expect(keysWatched(lost, round)).toBe(0);
  expect(lostVolatile([write(0, 50, 5), pending(2, 60), write(0, 210, 3)], round)).toEqual([]);
  expect(keysWatched([write(0, 50, 5), write(2, 210, 6)], round)).toBe(1);
});

test("lostVolatile() does not forgive what a node asks for when all is well again", () => {
  expect(lostVolatile([write(0, 50, 5), write(2, 201, 2)], round).length).toBe(1);
});

const took = (node: number, atMs: number): LeaderEvent => ({ node, atMs, kind: "lock_taken" });
const began = (node: number, atMs: number): LeaderEvent => ({
  ...{ node, atMs, kind: "recovery_started" },
});
const ended = (node: number, atMs: number, succeeded: boolean): LeaderEvent => ({
  ...{ node, atMs, kind: "recovery_ended", succeeded },
});

test("otherLeaders() tells of one that acts after another has taken the lock", () => {
  const good = [took(0, 0), began(0, 10), ended(0, 900, true), took(1, 1000), began(1, 1010)];
  expect(otherLeaders(good)).toEqual([]);
  expect(otherLeaders([...good, began(0, 1500)])).toEqual([
    "node 0: recovery_started at 1500, 500 ms after node 1 took the lock",
  ]);
  const takeover = { node: 0, atMs: 1600, kind: "takeover_started" };
  expect(otherLeaders([takeover, ...good]).length).toBe(1);
});

test("otherLeaders() tells of a recovery that succeeds too late, not of one that fails", () => {
  const story = [took(0, 0), began(0, 10), took(1, 1000)];
  expect(otherLeaders([...story, ended(0, 2000, false)])).toEqual([]);
  expect(otherLeaders([...story, ended(0, 2000, true)]).length).toBe(1);
});

test("unanswered() tells of requests without an answer, and of those that gave up", () => {
  const whole = 1000;
  expect(unanswered([write(0, 10, 1), pending(1, 500)], whole, 1050, 100)).toEqual([]);
  expect(unanswered([pending(1, 500)], whole, 1150, 100).length).toBe(1);
  expect(unanswered([{ ...pending(1, 10), endMs: 900, how: "timeout" }], whole, 1001, 100)).toEqual(
    [`node 1: ${COUNTER_DATABASE} ${KEY}, asked at 10: ended by its own deadline, timeout`],
  );
});

test("Visibility.visibleFrom() goes past what parts two nodes, and no further", () => {
  let nowMs = 100;
  const visibility = new Visibility(() => nowMs);
  visibility.cut(0, 1);
  visibility.away(2);
  expect(visibility.visibleFrom(0, 1, 50)).toBe(50);
  expect(visibility.visibleFrom(1, 0, 100)).toBe(NEVER);
  expect(visibility.visibleFrom(0, 2, 150)).toBe(NEVER);
  nowMs = 200;
  visibility.whole();
  expect(visibility.visibleFrom(1, 0, 150)).toBe(200);
  expect(visibility.visibleFrom(0, 2, 150)).toBe(200);
  nowMs = 300;
  visibility.cut(0, 1);
  expect(visibility.visibleFrom(0, 1, 150)).toBe(200);
  expect(visibility.visibleFrom(1, 2, 320)).toBe(320);
});

const NOBODY = { reason: "", by: { node: null } };
const recovery = (node: number, generation: number, nodes: readonly number[]): NodeEvent => ({
  ...{ kind: "recovery_started", node, atMs: 10, generation, reason: "", nodes, culprit: null },
});
const success = (node: number, generation: number): NodeEvent => ({
  ...{ kind: "recovery_ended", node, atMs: 20, generation, succeeded: true, reason: null },
  duration_ms: 10,
});
const saw = (node: number, atMs: number, target: number, after: number): NodeEvent => ({
  ...{ kind: "flags", node, atMs, target, before: 0, after, ...NOBODY },
});

test("survivorsOf() leaves out who was not in a recovery, or was lost to its leader while it ran", () => {
  const nodes = [0, 1, 2];
  const survivors = (...events: readonly NodeEvent[]) => [...survivorsOf(nodes, events, 0)];
  expect(survivors(recovery(0, 7, nodes), success(0, 7))).toEqual(nodes);
  expect(survivors(recovery(0, 7, [0, 1]), success(0, 7))).toEqual([0, 1]);
  expect(survivors(saw(0, 5, 2, 1), recovery(0, 7, nodes), success(0, 7))).toEqual([0, 1]);
  expect(survivors(recovery(0, 7, nodes), saw(0, 15, 1, 1), success(0, 7))).toEqual([0, 2]);
  expect(survivors(recovery(0, 7, nodes), saw(1, 15, 0, 1), success(0, 7))).toEqual(nodes);
  const version = { pid: 1, version: "" };
  const started: NodeEvent = {
    ...{ kind: "process_started", node: 1, atMs: 5, process: "ctdbd", ...version },
  };
  expect(survivors(started)).toEqual([0, 2]);
});
