import { expect, test } from "bun:test";
import { runCommand } from "../../test/support/command.ts";
import { PROJECT } from "../../test/support/source_tree.ts";

const run = (...args: readonly string[]) =>
  runCommand([process.execPath, `${PROJECT}/src/main.ts`, "ctdb_smnotify_helper", ...args]);

/** A 32-bit number of this machine. */
const state = (number: number) =>
  String.fromCharCode(...new Uint8Array(Int32Array.of(number).buffer));

test("ctdb_smnotify_helper monitor writes a line that sm-notify reads", async () => {
  const loopback = new Uint32Array(Uint8Array.of(127, 0, 0, 1).buffer)[0] as number;
  const line = `${loopback.toString(16).padStart(8, "0")} 000186b5 00000004 00000010 ${"0".repeat(32)}`;
  expect(await run("monitor", "10.0.0.9", "nfs.example.org")).toEqual({
    code: 0,
    stdout: `${line} 10.0.0.9 nfs.example.org\n`,
    stderr: "",
  });
});

test("ctdb_smnotify_helper state writes a number as sm-notify reads it", async () => {
  for (const [text, number] of [
    ["77", 77],
    ["77x", 77],
    ["x", 0],
  ] as const) {
    expect(await run("state", text)).toEqual({ code: 0, stdout: state(number), stderr: "" });
  }
});

test("ctdb_smnotify_helper says how it is used", async () => {
  const usage = "usage: ctdb_smnotify_helper { monitor <client-ip> <source-ip> | state <state> }\n";
  for (const args of [
    [],
    ["monitor", "10.0.0.9"],
    ["state"],
    ["state", "1", "2"],
    ["other", "1"],
  ]) {
    expect(await run(...args)).toEqual({ code: 1, stdout: usage, stderr: "" });
  }
});

test("its name in former releases is the same role", async () => {
  const argv = [process.execPath, `${PROJECT}/src/main.ts`, "smnotify", "--help"];
  expect((await runCommand(argv)).stdout).toContain("usage: ctdb_smnotify_helper");
});
