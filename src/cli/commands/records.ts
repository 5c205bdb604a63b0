/** Commands that show or change records. */
import { traverseDatabase } from "../../client/database.ts";
import type { RecordFailure } from "../../client/local_file.ts";
import type { LockedRecord } from "../../client/locked_record.ts";
import { encode } from "../../wire/codec.ts";
import { LTDB_HEADER_BYTES, ltdbHeader } from "../../wire/structs/records.ts";
import type { Command } from "../command.ts";
import { chooseDatabase } from "../database_choice.ts";
import { attachChosen, openVolatile, recordStatus } from "../database_open.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { parseLeadingInteger, parseUnsigned64 } from "../numbers.ts";
import { dumpData, dumpHeader, dumpRecord, recordBytes } from "../record_text.ts";
import { okOrThrow, type Session } from "../session.ts";
import { openTdb, recordHeader, walkTdb, whenFree } from "../tdb_access.ts";

export const catdb: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  await attachChosen(session, database);
  const { client, pid, timeoutMs } = session;
  let shown = 0;
  const outcome = await traverseDatabase(client, database.id, pid, timeoutMs, (record) => {
    host.out(dumpRecord(record.key, record.header, record.data));
    shown += 1;
  });
  host.out(`Dumped ${shown} records\n`);
  okOrThrow(outcome);
  return 0;
};

/** The local copies, deleted and foreign ones too. */
export const cattdb: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  const { path, openFlags } = await attachChosen(session, database);
  const tdb = await openTdb(session, path, openFlags);
  let shown = 0;
  await walkTdb(session, tdb, (key, value) => {
    const header = recordHeader(value);
    if (header === undefined) return;
    host.out(dumpRecord(key, header, value.subarray(LTDB_HEADER_BYTES)));
    shown += 1;
  });
  tdb.close();
  host.out(`Dumped ${shown} record(s)\n`);
  return 0;
};

export const tfetch: Command = async ({ session, host }, args) => {
  expectArguments(args, 2, 3);
  const [path, text, output] = args as [string, string, string?];
  const key = recordBytes(text, "key");
  const tdb = await openTdb(session, path, 0);
  const fetched = await whenFree(session, () => tdb.fetch(key));
  tdb.close();
  if (!fetched.ok) throw new CommandFailure(1, `Cannot read ${path}: ${fetched.error.reason}`);
  const { value } = fetched;
  if (value === undefined) throw new CommandFailure(1, `No record for key ${text}`);
  const header = recordHeader(value);
  if (header === undefined) throw new CommandFailure(1, `Invalid record for key ${text}`);
  if (output !== undefined) await writeOutput(session, output, value);
  host.out(`${dumpHeader(header)}${dumpData("data", value.subarray(LTDB_HEADER_BYTES))}`);
  return 0;
};

async function writeOutput(session: Session, path: string, value: Uint8Array): Promise<void> {
  const written = await session.host.writeFile(path, value);
  if (!written.ok) session.host.err(`Failed to open output file ${path}\n`);
}

/** Writes into one file, past all locks and copies of the cluster but the file's own. */
export const tstore: Command = async ({ session, host }, args) => {
  expectArguments(args, 3, 6);
  const [path, keyText, valueText, rsnText = "0", dmaster = "0", flags = "0"] = args as [
    ...[path: string, key: string, value: string],
    ...[rsn?: string, dmaster?: string, flags?: string],
  ];
  const key = recordBytes(keyText, "key");
  const value = recordBytes(valueText, "value");
  const rsn = parseUnsigned64(rsnText);
  if (!rsn.ok) return rsn.error;
  const header = encode(ltdbHeader, {
    rsn: rsn.value,
    dmaster: parseLeadingInteger(dmaster) >>> 0,
    reserved1: 0,
    flags: parseLeadingInteger(flags) >>> 0,
  });
  const tdb = await openTdb(session, path, 0);
  const stored = await whenFree(session, () => tdb.storeParts(key, header, value));
  tdb.close();
  if (stored.ok) return 0;
  host.err(`${stored.error.reason}\n`);
  throw new CommandFailure(1, `Failed to write record ${keyText} to file ${path}`);
};

function stopOn(failure: RecordFailure, message: string): CommandFailure {
  return new CommandFailure(recordStatus(failure), message);
}

interface WantedRecord {
  readonly database: string;
  readonly key: string;
  readonly readonly?: boolean;
  /** What is to become of it; empty without one. */
  readonly value?: string;
  /** What is said when it cannot be locked. */
  readonly failure: string;
}

/** Locks the record, lets `use` work on it, and releases it. Key and value are read in between. */
async function withRecord(
  session: Session,
  { database, key, readonly = false, value = "", failure }: WantedRecord,
  use: (record: LockedRecord, value: Uint8Array) => Promise<number>,
): Promise<number> {
  const opened = await openVolatile(session, database);
  try {
    const keyBytes = recordBytes(key, "key");
    const valueBytes = recordBytes(value, "value");
    const locked = await opened.fetchLock(keyBytes, { timeoutMs: LOCK_TIMEOUT_MS, readonly });
    if (!locked.ok) {
      session.host.err(`fetch_lock: ${opened.database.name} ${locked.error.reason}\n`);
      throw stopOn(locked.error, failure);
    }
    try {
      return await use(locked.value, valueBytes);
    } finally {
      locked.value.release();
    }
  } finally {
    opened.close();
  }
}

/** The tool's run time limit ends a wait for a record, as with the original. */
const LOCK_TIMEOUT_MS = Number.POSITIVE_INFINITY;

export const readkey: Command = async ({ session, host }, args) => {
  expectArguments(args, 2, 3);
  const [database, key, readonly] = args as [string, string, string?];
  if (readonly !== undefined && readonly !== "readonly") throw new WrongArguments();
  const failure = `Failed to read record for key ${key}`;
  const wanted = { database, key, readonly: readonly !== undefined, failure };
  return withRecord(session, wanted, async ({ data }) => {
    // Printed as C text: it ends at the first NUL.
    const end = data.indexOf(0);
    host.out(`Data: size:${data.length} ptr:[`);
    host.out(end < 0 ? data : data.subarray(0, end));
    host.out("]\n");
    return 0;
  });
};

export const writekey: Command = async ({ session }, args) => {
  expectArguments(args, 3);
  const [database, key, text] = args as [string, string, string];
  // The original names the database here, not the key.
  const failure = `Failed to lock record for key ${database}`;
  return withRecord(session, { database, key, value: text, failure }, async (record, value) => {
    const stored = await record.store(value, session.timeoutMs);
    if (stored.ok) return 0;
    throw stopOn(stored.error, `Failed to store record for key ${key}`);
  });
};

export const deletekey: Command = async ({ session }, args) => {
  expectArguments(args, 2);
  const [database, key] = args as [string, string];
  const failure = `Failed to fetch record for key ${key}`;
  return withRecord(session, { database, key, failure }, async (record) => {
    const deleted = await record.delete(session.timeoutMs);
    if (deleted.ok) return 0;
    throw stopOn(deleted.error, `Failed to delete record for key ${key}`);
  });
};

/** Into the copies of all active nodes; those of Samba 4.17 do not know how and keep theirs. */
export const pushrecord: Command = async ({ session }, args) => {
  expectArguments(args, 3);
  const [database, key, text] = args as [string, string, string];
  const { generation } = await session.ask("GETVNNMAP", undefined, session.pnn);
  const failure = `Failed to fetch record for key ${key}`;
  return withRecord(session, { database, key, value: text, failure }, async (record, value) => {
    const pushed = await record.push(value, generation, session.timeoutMs);
    if (pushed.ok) return 0;
    throw stopOn(pushed.error, `Failed to push record for key ${key}`);
  });
};
