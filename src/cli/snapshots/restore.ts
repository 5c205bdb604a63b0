/** Databases from a snapshot: what would change, and doing it as `ctdb restoredb` does. */
import { sameBytes } from "../../base/same_bytes.ts";
import { bytesText } from "../../wire/codec.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import { restoreBackup } from "../commands/backups.ts";
import { attachChosen } from "../database_open.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../format.ts";
import { flagNames } from "../node_flags.ts";
import type { Manifest, SnapshotFacts } from "../schemas/snapshots.ts";
import type { Session } from "../session.ts";
import { openTdb, recordHeader, walkTdb } from "../tdb_access.ts";
import type { SnapshotStore } from "./store.ts";
import { readRecords } from "./verify.ts";

type Entry = Manifest["databases"][number];
type Restored = Extract<SnapshotFacts, { action: "restore" }>["databases"][number];

/** Those that are named, or all. */
export function chosenEntries({ databases }: Manifest, names: readonly string[]): readonly Entry[] {
  const missing = names.find((name) => !databases.some((entry) => entry.name === name));
  if (missing !== undefined) {
    throw new CommandFailure(1, `Database "${printable(missing)}" is not in the snapshot`);
  }
  return names.length === 0 ? databases : databases.filter(({ name }) => names.includes(name));
}

/** Compared with the own node's copy. */
export async function compareEntry(
  session: Session,
  store: SnapshotStore,
  snapshot: string,
  entry: Entry,
): Promise<Restored> {
  const { name, records } = entry;
  const unknown = { name, restored: false, added: null, changed: null, removed: null, records };
  const databases = await session.ask("GET_DBMAP", undefined);
  const live = databases.find(({ db_id }) => db_id === Number(entry.id));
  if (live === undefined) return unknown;
  const attached = await attachChosen(session, { id: live.db_id, name, flags: live.flags });
  const left = new Map<string, Uint8Array>();
  const tdb = await openTdb(session, attached.path, attached.openFlags);
  await walkTdb(session, tdb, (key, value) => {
    if (recordHeader(value) !== undefined) left.set(bytesText(key), value.slice(LTDB_HEADER_BYTES));
  });
  tdb.close();
  let added = 0;
  let changed = 0;
  const path = store.path(snapshot, entry.file);
  const read = await readRecords(session.host, path, name, (key, data) => {
    const text = bytesText(key);
    const known = left.get(text);
    left.delete(text);
    if (known === undefined) added += 1;
    else if (!sameBytes(known, data)) changed += 1;
  });
  if (!read.ok) throw new CommandFailure(1, `${path}: ${read.error}`);
  return { ...unknown, added, changed, removed: left.size };
}

/** The exit status; what failed was printed. */
export async function restoreEntry(
  session: Session,
  store: SnapshotStore,
  snapshot: string,
  entry: Entry,
): Promise<number> {
  return await restoreBackup(session, store.path(snapshot, entry.file), entry.name);
}

/** Nodes that are away keep what they have, and a recovery with them takes the copy with the higher sequence number. */
export async function sayWhoIsAway(session: Session): Promise<void> {
  for (const { pnn, flags } of await session.nodes()) {
    const isAway = (flags & NODE_FLAGS_INACTIVE) !== 0 && (flags & NODE_FLAGS.DELETED) === 0;
    if (!isAway) continue;
    session.host.err(
      `Node ${pnn} is ${flagNames(flags)} and keeps its copies: when it comes back, of each database that with the ` +
        "higher sequence number wins\n",
    );
  }
}
