import { expect, test } from "bun:test";
import { parseShortOptions } from "./getopt.ts";

test("parseShortOptions() reads letters together, values near and far, and operands anywhere", () => {
  expect(
    parseShortOptions(["-rw", "file", "-s32", "-o", "64", "3", "--", "-c"], "rws:o:c"),
  ).toEqual({
    ok: true,
    value: {
      options: [
        { letter: "r", value: "" },
        { letter: "w", value: "" },
        { letter: "s", value: "32" },
        { letter: "o", value: "64" },
      ],
      operands: ["file", "3", "-c"],
    },
  });
});

test("parseShortOptions() names what it does not know and what lacks a value", () => {
  expect(parseShortOptions(["-rx"], "r")).toEqual({ ok: false, error: "invalid option -- 'x'" });
  expect(parseShortOptions(["-:"], "s:")).toEqual({ ok: false, error: "invalid option -- ':'" });
  expect(parseShortOptions(["-s"], "s:")).toEqual({
    ok: false,
    error: "option requires an argument -- 's'",
  });
});
