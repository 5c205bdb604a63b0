/**
 * The tool against its original, packet for packet: what both ask a node for the same command line, recorded by a
 * proxy on the socket. What may differ is listed, with the reason, in differences.ts.
 */
import { expect, test } from "bun:test";
import { stockInstalled } from "../../support/local_cluster.ts";
import { commandOf } from "../compare_tool/normalise.ts";
import { type RecordedCase, recordTools, recordWhilePeerHangs } from "./compare.ts";
import { comparable, JUSTIFIED, type JustifiedDifference } from "./differences.ts";
import { requestText } from "./recording_proxy.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 600_000;
const CASES_MIN = 200;

function differenceOf({ args, stock, ours }: RecordedCase, used: Set<JustifiedDifference>): string {
  const command = commandOf(args);
  const expected = comparable(stock.requests, "stock", command, used).map(requestText);
  const got = comparable(ours.requests, "ours", command, used).map(requestText);
  if (expected.join("\n") === got.join("\n")) return "";
  const lines = [
    ...expected.map((text) => `  stock ${text}`),
    ...got.map((text) => `  ours  ${text}`),
  ];
  return `ctdb ${args.join(" ")}\n${lines.join("\n")}\n`;
}

interop(
  "our tool asks stock nodes what the stock tool asks, and waits for all answers",
  async () => {
    const cases = await recordTools("stock");
    expect(cases.length).toBeGreaterThan(CASES_MIN);
    const used = new Set<JustifiedDifference>();
    expect(cases.map((each) => differenceOf(each, used)).join("")).toBe("");
    expect(cases.filter(({ ours }) => ours.waiting.length > 0)).toEqual([]);
    // A reason that nothing needs any more is taken out of the list.
    expect(JUSTIFIED.filter((row) => !used.has(row))).toEqual([]);
  },
  LIMIT_MS,
);

interop(
  "our tool asks no more than the stock tool while a peer hangs, but for how old that is",
  async () => {
    const lines = ["status", "-X status", "nodestatus all"];
    const cases = await recordWhilePeerHangs(lines);
    const used = new Set<JustifiedDifference>();
    expect(cases.map((each) => differenceOf(each, used)).join("")).toBe("");
    for (const { stock, ours } of cases) {
      // The one question that has no answer, given up by both. On a busy machine another node may be as late.
      expect(stock.waiting).toContain("GET_IFACES");
      expect(new Set(ours.waiting)).toEqual(new Set(["GET_IFACES"]));
      expect(ours.stderr).toMatch(/^Node 2 has not answered: .*, at most \d+\.\d s old$/m);
    }
  },
  LIMIT_MS,
);
