import { expect, test } from "bun:test";
import { withSeed } from "../../test/fuzz/seeded_random.ts";
import { must } from "../../test/support/must.ts";
import { u64 } from "../base/u64.ts";
import { decodeExact, EMPTY, encode, textBytes } from "../wire/codec.ts";
import { RECORD_FLAGS } from "../wire/constants.ts";
import { ltdbHeader, recBuffer } from "../wire/structs/records.ts";
import { PushBuffers } from "./push_buffers.ts";
import { RecordTable } from "./record_table.ts";
import { SlabMemory } from "./slab_memory.ts";

const DB = 0x7a19d84d;
const LEADER = 1;

interface Copy {
  readonly key: string;
  readonly rsn: number;
  readonly dmaster: number;
  readonly value: string;
}

function buffer(copies: readonly Copy[], db_id = DB): Uint8Array {
  const records = copies.map(({ key, rsn, dmaster, value }) => {
    const rsnWord = u64(Math.floor(rsn / 2 ** 32), rsn);
    const header = encode(ltdbHeader, { rsn: rsnWord, dmaster, reserved1: 0, flags: 0 });
    return { reqid: 77, key: textBytes(key), data: Buffer.concat([header, textBytes(value)]) };
  });
  return encode(recBuffer, { db_id, records });
}

function newTable(): RecordTable {
  return new RecordTable({
    db_id: DB,
    leaderPnn: LEADER,
    hashSeed: 5,
    memory: new SlabMemory(undefined),
  });
}

function pushed(table: RecordTable, limitBytes = 1_000_000, dmaster: number | undefined = LEADER) {
  const buffers = new PushBuffers(table, { db_id: DB, limitBytes, dmaster });
  const records: (Copy & { flags: number; reqid: number })[] = [];
  const sizes: number[] = [];
  for (let bytes = buffers.next(); bytes !== undefined; bytes = buffers.next()) {
    sizes.push(bytes.length);
    const decoded = must(decodeExact(recBuffer, bytes.slice()));
    expect(decoded.db_id).toBe(DB);
    for (const { key, data, reqid } of decoded.records) {
      const header = must(decodeExact(ltdbHeader, data.subarray(0, 24)));
      records.push({
        key: Buffer.from(key).toString(),
        rsn: header.rsn.hi * 2 ** 32 + header.rsn.lo,
        dmaster: header.dmaster,
        flags: header.flags,
        value: Buffer.from(data.subarray(24)).toString(),
        reqid,
      });
    }
  }
  expect(buffers.recordsSent).toBe(records.length);
  return { records, sizes };
}

test("RecordTable.addBuffer() keeps the copy with the higher rsn, in 64 bits", () => {
  const table = newTable();
  table.addBuffer(buffer([{ key: "a", rsn: 2 ** 32, dmaster: 0, value: "new" }]), 0);
  table.addBuffer(buffer([{ key: "a", rsn: 2 ** 32 - 1, dmaster: 2, value: "old" }]), 1);
  expect(table.size).toBe(1);
  expect(pushed(table).records.map((record) => record.value)).toEqual(["new"]);
});

test("RecordTable.addBuffer() gives what taking the nodes one after another gives, in any order", () => {
  // Every assignment of dmasters to three equal copies, in every order of arrival.
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (let mask = 0; mask < 8; mask++) {
    const dmasters = [0, 1, 2].map((rank) => ((mask >> rank) & 1 ? LEADER : 9));
    let expected = 0;
    for (let rank = 1; rank < 3; rank++) if (dmasters[expected] === LEADER) expected = rank;
    for (const order of orders) {
      const table = newTable();
      for (const rank of order) {
        const dmaster = dmasters[rank] as number;
        table.addBuffer(buffer([{ key: "k", rsn: 7, dmaster, value: `from ${rank}` }]), rank);
      }
      expect(pushed(table).records.map((record) => record.value)).toEqual([`from ${expected}`]);
    }
  }
});

test("RecordTable.addBuffer() takes one key twice in a buffer", () => {
  const table = newTable();
  const copies = [
    { key: "x", rsn: 1, dmaster: 0, value: "first" },
    { key: "x", rsn: 3, dmaster: 0, value: "third" },
    { key: "y", rsn: 1, dmaster: 0, value: "other" },
    { key: "x", rsn: 2, dmaster: 0, value: "second" },
  ];
  expect(table.addBuffer(buffer(copies), 0)).toEqual({ ok: true, value: 4 });
  expect(table.size).toBe(2);
  expect(pushed(table).records.map((record) => record.value)).toEqual(["third", "other"]);
});

test("RecordTable.addBuffer() agrees with a plain map over random copies", () =>
  withSeed((random) => {
    const table = newTable();
    const plain = new Map<string, Copy>();
    for (let rank = 0; rank < 3; rank++) {
      for (let message = 0; message < 40; message++) {
        const copies: Copy[] = [];
        for (let i = random.below(60); i > 0; i--) {
          const rsn = 1 + random.below(1000);
          const value = "v".repeat(random.below(300));
          copies.push({ key: `key ${random.below(3000)}`, rsn, dmaster: random.below(3), value });
        }
        table.addBuffer(buffer(copies), rank);
        for (const copy of copies) {
          const known = plain.get(copy.key);
          if (known === undefined || copy.rsn > known.rsn) plain.set(copy.key, copy);
          else if (copy.rsn === known.rsn && known.dmaster === LEADER) plain.set(copy.key, copy);
        }
      }
    }
    expect(table.size).toBe(plain.size);
    const { records, sizes } = pushed(table, 10_000);
    expect(sizes.length).toBeGreaterThan(5);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(10_000);
    const live = [...plain.values()].filter(({ value }) => value !== "");
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    expect(records.map(({ key, rsn, value }) => ({ key, rsn, value })).sort(byKey)).toEqual(
      live.map(({ key, rsn, value }) => ({ key, rsn, value })).sort(byKey),
    );
  }));

test("RecordTable.addBuffer() refuses what does not parse, and changes nothing", () => {
  const table = newTable();
  const good = buffer([{ key: "a", rsn: 1, dmaster: 0, value: "v" }]);
  expect(table.addBuffer(buffer([], 0x1234), 0).ok).toBe(false);
  expect(table.addBuffer(EMPTY, 0).ok).toBe(false);
  for (let end = 0; end < good.length; end++) {
    expect(table.addBuffer(good.slice(0, end), 0).ok).toBe(false);
  }
  const huge = good.slice();
  new DataView(huge.buffer).setUint32(4, 0xffffffff, true);
  expect(table.addBuffer(huge, 0).ok).toBe(false);
  const zero = good.slice();
  new DataView(zero.buffer).setUint32(8, 0, true);
  expect(table.addBuffer(zero, 0).ok).toBe(false);
  const short = encode(recBuffer, {
    db_id: DB,
    records: [{ reqid: 0, key: textBytes("k"), data: new Uint8Array(23) }],
  });
  expect(table.addBuffer(short, 0).ok).toBe(false);
  expect(table.size).toBe(0);
  expect(pushed(table).records).toEqual([]);
});

test("PushBuffers.next() leaves out empty records and takes over volatile ones", () => {
  const table = newTable();
  const copies = [
    { key: "empty", rsn: 9, dmaster: 0, value: "" },
    { key: "full", rsn: 9, dmaster: 0, value: "data" },
  ];
  table.addBuffer(buffer(copies), 0);
  const [record, ...rest] = pushed(table).records;
  expect(rest).toEqual([]);
  expect(record).toEqual({
    key: "full",
    rsn: 9,
    dmaster: LEADER,
    flags: RECORD_FLAGS.MIGRATED_WITH_DATA,
    value: "data",
    reqid: 0,
  });
});

test("PushBuffers.next() leaves persistent headers as they are", () => {
  const table = newTable();
  table.addBuffer(buffer([{ key: "p", rsn: 9, dmaster: 3, value: "data" }]), 0);
  const buffers = new PushBuffers(table, { db_id: DB, limitBytes: 1000, dmaster: undefined });
  const same = buffer([{ key: "p", rsn: 9, dmaster: 3, value: "data" }]);
  new DataView(same.buffer).setUint32(12, 0, true);
  expect([...(buffers.next() ?? [])]).toEqual([...same]);
  expect(buffers.next()).toBeUndefined();
});

test("PushBuffers.next() sends a record larger than the limit alone", () => {
  const table = newTable();
  const copies = [
    { key: "a", rsn: 1, dmaster: 0, value: "1" },
    { key: "b", rsn: 1, dmaster: 0, value: "2".repeat(50_000) },
    { key: "c", rsn: 1, dmaster: 0, value: "3" },
  ];
  table.addBuffer(buffer(copies), 0);
  const { records, sizes } = pushed(table, 5000);
  expect(records.map(({ key }) => key)).toEqual(["a", "b", "c"]);
  expect(sizes.length).toBe(3);
});
