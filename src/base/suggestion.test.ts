import { expect, test } from "bun:test";
import { didYouMean, suggestion } from "./suggestion.ts";

const WORDS = ["status", "stats", "stop", "leader timeout", "ban", "unban", "ip"];

test("suggestion() finds the nearest word", () => {
  const found = {
    statsu: "status",
    stauts: "status",
    STATUS: "status",
    sto: "stop",
    leader_timout: "leader timeout",
    unbann: "unban",
    i: "ip",
  };
  for (const [word, near] of Object.entries(found)) expect(suggestion(word, WORDS)).toBe(near);
});

test("suggestion() has nothing to say where no word is near", () => {
  for (const word of ["", "x", "xyz", "recover", "leader", "statusstatus", "s".repeat(1_000_000)]) {
    expect(suggestion(word, WORDS)).toBeUndefined();
  }
  expect(suggestion("status", [])).toBeUndefined();
});

test("didYouMean() is the end of a message, or nothing", () => {
  expect(didYouMean("statsu", WORDS)).toBe(' (did you mean "status"?)');
  expect(didYouMean("xyz", WORDS)).toBe("");
});
