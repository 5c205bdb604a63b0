/** Whether the files of a snapshot are what its manifest says: all of them are read. Records are read one by one. */
import { errnoText } from "../../base/errno.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { u64Hex } from "../../base/u64.ts";
import { bytesText, decodeExact, u64Codec } from "../../wire/codec.ts";
import { SEQUENCE_KEY } from "../../wire/constants.ts";
import { RecBufferCursor } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import { BackupReader } from "../backup_file.ts";
import { printable } from "../format.ts";
import type { ToolHost } from "../host.ts";
import type { Manifest } from "../schemas/snapshots.ts";
import { recordHeader } from "../tdb_access.ts";
import type { FoundSnapshot, SnapshotStore } from "./store.ts";

type Entry = Manifest["databases"][number];

const NO_NUMBER = "0x0";

/** Of one that is sound none. */
export async function verifySnapshot(
  store: SnapshotStore,
  { name, manifest }: FoundSnapshot,
): Promise<readonly string[]> {
  return manifest.ok ? await problemsOf(store, store.path(name), manifest.value) : [manifest.error];
}

export async function problemsOf(
  store: SnapshotStore,
  directory: string,
  { databases }: Manifest,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const entry of databases) {
    const problem = await problemOf(store, `${directory}/${entry.file}`, entry);
    if (problem !== undefined) problems.push(`${printable(entry.file)}: ${problem}`);
  }
  return problems;
}

async function problemOf(
  store: SnapshotStore,
  path: string,
  entry: Entry,
): Promise<string | undefined> {
  const size = store.folders.sizeOf(path);
  if (!size.ok) return errnoText(size.error);
  if (size.value !== entry.bytes) return `${size.value} bytes, expected ${entry.bytes}`;
  const digest = store.folders.digest(path);
  if (!digest.ok) return errnoText(digest.error);
  if (digest.value !== entry.sha256) return "its SHA-256 is not that of the manifest";
  let records = 0;
  let number = NO_NUMBER;
  const read = await readRecords(store.host, path, entry.name, (key, data) => {
    records += 1;
    const value = bytesText(key) === SEQUENCE ? decodeExact(u64Codec, data) : undefined;
    if (value?.ok === true) number = u64Hex(value.value, true);
  });
  if (!read.ok) return read.error;
  if (records !== entry.records) return `${records} records, expected ${entry.records}`;
  if (number === entry.sequence_number) return undefined;
  return `sequence number ${number}, expected ${entry.sequence_number}`;
}

const SEQUENCE = bytesText(SEQUENCE_KEY);

/** Shows each record of a backup, without its header; the reason why it is none of that database. */
export async function readRecords(
  host: ToolHost,
  path: string,
  name: string,
  visit: (key: Uint8Array, data: Uint8Array) => void,
): Promise<Result<void>> {
  const file = await host.openFile(path, "read");
  if (!file.ok) return err(errnoText(file.error));
  try {
    const backup = BackupReader.begin(file.value, path);
    if (!backup.ok) return err(backup.error.reason);
    if (backup.value.head.name !== name) {
      return err(`a backup of "${printable(backup.value.head.name)}", expected "${name}"`);
    }
    for (;;) {
      const buffer = backup.value.next();
      if (!buffer.ok) return err(buffer.error.reason);
      if (buffer.value === undefined) return ok(undefined);
      const cursor = new RecBufferCursor(buffer.value);
      while (cursor.next()) {
        const value = cursor.data();
        if (recordHeader(value) === undefined) return err("a record without a header");
        visit(cursor.key(), value.subarray(LTDB_HEADER_BYTES));
      }
    }
  } finally {
    file.value.close();
  }
}
