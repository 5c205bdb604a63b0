/**
 * The tool against its original, field by field (docs/client.md, "The tool"): the list of what is not
 * compared is normalise.ts.
 */
import { expect, test } from "bun:test";
import { stockInstalled } from "../../support/local_cluster.ts";
import { compareRuns, differenceText } from "./compare.ts";
import { NORMALISATIONS, normalise } from "./normalise.ts";
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
