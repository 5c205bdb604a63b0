import { expect, test } from "bun:test";
import { silentLogger } from "../../src/base/log.ts";
import { u64Equal } from "../../src/base/u64.ts";
import { runRecovery } from "../../src/recovery/run_recovery.ts";
import { decodeExact, u32Codec } from "../../src/wire/codec.ts";
import {
  CAPABILITIES,
  DB_FLAGS,
  NODE_FLAGS,
  RECORD_FLAGS,
  RECOVERY_ACTIVE,
  RECOVERY_NORMAL,
  SRVID,
} from "../../src/wire/constants.ts";
import type { ControlName } from "../../src/wire/controls.ts";
import { BROADCAST_CONNECTED, INVALID_GENERATION } from "../../src/wire/packet.ts";
import { Scheduler, SimProcess } from "../sim/scheduler.ts";
import { must } from "../support/must.ts";
import { RecordedEvents } from "../support/recorded_events.ts";
import { FakeClient } from "./fake_client.ts";
import { FakeCluster, SEQUENCE_RECORD } from "./fake_cluster.ts";

const VOLATILE = 0x11;
const PERSISTENT = 0x22;
const REPLICATED = 0x33;
const GENERATION = 4711;
const LEADER = 1;
/** A second may end while it runs. */
const RECOVERY_SEC_MAX = 5;

function newCluster(count = 3): FakeCluster {
  const cluster = new FakeCluster(count);
  for (const node of cluster.nodes) {
    node.attach(VOLATILE, "volatile.tdb");
    node.attach(PERSISTENT, "persistent.tdb", DB_FLAGS.PERSISTENT);
  }
  return cluster;
}

function recover(cluster: FakeCluster, pnn = LEADER) {
  const process = new SimProcess(cluster.scheduler, "recovery helper");
  const client = new FakeClient(cluster.node(pnn), process);
  let seed = 1;
  const journal = new RecordedEvents();
  const host = {
    client,
    clock: process.clock,
    timers: process.timers,
    random: { u32: () => (seed = (Math.imul(seed, 69069) + 1) >>> 0) },
    log: silentLogger,
    journal,
  };
  return { client, journal, outcome: runRecovery(host, { generation: GENERATION }) };
}

function recovered(cluster: FakeCluster, pnn = LEADER) {
  return cluster.settle(recover(cluster, pnn).outcome);
}

function contents(cluster: FakeCluster, pnn: number, db_id: number) {
  const records = cluster.node(pnn).databases.get(db_id)?.records ?? new Map();
  return Object.fromEntries([...records].map(([key, { value }]) => [key, value]).sort());
}

test("runRecovery() gives all nodes the newest copy of every volatile record", () => {
  const cluster = newCluster();
  cluster.node(0).store(VOLATILE, "a", 5, 0, "a5");
  cluster.node(2).store(VOLATILE, "a", 4, 0, "a4");
  cluster.node(1).store(VOLATILE, "b", 2 ** 33, 2, "big");
  cluster.node(2).store(VOLATILE, "b", 2 ** 33 - 1, 2, "small");
  cluster.node(2).store(VOLATILE, "gone", 9, 2, "");
  cluster.node(0).store(VOLATILE, "gone", 8, 2, "back?");
  for (let i = 0; i < 50; i++) cluster.node(i % 3).store(VOLATILE, `key ${i}`, i, 0, `v${i}`);

  const outcome = recovered(cluster);
  expect(outcome).toMatchObject({ ok: true, value: { databases: 2, pnns: [0, 1, 2] } });
  const expected = contents(cluster, 0, VOLATILE);
  expect(Object.keys(expected).length).toBe(52);
  expect(expected).toMatchObject({ a: "a5", b: "big" });
  expect(expected).not.toHaveProperty("gone");
  for (const { pnn, recoveryMode, vnnMap, databases, recoveries } of cluster.nodes) {
    expect(contents(cluster, pnn, VOLATILE)).toEqual(expected);
    expect({ recoveryMode, recoveries }).toEqual({ recoveryMode: RECOVERY_NORMAL, recoveries: 1 });
    expect(vnnMap).toEqual({ generation: GENERATION, map: [0, 1, 2] });
    for (const { generation, frozen } of databases.values()) {
      expect({ generation, frozen }).toEqual({ generation: GENERATION, frozen: false });
    }
    const header = databases.get(VOLATILE)?.records.get("a")?.header;
    expect(header).toMatchObject({ dmaster: LEADER, flags: RECORD_FLAGS.MIGRATED_WITH_DATA });
  }
});

test("runRecovery() takes persistent and replicated databases from the first highest sequence", () => {
  const cluster = newCluster();
  for (const node of cluster.nodes) node.attach(REPLICATED, "replicated.tdb", DB_FLAGS.REPLICATED);
  for (const dbId of [PERSISTENT, REPLICATED]) {
    for (const [pnn, sequence] of [3, 7, 7].entries()) {
      cluster.node(pnn).store(dbId, SEQUENCE_RECORD, 1, pnn, String(sequence));
      // A higher rsn does not help an older database.
      cluster.node(pnn).store(dbId, "k", 10 - pnn, 0, `from ${pnn}`);
    }
  }
  expect(recovered(cluster, 0)).toMatchObject({ ok: true });
  for (const { pnn, databases } of cluster.nodes) {
    expect(contents(cluster, pnn, PERSISTENT)).toMatchObject({ k: "from 1" });
    expect(contents(cluster, pnn, REPLICATED)).toMatchObject({ k: "from 1" });
    const persistent = databases.get(PERSISTENT)?.records.get("k")?.header;
    const replicated = databases.get(REPLICATED)?.records.get("k")?.header;
    expect(persistent).toMatchObject({ dmaster: 0, flags: 0 });
    expect(replicated).toMatchObject({ dmaster: 0, flags: RECORD_FLAGS.MIGRATED_WITH_DATA });
  }
});

test("runRecovery() takes of equal sequence numbers the content that has come through more or later recoveries", () => {
  const nowSec = new SimProcess(new Scheduler(), "clock").clock.wallTime().sec;
  const cases = [
    { counts: [3, 5, 4], from: 1, after: nowSec },
    { counts: [3, 3, 3], from: 0, after: nowSec },
    // Two sides recovered once each, the second a minute later; their clocks are ahead of the leader's.
    { counts: [nowSec + 60, nowSec + 60, nowSec + 120], from: 2, after: nowSec + 121 },
  ];
  for (const { counts, from, after } of cases) {
    const cluster = newCluster();
    for (const [pnn, count] of counts.entries()) {
      cluster.node(pnn).storeSequence(PERSISTENT, 7, count);
      cluster.node(pnn).store(PERSISTENT, "k", 1, 0, `from ${pnn}`);
    }
    expect(recovered(cluster, 0)).toMatchObject({ ok: true });
    for (const { pnn, databases } of cluster.nodes) {
      expect(contents(cluster, pnn, PERSISTENT)).toMatchObject({ k: `from ${from}` });
      const counted = databases.get(PERSISTENT)?.records.get(SEQUENCE_RECORD)?.header.reserved1;
      expect((counted ?? 0) - after).toBeWithin(0, RECOVERY_SEC_MAX);
    }
  }
});

test("runRecovery() attaches a database where it is missing", () => {
  const cluster = newCluster();
  cluster.node(2).attach(REPLICATED, "replicated.tdb", DB_FLAGS.REPLICATED);
  cluster.node(2).store(REPLICATED, SEQUENCE_RECORD, 1, 2, "1");
  cluster.node(2).store(REPLICATED, "k", 1, 2, "v");
  expect(recovered(cluster)).toMatchObject({ ok: true, value: { databases: 3 } });
  for (const { pnn, databases } of cluster.nodes) {
    expect(databases.get(REPLICATED)?.flags).toBe(DB_FLAGS.REPLICATED);
    expect(contents(cluster, pnn, REPLICATED)).toMatchObject({ k: "v" });
  }
});

test("runRecovery() leaves out nodes that say they are inactive", () => {
  const cluster = newCluster();
  cluster.node(2).flags = NODE_FLAGS.STOPPED;
  cluster.node(2).store(VOLATILE, "k", 99, 2, "of a stopped node");
  expect(recovered(cluster)).toMatchObject({ ok: true, value: { pnns: [0, 1] } });
  expect(cluster.node(0).vnnMap.map).toEqual([0, 1]);
  expect(contents(cluster, 0, VOLATILE)).toEqual({});
  expect(cluster.node(2).vnnMap.map).toEqual([]);
});

test("runRecovery() pushes by broadcast while every connected node takes part, else to each", () => {
  const cluster = newCluster();
  cluster.node(0).store(VOLATILE, "k", 1, 0, "v");
  const together = recover(cluster);
  expect(cluster.settle(together.outcome)).toMatchObject({ ok: true });
  expect(together.client.messagesTo).toEqual([BROADCAST_CONNECTED]);
  expect(contents(cluster, 2, VOLATILE)).toEqual({ k: "v" });
  cluster.node(2).flags = NODE_FLAGS.STOPPED;
  const without = recover(cluster);
  expect(cluster.settle(without.outcome)).toMatchObject({ ok: true });
  expect(without.client.messagesTo).toEqual([0, 1]);
});

test("runRecovery() makes the leader lmaster when no node can be", () => {
  const cluster = newCluster();
  for (const node of cluster.nodes) node.capabilities = CAPABILITIES.RECMASTER;
  expect(recovered(cluster)).toMatchObject({ ok: true });
  expect(cluster.node(0).vnnMap.map).toEqual([LEADER]);
});

test("runRecovery() works where READONLY and STICKY differ, and refuses other differences", () => {
  const cluster = newCluster();
  const volatile = cluster.node(0).databases.get(VOLATILE);
  if (volatile === undefined) throw new Error("attached above");
  volatile.flags = DB_FLAGS.READONLY | DB_FLAGS.STICKY;
  expect(recovered(cluster)).toMatchObject({ ok: true });
  volatile.flags = DB_FLAGS.REPLICATED;
  expect(recovered(cluster)).toMatchObject({ ok: false });
  expect(cluster.seen.filter((line) => line.endsWith("SET_RECMODE")).length).toBe(6);
});

const PREPARING: ControlName[] = [
  "GET_ALL_TUNABLES",
  "GET_NODEMAP",
  "GET_CAPABILITIES",
  "GET_DBMAP",
  "SET_RECMODE",
  "START_RECOVERY",
  "SETVNNMAP",
  "END_RECOVERY",
];
for (const name of PREPARING) {
  for (const kind of ["fail", "hang"] as const) {
    test(`runRecovery() ends when ${name} does ${kind}, and bans nobody`, () => {
      const cluster = newCluster();
      const at = name === "GET_ALL_TUNABLES" ? LEADER : 2;
      cluster.interfere = (pnn, control) => (pnn === at && control === name ? kind : undefined);
      const outcome = recovered(cluster);
      expect(outcome).toMatchObject({ ok: false, error: { banned: undefined } });
      if (!outcome.ok)
        expect(outcome.error.reason).toContain(name === "GET_ALL_TUNABLES" ? "" : name);
      expect(cluster.nodes.filter((node) => node.banned !== undefined)).toEqual([]);
    });
  }
}

/** After a failed thaw some nodes work in this generation: then there is no other attempt in it. */
const OF_DATABASES: readonly (readonly [ControlName, boolean, number])[] = [
  ["GET_DBNAME", false, 3],
  ["DB_FREEZE", true, 3],
  ["DB_TRANSACTION_START", false, 3],
  ["DB_PULL", true, 3],
  ["WIPE_DATABASE", false, 3],
  ["DB_PUSH_START", false, 3],
  ["DB_PUSH_CONFIRM", false, 3],
  ["DB_TRANSACTION_COMMIT", false, 3],
  ["DB_THAW", false, 1],
];
for (const [name, costsCredits, attempts] of OF_DATABASES) {
  for (const kind of ["fail", "hang"] as const) {
    test(`runRecovery() tries ${attempts} times when ${name} does ${kind}, then ${costsCredits ? "bans" : "gives up"}`, () => {
      const cluster = newCluster();
      cluster.nodes.forEach((node) => {
        node.databases.delete(PERSISTENT);
      });
      let tries = 0;
      cluster.interfere = (pnn, control) => {
        if (pnn !== 2 || control !== name) return undefined;
        tries += 1;
        return kind;
      };
      const outcome = recovered(cluster);
      expect(tries).toBe(attempts);
      const banned = costsCredits ? 2 : undefined;
      expect(outcome).toMatchObject({ ok: false, error: { banned } });
      if (!outcome.ok) expect(outcome.error.reason).toContain(`${name} on node 2`);
      expect(cluster.node(2).banned?.time).toBe(costsCredits ? 300 : undefined);
      for (const node of cluster.nodes) {
        expect(node.recoveryMode).toBe(RECOVERY_ACTIVE);
      }
    });
  }
}

/** Nodes that the recovery daemon of the leader is to give credits to. */
function toldOf(cluster: FakeCluster): number[] {
  const told: number[] = [];
  const leader = cluster.node(LEADER);
  const deliver = leader.deliver.bind(leader);
  leader.deliver = (srvid, data, source) => {
    if (u64Equal(srvid, SRVID.BANNING)) told.push(must(decodeExact(u32Codec, data)));
    deliver(srvid, data, source);
  };
  return told;
}

for (const control of ["DB_TRANSACTION_START", "WIPE_DATABASE", "DB_TRANSACTION_COMMIT"]) {
  test(`runRecovery() tells of the node on which alone ${control} fails, and bans nobody`, () => {
    const cluster = newCluster();
    const told = toldOf(cluster);
    cluster.interfere = (pnn, name) => (pnn === 2 && name === control ? "fail" : undefined);
    expect(recovered(cluster)).toMatchObject({ ok: false, error: { banned: undefined } });
    cluster.run(100);
    expect(told).toEqual([2]);
  });

  test(`runRecovery() tells of nobody when ${control} fails on several nodes`, () => {
    const cluster = newCluster();
    const told = toldOf(cluster);
    cluster.interfere = (pnn, name) => (pnn !== 0 && name === control ? "fail" : undefined);
    expect(recovered(cluster)).toMatchObject({ ok: false, error: { banned: undefined } });
    cluster.run(100);
    expect(told).toEqual([]);
  });
}

test("runRecovery() succeeds when a step fails twice only", () => {
  const cluster = newCluster();
  let failures = 0;
  cluster.interfere = (pnn, name) => {
    if (pnn !== 0 || name !== "DB_FREEZE" || failures >= 2) return undefined;
    failures += 1;
    return "fail";
  };
  expect(recovered(cluster)).toMatchObject({ ok: true });
});

test("runRecovery() counts credits over databases, and bans the worst only", () => {
  const cluster = newCluster();
  // Two databases, three attempts each on node 0; one database on node 2.
  cluster.interfere = (pnn, name, request) => {
    if (name !== "DB_FREEZE") return undefined;
    if (pnn === 2 && request === VOLATILE) return "fail";
    return pnn === 0 && request === PERSISTENT ? "fail" : undefined;
  };
  const outcome = recovered(cluster);
  expect(outcome).toMatchObject({ ok: false, error: { banned: 0 } });
  expect(cluster.node(2).banned).toBeUndefined();
});

test("runRecovery() does not ban with EnableBans 0, nor a node that became inactive", () => {
  for (const how of ["EnableBans", "inactive"]) {
    const cluster = newCluster();
    if (how === "EnableBans") cluster.node(LEADER).tunables.set("EnableBans", 0);
    cluster.interfere = (pnn, name) => {
      if (pnn !== 2 || name !== "DB_FREEZE") return undefined;
      if (how === "inactive") cluster.node(2).flags = NODE_FLAGS.STOPPED;
      return "fail";
    };
    expect(recovered(cluster)).toMatchObject({ ok: false, error: { banned: undefined } });
    expect(cluster.node(2).banned).toBeUndefined();
  }
});

test("runRecovery() blames the node that gives another name", () => {
  const cluster = newCluster();
  const odd = cluster.node(2).databases.get(VOLATILE);
  if (odd !== undefined) odd.name = "other.tdb";
  expect(recovered(cluster)).toMatchObject({ ok: false, error: { banned: 2 } });
});

test("runRecovery() notices records that got lost on the way", () => {
  const cluster = newCluster();
  cluster.node(0).store(VOLATILE, "k", 1, 0, "v");
  const node = cluster.node(2);
  const deliver = node.deliver.bind(node);
  node.deliver = (srvid, data, source) => {
    if (data.length < 40) deliver(srvid, data, source);
  };
  const outcome = recovered(cluster);
  expect(outcome.ok).toBe(false);
  if (!outcome.ok) expect(outcome.error.reason).toContain("Node 2 stored 0 of 1 records");
});

test("runRecovery() ends at once when its client is closed", () => {
  const cluster = newCluster();
  cluster.interfere = (_pnn, name) => (name === "DB_FREEZE" ? "hang" : undefined);
  const { client, outcome } = recover(cluster);
  cluster.run(100);
  client.close();
  let ended: unknown;
  outcome.then((value) => {
    ended = value;
  });
  cluster.run(1);
  expect(ended).toMatchObject({ ok: false, error: { banned: undefined } });
});

test("runRecovery() leaves nothing to do for a cluster without databases", () => {
  const cluster = new FakeCluster(2);
  expect(recovered(cluster)).toMatchObject({ ok: true, value: { databases: 0, records: 0 } });
  expect(cluster.node(0).vnnMap.generation).toBe(GENERATION);
});

test("runRecovery() writes down whom it blames and bans, and why", () => {
  const cluster = newCluster();
  cluster.interfere = (pnn, name) => (pnn === 2 && name === "DB_FREEZE" ? "fail" : undefined);
  const { journal, outcome } = recover(cluster);
  cluster.settle(outcome);
  const [blame] = journal.of("blame");
  expect(blame).toMatchObject({ target: 2, credits: 6, total: 6, limit: 3 });
  expect(blame?.reason).toStartWith("DB_FREEZE on node 2: ");
  expect(journal.of("ban")).toMatchObject([
    {
      target: 2,
      reason: `it failed 6 requests of a recovery: ${blame?.reason}`,
      by: { node: LEADER },
    },
  ]);
});

test("runRecovery() writes down steps and databases with the generation", () => {
  const cluster = newCluster();
  cluster.node(0).store(VOLATILE, "k", 1, 0, "v");
  const { journal, outcome } = recover(cluster);
  cluster.settle(outcome);
  expect(
    journal.of("recovery_database").map(({ database, records }) => [database, records]),
  ).toEqual([
    ["volatile.tdb", 1],
    ["persistent.tdb", 0],
  ]);
  for (const event of [...journal.of("recovery_step"), ...journal.of("recovery_database")]) {
    expect(event.generation).toBe(GENERATION);
    expect(event.duration_ms).toBeGreaterThanOrEqual(0);
  }
  expect(journal.of("recovery_step").at(-1)?.step).toBe("recovered event");
});

test("runRecovery() tells of an unbroken row of recoveries only when no node can have been in another one", () => {
  const other = undefined;
  const none = INVALID_GENERATION;
  // By node; node 1 leads.
  const cases: [counted: (number | undefined)[], told: number | undefined][] = [
    [[7, 7, 7], 7],
    [[7, 7, none], undefined],
    [[7, 7, 9], undefined],
    [[7, 7, other], undefined],
    [[7, none, 7], undefined],
    [[none, none, none], undefined],
  ];
  for (const [counted, told] of cases) {
    const cluster = newCluster();
    cluster.node(0).store(VOLATILE, "key", 5, 0, "value");
    for (const [pnn, generation] of counted.entries()) {
      cluster.node(pnn).countedGeneration = generation;
    }
    expect(cluster.settle(recover(cluster).outcome)).toMatchObject({ ok: true });
    const all = [0, 1, 2].map((pnn) => cluster.node(pnn).unbrokenTold);
    expect([counted, all]).toEqual([counted, [told, told, told]]);
  }
});
