/** Actions: what each runs, and what the journal says of it. */
import { expect, test } from "bun:test";
import { ok } from "../../src/base/result.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { ACTOR, AdminBench, bearer, clusterFacts, DONE, STRANGER } from "./bench.ts";

function bench(more: Partial<ConstructorParameters<typeof AdminBench>[0]> = {}): AdminBench {
  return new AdminBench({ actions: true, run: async () => DONE, ...more });
}

test.each<[string, object, string]>([
  ["disable", { node: 1 }, "-n 1 disable"],
  ["enable", { node: 1 }, "-n 1 enable"],
  ["stop", { node: 1 }, "-n 1 stop"],
  ["continue", { node: 1 }, "-n 1 continue"],
  ["ban", { node: 1, seconds: 30 }, "-n 1 ban 30"],
  ["unban", { node: 1 }, "-n 1 unban"],
  ["recover", {}, "recover"],
  ["moveip", { address: "10.1.0.1", node: 1 }, "moveip 10.1.0.1 1"],
  ["reload", { node: 1 }, "-n 1 reload"],
])("%s %p runs the tool's command", async (name, body, line) => {
  const made = bench();
  const [status] = await made.act(name, body);
  expect([status, made.runs.map((args) => args.join(" "))]).toEqual([
    200,
    [`--json -T 10 ${line}`],
  ]);
});

test("setvar tells the value before and after", async () => {
  let value = 15;
  const made = bench({
    run: async (args) => {
      if (args.includes("setvar")) value = Number(args.at(-1));
      return args.includes("getvar")
        ? { status: 0, text: JSON.stringify({ schema_version: 1, value }), error: "" }
        : DONE;
    },
  });
  const body = { node: 1, name: "MonitorInterval", value: 20 };
  const [status, document] = await made.act("setvar", body, bearer(ACTOR), STRANGER);
  expect([status, document]).toMatchObject([200, { action: "setvar", before: "15", after: "20" }]);
  expect(made.recorded).toEqual([
    {
      kind: "action",
      action: "setvar",
      target: 1,
      arguments: ["MonitorInterval", "20"],
      who: expect.stringMatching(/^token [0-9a-f]{8}$/),
      before: "15",
      after: "20",
      failure: null,
    },
  ]);
});

test("an action tells the flags of the node before and after", async () => {
  const made = bench();
  const asked = made.act("disable", { node: 1 });
  const [node0, node1] = clusterFacts().nodes;
  const flags = NODE_FLAGS.BANNED | NODE_FLAGS.PERMANENTLY_DISABLED;
  const run = made.runs;
  await made.time.advance(0);
  expect(run).toHaveLength(1);
  await asked;
  made.facts = ok(clusterFacts({ nodes: [node0, { ...node1, flags }] as never }));
  const [, document] = await made.act("disable", { node: 1 });
  expect(document).toMatchObject({ before: "DISABLED|BANNED", after: "DISABLED|BANNED" });
  expect(made.recorded[0]).toMatchObject({ before: "BANNED", who: "root at the socket" });
});

test("an action that fails is in the journal, too", async () => {
  const error = JSON.stringify({ error: { kind: "failed", messages: ["it cannot be"] } });
  const made = bench({ run: async () => ({ status: 1, text: "", error }) });
  const [status, { detail }] = await made.act("moveip", { address: "10.1.0.1", node: 0 });
  expect([status, detail]).toEqual([502, "it cannot be"]);
  expect(made.recorded).toMatchObject([
    { kind: "action", action: "moveip", before: "on node none", failure: "it cannot be" },
  ]);
  expect(made.logged.join()).toContain("moveip 0 10.1.0.1 0 by root at the socket");
});

test("actions have a rate of their own", async () => {
  const made = bench({ rates: { actions: { perSecond: 1, burst: 2 } } });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await made.act("recover", {}))[0]);
  expect(statuses).toEqual([200, 200, 429]);
  expect((await made.ask("/api/v1/cluster")).status).toBe(200);
});
