/** Commands that take something away ask a terminal, and nobody else. */
import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import type { ToolTerminal } from "../../src/cli/host.ts";
import { OPTIONS } from "../../src/cli/options.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

function answering(line: string): Partial<ToolTerminal> {
  return { answers: true, draws: true, readLine: async () => line };
}

/** How often the node was told to end. */
async function shutdown(tty: Partial<ToolTerminal>, ...more: string[]) {
  const ctdbd = daemon([nodeAt(0), nodeAt(1)]);
  const run = await runCtdb({ ctdbd, tty }, "-n", "1", "shutdown", ...more);
  const told = ctdbd.controls.filter(({ name }) => name === "SHUTDOWN").length;
  return { ...run, told };
}

test("--yes belongs to the commands that ask", () => {
  const asking = COMMANDS.filter((row) => row.asks !== undefined || row.asksItself === true).map(
    ({ name }) => name,
  );
  const option = OPTIONS.find(({ name }) => name === "yes");
  expect([...(option?.commands ?? [])].sort()).toEqual([...asking].sort());
});

test("A terminal is asked, and only yes goes on", async () => {
  const question = "The daemon of node 1 ends, and its clients with it.\nContinue? [y/N] ";
  for (const line of ["y", "YES", " yes "]) {
    expect(await shutdown(answering(line))).toEqual({ status: 0, out: question, err: "", told: 1 });
  }
  for (const line of ["", "n", "yes please", "ye"]) {
    expect(await shutdown(answering(line))).toEqual({
      status: 1,
      out: question,
      err: "Not done\n",
      told: 0,
    });
  }
});

test("Nobody is asked without a terminal, with --yes, or by programs", async () => {
  for (const more of [["--yes"], ["-X"], ["-Y"]]) {
    expect(await shutdown(answering("n"), ...more)).toMatchObject({ out: "", told: 1 });
  }
  expect(await shutdown({ answers: false, draws: true })).toMatchObject({ out: "", told: 1 });
});

test("Arguments that are missing are told of before anybody is asked", async () => {
  const run = await runCtdb({ ctdbd: daemon([nodeAt(0)]), tty: answering("y") }, "wipedb");
  expect(run.status).toBe(1);
  expect(run.out).not.toContain("Continue?");
});
