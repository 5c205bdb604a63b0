/**
 * Ours and libtdb on the same file, in turns: either reads what the other wrote, either finds the other's
 * structure sound, for every kind of file that ctdbd and smbd use.
 */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { TDB_FLAGS } from "../../../src/tdb/types.ts";
import { SeededRandom } from "../../fuzz/seeded_random.ts";
import { must } from "../../support/must.ts";
import { TemporaryDirectory } from "../../support/temp_dir.ts";
import { LibtdbPeer } from "../../tdb/peer.ts";
import {
  bytes,
  dump,
  eventually,
  fileOpener,
  finish,
  hasLibtdb,
  openTdb,
  tdbtoolCheck,
} from "../../tdb/support.ts";

const {
  NOSYNC,
  CLEAR_IF_FIRST,
  INCOMPATIBLE_HASH,
  DISALLOW_NESTING,
  MUTEX_LOCKING,
  SEQNUM,
  VOLATILE,
} = TDB_FLAGS;
const KINDS: readonly (readonly [string, number])[] = [
  ["persistent", DISALLOW_NESTING],
  ["volatile with byte ranges", NOSYNC | CLEAR_IF_FIRST | INCOMPATIBLE_HASH | DISALLOW_NESTING],
  ["volatile with mutexes", NOSYNC | CLEAR_IF_FIRST | DISALLOW_NESTING | MUTEX_LOCKING | SEQNUM],
  ["keeping dead records", NOSYNC | VOLATILE | SEQNUM],
];
const OK = { ok: true, value: undefined } as const;
const STEPS = 1500;

describe.skipIf(!hasLibtdb)("ours and libtdb on one file", () => {
  for (const creator of ["ours", "libtdb"] as const) {
    for (const [name, flags] of KINDS) {
      test(`${name}, created by ${creator}`, async () => {
        using directory = new TemporaryDirectory("tdb-differential");
        const path = directory.file("a.tdb");
        const open = () => openTdb(fileOpener(), { path, flags, hashSize: 7, create: true });
        let peer: LibtdbPeer | undefined;
        if (creator === "libtdb") {
          peer = new LibtdbPeer(path, flags);
          await peer.ask("seqnum");
        }
        const tdb = await open();
        peer ??= new LibtdbPeer(path, flags);
        expect(tdb.hashSize).toBe(7);
        const seed = 1000 + flags + creator.length;
        const random = new SeededRandom(seed);
        const model = new Map<string, Uint8Array>();
        for (let step = 0; step < STEPS; step++) {
          const choice = random.below(1000);
          const key = `key-${random.below(60)}`;
          const ours = random.chance(0.5);
          if (choice < 10) {
            // A transaction, committed or not.
            const commits = random.chance(0.7);
            const value = random.bytes(random.below(5000));
            if (ours) {
              await eventually(() => tdb.startTransaction());
              must(tdb.store(bytes(key), value));
              if (commits) expect(await finish(tdb.commit())).toEqual(OK);
              else tdb.cancelTransaction();
            } else {
              await peer.must("transaction_start");
              await peer.must("store", bytes(key), value);
              await peer.must(commits ? "transaction_commit" : "transaction_cancel");
            }
            if (commits) model.set(key, value);
          } else if (choice < 13) {
            if (ours) must(tdb.wipe());
            else await peer.must("wipe_all");
            model.clear();
          } else if (choice < 16) {
            if (ours) expect(await finish(tdb.repack())).toEqual(OK);
            else await peer.must("repack");
          } else if (choice < 310) {
            if (ours) tdb.delete(bytes(key));
            else await peer.must("delete", bytes(key));
            model.delete(key);
          } else {
            const value = random.bytes(random.below(random.chance(0.1) ? 3000 : 120));
            if (ours) must(tdb.store(bytes(key), value));
            else await peer.must("store", bytes(key), value);
            model.set(key, value);
          }
          const other = `key-${random.below(60)}`;
          expect(must(tdb.fetch(bytes(other)))).toEqual(model.get(other));
          expect(await peer.fetch(bytes(other))).toEqual(model.get(other));
          if (step % 100 === 0) {
            expect(await finish(tdb.check())).toEqual(OK);
            expect(await peer.ask("check")).toBe("ok");
            expect(await peer.ask("seqnum")).toBe(String(tdb.sequenceNumber()));
          }
        }
        expect(dump(tdb).length).toBe(model.size);
        await peer.close();
        expect(tdbtoolCheck(path)).toBeUndefined();
        const dumped = spawnSync("tdbdump", [path], { encoding: "utf8" }).stdout;
        expect(dumped.split("\n").filter((line) => line.startsWith("key(")).length).toBe(
          model.size,
        );
        tdb.close();
      });
    }
  }

  test("locks exclude in both directions", async () => {
    using directory = new TemporaryDirectory("tdb-differential");
    for (const [name, flags] of KINDS) {
      const path = directory.file(`${name}.tdb`);
      const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 7, create: true });
      const peer = new LibtdbPeer(path, flags);
      const key = bytes("key");
      await peer.must("store", key, bytes("1"));
      await peer.must("chainlock", key);
      expect(tdb.fetch(key)).toMatchObject({ error: { code: "busy" } });
      expect(tdb.tryLockAll("write")).toBe("busy");
      await peer.must("chainunlock", key);
      await peer.must("lockall");
      expect(tdb.tryLockChain(3, "write")).toBe("busy");
      await peer.must("unlockall");
      expect(tdb.tryLockChain(tdb.chainOf(key), "write")).toBe("granted");
      expect(await peer.ask("lockall_nonblock")).toStartWith("error");
      tdb.unlockChain(tdb.chainOf(key));
      expect(tdb.tryLockAll("write")).toBe("granted");
      expect(await peer.ask("lockall_nonblock")).toStartWith("error");
      tdb.unlockAll();
      expect(await peer.ask("lockall_nonblock")).toBe("ok");
      await peer.must("unlockall");
      // A peer that is killed while it holds everything leaves nothing locked.
      await peer.must("lockall");
      await peer.kill();
      await eventually(() => tdb.fetch(key));
      expect(tdb.tryLockAll("write")).toBe("granted");
      tdb.close();
    }
  });
});
