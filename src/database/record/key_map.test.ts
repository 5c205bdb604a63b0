import { expect, test } from "bun:test";
import { KeyMap } from "./key_map.ts";

const key = (...bytes: number[]) => new Uint8Array(bytes);

test("KeyMap tells keys of one hash apart", () => {
  const map = new KeyMap<string>();
  map.set(1, key(1), "a");
  map.set(1, key(2), "b");
  map.set(1, key(1, 0), "c");
  expect([map.get(1, key(1)), map.get(1, key(2)), map.get(1, key(1, 0))]).toEqual(["a", "b", "c"]);
  expect(map.get(2, key(1))).toBeUndefined();
  expect(map.size).toBe(3);
  map.set(1, key(2), "B");
  expect(map.size).toBe(3);
  expect([...map.values()].sort()).toEqual(["B", "a", "c"]);
});

test("KeyMap.delete() removes the first, a middle and the last of a hash", () => {
  for (const gone of [1, 2, 3]) {
    const map = new KeyMap<number>();
    for (const n of [1, 2, 3]) map.set(9, key(n), n);
    expect(map.delete(9, key(gone))).toBe(true);
    expect(map.delete(9, key(gone))).toBe(false);
    expect([...map.values()].sort()).toEqual([1, 2, 3].filter((n) => n !== gone));
    expect(map.get(9, key(gone))).toBeUndefined();
  }
});

test("KeyMap.set() keeps a copy of the key", () => {
  const map = new KeyMap<number>();
  const bytes = key(5, 6);
  map.set(3, bytes, 1);
  bytes[0] = 0;
  expect(map.get(3, key(5, 6))).toBe(1);
});

test("KeyMap.deleteWhere() removes what matches, across one hash", () => {
  const map = new KeyMap<number>();
  for (let n = 0; n < 20; n++) map.set(n % 3, key(n), n);
  map.deleteWhere((n) => n % 2 === 0);
  expect([...map.values()].sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  expect(map.size).toBe(10);
});
