/** `ctdb reload`: what is shown of a node's answer. */
import { expect, test } from "bun:test";
import { EMPTY, encode } from "../../src/wire/codec.ts";
import { PING_RELOAD } from "../../src/wire/controls.ts";
import { RELOAD_LINES, RELOAD_MAGIC, reloadReport } from "../../src/wire/structs/reload.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

type Lines = readonly (readonly [kind: keyof typeof RELOAD_LINES, text: string])[];

function reloading(refused: number, lines: Lines) {
  const encoded = encode(reloadReport, {
    magic: RELOAD_MAGIC,
    refused,
    lines: lines.map(([kind, text]) => ({ kind: RELOAD_LINES[kind], text })),
  });
  return daemon([nodeAt(0), nodeAt(1)]).on("PING", () => ({ status: 1, data: encoded }));
}

test("ctdb reload shows what changed and what needs a restart", async () => {
  const ctdbd = reloading(0, [
    ["warning", "file: line 2: unknown"],
    ["applied", "[logging] log level: a is now b"],
    ["restart", "[cluster] \u001b[2J leader timeout: 5 is now 7"],
  ]);
  expect(await runCtdb({ ctdbd }, "-n", "1", "reload")).toEqual({
    status: 0,
    out:
      "Changed: [logging] log level: a is now b\n" +
      "Needs a restart: [cluster] ?[2J leader timeout: 5 is now 7\n",
    err: "file: line 2: unknown\n",
  });
  const asked = ctdbd.controls.filter(({ name }) => name === "PING");
  expect(asked.map(({ destnode, flags }) => [destnode, flags])).toEqual([[1, PING_RELOAD]]);
  const nothing = await runCtdb({ ctdbd: reloading(0, []) }, "reload");
  expect(nothing).toEqual({ status: 0, out: "Nothing has changed\n", err: "" });
});

test("ctdb reload --json gives what changed and what needs a restart as lists", async () => {
  const ctdbd = reloading(0, [
    ["warning", "file: line 2: unknown"],
    ["applied", "[logging] log level: a is now b"],
    ["restart", "[cluster] leader timeout: 5 is now 7"],
  ]);
  const { status, out, err } = await runCtdb({ ctdbd }, "--json", "-n", "1", "reload");
  expect([status, JSON.parse(out), JSON.parse(err)]).toEqual([
    0,
    {
      schema_version: 1,
      node: 1,
      changed: ["[logging] log level: a is now b"],
      needs_restart: ["[cluster] leader timeout: 5 is now 7"],
    },
    { schema_version: 1, warnings: ["file: line 2: unknown"] },
  ]);
  const refused = await runCtdb({ ctdbd: reloading(1, [["problem", "one"]]) }, "-j", "reload");
  expect([refused.status, refused.out, JSON.parse(refused.err).error.messages]).toEqual([
    22,
    "",
    ["one", "Nothing was changed"],
  ]);
});

test("ctdb reload ends with 22 and every problem of a wrong file", async () => {
  const ctdbd = reloading(1, [
    ["problem", "one"],
    ["problem", "two"],
  ]);
  const { status, out, err } = await runCtdb({ ctdbd }, "reload");
  expect([status, out, err]).toEqual([22, "", "one\ntwo\nNothing was changed\n"]);
});

test("ctdb reload says that a node of the original cannot", async () => {
  const odd = encode(reloadReport, { magic: 1, refused: 0, lines: [] });
  for (const data of [EMPTY, odd, new Uint8Array(100)]) {
    const ctdbd = daemon([nodeAt(0)]).on("PING", () => ({ status: 1, data }));
    const { status, out, err } = await runCtdb({ ctdbd }, "reload");
    expect([status, out]).toEqual([1, ""]);
    expect(err).toStartWith("Node 0 cannot reload its configuration: it runs another ctdbd");
  }
});
