/** Commands that show or change records. */
import { traverseDatabase } from "../../client/database.ts";
import type { RecordFailure } from "../../client/local_file.ts";
import type { LockedRecord } from "../../client/locked_record.ts";
import { encode } from "../../wire/codec.ts";
import { LTDB_HEADER_BYTES, ltdbHeader } from "../../wire/structs/records.ts";
import type { Command } from "../command.ts";
import { chooseDatabase, databaseNameFacts } from "../database_choice.ts";
import { attachChosen, openVolatile, recordStatus } from "../database_open.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { parseLeadingInteger, parseUnsigned64 } from "../numbers.ts";
import { keyAndDataFacts, RecordDump, recordFacts } from "../record_facts.ts";
import { dumpData, dumpHeader, recordBytes } from "../record_text.ts";
import type { DatabaseNameFacts, Facts } from "../schemas/facts.ts";
import type { fetchedFacts, tfetchFacts } from "../schemas/records.ts";
import { okOrThrow, type Session } from "../session.ts";
import { openTdb, recordHeader, walkTdb, whenFree } from "../tdb_access.ts";

export const catdb: Command = async (context, args) => {
  expectArguments(args, 1);
  const { session } = context;
  const database = await chooseDatabase(session, args[0] as string);
  await attachChosen(session, database);
  const { client, pid, timeoutMs } = session;
  const dump = new RecordDump(context, { database: databaseNameFacts(database) }, "records");
  const outcome = await traverseDatabase(client, database.id, pid, timeoutMs, (record) => {
    dump.add(record.key, record.header, record.data);
  });
  dump.end(outcome.ok);
  okOrThrow(outcome);
  return 0;
};

/** The local copies, deleted and foreign ones too. */
export const cattdb: Command = async (context, args) => {
  expectArguments(args, 1);
  const { session } = context;
  const database = await chooseDatabase(session, args[0] as string);
  const { path, openFlags } = await attachChosen(session, database);
  const tdb = await openTdb(session, path, openFlags);
  const dump = new RecordDump(context, { database: databaseNameFacts(database) }, "record(s)");
  await dump.during(async () => {
    await walkTdb(session, tdb, (key, value) => {
      const header = recordHeader(value);
      if (header !== undefined) dump.add(key, header, value.subarray(LTDB_HEADER_BYTES));
    });
  });
  tdb.close();
  return 0;
};

export const tfetch: Command = async ({ session, host, options }, args) => {
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
  const data = value.subarray(LTDB_HEADER_BYTES);
  if (options.json) {
    const record = recordFacts(key, header, data);
    answerFacts(host, { path, record } satisfies Facts<typeof tfetchFacts>);
  } else {
    host.out(`${dumpHeader(header)}${dumpData("data", data)}`);
  }
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
  use: (record: LockedRecord, from: DatabaseNameFacts, value: Uint8Array) => Promise<number>,
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
      return await use(locked.value, databaseNameFacts(opened.database), valueBytes);
    } finally {
      locked.value.release();
    }
  } finally {
    opened.close();
  }
}

/** The tool's run time limit ends a wait for a record, as with the original. */
const LOCK_TIMEOUT_MS = Number.POSITIVE_INFINITY;

export const readkey: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 2, 3);
  const [database, key, readonly] = args as [string, string, string?];
  if (readonly !== undefined && readonly !== "readonly") throw new WrongArguments();
  const failure = `Failed to read record for key ${key}`;
  const wanted = { database, key, readonly: readonly !== undefined, failure };
  return withRecord(session, wanted, async ({ key: bytes, data }, from) => {
    if (options.json) {
      const record = keyAndDataFacts(bytes, data);
      answerFacts(host, { database: from, record } satisfies Facts<typeof fetchedFacts>);
      return 0;
    }
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
  return withRecord(
    session,
    { database, key, value: text, failure },
    async (record, _from, value) => {
      const stored = await record.store(value, session.timeoutMs);
      if (stored.ok) return 0;
      throw stopOn(stored.error, `Failed to store record for key ${key}`);
    },
  );
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
  return withRecord(
    session,
    { database, key, value: text, failure },
    async (record, _from, value) => {
      const pushed = await record.push(value, generation, session.timeoutMs);
      if (pushed.ok) return 0;
      throw stopOn(pushed.error, `Failed to push record for key ${key}`);
    },
  );
};
