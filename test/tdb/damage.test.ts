/** Damaged and foreign content: refused or reported with a reason, never an exception, never a hang. */
import { describe, expect, test } from "bun:test";
import {
  dataStart,
  FREELIST_HEAD,
  HEADER,
  LIVE_MAGIC,
  RECORD,
  RECOVERY_MAGIC,
} from "../../src/tdb/format/format.ts";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS, type Tdb, type TdbResult } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { must } from "../support/must.ts";
import { bytes, finish, openTdb } from "./support.ts";

const SEEDS = Number(process.env.CTDB_TDB_DAMAGE_SEEDS ?? 150);
const OPTIONS = { path: "a.tdb", flags: 0, hashSize: 7, create: true };

function diskWith(content: Uint8Array): MemoryDisk {
  const disk = new MemoryDisk({ soon: queueMicrotask, fileBytesMax: 64 * 1024 * 1024 });
  disk.put("a.tdb", content);
  return disk;
}

async function soundImage(): Promise<Uint8Array> {
  const disk = diskWith(new Uint8Array(0));
  const tdb = await openTdb(createMemoryTdbs({ disk }).opener, OPTIONS);
  for (let i = 0; i < 80; i++) must(tdb.store(bytes(`key-${i}`), new Uint8Array(i * 5).fill(i)));
  must(tdb.startTransaction());
  for (let i = 0; i < 80; i += 3) must(tdb.delete(bytes(`key-${i}`)));
  must(await finish(tdb.commit()));
  tdb.close();
  return disk.read("a.tdb") as Uint8Array;
}

function open(
  content: Uint8Array,
  options: Partial<typeof OPTIONS> = {},
): [MemoryDisk, TdbResult<Tdb>] {
  const disk = diskWith(content);
  return [disk, createMemoryTdbs({ disk }).opener.open({ ...OPTIONS, ...options })];
}

describe("FileTdbOpener.open() refuses", () => {
  async function refused(
    change: (view: DataView, content: Uint8Array) => Uint8Array | undefined,
  ): Promise<{ code: string; reason: string }> {
    const content = (await soundImage()).slice();
    const damaged = change(new DataView(content.buffer), content) ?? content;
    const before = damaged.slice();
    for (const flags of [0, TDB_FLAGS.NOLOCK]) {
      const [disk, opened] = open(damaged, { flags });
      expect(opened.ok).toBe(false);
      expect(disk.read("a.tdb")).toEqual(before);
    }
    const [, opened] = open(damaged);
    return opened.ok ? { code: "", reason: "" } : opened.error;
  }

  test("foreign content, and does not modify it", async () => {
    const text = bytes("#!/bin/sh\necho this is no database, leave it alone\n".repeat(20));
    const error = await refused(() => text.slice());
    expect(error.code).toBe("corrupt");
    expect(error.reason).toContain('"a.tdb"');
    const [disk, cleared] = open(text, { flags: TDB_FLAGS.CLEAR_IF_FIRST });
    expect(cleared.ok).toBe(false);
    expect(disk.read("a.tdb")).toEqual(text);
  });

  test("a short file, another version, byte order, lock word, feature or hash", async () => {
    expect((await refused((_, content) => content.slice(0, 100))).code).toBe("corrupt");
    expect((await refused((_, content) => content.slice(0, 190))).code).toBe("corrupt");
    const set = (at: number, value: number) => (view: DataView) => {
      view.setUint32(at, value, true);
      return undefined;
    };
    expect((await refused(set(HEADER.version, 7))).code).toBe("corrupt");
    const swapped = (view: DataView) => {
      view.setUint32(HEADER.version, view.getUint32(HEADER.version, true), false);
      return undefined;
    };
    expect((await refused(swapped)).code).toBe("unsupported");
    expect((await refused(set(HEADER.rwlocks, 5))).code).toBe("unsupported");
    const feature = (view: DataView) => {
      view.setUint32(HEADER.rwlocks, 0x0bad1a52, true);
      view.setUint32(HEADER.featureFlags, 6, true);
      return undefined;
    };
    expect((await refused(feature)).code).toBe("unsupported");
    expect((await refused(set(HEADER.magic1Hash, 1))).code).toBe("corrupt");
    expect((await refused(set(HEADER.hashSize, 0))).code).toBe("corrupt");
    expect((await refused(set(HEADER.hashSize, 0x40000000))).code).toBe("corrupt");
    expect((await refused(set(HEADER.hashSize, 1_000_000))).code).toBe("corrupt");
  });

  test("a journal that makes no sense, and does not modify the file", async () => {
    const content = (await soundImage()).slice();
    const view = new DataView(content.buffer);
    const area = view.getUint32(HEADER.recoveryStart, true);
    view.setUint32(area + RECORD.magic, RECOVERY_MAGIC, true);
    // The first entry leads behind the end of the file, or has more bytes than the journal.
    for (const [target, length] of [
      [0xfffffff0, view.getUint32(area + 28, true)],
      [view.getUint32(area + 24, true), view.getUint32(area + RECORD.dataLength, true) + 4],
    ] as const) {
      view.setUint32(area + 24, target, true);
      view.setUint32(area + 28, length, true);
      const before = content.slice();
      const refusing = createMemoryTdbs({ disk: diskWith(content) });
      await expect(openTdb(refusing.opener, OPTIONS)).rejects.toThrow("journal");
      expect(refusing.disk.read("a.tdb")).toEqual(before);
    }
    const disk = diskWith(content);
    const readOnly = createMemoryTdbs({ disk }).opener.open({ ...OPTIONS, readOnly: true });
    expect(readOnly).toMatchObject({ error: { code: "corrupt" } });
  });
});

describe("Tdb reports damage", () => {
  test("a circular chain, records of foreign magic, keys of a wrong length", async () => {
    const damage: readonly ((view: DataView) => void)[] = [
      (view) => eachHead(view, (offset) => view.setUint32(offset, offset, true)),
      (view) => eachHead(view, (offset) => view.setUint32(offset, 3, true)),
      (view) => eachHead(view, (offset) => view.setUint32(offset, 0xfffffff0, true)),
      (view) => eachHead(view, (offset) => view.setUint32(offset + RECORD.magic, 1, true)),
      (view) => eachHead(view, (offset) => view.setUint32(offset + RECORD.keyLength, 9, true)),
    ];
    for (const change of damage) {
      const content = (await soundImage()).slice();
      change(new DataView(content.buffer));
      const [, opened] = open(content);
      const tdb = must(opened);
      expect(await finish(tdb.check())).toMatchObject({ error: { code: "corrupt" } });
      const outcomes = Array.from({ length: 20 }, (_, i) => tdb.fetch(bytes(`other-${i}`)));
      for (const outcome of outcomes) {
        if (!outcome.ok) expect(outcome.error).toMatchObject({ code: "corrupt" });
      }
      tdb.close();
    }
  });

  test("a circular freelist, one that leads nowhere, and a block in it that is none", async () => {
    const damage: readonly ((view: DataView, block: number) => void)[] = [
      (view, block) => view.setUint32(block, block, true),
      (view) => view.setUint32(FREELIST_HEAD, 0xfffffff0, true),
      (view, block) => view.setUint32(block + RECORD.magic, 1, true),
    ];
    for (const change of damage) {
      const content = (await soundImage()).slice();
      const view = new DataView(content.buffer);
      const block = view.getUint32(FREELIST_HEAD, true);
      expect(block).toBeGreaterThan(0);
      change(view, block);
      const [, opened] = open(content);
      const tdb = must(opened);
      expect(tdb.freelistSize()).toMatchObject({ error: { code: "corrupt" } });
      const stored = tdb.store(bytes("new"), new Uint8Array(100_000));
      expect(stored).toMatchObject({ error: { code: "corrupt" } });
      expect(must(tdb.fetch(bytes("key-1")))?.length).toBe(5);
      tdb.close();
    }
  });

  /** First records of all chains. */
  function eachHead(view: DataView, change: (offset: number) => void): void {
    for (let at = 172; at < dataStart(7); at += 4) {
      const offset = view.getUint32(at, true);
      if (offset !== 0 && view.getUint32(offset + RECORD.magic, true) === LIVE_MAGIC)
        change(offset);
    }
  }

  test("random damage: every operation answers, nothing throws", async () => {
    const sound = await soundImage();
    let reported = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new SeededRandom(seed);
      const content = sound.slice();
      const view = new DataView(content.buffer);
      for (let i = random.below(12); i >= 0; i--) {
        const at = random.chance(0.5)
          ? 168 + 4 * random.below(8)
          : 4 * random.below(content.length / 4);
        const values = [
          0,
          4,
          24,
          random.below(content.length),
          random.u32(),
          0xffffffff,
          LIVE_MAGIC,
        ];
        if (at >= 168) view.setUint32(at, values[random.below(values.length)] as number, true);
      }
      try {
        if (await exercise(content, random)) reported += 1;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(reported).toBeGreaterThan(SEEDS / 4);
  });

  /** True: some operation has found the damage. */
  async function exercise(content: Uint8Array, random: SeededRandom): Promise<boolean> {
    const [, opened] = open(content);
    if (!opened.ok) return true;
    const tdb = opened.value;
    let found = false;
    const note = (outcome: TdbResult<unknown>): void => {
      if (outcome.ok || outcome.error.code === "missing") return;
      expect(["corrupt", "no_space"]).toContain(outcome.error.code);
      found = true;
    };
    note(await finish(tdb.check()));
    for (let step = 0; step < 60; step++) {
      const key = bytes(`key-${random.below(90)}`);
      note(tdb.fetch(key));
      note(tdb.parse(key, (data) => data.length));
      note(
        random.chance(0.5) ? tdb.delete(key) : tdb.store(key, new Uint8Array(random.below(900))),
      );
      note(tdb.visitChain(random.below(7), () => true));
    }
    note(tdb.freelistSize());
    must(tdb.startTransaction());
    for (let i = 0; i < 10; i++) note(tdb.store(bytes(`t-${i}`), new Uint8Array(200)));
    note(await finish(tdb.commit()));
    note(await finish(tdb.repack()));
    must(tdb.wipe());
    note(await finish(tdb.check()));
    tdb.close();
    return found;
  }
});
