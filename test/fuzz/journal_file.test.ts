/**
 * Files of a journal with damaged bytes, cut, or mixed up with their log: whatever is left, opening, asking and taking old
 * events away neither throws nor hangs, and what comes next is kept.
 */
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "#sqlite";
import { silentLogger } from "../../src/base/log.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import type { JournalBatch } from "../../src/wire/journal_messages.ts";
import { must } from "../support/must.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";
import { SeededRandom } from "./seeded_random.ts";

const ROUNDS = Number(process.env["JOURNAL_FUZZ_ROUNDS"] ?? 40);
const EVENTS = 600;
const ENDINGS = ["", "-wal", "-shm"];

function batch(first: number, count: number): JournalBatch {
  const entries = Array.from({ length: count }, (_, at) => ({
    time_us: 1_700_000_000_000_000 + (first + at) * 1_000_000,
    monotonic_ms: first + at,
    process: "ctdbd" as const,
    event: { kind: "link_down", peer: at % 3, reason: "connection reset by peer" } as const,
  }));
  return { ring: "r1", node: 0, first, entries };
}

function open(directory: string): SqliteStore {
  const retention = { ageMaxMs: 1, bytesMax: 1 };
  const path = join(directory, "journal");
  const files = new SystemFiles();
  return new SqliteStore({ open: openSqlite, files, path, retention, log: silentLogger });
}

/** As a kill leaves them: part of it is in the log only. */
function makeFiles(directory: string): void {
  const store = open(directory);
  must(store.keep(batch(1, EVENTS / 2)));
  store.close();
  const second = open(directory);
  must(second.keep(batch(EVENTS / 2 + 1, EVENTS / 2)));
  for (const ending of ENDINGS) {
    const file = join(directory, `journal.sqlite${ending}`);
    copyFileSync(file, `${file}.made`);
  }
  second.close();
}

function damage(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const below = (limit: number) => random.u32() % Math.max(1, limit);
  switch (below(4)) {
    case 0:
      return bytes.slice(0, below(bytes.length));
    case 1: {
      const at = below(bytes.length);
      bytes.fill(below(256), at, at + below(5000));
      return bytes;
    }
    case 2:
      for (let times = below(200); times >= 0; times--) bytes[below(bytes.length)] = below(256);
      return bytes;
    default: {
      const [from, to] = [below(bytes.length / 4096), below(bytes.length / 4096)];
      bytes.copyWithin(to * 4096, from * 4096, (from + 1) * 4096);
      return bytes;
    }
  }
}

test("a damaged file of a journal costs at most what was in it", async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() >>> 0);
  const random = new SeededRandom(seed);
  await withTemporaryDirectory((directory) => {
    makeFiles(directory);
    let aside = 0;
    let newestAside: string | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = ENDINGS[random.u32() % 2];
      for (const ending of ENDINGS) {
        const file = join(directory, `journal.sqlite${ending}`);
        const made = new Uint8Array(readFileSync(`${file}.made`));
        if (ending === damaged) writeFileSync(file, damage(made, random));
        else if (ending !== "-shm" || random.u32() % 2 === 0) writeFileSync(file, made);
        else rmSync(file, { force: true });
      }
      const told = `seed ${seed}, round ${round}`;
      const before = newestAside;
      const store = open(directory);
      const kinds = ["link_down"] as const;
      for (const query of [{ limit: 1000 }, { limit: 9, kinds }, { limit: 9, sinceUs: 1e15 }]) {
        expect([told, store.query(query).ok]).toEqual([told, true]);
      }
      for (let times = 0; times < 20; times++) store.retain(1.7e15);
      const { kept } = store.position();
      must(store.keep(batch(kept + 1, 1)), told);
      const [newest] = must(store.query({ newestFirst: true, limit: 1 }));
      expect([told, newest?.event.kind]).toEqual([told, "link_down"]);
      newestAside = store.facts().setAside.at(-1);
      aside += newestAside === before ? 0 : 1;
      store.close();
      expect(existsSync(join(directory, "journal.sqlite-wal"))).toBe(false);
    }
    // Damage that nobody notices would be no test.
    expect(aside).toBeGreaterThan(ROUNDS / 10);
  });
}, 120_000);
