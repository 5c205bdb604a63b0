/**
 * A program for a cluster's host: a client of its ctdbd that counts in one record, which the clients of all hosts share,
 * and in one transaction after the other. It ends with its input; a refusal ends it with a reason.
 */
import { openPersistentDatabase } from "../../../src/client/persistent_database.ts";
import { bytesText, textBytes } from "../../../src/wire/codec.ts";
import { DB_FLAGS } from "../../../src/wire/constants.ts";
import { connect } from "../../support/client.ts";
import { must } from "../../support/must.ts";
import { openRecords } from "../../support/records.ts";
import { lockEnvironment } from "../../support/tdbs.ts";
import { acknowledge, workUntilInputEnds } from "./worker_protocol.ts";

export const COUNTER = {
  volatile: "rolling_records.tdb",
  persistent: "rolling_kept.tdb",
  key: "counter",
} as const;

const SOCKET = "/run/ctdb/ctdbd.socket";
const CONNECT_TIMEOUT_MS = 10_000;
/** Longer than what the test allows, which is what it measures. */
const REQUEST_TIMEOUT_MS = 90_000;
const PAUSE_MS = 20;

const plusOne = (data: Uint8Array) => textBytes(String(Number(bytesText(data)) + 1));

async function main(): Promise<void> {
  const { stopping } = workUntilInputEnds();
  const client = must(await connect(SOCKET, CONNECT_TIMEOUT_MS), "connect");
  const records = await openRecords(client, COUNTER.volatile);
  const kept = must(
    await openPersistentDatabase(
      client,
      lockEnvironment(),
      COUNTER.persistent,
      DB_FLAGS.PERSISTENT,
      REQUEST_TIMEOUT_MS,
    ),
    "open",
  );
  const key = textBytes(COUNTER.key);
  while (!stopping()) {
    const recordMs = performance.now();
    const record = must(await records.fetchLock(key, { timeoutMs: REQUEST_TIMEOUT_MS }), "lock");
    const stored = await record.store(plusOne(record.data), REQUEST_TIMEOUT_MS);
    record.release();
    must(stored, "store");
    acknowledge("record", recordMs);
    const transactionMs = performance.now();
    const done = await kept.transact(REQUEST_TIMEOUT_MS, async (transaction) => {
      const before = await transaction.fetch(key, REQUEST_TIMEOUT_MS);
      if (!before.ok) return before;
      return await transaction.store(key, plusOne(before.value), REQUEST_TIMEOUT_MS);
    });
    must(done, "transaction");
    acknowledge("transaction", transactionMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  process.exit(0);
}

// The test reads the names from here, too.
if (import.meta.main) await main();
