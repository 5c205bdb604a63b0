/**
 * The tool against its original, field by field (docs/client.md, "The tool"): the list of what is not
 * compared is normalise.ts.
 */
import { expect, test } from "bun:test";
import { stockInstalled } from "../../support/local_cluster.ts";
import { differenceText } from "./compare.ts";
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
