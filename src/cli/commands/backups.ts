/** `backupdb`, `restoredb`, `dumpdbbackup`: a database's local records in a file, and back into all nodes. */
import { EIO } from "../../base/errno.ts";
import { u64, u64FromNumber, u64ToNumber } from "../../base/u64.ts";
import { type AttachedDatabase, attachDatabase } from "../../client/database.ts";
import { DB_FLAGS } from "../../wire/constants.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import { RecBufferBuilder, RecBufferCursor } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import {
  BACKUP_BUFFER_BYTES,
  type BackupHead,
  BackupReader,
  type BackupResult,
  BackupWriter,
} from "../backup_file.ts";
import type { Command, OfflineCommand, OfflineContext } from "../command.ts";
import { type ChosenDatabase, chooseDatabase, isVolatile } from "../database_choice.ts";
import { attachChosen, describeAttachFailure } from "../database_open.ts";
import { onEach, rewriteDatabase, type StepFailure } from "../database_rewrite.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { dateAndTime } from "../format.ts";
import { RecordDump } from "../record_facts.ts";
import type { Facts } from "../schemas/facts.ts";
import type { dumpdbbackupFacts } from "../schemas/records.ts";
import { exitStatus, type Session } from "../session.ts";
import { openTdb, recordHeader, walkTdb } from "../tdb_access.ts";

/** What is sent before all nodes have said that they have what came before. */
const UNCONFIRMED_BYTES_MAX = 8 * 1024 * 1024;
const FLAGS_MASK = 0xff;

export const backupdb: Command = async ({ session, host }, args) => {
  expectArguments(args, 2);
  const [text, path] = args as [string, string];
  const database = await chooseDatabase(session, text);
  await writeBackup(session, database, await attachChosen(session, database), path);
  host.out(`Database backed up to ${path}\n`);
  return 0;
};

/** The records of the own node's file, into a file of their own, which is on the disk then. Their number. */
export async function writeBackup(
  session: Session,
  database: ChosenDatabase,
  attached: AttachedDatabase,
  path: string,
): Promise<number> {
  const { host } = session;
  const opened = await host.openFile(path, "write");
  if (!opened.ok) throw new CommandFailure(opened.error, `Failed to open file ${path} for writing`);
  const file = opened.value;
  const done = <T>(
    step: { ok: true; value: T } | { ok: false; error: number },
    what: string,
  ): T => {
    if (step.ok) return step.value;
    throw new CommandFailure(step.error, what);
  };
  const headFailure = `Failed to write header to file ${path}`;
  const writer = done(BackupWriter.begin(file), headFailure);
  const buffer = new RecBufferBuilder(database.id, BACKUP_BUFFER_BYTES);
  const write = () => {
    if (buffer.count === 0) return;
    done(writer.add(buffer.finish()), "Failed to write records to backup file");
    buffer.reset();
  };
  const tdb = await openTdb(session, attached.path, attached.openFlags);
  let records = 0;
  await walkTdb(session, tdb, (key, value) => {
    records += 1;
    buffer.add(0, key, value);
    if (buffer.byteLength >= BACKUP_BUFFER_BYTES) write();
  });
  tdb.close();
  write();
  const { name, flags } = database;
  const timestamp = u64FromNumber(host.clock.wallTime().sec);
  done(writer.finish({ timestamp, flags: u64(0, flags), name }), headFailure);
  file.close();
  return records;
}

async function openBackup(host: OfflineContext["host"], path: string): Promise<BackupReader> {
  const file = await host.openFile(path, "read");
  if (!file.ok) throw new CommandFailure(file.error, `Failed to open file ${path} for reading`);
  return valueOrStop(BackupReader.begin(file.value, path));
}

function valueOrStop<T>(outcome: BackupResult<T>): T {
  if (outcome.ok) return outcome.value;
  throw new CommandFailure(outcome.error.status, outcome.error.reason);
}

export const dumpdbbackup: OfflineCommand = async (context, args) => {
  expectArguments(args, 1);
  const { host, options } = context;
  const backup = await openBackup(host, args[0] as string);
  const facts = backupFacts(backup.head);
  const { database, backup_time: time } = facts;
  if (!options.json) {
    host.out(`Dumping database ${database} from backup @ ${dateAndTime(time)}\n`);
  }
  const dump = new RecordDump(context, facts, "record(s)");
  await dump.during(async () => dumpBackup(backup, dump));
  return 0;
};

function backupFacts({ name, timestamp, flags }: BackupHead) {
  const has = (flag: number) => (flags.lo & flag) !== 0;
  return {
    database: name,
    backup_time: u64ToNumber(timestamp),
    persistent: has(DB_FLAGS.PERSISTENT),
    replicated: has(DB_FLAGS.REPLICATED),
  } satisfies Partial<Facts<typeof dumpdbbackupFacts>>;
}

function dumpBackup(backup: BackupReader, dump: RecordDump): void {
  for (;;) {
    const buffer = valueOrStop(backup.next());
    if (buffer === undefined) return;
    const cursor = new RecBufferCursor(buffer);
    while (cursor.next()) {
      const value = cursor.data();
      const header = recordHeader(value);
      if (header === undefined) throw new CommandFailure(EIO, "Failed to dump records");
      dump.add(cursor.key(), header, value.subarray(LTDB_HEADER_BYTES));
    }
  }
}

/**
 * Empties the database everywhere and gives every active node the records of the backup; a database
 * that does not exist is made.
 */
export const restoredb: Command = async ({ session }, args) => {
  expectArguments(args, 1, 2);
  const [path, wanted] = args as [string, string?];
  return await restoreBackup(session, path, wanted);
};

/** The exit status; every failure was printed. `wanted`: another name for the database. */
export async function restoreBackup(
  session: Session,
  path: string,
  wanted?: string,
): Promise<number> {
  const { host } = session;
  const backup = await openBackup(host, path);
  const { head } = backup;
  const name = wanted ?? head.name;
  host.out(
    `Restoring database ${name} from backup @ ${dateAndTime(u64ToNumber(head.timestamp))}\n`,
  );
  const flags = head.flags.lo & FLAGS_MASK;
  const attached = await attachDatabase(session.client, name, flags, session.timeoutMs);
  if (!attached.ok) {
    host.err(`${describeAttachFailure(name, attached.error)}\n`);
    const status = attached.error.step === "health" ? EIO : exitStatus(attached.error);
    throw new CommandFailure(status, `Failed to attach to DB ${name}`);
  }
  const { id } = attached.value;
  const deleted = isVolatile({ flags }) ? "left out" : "kept";
  const status = await rewriteDatabase(session, id, (pnns) =>
    push(session, pnns, { id, backup, deleted }),
  );
  if (status === 0) host.out(`Database ${name} restored\n`);
  return status;
}

interface Restoring {
  readonly id: number;
  readonly backup: BackupReader;
  /**
   * Records without data wait to be removed. Where they are not kept Samba's nodes refuse to store them,
   * and the whole push with them.
   */
  readonly deleted: "kept" | "left out";
}

/** The steps of a recovery's push. Each node says how many records it has stored. */
async function push(
  session: Session,
  pnns: readonly number[],
  { id, backup, deleted }: Restoring,
): Promise<StepFailure | undefined> {
  const srvid = session.nextSrvid();
  const start = { db_id: id, lmaster: UNKNOWN_PNN, srvid };
  const started = await onEach(session, pnns, "DB_PUSH_START", start);
  if (started !== undefined) return started;
  // Under another name the database has another id: buffers are made anew.
  const builder = new RecBufferBuilder(id);
  let unconfirmedBytes = 0;
  let expected = 0;
  for (;;) {
    const next = backup.next();
    if (!next.ok) return complain(session, next.error);
    if (next.value === undefined) break;
    builder.reset();
    const cursor = new RecBufferCursor(next.value);
    while (cursor.next()) {
      if (deleted === "left out" && cursor.dataLength === LTDB_HEADER_BYTES) continue;
      builder.add(cursor.reqid, cursor.key(), cursor.data());
    }
    expected += builder.count;
    const buffer = builder.finish();
    for (const pnn of pnns) session.client.sendMessage(pnn, srvid, buffer);
    unconfirmedBytes += buffer.length * pnns.length;
    if (unconfirmedBytes < UNCONFIRMED_BYTES_MAX) continue;
    // Messages are not answered; what follows them on the same way is.
    const arrived = await onEach(session, pnns, "PING", undefined);
    if (arrived !== undefined) return arrived;
    unconfirmedBytes = 0;
  }
  return await onEach(session, pnns, "DB_PUSH_CONFIRM", id, (records, pnn) => {
    if (records === expected) return undefined;
    const reason = `Node ${pnn} received ${records} of ${expected} records`;
    return { reason, status: EIO };
  });
}

function complain(session: Session, failure: StepFailure): StepFailure {
  session.host.err(`${failure.reason}\n`);
  return failure;
}
