import { expect, test } from "bun:test";
import { textBytes } from "../../wire/codec.ts";
import { RecordHeader } from "../record/record_header.ts";
import { KeyTable } from "./key_table.ts";

function headerOf(rsn: number, flags = 0): RecordHeader {
  const header = new RecordHeader();
  header.set(7, rsn, 3, flags);
  return header;
}

const keysOf = (table: KeyTable): readonly string[] => {
  const keys: string[] = [];
  for (let slot = 0; slot < table.slots; slot++) {
    if (table.isUsed(slot)) keys.push(Buffer.from(table.keyOf(slot)).toString());
  }
  return keys.sort();
};

test("KeyTable keeps keys of one hash apart, each with its header", () => {
  const table = new KeyTable(100, 10_000);
  const first = table.put(5, textBytes("a"), headerOf(1, 0x10000));
  const second = table.put(5, textBytes("b"), headerOf(2));
  expect(table.find(5, textBytes("a"))).toBe(first);
  expect(table.find(5, textBytes("b"))).toBe(second);
  expect(table.find(5, textBytes("c"))).toBe(-1);
  const read = new RecordHeader();
  table.readHeader(first, read);
  expect(read).toEqual(headerOf(1, 0x10000));
  expect(table.hasRsn(second, headerOf(2))).toBe(true);
  expect(table.hasRsn(second, headerOf(1))).toBe(false);
});

test("KeyTable.put() replaces the header and makes the entry due", () => {
  const table = new KeyTable(100, 10_000);
  const slot = table.put(5, textBytes("a"), headerOf(1));
  table.setDueMs(slot, 99);
  expect(table.put(5, textBytes("a"), headerOf(8))).toBe(slot);
  expect([table.size, table.dueMsOf(slot), table.hasRsn(slot, headerOf(8))]).toEqual([1, 0, true]);
});

test("KeyTable is bounded by entries and by bytes of keys", () => {
  const few = new KeyTable(2, 10_000);
  expect(["a", "b", "c"].map((key) => few.put(1, textBytes(key), headerOf(1)) >= 0)).toEqual([
    true,
    true,
    false,
  ]);
  const small = new KeyTable(100, 4096);
  expect(small.put(1, new Uint8Array(8192), headerOf(1))).toBe(-1);
  expect(small.put(1, new Uint8Array(512), headerOf(1))).toBe(0);
});

test("KeyTable does not grow while entries come and go", () => {
  const table = new KeyTable(1000, 1 << 20);
  for (let round = 0; round < 1000; round++) {
    const keys = [`short${round}`, `a longer key of round ${round}`];
    const slots = keys.map((key) => table.put(round, textBytes(key), headerOf(round)));
    for (const slot of slots) table.remove(slot);
  }
  expect([table.size, table.slots]).toEqual([0, 2]);
  expect(table.memoryBytes).toBeLessThan(4096);
});

test("KeyTable holds what a plain map holds, whatever was put and removed", () => {
  const table = new KeyTable(2000, 1 << 22);
  const model = new Map<string, number>();
  let state = 12345;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
  for (let step = 0; step < 20_000; step++) {
    const number = below(1500);
    const key = `${"k".repeat(number % 90)}${number}`;
    const hash = number % 97;
    const slot = table.find(hash, textBytes(key));
    expect(slot >= 0).toBe(model.has(key));
    if (below(3) === 0 && slot >= 0) {
      table.remove(slot);
      model.delete(key);
    } else {
      table.put(hash, textBytes(key), headerOf(step));
      model.set(key, step);
    }
  }
  expect(keysOf(table)).toEqual([...model.keys()].sort());
  for (const [key, rsn] of model) {
    const hash = Number(/[0-9]+$/.exec(key)?.[0]) % 97;
    expect(table.hasRsn(table.find(hash, textBytes(key)), headerOf(rsn))).toBe(true);
  }
});
