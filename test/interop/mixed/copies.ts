/**
 * Read-only copies between nodes of both kinds: lent by each kind to each, taken back for writers on
 * each. Every function throws with what was expected.
 */
import type { RecordDatabase } from "../../../src/client/record_database.ts";
import { bytesText, textBytes } from "../../../src/wire/codec.ts";
import { DB_FLAGS, RECORD_FLAGS_RO } from "../../../src/wire/constants.ts";
import { must } from "../../support/must.ts";
import type { MixedCluster } from "./mixed_cluster.ts";
import { withDatabases } from "./traffic.ts";

const NAME = "mixed_copies.tdb";
const TIMEOUT_MS = 30_000;
const TURNS = 40;

async function look(
  database: RecordDatabase,
  key: string,
): Promise<{ readonly value: string; readonly isCopy: boolean }> {
  const options = { timeoutMs: TIMEOUT_MS, readonly: true };
  const record = must(await database.fetchLock(textBytes(key), options), `look at "${key}"`);
  const found = { value: bytesText(record.data), isCopy: record.readonlyCopy };
  record.release();
  return found;
}

async function readWithoutLock(database: RecordDatabase, key: string): Promise<string> {
  return bytesText(must(await database.read(textBytes(key), TIMEOUT_MS), `read "${key}"`));
}

/** Nodes whose copy of the record has a read-only flag. */
async function marked(mixed: MixedCluster, key: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pnn of mixed.pnns) {
    const records = await mixed.localRecords(pnn, NAME, DB_FLAGS.READONLY);
    if (((records.get(key)?.flags ?? 0) & RECORD_FLAGS_RO) !== 0) found.push(pnn);
  }
  return found;
}

/** Each node once as data master; then each of the others writes, for which all copies must go. */
export async function copiesAreLentAndTakenBack(mixed: MixedCluster): Promise<void> {
  const { pnns } = mixed;
  await withDatabases(
    mixed,
    NAME,
    pnns,
    async (databases) => {
      const at = (pnn: number) => databases.get(pnn) as RecordDatabase;
      for (const master of pnns) {
        for (const writer of pnns) {
          const key = `lent by ${master}, written by ${writer}`;
          await mixed.update(at(master), key, () => "first");
          for (const pnn of mixed.others(master)) {
            const found = await look(at(pnn), key);
            if (found.value !== "first" || !found.isCopy) {
              throw new Error(
                `${key}: expected a copy on node ${pnn}, got ${JSON.stringify(found)}`,
              );
            }
          }
          const before = await marked(mixed, key);
          if (before.length !== pnns.length) {
            throw new Error(`${key}: expected copies everywhere, found marks on nodes ${before}`);
          }
          await mixed.update(at(writer), key, () => "second");
          const after = await marked(mixed, key);
          if (after.length > 0) throw new Error(`${key}: marks are left on nodes ${after}`);
          for (const pnn of pnns) {
            const value = await readWithoutLock(at(pnn), key);
            if (value !== "second") throw new Error(`${key}: node ${pnn} reads "${value}"`);
          }
        }
      }
    },
    DB_FLAGS.READONLY,
  );
}

/** A counter is written on every node and read on every node at once: nobody sees it go back. */
export async function readersAndWriters(mixed: MixedCluster): Promise<void> {
  const key = "counter";
  const { pnns } = mixed;
  await withDatabases(
    mixed,
    NAME,
    pnns,
    async (writers) => {
      await mixed.update(writers.get(pnns[0] as number) as RecordDatabase, key, () => "0");
      // One record of a database object is locked at a time: readers have their own.
      await withDatabases(
        mixed,
        NAME,
        pnns,
        async (readers) => {
          let writing = pnns.length;
          let nextRead = Promise.withResolvers<void>();
          const write = async (database: RecordDatabase): Promise<void> => {
            for (let turn = 0; turn < TURNS; turn++) {
              await mixed.update(database, key, (value) => String(Number(value) + 1));
              await nextRead.promise;
            }
            writing -= 1;
          };
          const read = async (pnn: number, database: RecordDatabase): Promise<void> => {
            let last = 0;
            for (let turn = 0; writing > 0; turn++) {
              const value =
                turn % 2 === 0
                  ? Number((await look(database, key)).value)
                  : Number(await readWithoutLock(database, key));
              if (value < last) throw new Error(`node ${pnn}: ${last} became ${value}`);
              last = value;
              nextRead.resolve();
              nextRead = Promise.withResolvers();
              // Copies are read without any turn of the loop, which the writers need.
              await new Promise((resolve) => setImmediate(resolve));
            }
          };
          await Promise.all([
            ...[...writers.values()].map(write),
            ...[...readers].map(([pnn, database]) => read(pnn, database)),
          ]);
        },
        DB_FLAGS.READONLY,
      );
      const total = String(pnns.length * TURNS);
      for (const [pnn, database] of writers) {
        const value = (await look(database, key)).value;
        if (value !== total) throw new Error(`node ${pnn}: expected ${total}, got ${value}`);
      }
    },
    DB_FLAGS.READONLY,
  );
}

/** The tool of the node's own kind reads, with a copy. */
export async function toolReadsCopies(mixed: MixedCluster): Promise<void> {
  const key = "tool";
  const { pnns } = mixed;
  for (const writer of pnns) {
    const value = `written on ${writer}`;
    await mixed.toolWrite(writer, NAME, key, value);
    for (const pnn of pnns) {
      const tool = mixed.kindOf(pnn) === "stock" ? "stockCtdb" : "ctdb";
      const { stdout, stderr } = await mixed.cluster[tool](pnn, "readkey", NAME, key, "readonly");
      if (!stdout.includes(`ptr:[${value}]`)) {
        throw new Error(`readkey on node ${pnn}: expected "${value}", got "${stdout}${stderr}"`);
      }
    }
  }
}
