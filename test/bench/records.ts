/** Record figures: what a client feels when it locks, reads and migrates records; and recoveries. */
import { openRecordDatabase, type RecordDatabase } from "../../src/client/record.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { FETCH_FUNC, RECOVERY_ACTIVE, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { must } from "../support/must.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import type { BenchCluster, Figure } from "./figures.ts";
import { connect } from "./messages.ts";

const TIMEOUT_MS = 20_000;
const MIGRATIONS = 3000;
const LOCAL_FETCHES = 20_000;
const VALUE_BYTES = 200;
const RECOVERY_WAIT_MS = 90_000;

async function open(client: CtdbClient, name: string): Promise<RecordDatabase> {
  return must(await openRecordDatabase(client, recordEnvironment(), name, 0, TIMEOUT_MS));
}

/** One record locked on node 0, 1, 2, 0 …: every lock is a migration. */
async function migrationsPerSecond(cluster: BenchCluster): Promise<number> {
  const clients = await Promise.all([0, 1, 2].map((pnn) => connect(cluster, pnn)));
  const databases = await Promise.all(clients.map((client) => open(client, "bench_ring.tdb")));
  const value = new Uint8Array(VALUE_BYTES);
  let started = 0;
  for (let i = -60; i < MIGRATIONS; i++) {
    if (i === 0) started = performance.now();
    const database = databases[(i + 60) % databases.length] as RecordDatabase;
    const record = must(await database.fetchLock(textBytes("ring"), { timeoutMs: TIMEOUT_MS }));
    must(await record.store(value, TIMEOUT_MS));
    record.release();
  }
  const elapsedMs = performance.now() - started;
  for (const database of databases) database.close();
  for (const client of clients) client.close();
  return (MIGRATIONS * 1000) / elapsedMs;
}

/** A call for a record that is already here: the daemon's answer, not the file's. */
async function localCallsPerSecond(cluster: BenchCluster): Promise<number> {
  const client = await connect(cluster, 0);
  const database = await open(client, "bench_local.tdb");
  const record = must(await database.fetchLock(textBytes("local"), { timeoutMs: TIMEOUT_MS }));
  must(await record.store(new Uint8Array(VALUE_BYTES), TIMEOUT_MS));
  record.release();
  const request = {
    db_id: database.database.id,
    flags: 0,
    callid: FETCH_FUNC,
    key: textBytes("local"),
  };
  for (let i = 0; i < 200; i++) must(await client.call(request, TIMEOUT_MS));
  const started = performance.now();
  for (let i = 0; i < LOCAL_FETCHES; i++) must(await client.call(request, TIMEOUT_MS));
  const elapsedMs = performance.now() - started;
  database.close();
  client.close();
  return (LOCAL_FETCHES * 1000) / elapsedMs;
}

async function fill(client: CtdbClient, name: string, count: number): Promise<void> {
  const database = await open(client, name);
  const value = new Uint8Array(VALUE_BYTES).fill(0x61);
  for (let i = 0; i < count; i++) {
    const record = must(
      await database.fetchLock(textBytes(`record-${i}`), { timeoutMs: TIMEOUT_MS }),
    );
    must(await record.store(value, TIMEOUT_MS));
    record.release();
  }
  database.close();
}

/**
 * Milliseconds of a recovery as the daemon saw it, from START_RECOVERY to END_RECOVERY: what waits before
 * it (the leader's rounds, RerecoveryTimeout) is a setting and not speed.
 */
async function recoveryMs(cluster: BenchCluster, records: number): Promise<number> {
  const client = await connect(cluster, 0);
  await fill(client, `bench_recovery_${records}.tdb`, records);
  client.close();
  return measureRecovery(cluster);
}

/** Of what the databases hold. */
export async function measureRecovery(cluster: BenchCluster): Promise<number> {
  const clients = await Promise.all([0, 1, 2].map((pnn) => connect(cluster, pnn)));
  const first = clients[0] as CtdbClient;
  const before = must(await first.control("UPTIME", undefined)).data;
  const deadline = performance.now() + RECOVERY_WAIT_MS;
  must(await first.control("SET_RECMODE", RECOVERY_ACTIVE));
  for (;;) {
    const times = must(await first.control("UPTIME", undefined)).data;
    const startedMs = milliseconds(times.last_recovery_started);
    const finishedMs = milliseconds(times.last_recovery_finished);
    const renewed = startedMs > milliseconds(before.last_recovery_started);
    if (renewed && finishedMs > startedMs && (await allNormal(clients))) {
      for (const client of clients) client.close();
      return finishedMs - startedMs;
    }
    if (performance.now() > deadline) throw new Error(`no recovery in ${RECOVERY_WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function milliseconds(time: { readonly sec: number; readonly usec: number }): number {
  return time.sec * 1000 + time.usec / 1000;
}

async function allNormal(clients: readonly CtdbClient[]): Promise<boolean> {
  const modes = await Promise.all(
    clients.map((client) => client.control("GET_RECMODE", undefined)),
  );
  return modes.every((mode) => mode.ok && mode.value.status === RECOVERY_NORMAL);
}

export const recordFigures: readonly Figure[] = [
  {
    name: "fetch-lock migrations around three nodes",
    unit: "1/s",
    better: "higher",
    measure: migrationsPerSecond,
  },
  {
    name: "call for a record that is here",
    unit: "1/s",
    better: "higher",
    measure: localCallsPerSecond,
  },
  ...[10_000, 100_000].map(
    (records): Figure => ({
      name: `recovery with ${records} records of ${VALUE_BYTES} bytes`,
      unit: "ms",
      better: "lower",
      measure: (cluster) => recoveryMs(cluster, records),
    }),
  ),
];
