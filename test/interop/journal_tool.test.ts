/**
 * `ctdb why`, `journal`, `state` and `-n all` on a cluster of two nodes of ours and one of Debian's: turned on while it runs,
 * documents as their schemas say, a node that keeps no journal, and one whose ctdb-admind is killed.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { documentSchema } from "../../src/cli/json_schema.ts";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 180_000;
const WAIT_MS = 30_000;
const STOCK = 2;
const NOTHING_RECORDED = 78;

/** The document of a command, valid. */
async function document(cluster: TestCluster, name: string, ...args: readonly string[]) {
  const { stdout, stderr } = await cluster.ctdb(0, "--json", ...args);
  if (stdout === "") throw new Error(`ctdb ${args.join(" ")}: ${stderr}`);
  const schema = documentSchema(name) as v.GenericSchema;
  return v.parse(schema, JSON.parse(stdout)) as Record<string, unknown>;
}

async function turnOn(cluster: TestCluster): Promise<void> {
  for (const pnn of [0, 1]) {
    writeFileSync(join(cluster.base(pnn), "ctdb-appliance.conf"), "[admin]\n\tenabled = yes\n");
    const { code, stdout, stderr } = await cluster.ctdb(pnn, "reload");
    expect([code, stdout + stderr]).toEqual([0, expect.any(String)]);
  }
  await until("both keep a journal", WAIT_MS, async () => {
    const { sources } = await document(cluster, "journal", "journal").catch(() => ({
      sources: [],
    }));
    const kept = (sources as readonly { readonly journal: string }[]).map(({ journal }) => journal);
    return when(kept.join(" ") === "kept kept none");
  });
}

async function saysWhy(cluster: TestCluster): Promise<void> {
  expect((await cluster.ctdb(0, "-n", "1", "disable")).code).toBe(0);
  const why = () => cluster.ctdb(1, "why", "node", "1", "disabled");
  await until("the cause is known", WAIT_MS, async () =>
    when(/because: On node 0, process \d+ \(ctdb\) asked for disable/.test((await why()).stdout)),
  );
  const { stdout, stderr } = await why();
  expect(stdout).toMatch(/^\d{4}\/\d\d\/\d\d [\d:.]+ {2}Node 1 became DISABLED/);
  expect(stderr).toContain("node 2");
  await document(cluster, "why", "why", "node", "1", "disabled");
  const state = await document(cluster, "state", "state");
  expect(state["nodes"]).toMatchObject([{ flags: [] }, { flags: ["DISABLED"] }, { flags: [] }]);
  await cluster.ctdb(0, "-n", "1", "enable");
  const never = await cluster.ctdb(0, "why", "node", "1", "banned");
  expect([never.code, never.stdout]).toEqual([1, ""]);
}

async function listsAndFollows(cluster: TestCluster): Promise<void> {
  const listed = await document(cluster, "journal", "journal", "--kind", "flags", "--limit", "3");
  expect((listed["events"] as readonly unknown[]).length).toBe(3);
  const following = cluster.ctdb(0, "journal", "--follow", "--limit", "1", "-T", "5");
  await cluster.ctdb(1, "setvar", "MonitorInterval", "14");
  const { stdout, code } = await following;
  expect(stdout).toContain("[1] The tunable MonitorInterval of node 1 was set from 15 to 14");
  expect(code).toBe(75);
  const wrong = await cluster.ctdb(0, "journal", "--since", "yesterday");
  expect(wrong.code).toBe(64);
}

async function asksEveryNode(cluster: TestCluster): Promise<void> {
  const pids = await document(cluster, "all-nodes", "-n", "all", "getpid");
  expect(pids["nodes"]).toMatchObject([{ status: 0 }, { status: 0 }, { node: 2, status: 0 }]);
  const scripts = await document(cluster, "all-nodes", "-n", "all", "scriptstatus");
  expect(scripts["nodes"]).toMatchObject([
    { node: 0, status: 0, document: { schema_version: 1 } },
    { node: 1, status: 0, document: { schema_version: 1 } },
    { node: 2, status: NOTHING_RECORDED, document: null },
  ]);
}

async function survivesAdmind(cluster: TestCluster): Promise<void> {
  const pid = async () => {
    const { events } = await document(cluster, "journal", "journal", "--kind", "process_started");
    const started = (events as readonly { readonly node: number; readonly event: object }[])
      .map(({ node, event }) => ({ node, ...(event as { process: string; pid: number }) }))
      .filter(({ node, process }) => node === 1 && process === "admind");
    return started.at(-1)?.pid;
  };
  const first = await pid();
  process.kill(first as number, "SIGKILL");
  await until("it is started again, and both ends are in the journal", WAIT_MS, async () => {
    const next = await pid().catch(() => first);
    return when(next !== undefined && next !== first);
  });
}

interop(
  "ctdb why, journal, state and -n all on nodes of ours and of Debian's",
  async () => {
    await withCluster({ nodes: 3, stock: [STOCK] }, async (cluster) => {
      for (const args of [["why", "recovery"], ["journal"], ["state"]]) {
        const { code, stdout, stderr } = await cluster.ctdb(0, ...args);
        expect([args, stdout, code]).toEqual([args, "", NOTHING_RECORDED]);
        expect(stderr).toContain("[admin]");
      }
      await turnOn(cluster);
      await saysWhy(cluster);
      await listsAndFollows(cluster);
      await asksEveryNode(cluster);
      await survivesAdmind(cluster);
    });
  },
  LIMIT_MS,
);
