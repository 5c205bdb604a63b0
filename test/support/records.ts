/**
 * Records of running nodes, one request at a time, each of which has to succeed: through a client, as smbd
 * would, or straight in a node's file, past every rule.
 */
import type { AttachedDatabase } from "../../src/client/database.ts";
import { openRecordDatabase, type RecordDatabase } from "../../src/client/record_database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { must } from "./must.ts";
import { recordEnvironment } from "./tdbs.ts";

/** A node that does not answer for so long is lost. */
const TIMEOUT_MS = 60_000;

export async function openRecords(
  client: CtdbClient,
  name: string,
  flags = 0,
): Promise<RecordDatabase> {
  const opening = openRecordDatabase(client, recordEnvironment(), name, flags, TIMEOUT_MS);
  return must(await opening, `open "${name}"`);
}

export async function storeRecord(
  database: RecordDatabase,
  key: Uint8Array,
  value: Uint8Array,
): Promise<void> {
  const record = must(await database.fetchLock(key, { timeoutMs: TIMEOUT_MS }));
  must(await record.store(value, TIMEOUT_MS));
  record.release();
}

/** As its data master has it: the record comes to the client's node. */
export async function fetchRecord(database: RecordDatabase, key: Uint8Array): Promise<Uint8Array> {
  const record = must(await database.fetchLock(key, { timeoutMs: TIMEOUT_MS }));
  record.release();
  return record.data;
}

/** The file that the client's node has of a database. */
export function localFile({ path, openFlags }: AttachedDatabase): Tdb {
  const options = { path, flags: openFlags, hashSize: 0, create: false };
  return must(recordEnvironment().tdbs.open(options), `open "${path}"`);
}
