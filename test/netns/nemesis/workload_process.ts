/**
 * The client of one host: `bun run workload_process.ts JOURNAL`. It adds one to counters under record locks of a volatile
 * database, and to one counter of a persistent database by transactions, and appends each step to a file as a line of
 * JSON (Step of workload_steps.ts), the beginning before anything is asked, the end after the answer. When its
 * connection is lost it makes a new one, for ever.
 */
import { openSync, writeSync } from "node:fs";
import { bytesText, textBytes } from "../../../src/base/byte_text.ts";
import { openPersistentDatabase } from "../../../src/client/persistent_database.ts";
import { openRecordDatabase, type RecordDatabase } from "../../../src/client/record_database.ts";
import type { CtdbClient } from "../../../src/client/types.ts";
import { DB_FLAGS } from "../../../src/wire/constants.ts";
import { connect } from "../../support/client.ts";
import { lockEnvironment, recordEnvironment } from "../../support/tdbs.ts";
import {
  COUNTER_DATABASE,
  COUNTER_KEYS,
  type Outcome,
  PATIENCE_MS,
  PERSISTENT_DATABASE,
  PERSISTENT_KEY,
  type Step,
} from "./workload_steps.ts";

const SOCKET = "/run/ctdb/ctdbd.socket";
const CONNECT_MS = 5000;
const RECONNECT_PAUSE_MS = 200;
const COUNTER_PAUSE_MS = 25;
const TRANSACTION_PAUSE_MS = 150;

const journal = openSync(process.argv[2] ?? "", "a");

let requests = 0;

/** Written at once: a step that is still in a buffer when we are killed would be one that nobody knows. */
function say(step: Step): void {
  writeSync(journal, `${JSON.stringify(step)}\n`);
}

/** One operation with its two steps. */
async function step(database: string, key: string, work: () => Promise<Outcome>): Promise<boolean> {
  requests += 1;
  const id = requests;
  say({ step: "begin", id, database, key, atMs: Date.now() });
  const outcome = await work();
  say({ step: "end", id, database, key, atMs: Date.now(), ...outcome });
  return outcome.how === "done";
}

async function increment(database: RecordDatabase, key: string): Promise<Outcome> {
  const locked = await database.fetchLock(textBytes(key), { timeoutMs: PATIENCE_MS });
  if (!locked.ok) return failed(locked.error);
  const record = locked.value;
  const value = numberIn(record.data) + 1;
  const stored = await record.store(textBytes(String(value)), PATIENCE_MS);
  record.release();
  return stored.ok ? { how: "done", value } : failed(stored.error);
}

async function count(client: CtdbClient): Promise<void> {
  const environment = recordEnvironment();
  const opened = await openRecordDatabase(client, environment, COUNTER_DATABASE, 0, PATIENCE_MS);
  if (!opened.ok) return;
  const database = opened.value;
  while (client.connected) {
    const key = COUNTER_KEYS[Math.floor(Math.random() * COUNTER_KEYS.length)] as string;
    await step(COUNTER_DATABASE, key, () => increment(database, key));
    await Bun.sleep(COUNTER_PAUSE_MS * (0.5 + Math.random()));
  }
  database.close();
}

async function transact(client: CtdbClient): Promise<void> {
  const opened = await openPersistentDatabase(
    client,
    lockEnvironment(),
    PERSISTENT_DATABASE,
    DB_FLAGS.PERSISTENT,
    PATIENCE_MS,
  );
  if (!opened.ok) return;
  const database = opened.value;
  const key = textBytes(PERSISTENT_KEY);
  while (client.connected) {
    await step(PERSISTENT_DATABASE, PERSISTENT_KEY, async () => {
      const done = await database.transact(PATIENCE_MS, async (transaction) => {
        const before = await transaction.fetch(key, PATIENCE_MS);
        if (!before.ok) return before;
        const value = numberIn(before.value) + 1;
        const stored = await transaction.store(key, textBytes(String(value)), PATIENCE_MS);
        return stored.ok ? { ok: true, value } : stored;
      });
      return done.ok ? { how: "done", value: done.value } : failed(done.error);
    });
    await Bun.sleep(TRANSACTION_PAUSE_MS * (0.5 + Math.random()));
  }
  database.close();
}

function numberIn(data: Uint8Array): number {
  return data.length === 0 ? 0 : Number(bytesText(data));
}

function failed(failure: { readonly kind: string; readonly reason: string }): Outcome {
  return { how: failure.kind, reason: failure.reason };
}

for (;;) {
  const connected = await connect(SOCKET, CONNECT_MS);
  if (connected.ok) {
    await Promise.all([count(connected.value), transact(connected.value)]);
    connected.value.close();
  }
  await Bun.sleep(RECONNECT_PAUSE_MS);
}
