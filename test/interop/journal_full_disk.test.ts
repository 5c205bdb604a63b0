/** A disk under the journal that is full: nothing is acknowledged that is not kept, and it goes on when there is room. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "#sqlite";
import { silentLogger } from "../../src/base/log.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import type { JournalBatch } from "../../src/wire/journal_messages.ts";
import { must } from "../support/must.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";

const DISK_BYTES = 2 * 1024 * 1024;
const BATCH_EVENTS = 100;
const isRoot = process.getuid?.() === 0;

function batch(first: number): JournalBatch {
  const entries = Array.from({ length: BATCH_EVENTS }, (_, at) => ({
    time_us: 1_700_000_000_000_000 + first + at,
    monotonic_ms: first + at,
    process: "ctdbd" as const,
    event: { kind: "election", reason: `${first + at} ${"x".repeat(200)}` } as const,
  }));
  return { ring: "r1", node: 0, first, entries };
}

function open(directory: string): SqliteStore {
  const path = join(directory, "journal");
  const retention = { ageMaxMs: 1e12, bytesMax: 1e12 };
  return new SqliteStore({
    open: openSqlite,
    files: new SystemFiles(),
    path,
    retention,
    log: silentLogger,
  });
}

/** As often as there is room. */
function fill(store: SqliteStore): string {
  for (;;) {
    const kept = store.keep(batch(store.position().kept + 1));
    if (!kept.ok) return kept.error;
  }
}

test.skipIf(!isRoot)("a full disk under the journal costs nothing that was kept", async () => {
  await withTemporaryDirectory((directory) => {
    const options = ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", directory];
    expect(spawnSync("mount", options).status).toBe(0);
    try {
      const filler = join(directory, "filler");
      writeFileSync(filler, new Uint8Array(DISK_BYTES / 2));
      const store = open(directory);
      expect(fill(store)).toContain("full");
      const { kept } = store.position();
      expect(kept).toBeGreaterThan(BATCH_EVENTS);
      expect(store.facts()).toMatchObject({ events: kept, gaps: 0, setAside: [] });
      expect(must(store.query({ newestFirst: true, limit: 1 }))[0]?.number).toBe(kept);
      rmSync(filler);
      must(store.keep(batch(kept + 1)));
      expect(fill(store)).toContain("full");
      const after = store.position().kept;
      expect(after).toBeGreaterThan(kept);
      store.close();

      // Opened anew without room for anything.
      const { bsize, bfree } = statfsSync(directory);
      writeFileSync(filler, new Uint8Array(bsize * bfree));
      const again = open(directory);
      expect(again.keep(batch(after + 1)).ok).toBe(false);
      rmSync(filler);
      expect(again.position().kept).toBe(after);
      expect(again.facts()).toMatchObject({ events: after, gaps: 0, setAside: [] });
      again.close();
    } finally {
      spawnSync("umount", [directory]);
    }
  });
});
