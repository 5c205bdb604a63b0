/**
 * The vacuum of three database parts over a network that reorders between links: deleted records go
 * from all nodes, live ones stay, and nothing that a run meets on its way is waited for.
 */
import { expect, test } from "bun:test";
import { jenkinsHash } from "../../src/base/jenkins_hash.ts";
import type { ControlReply } from "../../src/control/control_request.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { RECORD_FLAGS } from "../../src/wire/constants.ts";
import { type ClusterNode, FakeCluster } from "./fake_cluster.ts";
import type { MemoryTdb } from "./memory_tdb.ts";
import { recordValue } from "./record_values.ts";

const NAME = "vacuumed.tdb";
const { MIGRATED_WITH_DATA } = RECORD_FLAGS;

interface World {
  readonly cluster: FakeCluster;
  readonly dbId: number;
  node(pnn: number): ClusterNode;
  /** pnns in the order lmaster, second, third. */
  readonly order: readonly [number, number, number];
}

const KEY = textBytes("deleted");

function world(seed = 7): World {
  const cluster = new FakeCluster(seed);
  const dbId = cluster.attach(NAME);
  const lmaster = jenkinsHash(KEY) % 3;
  const order = [lmaster, (lmaster + 1) % 3, (lmaster + 2) % 3] as const;
  return { cluster, dbId, order, node: (pnn) => cluster.nodes[pnn] as ClusterNode };
}

function put({ node }: World, pnn: number, dmaster: number, rsn: number, data = "", flags = 0) {
  const value = recordValue({ rsn, dmaster, flags, data });
  expect(node(pnn).database(NAME).tdb.store(KEY, value).ok).toBe(true);
}

function schedule({ node, dbId }: World, pnn: number, rsn: number, flags: number): void {
  const header = { rsn: { hi: 0, lo: rsn }, dmaster: pnn, reserved1: 0, flags };
  node(pnn).caller.call("SCHEDULE_FOR_DELETION", { db_id: dbId, header, key: KEY });
}

/** The record as it is after a deletion on `master`: empty there, old copies with data elsewhere. */
function deletedOn(w: World, master: number): void {
  for (const pnn of w.order) {
    if (pnn !== master) put(w, pnn, master, 4, "old", MIGRATED_WITH_DATA);
  }
  put(w, master, master, 5, "", MIGRATED_WITH_DATA);
  schedule(w, master, 5, MIGRATED_WITH_DATA);
}

function begin({ node, dbId }: World, pnn: number, full = false): { reply?: ControlReply } {
  const request = { db_id: dbId, full_vacuum_run: full };
  return node(pnn).caller.call("DB_VACUUM", request) as { reply?: ControlReply };
}

function vacuum(w: World, pnn: number, full = false): ControlReply | undefined {
  const answer = begin(w, pnn, full);
  w.cluster.runUntil(() => answer.reply !== undefined, "vacuum");
  return answer.reply;
}

/** A record that was deleted on another node, which has offered it to its lmaster. */
function offered() {
  const w = world();
  const [lmaster, other] = w.order;
  deletedOn(w, other);
  vacuum(w, other);
  return { w, lmaster, other };
}

function holders({ cluster }: World): readonly number[] {
  return cluster.nodes.flatMap((node, pnn) => (node.value(NAME, KEY) === undefined ? [] : [pnn]));
}

const fileOf = ({ node }: World, pnn: number) => (node(pnn).database(NAME).tdb as MemoryTdb).file;

function hold(w: World, pnn: number): () => void {
  return fileOf(w, pnn).hold(w.node(pnn).database(NAME).tdb.chainOf(KEY));
}

test("A record that was deleted on its lmaster goes from all nodes with one run", () => {
  const w = world();
  deletedOn(w, w.order[0]);
  expect(vacuum(w, w.order[0])?.status).toBe(0);
  expect(holders(w)).toEqual([]);
  const { vacuum: statistics, vacuumLatency } = w.node(w.order[0]).database(NAME).statistics;
  expect([statistics.runs, statistics.total.deleted, vacuumLatency.num]).toEqual([1, 1, 1]);
});

test("A record that was deleted elsewhere is offered, fetched and deleted, a run each", () => {
  const { w, lmaster } = offered();
  expect(w.node(lmaster).database(NAME).fetchQueue.size).toBe(1);
  vacuum(w, lmaster);
  expect(holders(w)).toEqual([0, 1, 2]);
  expect(w.node(lmaster).database(NAME).deleteQueue.size).toBe(1);
  vacuum(w, lmaster);
  expect(holders(w)).toEqual([]);
});

test("A record that never left its lmaster with data goes without a word to the others", () => {
  const w = world();
  const [lmaster] = w.order;
  put(w, lmaster, lmaster, 5);
  schedule(w, lmaster, 5, 0);
  w.cluster.packetsDelivered = 0;
  vacuum(w, lmaster);
  expect(holders(w)).toEqual([]);
  expect(w.cluster.packetsDelivered).toBe(0);
});

test("A full run finds empty records that nobody has scheduled, a fast one does not", () => {
  const w = world();
  const [lmaster] = w.order;
  put(w, lmaster, lmaster, 5, "", MIGRATED_WITH_DATA);
  vacuum(w, lmaster);
  expect(holders(w)).toEqual([lmaster]);
  vacuum(w, lmaster, true);
  expect(holders(w)).toEqual([]);
});

test("A record that is not as it was queued stays", () => {
  const w = world();
  const [lmaster, other] = w.order;
  const cases: (() => void)[] = [
    () => put(w, lmaster, lmaster, 5, "new", MIGRATED_WITH_DATA),
    () => put(w, lmaster, lmaster, 6, "", MIGRATED_WITH_DATA),
    () => put(w, lmaster, other, 5, "", MIGRATED_WITH_DATA),
    () => put(w, lmaster, lmaster, 5, "", RECORD_FLAGS.RO_HAVE_DELEGATIONS),
  ];
  for (const change of cases) {
    schedule(w, lmaster, 5, MIGRATED_WITH_DATA);
    change();
    expect(vacuum(w, lmaster)?.status).toBe(0);
    expect(holders(w)).toContain(lmaster);
  }
});

test("A record that comes to life while the others are asked stays", () => {
  const w = world();
  const [lmaster] = w.order;
  deletedOn(w, lmaster);
  const answer = begin(w, lmaster);
  w.cluster.runUntil(() => holders(w).length === 1, "the copies of the others go");
  put(w, lmaster, lmaster, 5, "again", MIGRATED_WITH_DATA);
  w.cluster.runUntil(() => answer.reply !== undefined, "vacuum");
  expect(holders(w)).toEqual([lmaster]);
});

test("What is held or refused is kept, and tried again by a scheduled run, not before", () => {
  for (const holder of [0, 1] as const) {
    const w = world();
    const [lmaster] = w.order;
    deletedOn(w, lmaster);
    const release = hold(w, w.order[holder]);
    expect(vacuum(w, lmaster)?.status).toBe(0);
    release();
    expect(w.node(lmaster).database(NAME).deleteQueue.size).toBe(1);
    vacuum(w, lmaster);
    expect(holders(w)).toContain(lmaster);
    const { statistics } = w.node(lmaster).database(NAME);
    w.cluster.runUntil(() => statistics.vacuum.total.deleted === 1, "a scheduled run");
    expect(holders(w)).toEqual([]);
  }
});

test("A node that cannot be asked keeps the record everywhere it may come back from", () => {
  const w = world();
  const [lmaster, other] = w.order;
  deletedOn(w, lmaster);
  const { host, set } = w.node(lmaster);
  host.flags.set(other, 0x01);
  set.nodeLost(other);
  vacuum(w, lmaster);
  expect(holders(w)).toEqual([0, 1, 2]);
  expect(w.node(lmaster).database(NAME).deleteQueue.size).toBe(1);
});

test("A stopped node is not asked: its records count for nothing once a recovery has left it out", () => {
  for (const isLeftOut of [false, true]) {
    const w = world();
    const [lmaster, other] = w.order;
    deletedOn(w, lmaster);
    const { host } = w.node(lmaster);
    host.flags.set(other, 0x20);
    // A map as long as before, so that the record keeps its lmaster.
    if (isLeftOut) host.map = host.map.map((pnn) => (pnn === other ? lmaster : pnn));
    vacuum(w, lmaster);
    expect(holders(w)).toEqual(isLeftOut ? [other] : [0, 1, 2]);
  }
});

test("A freeze ends a run at once and the next run goes on with what is left", () => {
  const w = world();
  const [lmaster] = w.order;
  deletedOn(w, lmaster);
  const answer = begin(w, lmaster);
  w.cluster.step();
  w.node(lmaster).caller.now("DB_FREEZE", w.dbId);
  expect(answer.reply?.status).toBe(-1);
  expect(begin(w, lmaster).reply?.status).toBe(-1);
  w.node(lmaster).caller.now("DB_THAW", w.dbId);
  expect(w.node(lmaster).database(NAME).deleteQueue.size).toBe(1);
  vacuum(w, lmaster);
  expect(holders(w)).toEqual([]);
});

test("There is no run while the cluster recovers, on an inactive node, or beside another one", () => {
  const w = world();
  const [lmaster] = w.order;
  const { host } = w.node(lmaster);
  host.isRecovering = true;
  expect(begin(w, lmaster).reply?.status).toBe(-1);
  host.isRecovering = false;
  host.flags.set(lmaster, 0x08);
  expect(begin(w, lmaster).reply?.status).toBe(-1);
  host.flags.set(lmaster, 0);
  const running = begin(w, lmaster);
  expect(begin(w, lmaster).reply?.status).toBe(-1);
  w.cluster.runUntil(() => running.reply !== undefined, "vacuum");
  expect(running.reply?.status).toBe(0);
});

test("A run that takes longer than VacuumMaxRunTime ends, and its records are kept", () => {
  const { w, lmaster, other } = offered();
  const release = hold(w, other);
  // Whoever asked waits for the record, which cannot come.
  const answer = begin(w, lmaster);
  const startedMs = w.cluster.time.nowMs;
  w.cluster.runUntil(() => answer.reply !== undefined, "end of the run");
  expect(answer.reply?.status).toBe(-1);
  expect(w.cluster.time.nowMs - startedMs).toBeGreaterThanOrEqual(120_000);
  release();
});

test("A scheduled run does not wait long for records to come", () => {
  const { w, lmaster, other } = offered();
  const release = hold(w, other);
  const { statistics } = w.node(lmaster).database(NAME);
  w.cluster.runUntil(() => statistics.vacuum.runs === 1, "a scheduled run");
  expect(w.cluster.time.nowMs).toBeLessThan(20_000);
  release();
  w.cluster.runUntil(() => holders(w).length === 0, "the record goes");
});

test("Detaching ends a run", () => {
  const w = world();
  const [lmaster] = w.order;
  deletedOn(w, lmaster);
  const answer = begin(w, lmaster);
  const { host, caller, set } = w.node(lmaster);
  host.tunables["AllowClientDBAttach"] = 0;
  caller.call("DB_DETACH", w.dbId, { clientId: 0 });
  expect(answer.reply?.status).toBe(-1);
  expect(set.databaseNames()).toEqual([]);
});
