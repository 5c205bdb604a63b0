/** Who is banned for a recovery that fails, how much runs at once, and what may not get lost. */
import { expect, test } from "bun:test";
import { silentLogger } from "../../src/base/log.ts";
import {
  DATABASES_AT_ONCE_MAX,
  PUSH_BEHIND_BYTES_MAX,
  PUSH_BUFFER_BYTES_MIN,
  PUSH_BUFFERS_UNCONFIRMED_MAX,
} from "../../src/recovery/limits.ts";
import { runRecovery } from "../../src/recovery/run_recovery.ts";
import { Turnstile } from "../../src/recovery/turnstile.ts";
import { encode } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { recBuffer } from "../../src/wire/structs/records.ts";
import { SimProcess } from "../sim/scheduler.ts";
import { RecordedEvents } from "../support/recorded_events.ts";
import { FakeClient } from "./fake_client.ts";
import { FakeCluster } from "./fake_cluster.ts";

const DB_ID = 0x11;
const LEADER = 1;
const NO_RECORDS = { db_id: DB_ID, records: [] };

function newCluster(databases = 1): FakeCluster {
  const cluster = new FakeCluster(3);
  for (const node of cluster.nodes) {
    for (let i = 0; i < databases; i++) node.attach(DB_ID + i, `${i}.tdb`);
  }
  return cluster;
}

function recover(cluster: FakeCluster) {
  const process = new SimProcess(cluster.scheduler, "recovery helper");
  const client = new FakeClient(cluster.node(LEADER), process);
  const journal = new RecordedEvents();
  const host = {
    client,
    clock: process.clock,
    timers: process.timers,
    random: { u32: () => 7 },
    log: silentLogger,
    journal,
  };
  return { client, journal, outcome: runRecovery(host, { generation: 4711 }) };
}

test("runRecovery() bans nobody who failed fewer times than a database has attempts", () => {
  const cluster = newCluster();
  let freezes = 0;
  cluster.interfere = (pnn, name) => {
    if (name === "DB_FREEZE" && pnn === 2) return ++freezes < 3 ? "fail" : undefined;
    return name === "WIPE_DATABASE" && pnn === 0 ? "fail" : undefined;
  };
  expect(cluster.settle(recover(cluster).outcome).ok).toBe(false);
  expect(freezes).toBe(3);
  expect(cluster.nodes.filter(({ banned }) => banned !== undefined)).toEqual([]);
});

test("runRecovery() bans the next when the worst node became inactive by itself", () => {
  const cluster = newCluster(3);
  cluster.interfere = (pnn, name, request) => {
    if (name !== "DB_FREEZE") return undefined;
    if (request === DB_ID) return pnn === 0 ? "fail" : undefined;
    // For two databases: it has the most credits.
    if (pnn !== 2) return undefined;
    cluster.node(2).flags = NODE_FLAGS.STOPPED;
    return "fail";
  };
  expect(cluster.settle(recover(cluster).outcome).ok).toBe(false);
  expect(cluster.nodes.map(({ banned }) => banned !== undefined)).toEqual([true, false, false]);
});

test("runRecovery() notices records that a node sent and that did not arrive, or came too late", () => {
  const cluster = newCluster();
  for (let i = 0; i < 9; i++) cluster.node(0).store(DB_ID, `key ${i}`, 5, 0, "value");
  const leader = cluster.node(LEADER);
  const deliver = leader.deliver.bind(leader);
  let dropped = 0;
  leader.deliver = (srvid, data, source) => {
    if (source === 0 && ++dropped % 3 === 2) return;
    deliver(srvid, data, source);
  };
  const outcome = cluster.settle(recover(cluster).outcome);
  expect(dropped).toBeGreaterThan(2);
  expect(outcome.ok).toBe(false);
  expect(leader.banned).toBeUndefined();
  expect(cluster.node(0).banned).toBeDefined();
});

test("Turnstile.run() lets so many work at once, the others in their order", async () => {
  const turnstile = new Turnstile(2);
  const began: number[] = [];
  const ends: (() => void)[] = [];
  const works = [0, 1, 2, 3].map((i) =>
    turnstile.run(async () => {
      began.push(i);
      await new Promise<void>((end) => ends.push(end));
    }),
  );
  await Promise.resolve();
  expect(began).toEqual([0, 1]);
  for (const count of [3, 4, 4, 4]) {
    ends.shift()?.();
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect(began.length).toBe(count);
  }
  await Promise.all(works);
  expect(began).toEqual([0, 1, 2, 3]);
});

test("runRecovery() recovers DATABASES_AT_ONCE_MAX databases at once", () => {
  const cluster = newCluster(DATABASES_AT_ONCE_MAX + 3);
  cluster.holds = (pnn, name) => pnn === 0 && name === "DB_FREEZE";
  const { outcome } = recover(cluster);
  cluster.run(5000);
  expect(cluster.heldAnswers).toBe(DATABASES_AT_ONCE_MAX);
  cluster.letArrive();
  expect(cluster.settle(outcome)).toMatchObject({
    ok: true,
    value: { databases: DATABASES_AT_ONCE_MAX + 3 },
  });
});

test("runRecovery() sends PUSH_BUFFERS_UNCONFIRMED_MAX buffers ahead, of bounded size", () => {
  const cluster = newCluster();
  const value = "v".repeat(PUSH_BUFFER_BYTES_MIN);
  const count = 3 * PUSH_BUFFERS_UNCONFIRMED_MAX;
  for (let i = 0; i < count; i++) cluster.node(0).store(DB_ID, `key ${i}`, 5, 0, value);
  // Far below what a buffer may have: one record each.
  cluster.node(LEADER).tunables.set("RecBufferSizeLimit", 1);
  // All but the one by which the recovery begins.
  let pings = 0;
  cluster.holds = (pnn, name) => pnn === 0 && name === "PING" && ++pings > 1;
  const { client, outcome } = recover(cluster);
  cluster.run(5000);
  expect(client.messagesTo.length).toBe(PUSH_BUFFERS_UNCONFIRMED_MAX);
  cluster.letArrive();
  expect(cluster.settle(outcome)).toMatchObject({ ok: true, value: { records: count } });
  expect(client.messagesTo.length).toBe(count);
});

function pushedOneByOne(count: number): FakeCluster {
  const cluster = newCluster();
  const value = "v".repeat(PUSH_BUFFER_BYTES_MIN);
  for (let i = 0; i < count; i++) cluster.node(0).store(DB_ID, `key ${i}`, 5, 0, value);
  cluster.node(LEADER).tunables.set("RecBufferSizeLimit", 1);
  return cluster;
}

test("runRecovery() waits for a node that has not stored what it was sent", () => {
  const count = 3 * PUSH_BUFFERS_UNCONFIRMED_MAX;
  const cluster = pushedOneByOne(count);
  cluster.node(2).pushWaiting = PUSH_BEHIND_BYTES_MAX + 1;
  const { client, outcome } = recover(cluster);
  cluster.run(5000);
  expect(client.messagesTo.length).toBe(PUSH_BUFFERS_UNCONFIRMED_MAX);
  cluster.node(2).pushWaiting = PUSH_BEHIND_BYTES_MAX;
  expect(cluster.settle(outcome)).toMatchObject({ ok: true, value: { records: count } });
});

test("runRecovery() names the node that does not store what it was sent", () => {
  const cluster = pushedOneByOne(3 * PUSH_BUFFERS_UNCONFIRMED_MAX);
  cluster.node(2).pushWaiting = PUSH_BEHIND_BYTES_MAX + 1;
  const { outcome } = recover(cluster);
  const failure = cluster.settle(outcome);
  expect(failure.ok ? "" : failure.error.reason).toContain("Node 2 does not store its records");
});

test("runRecovery() goes on with a pull while records come, however long all of them take", () => {
  const cluster = newCluster();
  cluster.node(0).store(DB_ID, "key", 5, 0, "value");
  const leader = cluster.node(LEADER);
  const deliver = leader.deliver.bind(leader);
  let more = (): void => {};
  leader.deliver = (srvid, data, source) => {
    if (source === 0) more = () => deliver(srvid, encode(recBuffer, NO_RECORDS), 0);
    deliver(srvid, data, source);
  };
  cluster.holds = (pnn, name) => pnn === 0 && name === "DB_PULL";
  const { outcome } = recover(cluster);
  for (let i = 0; i < 5; i++) {
    cluster.run(20_000);
    more();
  }
  expect(cluster.heldAnswers).toBe(1);
  cluster.letArrive();
  expect(cluster.settle(outcome)).toMatchObject({ ok: true, value: { records: 1 } });
});

test("runRecovery() ends a pull that brings nothing for RecoverTimeout, and blames its node", () => {
  const cluster = newCluster();
  cluster.interfere = (pnn, name) => (pnn === 0 && name === "DB_PULL" ? "hang" : undefined);
  const outcome = cluster.settle(recover(cluster).outcome);
  expect(outcome.ok ? undefined : outcome.error.banned).toBe(0);
});

test("runRecovery() takes no RecBufferSizeLimit below PUSH_BUFFER_BYTES_MIN", () => {
  const cluster = newCluster();
  for (let i = 0; i < 10; i++) cluster.node(0).store(DB_ID, `key ${i}`, 5, 0, "value");
  cluster.node(LEADER).tunables.set("RecBufferSizeLimit", 1);
  const { client, outcome } = recover(cluster);
  expect(cluster.settle(outcome)).toMatchObject({ ok: true, value: { records: 10 } });
  expect(client.messagesTo.length).toBe(1);
});
