/** `ctdb COMMAND --help`. */
import { expect, test } from "bun:test";
import { helpText } from "../../src/cli/usage.ts";
import { runCtdb } from "./tool_harness.ts";

test("--help behind a command is about the command, and asks no daemon", async () => {
  const { status, out, err } = await runCtdb({}, "-n", "1", "ban", "--help");
  expect(out).toStartWith("Usage: ctdb [OPTION...] ban <bantime>\n");
  expect(out).toContain("# ctdb -n 1 ban 300\n");
  expect([status, err]).toEqual([0, ""]);
  expect((await runCtdb({}, "ban", "-?")).out).toBe(out);
});

test("--help alone or in front of a command is the original's", async () => {
  expect(await runCtdb({}, "--help")).toEqual({ status: 0, out: helpText(), err: "" });
  expect(await runCtdb({}, "--help", "ban")).toEqual({ status: 0, out: helpText(), err: "" });
});

test("--help wraps to COLUMNS, and whatever COLUMNS is prints the same words", async () => {
  const words = (text: string) => text.split(/\s+/).join(" ");
  const usual = (await runCtdb({}, "drain", "--help")).out;
  for (const columns of ["20", "0", "-1", "a", "99999999999"]) {
    const { out, status } = await runCtdb({ environment: { COLUMNS: columns } }, "drain", "--help");
    expect(words(out)).toBe(words(usual));
    expect(status).toBe(0);
  }
  const narrow = (await runCtdb({ environment: { COLUMNS: "20" } }, "drain", "--help")).out;
  expect(narrow).toContain("\n  Disables a node\n  after its SMB\n");
});
