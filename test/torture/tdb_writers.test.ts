/**
 * Several processes, ours and libtdb's, change one file at random and are killed at random. Afterwards
 * our check and tdbtool's agree; without kills both find the file sound.
 *
 * CTDB_TDB_TORTURE_SEC=N tortures for N seconds per kind of file (default 2).
 */
import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import {
  bytes,
  eventually,
  fileOpener,
  finish,
  hasLibtdb,
  openTdb,
  PEER,
  PYTHON,
  tdbtoolCheck,
} from "../tdb/support.ts";

const SECONDS = Number(process.env.CTDB_TDB_TORTURE_SEC ?? 2);
const WRITER = new URL("./tdb_writer.ts", import.meta.url).pathname;
const FOREVER = "100000000";
const KINDS: readonly (readonly [string, number])[] = [
  ["byte ranges", TDB_FLAGS.NOSYNC],
  ["byte ranges, synced", TDB_FLAGS.INCOMPATIBLE_HASH],
  ["mutexes", TDB_FLAGS.NOSYNC | TDB_FLAGS.MUTEX_LOCKING | TDB_FLAGS.CLEAR_IF_FIRST],
];

function start(kind: "ours" | "libtdb", path: string, flags: number, seed: number, count: string) {
  const argv =
    kind === "ours"
      ? [process.execPath, WRITER, path, String(flags), String(seed), count]
      : [PYTHON, PEER, "churn", path, String(flags), String(seed), count];
  return spawn(argv[0] as string, argv.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe.skipIf(!hasLibtdb)("torture", () => {
  for (const [name, flags] of KINDS) {
    test(`${name}: ours and libtdb together leave a sound file`, async () => {
      using directory = new TemporaryDirectory("tdb-torture");
      const path = directory.file("a.tdb");
      const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 17, create: true });
      const children = [1, 2, 3, 4].map((seed) =>
        start(seed % 2 === 0 ? "ours" : "libtdb", path, flags, seed, "1500"),
      );
      for (const child of children) expect(await ended(child)).toBe(0);
      expect(await finish(tdb.check())).toEqual({ ok: true, value: undefined });
      expect(tdb.tryLockAll("write")).toBe("granted");
      tdb.close();
      expect(tdbtoolCheck(path)).toBeUndefined();
    }, 120_000);

    test(
      `${name}: killed at random, both checks agree and the file stays usable`,
      async () => {
        using directory = new TemporaryDirectory("tdb-torture");
        const path = directory.file("a.tdb");
        const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 17, create: true });
        const random = new SeededRandom(99 + flags);
        const children = Array.from({ length: 4 }, (_, i) =>
          start(i % 2 === 0 ? "ours" : "libtdb", path, flags, i, FOREVER),
        );
        let kills = 0;
        for (const endMs = Date.now() + SECONDS * 1000; Date.now() < endMs; kills++) {
          await pause(random.below(150));
          const victim = random.below(children.length);
          const child = children[victim] as ChildProcess;
          child.kill("SIGKILL");
          await ended(child);
          const kind = victim % 2 === 0 ? "ours" : "libtdb";
          children[victim] = start(kind, path, flags, 1000 + kills, FOREVER);
        }
        for (const child of children) {
          child.kill("SIGKILL");
          await ended(child);
        }
        // A journal that was left is replayed on the way.
        const value = bytes("still usable");
        const usable = await settle(() => tdb.store(bytes("after"), value));
        if (usable) expect(await eventually(() => tdb.fetch(bytes("after")))).toEqual(value);
        expect(tdb.tryLockAll("write")).toBe("granted");
        tdb.unlockAll();
        const sound = (await finish(tdb.check())).ok;
        tdb.close();
        const theirs = tdbtoolCheck(path);
        console.log(`${name}: ${kills} kills, ${sound ? "sound" : "unsound"}`);
        expect(theirs === undefined, theirs ?? "tdbtool finds no fault").toBe(sound);
      },
      (SECONDS + 30) * 1000,
    );
  }
});

/** False when what was killed has left damage; anything but "busy" and "corrupt" is our fault. */
async function settle(store: () => { ok: boolean; error?: { code: string } }): Promise<boolean> {
  for (;;) {
    const outcome = store();
    if (outcome.ok) return true;
    if (outcome.error?.code === "corrupt") return false;
    expect(outcome.error?.code).toBe("busy");
    await pause(1);
  }
}
