/** Disks that fill and fail. */
import { expect, test } from "bun:test";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { must } from "../support/must.ts";
import { DiskTrouble } from "./disk_trouble.ts";
import { SeededRandom } from "./random.ts";

const PATH = "/volatile/x.tdb";

test("DiskTrouble lets files grow into the room that is left, or was reserved", () => {
  const trouble = new DiskTrouble(new SeededRandom(1));
  trouble.begin({ below: "/volatile/", roomBytes: 1000, failChance: 0 });
  expect(trouble.refuses("reserve", PATH, 100, 500)).toBeUndefined();
  expect(trouble.refuses("grow", PATH, 100, 500)).toBeUndefined();
  expect(trouble.refuses("grow", PATH, 500, 1200)).toBe("ENOSPC");
  expect(trouble.refuses("grow", PATH, 500, 1100)).toBeUndefined();
  expect(trouble.refuses("create", PATH, 0, 0)).toBe("ENOSPC");
  expect(trouble.refuses("write", PATH, 0, 1100)).toBeUndefined();
  expect(trouble.refuses("grow", "/persistent/y.tdb", 0, 5000)).toBeUndefined();
  expect(trouble.refusals).toBe(2);
  trouble.end();
  expect(trouble.refuses("grow", PATH, 0, 5000)).toBeUndefined();
});

test("DiskTrouble fails in stores of records, which change nothing then", () => {
  const trouble = new DiskTrouble(new SeededRandom(1));
  const { opener } = createMemoryTdbs();
  const tdb = must(opener.open({ path: PATH, flags: 0, hashSize: 7, create: true }));
  trouble.hangOn(tdb);
  const key = new Uint8Array([1]);
  must(tdb.store(key, new Uint8Array([2])));
  trouble.begin({ below: "/", roomBytes: Number.POSITIVE_INFINITY, failChance: 1 });
  for (const outcome of [
    tdb.store(key, new Uint8Array([3])),
    tdb.storeParts(key, new Uint8Array([4]), new Uint8Array(0)),
    tdb.delete(key),
  ]) {
    expect(outcome).toMatchObject({ ok: false, error: { code: "io" } });
  }
  trouble.end();
  expect(must(tdb.fetch(key))).toEqual(new Uint8Array([2]));
});
