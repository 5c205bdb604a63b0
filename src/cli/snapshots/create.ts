/**
 * A snapshot of persistent databases: the own node's copies, each of one moment.
 *
 * Invariants:
 * 1. A copy during which a transaction came in between is written again: the sequence number tells.
 * 2. What was written is read back before it becomes a snapshot; what fails leaves nothing behind.
 */
import { u64Equal, u64Hex } from "../../base/u64.ts";
import { DB_FLAGS, NODE_FLAGS } from "../../wire/constants.ts";
import { writeBackup } from "../commands/backups.ts";
import { type ChosenDatabase, chooseDatabase } from "../database_choice.ts";
import { attachChosen } from "../database_open.ts";
import { CommandFailure } from "../failure.ts";
import { hex8 } from "../format.ts";
import { flagNames } from "../node_flags.ts";
import type { Manifest } from "../schemas/snapshots.ts";
import type { Session } from "../session.ts";
import { type FoundSnapshot, type SnapshotStore, snapshotName } from "./store.ts";
import { problemsOf } from "./verify.ts";

/** A database that never rests as long as it takes to copy it is left to a quieter time. */
const TRIES_MAX = 20;

type Entry = Manifest["databases"][number];

export async function createSnapshot(
  session: Session,
  store: SnapshotStore,
  names: readonly string[],
): Promise<FoundSnapshot> {
  const databases = await chosen(session, names);
  const time = session.host.clock.wallTime().sec;
  const name = snapshotName(time);
  if ((await store.found()).some((each) => each.name === name)) {
    throw new CommandFailure(1, `Snapshot ${name} is there already`);
  }
  const path = store.begin(name);
  try {
    const entries: Entry[] = [];
    for (const database of databases) entries.push(await copy(session, store, path, database));
    const content = await manifestOf(session, time, entries);
    const problems = await problemsOf(store, path, content);
    if (problems.length > 0) throw new CommandFailure(1, problems.join("\n"));
    await store.finish(name, content);
    return { name, manifest: { ok: true, value: content } };
  } catch (error) {
    store.folders.remove(path);
    throw error;
  }
}

async function chosen(
  session: Session,
  names: readonly string[],
): Promise<readonly ChosenDatabase[]> {
  if (names.length === 0) {
    const all = await session.ask("GET_DBMAP", undefined);
    const persistent = all.filter(({ flags }) => (flags & DB_FLAGS.PERSISTENT) !== 0);
    if (persistent.length === 0) throw new CommandFailure(1, "No persistent database is attached");
    return await Promise.all(
      persistent.map(async ({ db_id: id, flags }) => {
        return { id, flags, name: await session.ask("GET_DBNAME", id) };
      }),
    );
  }
  const databases = new Map<number, ChosenDatabase>();
  for (const name of names) {
    const database = await chooseDatabase(session, name);
    if ((database.flags & DB_FLAGS.PERSISTENT) === 0) {
      throw new CommandFailure(1, `DB ${database.name} is not a persistent database`);
    }
    databases.set(database.id, database);
  }
  return [...databases.values()];
}

async function copy(
  session: Session,
  store: SnapshotStore,
  directory: string,
  database: ChosenDatabase,
): Promise<Entry> {
  const { id, name } = database;
  const attached = await attachChosen(session, database);
  const file = `${/^[\w.-]+$/.test(name) ? name : hex8(id)}.backup`;
  const path = `${directory}/${file}`;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const before = await session.ask("GET_DB_SEQNUM", { db_id: id });
    const records = await writeBackup(session, database, attached, path);
    const after = await session.ask("GET_DB_SEQNUM", { db_id: id });
    if (!u64Equal(before, after)) continue;
    return {
      name,
      id: `0x${hex8(id)}`,
      file,
      bytes: store.orFail("read", path, store.folders.sizeOf(path)),
      records,
      sequence_number: u64Hex(after, true),
      sha256: store.orFail("read", path, store.folders.digest(path)),
    };
  }
  throw new CommandFailure(1, `DB ${name} has changed during each of ${TRIES_MAX} copies`);
}

async function manifestOf(
  session: Session,
  time: number,
  databases: readonly Entry[],
): Promise<Manifest> {
  const nodes = (await session.nodes())
    .filter(({ flags }) => (flags & NODE_FLAGS.DELETED) === 0)
    .map(({ pnn, addr, flags }) => ({ pnn, address: addr.address, state: flagNames(flags) }));
  const { version: release } = session.host;
  return { format: 1, time, release, node: session.pnn, nodes, databases: [...databases] };
}
