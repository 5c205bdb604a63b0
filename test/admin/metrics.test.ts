/** Metrics as Prometheus and OpenMetrics have them. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { err } from "../../src/base/result.ts";
import { AdminBench, clusterFacts, UNIX } from "./bench.ts";

const PROMTOOL = "/usr/bin/promtool";
const OPENMETRICS = {
  headers: { accept: "application/openmetrics-text; version=1.0.0, */*;q=0.1" },
};

async function metrics(bench: AdminBench, init: RequestInit = {}): Promise<string> {
  const response = await bench.ask("/metrics", init);
  expect(response.status).toBe(200);
  return await response.text();
}

test.skipIf(!existsSync(PROMTOOL))("promtool has nothing to say of them", async () => {
  const bench = new AdminBench();
  bench.happen({ kind: "link_up", peer: 1 });
  await bench.ask("/nothing");
  const text = await metrics(bench);
  const checked = Bun.spawnSync([PROMTOOL, "check", "metrics"], { stdin: Buffer.from(text) });
  expect([checked.stdout.toString(), checked.stderr.toString(), checked.exitCode]).toEqual([
    "",
    "",
    0,
  ]);
});

test("numbers of ctdbd, of the cluster and of ctdb-admind are there", async () => {
  const text = await metrics(new AdminBench());
  for (const line of [
    "ctdb_up 1",
    'ctdb_build_info{version="9.9.9"} 1',
    'ctdb_peer_queue_bytes{peer="1"} 4096',
    'ctdb_node_flag{node="1",flag="banned"} 1',
    'ctdb_node_flag{node="1",flag="stopped"} 0',
    "ctdb_public_addresses_unassigned 1",
    'ctdb_condition{id="node-banned",severity="critical"} 1',
    'ctdb_script_last_result{event="monitor",script="50.samba"} -110',
    'ctdb_vacuum_backlog_records{database="a \\"quoted\\" name\\\\ and\\nmore.tdb",queue="delete"} 4',
    "ctdb_admind_memory_resident_bytes 42000000",
    "ctdb_journal_waiting_events 3",
    'ctdb_node_connections_refused_total{cause="plain"} 2',
    'ctdb_certificate_end_time_seconds{of="node"} 1800000000',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
});

test("histograms are cumulative, in seconds, and end with all", async () => {
  const lines = (await metrics(new AdminBench())).split("\n");
  const turns = lines.filter((line) => line.startsWith("ctdb_loop_turn_duration_seconds"));
  expect(turns).toEqual([
    'ctdb_loop_turn_duration_seconds_bucket{span="client",le="0.001"} 1',
    'ctdb_loop_turn_duration_seconds_bucket{span="client",le="0.002"} 3',
    'ctdb_loop_turn_duration_seconds_bucket{span="client",le="+Inf"} 6',
    'ctdb_loop_turn_duration_seconds_sum{span="client"} 0.1235',
    'ctdb_loop_turn_duration_seconds_count{span="client"} 6',
  ]);
});

test("whoever accepts OpenMetrics gets them", async () => {
  const bench = new AdminBench();
  const response = await bench.ask("/metrics", OPENMETRICS);
  expect(response.headers.get("content-type")).toStartWith(
    "application/openmetrics-text; version=1",
  );
  const text = await response.text();
  expect(text.endsWith("# EOF\n")).toBe(true);
  expect(text).toContain("# TYPE ctdb_recoveries counter\n");
  expect(text).toContain('ctdb_recoveries_total{result="failed"} 1\n');
  expect(text).toContain("# UNIT ctdb_memory_resident_bytes bytes\n");
  expect(await metrics(bench)).toContain("# TYPE ctdb_recoveries_total counter\n");
});

test("a daemon that is away is a metric, not an error", async () => {
  const bench = new AdminBench();
  bench.facts = err("ctdbd is not connected");
  bench.nodeFacts = err("ctdbd is not connected");
  const text = await metrics(bench);
  expect(text).toContain("\nctdb_up 0\n");
  expect(text).toContain("\nctdb_admind_event_streams 0\n");
  expect(text).not.toContain("ctdb_clients");
});

test("labels are bounded, whatever nodes tell", async () => {
  const bench = new AdminBench();
  const [database] = clusterFacts().databases;
  const databases = Array.from({ length: 5000 }, (_, i) => ({
    ...(database as NonNullable<typeof database>),
    name: `db${i}`,
    hotKeys: Array.from({ length: 50 }, (_, count) => ({ count, keyHex: "00" })),
  }));
  bench.facts = { ok: true, value: clusterFacts({ databases }) };
  const text = await metrics(bench);
  expect(text.match(/^ctdb_database_healthy/gm)).toHaveLength(256);
  expect(text.match(/^ctdb_database_hot_key_hops/gm)).toHaveLength(5 * 256);
  expect(text).not.toContain("keyHex");
});

test("metrics can be off", async () => {
  const bench = new AdminBench({ metrics: false });
  expect((await bench.json("/metrics", {}, UNIX))[0]).toBe(404);
});

test("who scrapes often costs one question", async () => {
  const bench = new AdminBench();
  await Promise.all(Array.from({ length: 50 }, () => metrics(bench)));
  expect(bench.looks).toBe(1);
});
