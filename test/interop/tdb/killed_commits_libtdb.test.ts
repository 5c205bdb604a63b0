/**
 * Files that a process of ours has left which was killed in a commit, or in the replay of its journal, as libtdb
 * finds them: sound, with the old records or the new, and libtdb can go on with them.
 */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { MemoryDisk } from "../../../src/tdb/memory/memory_files.ts";
import { TDB_FLAGS } from "../../../src/tdb/types.ts";
import { must } from "../../support/must.ts";
import { TemporaryDirectory } from "../../support/temp_dir.ts";
import { FaultyFiles, openerOver } from "../../tdb/faulty_files.ts";
import { finish, hasLibtdb, openTdb, PEER, PYTHON } from "../../tdb/support.ts";
import { changeOf, SCENARIOS, type Scenario } from "../../torture/crash_scenarios.ts";

const OPTIONS = { path: "a.tdb", flags: 0, hashSize: 5, create: true };
/** Of the many writes of a journal and of blocks every so-many-th. */
const STEPS = { first: 30, each: 25 };
/**
 * Between the growth of the file and what makes it count libtdb adds behind the zeros, and then calls what it has
 * added dead. So it does after a kill of its own.
 */
const ZEROS_AT_END_MAX = 4;

interface Found {
  readonly sound: boolean;
  readonly records: readonly string[];
  readonly soundAfterGrowth: boolean;
  readonly added: number;
}

/** What is in the file before each write, growth and sync of the scenario's commit. */
async function recordCommit(scenario: Scenario) {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  const files = new FaultyFiles(disk.process());
  const tdb = await openTdb(openerOver(files), OPTIONS);
  const { before, after } = await changeOf(scenario, tdb);
  const images: Uint8Array[] = [];
  files.settle(disk.read(OPTIONS.path) as Uint8Array);
  files.beforeOperation = (operation) => {
    const isKept = operation < STEPS.first || operation % STEPS.each === 0;
    if (isKept) images.push(disk.read(OPTIONS.path) as Uint8Array);
  };
  must(await finish(tdb.commit()));
  images.push(disk.read(OPTIONS.path) as Uint8Array);
  tdb.close();
  return { before, after, images };
}

function foundByLibtdb(images: readonly Uint8Array[]): readonly Found[] {
  using directory = new TemporaryDirectory("tdb-killed");
  const paths = images.map((image, i) => {
    const path = directory.file(`${i}.tdb`);
    writeFileSync(path, image);
    return path;
  });
  const options = [TDB_FLAGS.NOSYNC, OPTIONS.hashSize].map(String);
  const run = spawnSync(PYTHON, [PEER, "find", ...options], {
    input: paths.map((path) => `${path}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Found);
}

test.skipIf(!hasLibtdb).each(SCENARIOS)("libtdb goes on after a kill: $name", async (scenario) => {
  const { before, after, images } = await recordCommit(scenario);
  const found = foundByLibtdb(images);
  expect(found).toHaveLength(images.length);
  expect(found[0]?.records).toEqual(before);
  expect(found.at(-1)?.records).toEqual(after);
  let zerosAtEnd = 0;
  for (const { records, ...rest } of found) {
    const isAfter = Bun.deepEquals(records, after);
    if (!isAfter) expect(records).toEqual(before);
    const { sound, added, soundAfterGrowth } = rest;
    expect({ sound, added }).toEqual({ sound: true, added: 2 });
    if (!soundAfterGrowth) zerosAtEnd += 1;
  }
  expect(zerosAtEnd).toBeLessThanOrEqual(ZEROS_AT_END_MAX);
});
