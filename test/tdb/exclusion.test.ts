/** Who keeps whom out, and what a failed attempt to lock leaves behind; between handles on memory. */
import { expect, test } from "bun:test";
import {
  ALLRECORD_UNLOCKED,
  dataStart,
  HEADER,
  LOCK,
  listLockOffset,
  mutexLayout,
} from "../../src/tdb/format/format.ts";
import { LockProtocol, tryingPrimitives } from "../../src/tdb/locks/lock_protocol.ts";
import { LockTable } from "../../src/tdb/locks/lock_table.ts";
import { MemoryDisk, type MemorySharedFile } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { must } from "../support/must.ts";
import { bytes, eventually, finish, laterTurn, openTdb, text } from "./support.ts";

const PATH = "a.tdb";
const HASH_SIZE = 7;
const CHAIN = 3;

function machine() {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  const open = (): Promise<Tdb> =>
    openTdb(createMemoryTdbs({ disk }).opener, {
      path: PATH,
      flags: 0,
      hashSize: HASH_SIZE,
      create: true,
    });
  /** The file as another process has it. */
  const raw = () => must(disk.process().open(PATH, { create: true, mode: 0o600 }));
  return { disk, open, raw };
}

/** Mutexes that nobody holds, as whoever creates a file makes them. */
function withMutexes(file: MemorySharedFile) {
  const mutexes = mutexLayout(file.mutexBytes, HASH_SIZE, 4096);
  must(file.extend(mutexes.areaBytes + dataStart(HASH_SIZE)));
  const at = mutexes.allrecordLock;
  new Int16Array(file.view(at + 2), at, 1)[0] = ALLRECORD_UNLOCKED;
  return { hashSize: HASH_SIZE, mutexes };
}

test("LockProtocol.lockAll() that finds a record locked leaves no chain locked", () => {
  const { raw } = machine();
  const [own, other, third] = [raw(), raw(), raw()];
  const tail = listLockOffset(HASH_SIZE);
  expect(other.tryLockRange("write", tail + 100, 1)).toBe("granted");
  const layout = { hashSize: HASH_SIZE, mutexes: undefined };
  const protocol = new LockProtocol(own, tryingPrimitives(own), layout);
  expect(protocol.lockAll("write")).toBe("busy");
  expect(third.tryLockRange("write", LOCK.chains, tail - LOCK.chains)).toBe("granted");
});

test("LockProtocol.lockAll() that finds a chain's mutex held leaves the mutex of all free", () => {
  const { raw } = machine();
  const [own, other, third] = [raw(), raw(), raw()];
  const layout = withMutexes(own);
  const protocol = (file: typeof own) => new LockProtocol(file, tryingPrimitives(file), layout);
  const [first, second] = [protocol(own), protocol(third)];
  const holder = protocol(other);
  expect(holder.lockList(CHAIN, "write")).toBe("granted");
  expect(first.lockAll("write")).toBe("busy");
  holder.unlockList(CHAIN);
  expect(second.lockAll("write")).toBe("granted");
});

test("LockProtocol takes all records over from a process that died with their mutex", () => {
  const { disk } = machine();
  const [dying, living] = [disk.process(), disk.process()];
  const open = (process: typeof dying) => must(process.open(PATH, { create: true, mode: 0o600 }));
  const file = open(dying);
  const layout = withMutexes(file);
  expect(new LockProtocol(file, tryingPrimitives(file), layout).lockAll("write")).toBe("granted");
  dying.kill();
  const own = open(living);
  const tries = { left: 20 };
  const primitives = tryingPrimitives(own);
  const protocol = new LockProtocol(
    own,
    {
      ...primitives,
      mutex: (offset) => {
        tries.left -= 1;
        if (tries.left < 0) throw new Error("it tries for ever");
        return primitives.mutex(offset);
      },
    },
    layout,
  );
  expect(protocol.lockList(CHAIN, "write")).toBe("granted");
});

test("tryingPrimitives() tells of each lock that is had from a process that died with it", () => {
  const { disk } = machine();
  const [dying, living] = [disk.process(), disk.process()];
  const open = (process: typeof dying) => must(process.open(PATH, { create: true, mode: 0o600 }));
  const file = open(dying);
  const layout = withMutexes(file);
  const taken = new LockProtocol(file, tryingPrimitives(file), layout);
  expect(taken.lockList(CHAIN, "write")).toBe("granted");
  dying.kill();
  let died = 0;
  const own = open(living);
  const primitives = tryingPrimitives(own, () => {
    died += 1;
  });
  const protocol = new LockProtocol(own, primitives, layout);
  expect([protocol.lockList(CHAIN + 1, "write"), died]).toEqual(["granted", 0]);
  for (let i = 0; i < 2; i++) {
    expect([protocol.lockList(CHAIN, "write"), died]).toEqual(["granted", 1]);
    protocol.unlockList(CHAIN);
  }
});

test("LockTable gives no write lock on all under a read lock on all", () => {
  const { raw } = machine();
  const file = raw();
  const layout = { hashSize: HASH_SIZE, mutexes: undefined };
  const table = new LockTable(new LockProtocol(file, tryingPrimitives(file), layout));
  expect([table.lockAll("read"), table.lockAll("write"), table.lockAll("read")]).toEqual([
    "granted",
    "busy",
    "granted",
  ]);
});

test("Tdb.tryLockChain() for writing needs more than the read lock that it has", async () => {
  const { open } = machine();
  const [own, other] = [await open(), await open()];
  expect([own.tryLockChain(CHAIN, "read"), other.tryLockChain(CHAIN, "read")]).toEqual([
    "granted",
    "granted",
  ]);
  expect(own.tryLockChain(CHAIN, "write")).toBe("busy");
  other.unlockChain(CHAIN);
  expect(own.tryLockChain(CHAIN, "write")).toBe("granted");
});

test("Tdb.commit() waits for readers and openers, and begins on the size under its lock", async () => {
  const { open, raw } = machine();
  const [own, other] = [await open(), await open()];
  const large = new Uint8Array(3_000_000).fill(7);
  must(other.store(bytes("others"), large));
  await eventually(() => own.startTransaction());
  must(own.store(bytes("own"), large));
  const commit = own.commit();
  const waits = async () => {
    for (let i = 0; i < 50; i++) {
      expect(commit.step(5)).toBeUndefined();
      await laterTurn();
    }
  };
  expect(other.tryLockChain(CHAIN, "read")).toBe("granted");
  await waits();
  const opener = raw();
  expect(opener.tryLockRange("write", LOCK.open, 1)).toBe("granted");
  other.unlockChain(CHAIN);
  await waits();
  opener.unlockRange(LOCK.open, 1);
  must(await finish(commit));
  for (const key of ["own", "others"]) {
    expect(must(other.fetch(bytes(key)))?.length).toBe(large.length);
  }
  must(await finish(own.check()));
});

test("FileTdbOpener forgets a recovery area that never reached the disk", async () => {
  const { disk, open } = machine();
  (await open()).close();
  const content = disk.read(PATH) as Uint8Array;
  const view = new DataView(content.buffer);
  view.setUint32(HEADER.recoveryStart, dataStart(HASH_SIZE) + 64, true);
  disk.put(PATH, content);
  const tdb = await open();
  const now = disk.read(PATH) as Uint8Array;
  expect(new DataView(now.buffer).getUint32(HEADER.recoveryStart, true)).toBe(0);
  must(tdb.store(bytes("k"), bytes("v")));
  must(tdb.startTransaction());
  must(tdb.store(bytes("k"), bytes("w")));
  must(await finish(tdb.commit()));
  expect(text(must(tdb.fetch(bytes("k"))))).toBe("w");
});
