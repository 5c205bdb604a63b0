import { expect, test } from "bun:test";
import {
  type LinkSituation,
  type LinkView,
  type MissedNode,
  seenBy,
  whyLeave,
} from "./link_views.ts";

const NOW = 100_000;

function view(pnn: number, seen: Readonly<Record<number, number | undefined>>): LinkView {
  const entries = Object.entries(seen).map(([node, ledMs]) => [Number(node), ledMs] as const);
  return { pnn, atMs: NOW - 500, seen: new Map(entries) };
}

function missed(pnn: number, forMs: number, met = true): MissedNode {
  return { pnn, sinceMs: NOW - forMs, met };
}

const situation = (more: Partial<LinkSituation>): LinkSituation => ({
  ownPnn: 0,
  leading: false,
  nowMs: NOW,
  connected: 1,
  missed: [missed(2, 5000)],
  views: [view(1, { 2: NOW - 900 })],
  ...more,
});

test("whyLeave() has a node leave that misses a leader whom others hear", () => {
  expect(whyLeave(situation({}))).toEqual({ missed: [2], seenBy: [1] });
});

test("whyLeave() has a node leave at once whose link to the leader is gone while another's is there", () => {
  const gone = (forMs: number, met = true): MissedNode => ({
    ...missed(2, forMs + 300, met),
    goneMs: NOW - forMs,
  });
  // The other has answered half a second ago.
  expect(whyLeave(situation({ missed: [gone(1000)] }))).toEqual({ missed: [2], seenBy: [1] });
  const not: Partial<LinkSituation>[] = [
    { missed: [gone(990)] },
    { missed: [gone(1000, false)] },
    { missed: [gone(1000)], leading: true },
    { missed: [gone(1000)], views: [view(1, { 2: NOW - 2500 })] },
    { missed: [gone(1000)], views: [view(1, {})] },
    { missed: [gone(1000)], views: [view(1, { 2: NOW - 900 }), view(3, {}), view(4, {})] },
  ];
  for (const more of not) expect(whyLeave(situation(more))).toBeUndefined();
});

test("whyLeave() leaves for nobody who is gone, too early, or not a leader", () => {
  const nobody: Partial<LinkSituation>[] = [
    // The other has heard it last when we did.
    { views: [view(1, { 2: NOW - 4900 })] },
    { missed: [missed(2, 3000)] },
    // It starts, and its links come one after the other.
    { missed: [missed(2, 5000, false)] },
    { views: [view(1, { 2: undefined })] },
    { views: [view(1, {})] },
    { views: [] },
    { missed: [] },
  ];
  for (const more of nobody) expect(whyLeave(situation(more))).toBeUndefined();
  expect(whyLeave(situation({ missed: [missed(2, 11_000, false)] }))).toBeDefined();
});

test("whyLeave() has the smaller side leave, and the side of the leader stay when both are alike", () => {
  const led = { 2: NOW - 900 };
  const alike = [view(1, led), view(3, {})];
  expect(whyLeave(situation({ connected: 2, views: alike }))).toEqual({ missed: [2], seenBy: [1] });
  const smaller = [view(1, led), view(3, {}), view(4, {})];
  expect(whyLeave(situation({ connected: 3, views: smaller }))).toBeUndefined();
});

test("whyLeave() has a leader leave that lost more nodes than it has, when others have them and after a while", () => {
  const those = [2, 3, 4];
  const seen = { 2: undefined, 3: undefined, 4: undefined };
  const leader = (forMs: number, nodes: readonly number[]) =>
    situation({
      leading: true,
      missed: nodes.map((pnn) => missed(pnn, forMs)),
      views: [view(1, seen)],
    });
  expect(whyLeave(leader(11_000, those))).toEqual({ missed: those, seenBy: [1] });
  expect(whyLeave(leader(9000, those))).toBeUndefined();
  expect(whyLeave(leader(11_000, [2, 3]))).toBeUndefined();
  expect(whyLeave({ ...leader(11_000, those), views: [] })).toBeUndefined();
});

test("whyLeave() has exactly one of two leaders leave", () => {
  const leavers = [0, 2].filter((ownPnn) => {
    const other = 2 - ownPnn;
    return (
      whyLeave(
        situation({
          ownPnn,
          leading: true,
          missed: [missed(other, 5000)],
          views: [view(1, { [other]: NOW - 900 })],
        }),
      ) !== undefined
    );
  });
  expect(leavers).toEqual([2]);
});

test("seenBy() names those that are connected to a node", () => {
  expect(seenBy([view(1, { 2: undefined }), view(3, {})], 2)).toEqual([1]);
});
