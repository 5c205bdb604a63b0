/**
 * Commits that are cut short at every single write and sync: afterwards the file holds all of the
 * transaction or none. Over a simulated disk that loses what was not synced, over real files that the
 * killed process leaves as they are, and with libtdb as the one who finds the journal.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { FaultyFiles, Killed } from "../tdb/faulty_files.ts";
import {
  bytes,
  dump,
  fileOpener,
  finish,
  hasLibtdb,
  laterTurn,
  openTdb,
  PYTHON,
  tdbtoolCheck,
} from "../tdb/support.ts";
import { changeOf, SCENARIOS, type Scenario } from "./crash_scenarios.ts";

const OK = { ok: true, value: undefined } as const;
const OPTIONS = { flags: 0, hashSize: 5, create: true };
const POWER_FAILURES = 6;

function openerOver(files: FaultyFiles, killed?: () => void): FileTdbOpener {
  const timers = {
    after: (_ms: number, action: () => void) => {
      setImmediate(() => {
        try {
          action();
        } catch (error) {
          if (killed === undefined || !(error instanceof Killed)) throw error;
          killed();
        }
      });
      return { cancel: () => undefined };
    },
  };
  // The clock ticks with each look: every slice is as short as can be.
  let ticks = 0;
  const clock = { monotonicMs: () => ticks++ };
  return new FileTdbOpener({ files, timers, clock, mutexesWork: true });
}

interface Attempt {
  readonly outcome: "killed" | "failed" | "committed";
  readonly before: string[];
  readonly after: string[];
  readonly files: FaultyFiles;
}

/** Runs the scenario's commit with a fault; the handle is left as a killed process leaves it. */
async function attempt(
  scenario: Scenario,
  files: FaultyFiles,
  path: string,
  content: () => Uint8Array,
  fault: (files: FaultyFiles) => void,
): Promise<Attempt> {
  const tdb = await openTdb(openerOver(files), { ...OPTIONS, path });
  const { before, after } = await changeOf(scenario, tdb);
  files.settle(content());
  fault(files);
  const commit = tdb.commit();
  try {
    const outcome = await finish(commit);
    return { outcome: outcome.ok ? "committed" : "failed", before, after, files };
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return { outcome: "killed", before, after, files };
  } finally {
    files.killAt = Number.POSITIVE_INFINITY;
    files.failAt = Number.POSITIVE_INFINITY;
    files.failForGood = false;
    files.closeEverything();
  }
}

/** The same over a disk in memory, for a file "a.tdb". */
async function attemptInMemory(scenario: Scenario, fault: (files: FaultyFiles) => void) {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  const content = () => disk.read("a.tdb") as Uint8Array;
  const files = new FaultyFiles(disk.process());
  return { ...(await attempt(scenario, files, "a.tdb", content, fault)), content };
}

/** Whether all of the transaction is there; a part of it is a failure. */
function allOrNothing(tdb: Tdb, { before, after }: Attempt): boolean {
  const records = dump(tdb);
  const isAfter = JSON.stringify(records) === JSON.stringify(after);
  if (!isAfter) expect(records).toEqual(before);
  return isAfter;
}

/** The file is usable: more can be stored, in and outside of transactions. */
async function workOn(tdb: Tdb): Promise<void> {
  const records = dump(tdb).length;
  for (let i = 0; i < 30; i++) must(tdb.store(bytes(`more-${i}`), new Uint8Array(40 * i)));
  must(tdb.startTransaction());
  for (let i = 30; i < 60; i++) must(tdb.store(bytes(`more-${i}`), new Uint8Array(40 * i)));
  expect(await finish(tdb.commit())).toEqual(OK);
  expect(dump(tdb).length).toBe(records + 60);
}

describe("commit over a disk that loses what was not synced", () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name}: all or nothing after a power failure at every step`, async () => {
      const seen = { before: 0, after: 0 };
      for (let step = 0, ended = false; !ended; step++) {
        const crashed = await attemptInMemory(scenario, (faulty) => {
          faulty.killAt = step;
        });
        ended = crashed.outcome !== "killed";
        for (let i = 0; i < POWER_FAILURES; i++) {
          const image = crashed.files.afterPowerFailure(new SeededRandom(step * 100 + i));
          const found = await openImage(image);
          const isAfter = allOrNothing(found, crashed);
          if (ended) expect(isAfter).toBe(true);
          seen[isAfter ? "after" : "before"] += 1;
          must(await finish(found.check()));
          await workOn(found);
          must(await finish(found.check()));
          found.close();
        }
      }
      expect(seen.before).toBeGreaterThan(0);
      expect(seen.after).toBeGreaterThan(0);
    });
  }
});

describe("a replay that is itself cut short", () => {
  test("can be repeated, after a power failure at every step of it", async () => {
    let replays = 0;
    for (const scenario of SCENARIOS) {
      for (let step = 0, ended = false; !ended; step += 3) {
        const crashed = await attemptInMemory(scenario, (faulty) => {
          faulty.killAt = step;
        });
        ended = crashed.outcome !== "killed";
        const left = crashed.content();
        for (let replayStep = 0, replayed = false; !replayed; replayStep++) {
          const image = await replayUntil(left, replayStep);
          replayed = image === undefined;
          if (image === undefined) break;
          replays += 1;
          const found = await openImage(image);
          expect(dump(found)).toEqual(crashed.before);
          must(await finish(found.check()));
          await workOn(found);
          must(await finish(found.check()));
          found.close();
        }
      }
    }
    expect(replays).toBeGreaterThan(20);
  });

  /** What the disk holds after a power failure at this step; undefined: nothing (more) to replay. */
  async function replayUntil(left: Uint8Array, step: number): Promise<Uint8Array | undefined> {
    const disk = new MemoryDisk({ soon: queueMicrotask });
    disk.put("a.tdb", left);
    const files = new FaultyFiles(disk.process());
    files.settle(left);
    files.killAt = step;
    let killed = false;
    const opener = openerOver(files, () => {
      killed = true;
    });
    for (;;) {
      const opened = opener.open({ ...OPTIONS, path: "a.tdb" });
      if (opened.ok) return undefined;
      await laterTurn();
      if (killed) return files.afterPowerFailure(new SeededRandom(step));
    }
  }
});

async function openImage(image: Uint8Array): Promise<Tdb> {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  disk.put("a.tdb", image);
  return openTdb(openerOver(new FaultyFiles(disk.process())), { ...OPTIONS, path: "a.tdb" });
}

describe("commit with a disk that fails", () => {
  for (const errorName of ["EIO", "ENOSPC"]) {
    for (const forGood of [false, true]) {
      const how = `${errorName} ${forGood ? "from then on" : "once"}`;
      test(`an error at every step (${how}) leaves all or nothing, and is reported`, async () => {
        for (const scenario of SCENARIOS) {
          for (let step = 0, ended = false; !ended; step++) {
            const failed = await attemptInMemory(scenario, (faulty) => {
              faulty.failAt = step;
              faulty.failForGood = forGood;
              faulty.errorName = errorName;
            });
            expect(failed.outcome).not.toBe("killed");
            ended = failed.outcome === "committed";
            const found = await openTdb(openerOver(failed.files), { ...OPTIONS, path: "a.tdb" });
            const isAfter = allOrNothing(found, failed);
            if (ended) expect(isAfter).toBe(true);
            await workOn(found);
            found.close();
          }
        }
      });
    }
  }
});

describe.skipIf(!hasLibtdb)("commit over a real file, the process killed", () => {
  const directory = new TemporaryDirectory("tdb-crash");
  afterAll(() => directory.remove());
  let files = 0;

  for (const finder of ["our opener", "libtdb"] as const) {
    for (const scenario of SCENARIOS) {
      test(`${scenario.name}: all or nothing for ${finder} after a kill at every step`, async () => {
        for (let step = 0, ended = false; !ended; step++) {
          files += 1;
          const path = directory.file(`${files}.tdb`);
          const faulty = new FaultyFiles(new SystemSharedFiles());
          const crashed = await attempt(
            scenario,
            faulty,
            path,
            () => readFileSync(path),
            (kill) => {
              kill.killAt = step;
            },
          );
          ended = crashed.outcome !== "killed";
          if (finder === "libtdb") letLibtdbRecover(path);
          const tdb = await openTdb(fileOpener(), { ...OPTIONS, path });
          const isAfter = allOrNothing(tdb, crashed);
          if (ended) expect(isAfter).toBe(true);
          must(await finish(tdb.check()));
          expect(tdbtoolCheck(path)).toBeUndefined();
          await workOn(tdb);
          must(await finish(tdb.check()));
          tdb.close();
          expect(tdbtoolCheck(path)).toBeUndefined();
        }
      });
    }
  }
});

/** Opening is enough: it replays a waiting journal. */
function letLibtdbRecover(path: string): void {
  const program = "import tdb, os, sys; tdb.open(sys.argv[1], 0, 0, os.O_RDWR).close()";
  const run = spawnSync(PYTHON, ["-c", program, path], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
}

describe.skipIf(!hasLibtdb || Bun.which("strace") === null)("libtdb's journals", () => {
  const PROGRAM = `
import tdb, os, sys
t = tdb.open(sys.argv[1], 0, 0, os.O_RDWR)
t.transaction_start()
for i in range(0, 60, 2): t.store(b"key-%d" % i, b"changed" * (i + 1))
for i in range(1, 60, 4): t.delete(b"key-%d" % i)
for i in range(200): t.store(b"new-%d" % i, b"n" * 300)
t.transaction_commit()
`;

  /** An opener that finds a journal answers "busy" first. */
  async function openWithRecovery(path: string): Promise<{ tdb: Tdb; recovered: boolean }> {
    const opener = fileOpener();
    const first = opener.open({ ...OPTIONS, path });
    if (first.ok) return { tdb: first.value, recovered: false };
    return { tdb: await openTdb(opener, { ...OPTIONS, path }), recovered: true };
  }

  test("are replayed by our opener, wherever libtdb was killed", async () => {
    using directory = new TemporaryDirectory("tdb-strace");
    let replayed = 0;
    for (const call of ["fdatasync", "msync", "utimensat"]) {
      for (let step = 1, ended = false; !ended; step++) {
        const path = directory.file(`${call}-${step}.tdb`);
        const tdb = await openTdb(fileOpener(), { ...OPTIONS, path });
        for (let i = 0; i < 60; i++)
          must(tdb.store(bytes(`key-${i}`), new Uint8Array(200).fill(i)));
        must(tdb.startTransaction());
        must(tdb.store(bytes("key-3"), bytes("a transaction: there is a recovery area")));
        must(await finish(tdb.commit()));
        const before = dump(tdb);
        tdb.close();
        const inject = `inject=${call}:signal=KILL:when=${step}`;
        const strace = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
        const run = spawnSync("strace", [...strace, PYTHON, "-c", PROGRAM, path]);
        ended = run.status === 0;
        expect(ended || run.signal === "SIGKILL").toBe(true);
        const journal = await openWithRecovery(path);
        if (journal.recovered) replayed += 1;
        const found = journal.tdb;
        const records = dump(found);
        const changed = records.length !== before.length;
        if (!changed) expect(records).toEqual(before);
        else expect(records.length).toBe(60 - 15 + 200);
        if (ended) expect(changed).toBe(true);
        must(await finish(found.check()));
        await workOn(found);
        must(await finish(found.check()));
        found.close();
      }
    }
    expect(replayed).toBeGreaterThan(0);
  }, 120_000);
});
