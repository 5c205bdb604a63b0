/** `ctdb -n all`: each connected node is asked, over controls or over its ctdb-admind. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { documentSchema } from "../../src/cli/json_schema.ts";
import { withJournals } from "./journal_world.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const NODES = [nodeAt(0), nodeAt(1, GONE), nodeAt(2)];

function world(pids: Readonly<Record<number, number>> = { 0: 100, 2: 300 }) {
  const ctdbd = daemon(NODES);
  ctdbd.answerLater = setImmediate;
  return ctdbd.on("GET_PID", (_nothing, pnn) => {
    const pid = pids[pnn];
    return pid === undefined ? { status: -1, error: "not here" } : { status: pid };
  });
}

function document(out: string) {
  const parsed: unknown = JSON.parse(out);
  return v.parse(documentSchema("all-nodes") as v.GenericSchema, parsed) as {
    readonly nodes: readonly Record<string, unknown>[];
  };
}

test("ctdb -n all asks each connected node, with onnode's headings", async () => {
  const run = await runCtdb({ ctdbd: world() }, "-n", "all", "getpid");
  expect(run.out).toBe("\n>> NODE: 10.0.0.1 <<\n100\n\n>> NODE: 10.0.0.3 <<\n300\n");
  expect([run.err, run.status]).toEqual(["", 0]);
});

test("ctdb -n all goes on after a node that fails, and ends with its status", async () => {
  const run = await runCtdb({ ctdbd: world({ 2: 300 }) }, "-n", "all", "getpid");
  expect(run.out).toEndWith(">> NODE: 10.0.0.3 <<\n300\n");
  expect(run.err).toContain("Control GET_PID failed");
  expect(run.status).not.toBe(0);
});

test("ctdb -n all --json is one document of all", async () => {
  const run = await runCtdb({ ctdbd: world({ 0: 100 }) }, "-n", "all", "--json", "getpid");
  const { nodes } = document(run.out);
  expect(nodes).toEqual([
    { node: 0, status: 0, document: { schema_version: 1, node: 0, pid: 100 }, messages: [] },
    { node: 2, status: run.status, document: null, messages: [expect.stringContaining("GET_PID")] },
  ]);
  expect(run.status).not.toBe(0);
});

test("ctdb -n all asks ctdb-admind for what only the node itself can tell", async () => {
  const ctdbd = world();
  const asked = withJournals(ctdbd, [2], () => ({ document: { schema_version: 1, scripts: [] } }));
  const run = await runCtdb({ ctdbd }, "-n", "all", "--json", "scriptstatus", "startup");
  expect(asked).toEqual([
    { node: 2, path: "/api/v1/tool/scriptstatus", parameters: { arg: "startup" } },
  ]);
  expect(document(run.out).nodes).toEqual([
    { node: 0, status: 78, document: null, messages: [expect.stringContaining("node 0")] },
    { node: 2, status: 0, document: { schema_version: 1, scripts: [] }, messages: [] },
  ]);
  expect(run.status).toBe(78);
  const text = await runCtdb({ ctdbd: world() }, "-n", "all", "scriptstatus");
  expect([text.status, text.err]).toEqual([64, expect.stringContaining("--json")]);
});

test("ctdb -n all of what is about the cluster anyway runs once", async () => {
  const ctdbd = world();
  withJournals(ctdbd, [], () => undefined);
  const run = await runCtdb({ ctdbd }, "-n", "all", "why", "recovery");
  expect([run.out, run.status]).toEqual(["", 78]);
});

test("ctdb -n all says what is wrong as for one node", async () => {
  expect((await runCtdb({ ctdbd: world() }, "-n", "all", "nonsense")).err).toContain("nonsense");
  const silent = await runCtdb({}, "-n", "all", "getpid");
  expect(silent.err).toContain("Failed to connect to CTDB daemon");
  expect(silent.status).toBe(1);
});
