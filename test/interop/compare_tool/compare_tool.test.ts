/**
 * The tool against its original, field by field (docs/client.md, "The tool"): the list of what is not
 * compared is normalise.ts.
 */
import { expect, test } from "bun:test";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { STOCK_CTDB, stockInstalled } from "../../support/local_cluster.ts";
import { CASES, WRONG_CASES } from "./cases.ts";
import { compareRuns, differenceText } from "./compare.ts";
import { commandOf, NORMALISATIONS, normalise } from "./normalise.ts";
import { compareNodes, compareTools } from "./run.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 600_000;

test("normalise() leaves alone what is compared", () => {
  const places = new Map([["/tmp/c1", "DIRECTORY"]]);
  const status = "pnn:1 10.0.0.2         OK\nGeneration:123\nSize:2\nLeader:1\n";
  expect(normalise(status, ["status"], places)).toBe(status.replace("123", "N"));
  expect(normalise("path:/tmp/c1/x 17\n", ["-n", "1", "getdbmap"], places)).toBe(
    "path:DIRECTORY/x 17\n",
  );
  expect(normalise("17\n", ["-n", "1", "getpid"], places)).toBe("PID\n");
  expect(normalise("17\n", ["pnn"], places)).toBe("17\n");
  expect(NORMALISATIONS.every(({ field, why }) => field !== "" && why !== "")).toBe(true);
});

test("compareRuns() sees every field that differs, and only that", () => {
  const outcome = (result: { code: number; stdout: string; stderr: string }) => ({
    situation: "healthy" as const,
    args: ["leader"],
    result,
  });
  const run = (result: { code: number; stdout: string; stderr: string }) => ({
    places: new Map<string, string>(),
    outcomes: [outcome({ code: 0, stdout: "same\n", stderr: "" }), outcome(result)],
  });
  const usual = run({ code: 0, stdout: "1\n", stderr: "" });
  expect(compareRuns(usual, usual)).toEqual([]);
  const found = compareRuns(usual, run({ code: 1, stdout: "2\n", stderr: "oops\n" }));
  expect(found.map(({ field, expected, got }) => [field, expected, got])).toEqual([
    ["stdout", "1\n", "2\n"],
    ["stderr", "", "oops\n"],
    ["status", "0", "1"],
  ]);
});

/** Not compared with wrong arguments, with the reason. */
const NOT_WRONG = new Map([
  ["checktcpport", "the original shows its whole usage, since it looks for another name there"],
]);

/** Their documents say what they did; without --json they say nothing, in any form. */
const ACTING = ["disable", "enable", "stop", "continue", "ban", "unban", "addip", "delip"];

/** As `ctdb` alone lists them. */
function stockCommands(): readonly string[] {
  const run = Bun.spawnSync([STOCK_CTDB]);
  const [, list = ""] = run.stdout.toString().split("\nCommands:\n");
  return list.split("\n").flatMap((line) => /^ {2}(\S+)/.exec(line)?.[1] ?? []);
}

interop("every command that the stock tool knows is compared, also with wrong arguments", () => {
  const known = stockCommands();
  expect(known.length).toBeGreaterThan(70);
  const lines = CASES.map(({ args }) => commandOf(args));
  expect(known.filter((name) => !lines.includes(name))).toEqual([]);
  // Without arguments, or with one more than it takes.
  const wrong = WRONG_CASES.map(({ args }) => commandOf(args));
  expect(known.filter((name) => !wrong.includes(name))).toEqual([...NOT_WRONG.keys()]);
});

interop("both forms for programs are compared of every command that shows something", () => {
  const known = stockCommands();
  const showing = COMMANDS.filter(({ name, json }) => json !== "acted" && known.includes(name));
  for (const form of ["X", "Y"]) {
    const seen = CASES.filter(({ args }) =>
      args.some((word) => new RegExp(`^-\\w*${form}`).test(word)),
    );
    const names = seen.map(({ args }) => commandOf(args));
    const missing = showing.map(({ name }) => name).filter((name) => !names.includes(name));
    expect([form, missing]).toEqual([form, ACTING]);
  }
});

interop(
  "our tool says what the stock tool says about stock nodes",
  async () => {
    const { cases, differences } = await compareTools();
    expect(cases).toBeGreaterThan(200);
    expect(differences.map(differenceText).join("\n")).toBe("");
  },
  LIMIT_MS,
);

interop(
  "the stock tool says about our nodes what it says about stock nodes",
  async () => {
    const { cases, differences } = await compareNodes();
    expect(cases).toBeGreaterThan(200);
    expect(differences.map(differenceText).join("\n")).toBe("");
  },
  LIMIT_MS,
);
