/** Opening in slices: what a large file costs is not paid in one turn, and an attempt that is given up leaves nothing. */
import { expect, test } from "bun:test";
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";
import { TDB_FLAGS, type Tdb, type TdbOpenOptions } from "../../src/tdb/types.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { fileOpener } from "./support.ts";

const LARGE_BYTES = 64 * 1024 * 1024;

function options(path: string): TdbOpenOptions {
  const flags = TDB_FLAGS.MUTEX_LOCKING | TDB_FLAGS.CLEAR_IF_FIRST | TDB_FLAGS.NOSYNC;
  return { path, flags, hashSize: 100_001, create: true };
}

/** Every look at the clock takes a millisecond: each look ends a slice. */
function slowOpener(): FileTdbOpener {
  let nowMs = 0;
  const clock = { monotonicMs: () => ++nowMs };
  const files = new SystemSharedFiles();
  return new FileTdbOpener({ files, timers: new EventLoop(), clock, mutexesWork: true });
}

function opened(path: string): { tdb: Tdb; slices: number } {
  const work = slowOpener().openInSlices(options(path));
  for (let slices = 1; ; slices++) {
    const outcome = work.step(1);
    if (outcome !== undefined) return { tdb: must(outcome), slices };
  }
}

test("FileTdbOpener.openInSlices() makes mutexes and clears a large file in several slices", () => {
  using directory = new TemporaryDirectory("open-slices");
  const path = `${directory.path}/a.tdb`;
  const first = opened(path);
  expect(first.slices).toBeGreaterThan(10);
  must(first.tdb.store(textBytes("key"), textBytes("data")));
  first.tdb.close();
  const newBytes = statSync(path).size;
  truncateSync(path, LARGE_BYTES);
  const again = opened(path);
  expect(again.slices).toBeGreaterThan(first.slices + 10);
  expect(must(again.tdb.fetch(textBytes("key")))).toBeUndefined();
  must(again.tdb.store(textBytes("key"), textBytes("data")));
  expect(statSync(path).size).toBe(newBytes);
  again.tdb.close();
});

test("FileTdbOpener.openInSlices() that is cancelled anywhere leaves the file to the next", () => {
  using directory = new TemporaryDirectory("open-slices");
  const path = `${directory.path}/a.tdb`;
  for (let steps = 1; ; steps += 3) {
    const { tdb } = opened(path);
    must(tdb.store(textBytes("key"), textBytes("data")));
    tdb.close();
    truncateSync(path, LARGE_BYTES);
    const work = slowOpener().openInSlices(options(path));
    let outcome: ReturnType<typeof work.step>;
    for (let step = 0; step < steps && outcome === undefined; step++) outcome = work.step(1);
    if (outcome !== undefined) {
      must(outcome).close();
      break;
    }
    expect(fileOpener().open(options(path)).ok).toBe(false);
    work.cancel();
    const next = must(fileOpener().open(options(path)));
    expect(must(next.fetch(textBytes("key")))).toBeUndefined();
    next.close();
  }
});

test("FileTdbOpener.openInSlices() does not touch what is no TDB", () => {
  using directory = new TemporaryDirectory("open-slices");
  const path = `${directory.path}/a.tdb`;
  writeFileSync(path, "something else");
  truncateSync(path, LARGE_BYTES);
  const outcome = slowOpener().openInSlices(options(path)).step(1);
  expect(outcome?.ok).toBe(false);
  expect(statSync(path).size).toBe(LARGE_BYTES);
});
