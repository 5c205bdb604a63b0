/** setvar, getvar and listvars with --all: every connected node, and where they differ. */
import { expect, test } from "bun:test";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

/** Node 1 refuses to change; node 2 is gone. */
function cluster(): FakeCtdbd {
  const values = new Map(
    [0, 1].map((pnn) => [
      pnn,
      new Map([
        ["Interval", 5],
        ["Limit", 7],
      ]),
    ]),
  );
  return daemon([nodeAt(0), nodeAt(1), nodeAt(2, GONE)])
    .on("LIST_TUNABLES", () => ({ data: "Interval:Limit" }))
    .on("GET_TUNABLE", ({ name }, pnn) => ({ data: values.get(pnn)?.get(name) ?? 0 }))
    .on("SET_TUNABLE", ({ name, value }, pnn) => {
      if (name === "Interval" && pnn === 1) return { status: -1, error: "not here" };
      values.get(pnn)?.set(name, value);
      return {};
    });
}
const LEFT_OUT = "Node 2 is not connected, and is left out\n";

test("setvar --all sets on every connected node and shows what each has then", async () => {
  const out = "Node 0: Limit = 9\nNode 1: Limit = 9\n";
  expect(await runCtdb({ ctdbd: cluster() }, "setvar", "Limit", "9", "--all")).toEqual({
    status: 0,
    out,
    err: LEFT_OUT,
  });
});

test("setvar --all says which node refused and that nodes differ, and fails", async () => {
  const run = await runCtdb({ ctdbd: cluster() }, "setvar", "--all", "Interval", "9");
  expect(run).toMatchObject({ out: "Node 0: Interval = 9\nNode 1: Interval = 5\n" });
  expect(run.status).not.toBe(0);
  expect(run.err).toContain("SET_TUNABLE failed on node 1: ");
  expect(run.err).toContain("Nodes differ in Interval: 9 on 0; 5 on 1\n");
});

test("getvar --all and listvars --all show each node where they differ", async () => {
  const ctdbd = cluster();
  await runCtdb({ ctdbd }, "setvar", "Interval", "6");
  expect(await runCtdb({ ctdbd }, "getvar", "Interval", "--all")).toEqual({
    status: 0,
    out: "Node 0: Interval = 6\nNode 1: Interval = 5\n",
    err: `${LEFT_OUT}Nodes differ in Interval: 6 on 0; 5 on 1\n`,
  });
  const list = await runCtdb({ ctdbd }, "listvars", "--all");
  expect(list.out).toBe(
    `${"Interval".padEnd(26)} = 6 (node 0), 5 (node 1)\n${"Limit".padEnd(26)} = 7\n`,
  );
});

test("getvar --all and listvars --all give documents of all nodes, null for one that is gone", async () => {
  const ctdbd = cluster();
  await runCtdb({ ctdbd }, "setvar", "Interval", "6");
  const warnings = [LEFT_OUT.trimEnd(), "Nodes differ in Interval: 6 on 0; 5 on 1"];
  const one = await runCtdb({ ctdbd }, "--json", "getvar", "interval", "--all");
  expect([one.status, JSON.parse(one.out), JSON.parse(one.err).warnings]).toEqual([
    0,
    {
      schema_version: 1,
      name: "Interval",
      nodes: [
        { node: 0, value: 6 },
        { node: 1, value: 5 },
        { node: 2, value: null },
      ],
    },
    warnings,
  ]);
  const list = await runCtdb({ ctdbd }, "--json", "listvars", "--all");
  expect([list.status, JSON.parse(list.out), JSON.parse(list.err).warnings]).toEqual([
    0,
    {
      schema_version: 1,
      differing: ["Interval"],
      nodes: [
        { node: 0, variables: { Interval: 6, Limit: 7 } },
        { node: 1, variables: { Interval: 5, Limit: 7 } },
        { node: 2, variables: null },
      ],
    },
    [LEFT_OUT.trimEnd()],
  ]);
});

test("getvar --all --json of a node that does not answer is a document and a failure", async () => {
  const ctdbd = cluster().on("GET_TUNABLE", (_, pnn) =>
    pnn === 1 ? { status: -1, error: "not here" } : { data: 5 },
  );
  const run = await runCtdb({ ctdbd }, "--json", "getvar", "Limit", "--all");
  expect([run.status, JSON.parse(run.out).nodes[1]]).toEqual([1, { node: 1, value: null }]);
  expect(JSON.parse(run.err).error.messages[1]).toContain("GET_TUNABLE Limit failed on node 1: ");
});

test("--all and -n exclude each other, and other commands know no --all", async () => {
  const both = await runCtdb({ ctdbd: cluster() }, "-n", "1", "getvar", "Limit", "--all");
  expect(both).toMatchObject({ status: 1, out: "" });
  expect((await runCtdb({}, "pnn", "--all")).err).toBe(
    "--all not supported by the pnn subcommand\n",
  );
});
