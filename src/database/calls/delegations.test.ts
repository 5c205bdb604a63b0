import { expect, test } from "bun:test";
import { assert } from "../../base/assert.ts";
import { ok } from "../../base/result.ts";
import { createMemoryTdbs } from "../../tdb/memory/memory_opener.ts";
import { textBytes } from "../../wire/codec.ts";
import { Delegations, TRACKING_FLAGS } from "./delegations.ts";

const KEY = textBytes("key");
const OTHER = textBytes("other");

function world() {
  const { opener, disk } = createMemoryTdbs();
  const opened = Delegations.open(opener, "/v/x.tdb.0", 11);
  assert(opened.ok, "a new file");
  return { delegations: opened.value, disk, opener };
}

test("Delegations.add() keeps a bitmap for each key, the lowest node first", () => {
  const { delegations, disk } = world();
  for (const pnn of [9, 0, 3, 9]) expect(delegations.add(KEY, pnn).ok).toBe(true);
  delegations.add(OTHER, 1);
  expect(delegations.delegates(KEY)).toEqual(ok([0, 3, 9]));
  expect(delegations.delegates(OTHER)).toEqual(ok([1]));
  expect(delegations.delegates(textBytes("none"))).toEqual(ok([]));
  const path = "/v/x.tdb.0.RO";
  const flags = TRACKING_FLAGS & ~1;
  const file = createMemoryTdbs({ disk }).opener.open({ path, flags, hashSize: 0, create: false });
  assert(file.ok, "the same file");
  expect(file.value.fetch(KEY)).toEqual(ok(new Uint8Array([0b1001, 0b10])));
});

test("Delegations.remove() and clear() forget delegates", () => {
  const { delegations } = world();
  delegations.add(KEY, 1);
  delegations.add(OTHER, 2);
  expect(delegations.remove(KEY).ok).toBe(true);
  expect(delegations.remove(KEY).ok).toBe(true);
  expect(delegations.delegates(KEY)).toEqual(ok([]));
  expect(delegations.clear().ok).toBe(true);
  expect(delegations.delegates(OTHER)).toEqual(ok([]));
});

test("Delegations.open() begins with an empty file", () => {
  const { delegations, opener } = world();
  delegations.add(KEY, 1);
  delegations.close();
  const again = Delegations.open(opener, "/v/x.tdb.0", 11);
  expect(again.ok && again.value.delegates(KEY)).toEqual(ok([]));
});
