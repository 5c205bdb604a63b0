/**
 * What every `SharedFiles` must do (platform/types/shared_files.ts). `makeFiles` gives an implementation and a
 * directory for it; `mutexes: false` skips mutexes where the implementation has none.
 */
import { describe, expect, test } from "bun:test";
import type { SharedFile, SharedFiles } from "../../src/platform/types/shared_files.ts";
import { must } from "../support/must.ts";

export interface SharedFilesWorld {
  readonly files: SharedFiles;
  /** A path that does not exist yet. */
  path(name: string): string;
  dispose(): void;
}

export function sharedFilesContract(name: string, makeWorld: () => SharedFilesWorld): void {
  const inWorld = (action: (world: SharedFilesWorld) => void | Promise<void>) => async () => {
    const world = makeWorld();
    try {
      await action(world);
    } finally {
      world.dispose();
    }
  };

  describe(`${name} open, size and content`, () => {
    test(
      "SharedFiles.open() refuses what is missing, and what exists when exclusive",
      inWorld(({ files, path }) => {
        const missing = files.open(path("a"), { create: false, mode: 0o600 });
        expect(missing.ok ? "opened" : missing.error.code).toBe("ENOENT");
        expect(missing.ok ? "" : missing.error.path).toBe(path("a"));
        opened(files, path("a")).close();
        const again = files.open(path("a"), { create: true, exclusive: true, mode: 0o600 });
        expect(again.ok ? "opened" : again.error.code).toBe("EEXIST");
      }),
    );

    test(
      "SharedFile.extend() and truncate() set the size, view() shows what write() wrote",
      inWorld(({ files, path }) => {
        const file = opened(files, path("a"));
        expect(file.size()).toBe(0);
        expect(file.extend(8192).ok).toBe(true);
        expect(file.size()).toBe(8192);
        expect(file.extend(4096).ok).toBe(true);
        expect(file.size()).toBe(8192);
        expect(file.write(5000, new Uint8Array([1, 2, 3])).ok).toBe(true);
        const bytes = new Uint8Array(file.view(8192));
        expect([...bytes.subarray(4999, 5004)]).toEqual([0, 1, 2, 3, 0]);
        expect(file.truncate(100).ok).toBe(true);
        expect(file.size()).toBe(100);
        file.close();
      }),
    );

    test(
      "SharedFile.view() is shared between two open files and sees growth",
      inWorld(({ files, path }) => {
        const one = opened(files, path("a"));
        one.extend(4096);
        const early = new Uint32Array(one.view(4096));
        const two = opened(files, path("a"));
        two.extend(16384);
        new Uint32Array(two.view(16384))[0] = 77;
        new Uint32Array(two.view(16384))[4000] = 78;
        expect(early[0]).toBe(77);
        expect(one.size()).toBe(16384);
        expect(new Uint32Array(one.view(16384))[4000]).toBe(78);
        one.close();
        two.close();
      }),
    );

    test(
      "SharedFile.close() empties the views it gave out",
      inWorld(({ files, path }) => {
        const file = opened(files, path("a"));
        file.extend(4096);
        const bytes = new Uint8Array(file.view(4096));
        file.close();
        expect(bytes.length).toBe(0);
        expect(bytes[0]).toBeUndefined();
      }),
    );

    test(
      "SharedFile is not used any more after close(): that is a fault of ours",
      inWorld(({ files, path }) => {
        const file = opened(files, path("a"));
        file.extend(4096);
        file.close();
        const uses: Record<string, () => unknown> = {
          size: () => file.size(),
          view: () => file.view(4096),
          extend: () => file.extend(8192),
          reserve: () => file.reserve(8192, () => {}),
          truncate: () => file.truncate(0),
          write: () => file.write(0, new Uint8Array(1)),
          tryLockRange: () => file.tryLockRange("write", 0, 1),
          unlockRange: () => file.unlockRange(0, 1),
          syncData: () => file.syncData(() => {}),
        };
        for (const use of Object.values(uses)) expect(use).toThrow("open file");
      }),
    );

    test(
      "SharedFile.syncData() reports later, and not after close()",
      inWorld(async ({ files, path }) => {
        const file = opened(files, path("a"));
        file.extend(4096);
        let inside = true;
        const outcome = await new Promise<boolean>((resolve) => {
          file.syncData((result) => {
            expect(inside).toBe(false);
            resolve(result.ok);
          });
          inside = false;
        });
        expect(outcome).toBe(true);
        let late = false;
        file.syncData(() => {
          late = true;
        });
        file.close();
        const other = opened(files, path("a"));
        await new Promise<void>((resolve) => other.syncData(() => resolve()));
        expect(late).toBe(false);
        other.close();
      }),
    );
  });

  describe(`${name} byte ranges`, () => {
    test(
      "SharedFile.tryLockRange() excludes other open files of the same process",
      inWorld(({ files, path }) => {
        const one = opened(files, path("a"));
        const two = opened(files, path("a"));
        expect(one.tryLockRange("write", 168, 4)).toBe("granted");
        expect(two.tryLockRange("read", 171, 1)).toBe("busy");
        expect(two.tryLockRange("write", 172, 1)).toBe("granted");
        one.unlockRange(168, 4);
        expect(two.tryLockRange("read", 168, 4)).toBe("granted");
        expect(one.tryLockRange("read", 168, 4)).toBe("granted");
        expect(one.tryLockRange("write", 168, 4)).toBe("busy");
        one.close();
        two.close();
      }),
    );

    test(
      "SharedFile.tryLockRange() with length 0 reaches beyond the end, also past 4 GiB",
      inWorld(({ files, path }) => {
        const one = opened(files, path("a"));
        const two = opened(files, path("a"));
        expect(one.tryLockRange("write", 168, 0)).toBe("granted");
        expect(two.tryLockRange("write", 0x1_2345_6789, 1)).toBe("busy");
        expect(two.tryLockRange("write", 167, 1)).toBe("granted");
        one.unlockRange(168, 0);
        expect(two.tryLockRange("write", 0x1_2345_6789, 1)).toBe("granted");
        expect(one.tryLockRange("write", 0x2345_6789, 1)).toBe("granted");
        one.close();
        expect(two.tryLockRange("write", 0, 0)).toBe("granted");
        two.close();
      }),
    );

    test(
      "SharedFile.close() drops the locks of its own open file only",
      inWorld(({ files, path }) => {
        const one = opened(files, path("a"));
        const two = opened(files, path("a"));
        const three = opened(files, path("a"));
        one.tryLockRange("write", 0, 1);
        two.tryLockRange("write", 4, 1);
        one.close();
        expect(three.tryLockRange("write", 0, 1)).toBe("granted");
        expect(three.tryLockRange("write", 4, 1)).toBe("busy");
        two.close();
        three.close();
      }),
    );
  });
}

/** The parts that only implementations with robust mutexes have. */
export function sharedMutexContract(name: string, makeWorld: () => SharedFilesWorld): void {
  test(`${name} SharedFile.tryLockMutex() excludes and is released`, () => {
    const world = makeWorld();
    const one = opened(world.files, world.path("a"));
    const two = opened(world.files, world.path("a"));
    one.extend(8192);
    one.initMutexes(216, 100);
    const last = 216 + 99 * one.mutexBytes;
    for (const offset of [216, 216 + one.mutexBytes, last]) {
      expect(one.tryLockMutex(offset)).toBe("granted");
      expect(two.tryLockMutex(offset)).toBe("busy");
      one.unlockMutex(offset);
      expect(two.tryLockMutex(offset)).toBe("granted");
      two.unlockMutex(offset);
    }
    one.close();
    two.close();
    world.dispose();
  });

  test(`${name} SharedFile.firstHeldMutex() finds what anybody holds`, () => {
    const world = makeWorld();
    const one = opened(world.files, world.path("a"));
    const two = opened(world.files, world.path("a"));
    one.extend(8192);
    one.initMutexes(216, 100);
    const at = (index: number): number => 216 + index * one.mutexBytes;
    expect(one.firstHeldMutex(216, 100)).toBe(100);
    two.tryLockMutex(at(7));
    one.tryLockMutex(at(99));
    expect(one.firstHeldMutex(216, 100)).toBe(7);
    expect(one.firstHeldMutex(216, 7)).toBe(7);
    expect(one.firstHeldMutex(at(8), 92)).toBe(91);
    expect(two.firstHeldMutex(at(8), 91)).toBe(91);
    two.unlockMutex(at(7));
    one.unlockMutex(at(99));
    expect(two.firstHeldMutex(216, 100)).toBe(100);
    one.close();
    two.close();
    world.dispose();
  });
}

export function opened(files: SharedFiles, path: string): SharedFile {
  return must(files.open(path, { create: true, mode: 0o600 }));
}
