import { expect, test } from "bun:test";
import type { Entry } from "./documents.ts";
import { asksAnew, matches, NO_FILTER, wantedKinds } from "./filter.ts";
import { GROUPS } from "./kinds.ts";

const LINK: Entry = {
  node: 1,
  id: 1,
  timeUs: 0,
  process: "ctdbd",
  text: "lost node 0: no answer",
  event: { kind: "link_down", peer: 0, reason: "no answer" },
};
const LOCK: Entry = {
  ...LINK,
  text: "took it",
  event: { kind: "lock_taken", lock: "", duration_ms: 1 },
};

test("matches() by group, node, words and weight", () => {
  expect(matches(NO_FILTER, LINK)).toBe(true);
  expect(matches({ ...NO_FILTER, groups: ["nodes"] }, LINK)).toBe(true);
  expect(matches({ ...NO_FILTER, groups: ["leadership"] }, LINK)).toBe(false);
  expect(matches({ ...NO_FILTER, node: 0 }, LINK)).toBe(false);
  expect(matches({ ...NO_FILTER, words: "ANSWER link" }, LINK)).toBe(true);
  expect(matches({ ...NO_FILTER, words: "answer yes" }, LINK)).toBe(false);
  expect(matches({ ...NO_FILTER, weighty: true }, LINK)).toBe(true);
  expect(matches({ ...NO_FILTER, weighty: true }, LOCK)).toBe(false);
});

test("asksAnew() for other kinds and nodes, not for other words", () => {
  expect(asksAnew(NO_FILTER, { ...NO_FILTER, node: 1 })).toBe(true);
  expect(asksAnew(NO_FILTER, { ...NO_FILTER, groups: ["blame"] })).toBe(true);
  expect(asksAnew(NO_FILTER, { ...NO_FILTER, words: "x", weighty: true })).toBe(false);
});

test("wantedKinds() asks for all when all groups are wanted, or none is named", () => {
  expect(wantedKinds(NO_FILTER)).toEqual([]);
  expect(wantedKinds({ ...NO_FILTER, groups: GROUPS })).toEqual([]);
  expect(wantedKinds({ ...NO_FILTER, groups: ["blame"] })).toEqual(["blame", "ban", "unban"]);
});
