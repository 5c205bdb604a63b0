import { expect, test } from "bun:test";
import { FLAG_WORDS } from "../../../wire/flag_words.ts";
import { flagWords, sameFlags, stateLevel, stateText, worst } from "./flags.ts";

test("every flag of the API has a word of its own and is no good sign", () => {
  const texts = FLAG_WORDS.map((flag) => stateText([flag]));
  expect(new Set(texts).size).toBe(FLAG_WORDS.length);
  expect(FLAG_WORDS.map((flag) => stateLevel([flag]))).not.toContain("good");
  expect(flagWords(0xffff).toSorted()).toEqual([...FLAG_WORDS].toSorted());
});

test("stateText() and stateLevel() of several, of none, and of a flag that is new", () => {
  expect(stateText([])).toBe("ok");
  expect(stateText(["STOPPED", "BANNED"])).toBe("banned, stopped");
  expect(stateText(["FROBBED", "BANNED"])).toBe("banned, frobbed");
  expect([stateLevel([]), stateLevel(["STOPPED"]), stateLevel(["STOPPED", "BANNED"])]).toEqual([
    "good",
    "warning",
    "critical",
  ]);
  expect(stateLevel(["FROBBED"])).toBe("warning");
});

test("sameFlags() knows no order; worst() of nothing is good", () => {
  expect(sameFlags(["A", "B"], ["B", "A"])).toBe(true);
  expect(sameFlags(["A"], ["A", "B"])).toBe(false);
  expect(sameFlags(["A"], ["B"])).toBe(false);
  expect(worst([])).toBe("good");
});
