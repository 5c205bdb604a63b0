/**
 * What commands ask a node for: nothing that the original does not ask (test/interop/compare_requests compares
 * all of it), and every answer is awaited, also one that nobody reads.
 */
import { expect, test } from "bun:test";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { decodeExact, encode, i32Codec, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { srvidMessage } from "../../src/wire/structs/cluster.ts";
import { must } from "../support/must.ts";
import { KEPT, LOCKS, NAMES, VOLATILE, withNamedDatabases } from "./named_databases.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const HEADER_BYTES = 24;

/** A node with databases whose answers come a turn late, and which has every record that is asked for. */
function world() {
  const { opener, disk } = createMemoryTdbs();
  const files = [...NAMES.values()].map((id) => {
    const made = opener.open({
      path: `/db/${id}`,
      flags: TDB_FLAGS.VOLATILE,
      hashSize: 11,
      create: true,
    });
    return [id, must(made)] as const;
  });
  const file = new Map(files);
  for (const [id, key] of [
    [VOLATILE, "k"],
    [LOCKS, `transaction_db_0x0000000${KEPT}\0`],
  ] as const) {
    const stored = file.get(id)?.store(textBytes(key), new Uint8Array(HEADER_BYTES));
    expect(stored?.ok).toBe(true);
  }
  const ctdbd = withNamedDatabases(daemon([nodeAt(0), nodeAt(1)]))
    .on("SCHEDULE_FOR_DELETION", () => ({ status: -1, error: "not implemented" }))
    .on("TRANS3_COMMIT", ({ records }) => {
      for (const { key, data } of records) file.get(KEPT as number)?.store(key, data);
      return {};
    });
  ctdbd.answerLater = setImmediate;
  const tdbs = createMemoryTdbs({ disk }).opener;
  const asked = () => {
    const names = ctdbd.controls.map(({ name }) => name);
    ctdbd.controls.length = 0;
    return names;
  };
  return { ctdbd, tdbs, asked };
}

const DONE = { status: 0, out: "", err: "" };

test("pstore, pdelete and ptrans of what is there already commit nothing", async () => {
  const { ctdbd, tdbs, asked } = world();
  expect(await runCtdb({ ctdbd, tdbs }, "pstore", "p.tdb", "k", "v")).toEqual(DONE);
  expect(asked()).toContain("TRANS3_COMMIT");
  const input = '"k" "v"\n';
  for (const line of [
    ["pstore", "p.tdb", "k", "v"],
    ["pdelete", "p.tdb", "absent"],
    ["ptrans", "p.tdb"],
  ]) {
    expect(await runCtdb({ ctdbd, tdbs, input }, ...line)).toEqual(DONE);
    expect(asked()).not.toContain("TRANS3_COMMIT");
  }
});

test("A command ends with the answers to what it gives up at its end", async () => {
  const { ctdbd, tdbs } = world();
  expect(await runCtdb({ ctdbd, tdbs }, "pstore", "p.tdb", "k", "v")).toEqual(DONE);
  const last = ctdbd.controls.slice(-3);
  expect(last.map(({ name, flags }) => [name, flags])).toEqual([
    ["SCHEDULE_FOR_DELETION", 0],
    ["DEREGISTER_SRVID", 0],
    ["DEREGISTER_SRVID", 0],
  ]);
  expect(ctdbd.leftWaiting).toEqual([]);

  ctdbd.onMessage = ({ srvid, data }) => {
    if (srvid.hi !== SRVID.TAKEOVER_RUN.hi) return;
    const { srvid: answerTo } = must(decodeExact(srvidMessage, data));
    ctdbd.sendMessage(answerTo, encode(i32Codec, 0));
  };
  expect(await runCtdb({ ctdbd }, "ipreallocate")).toEqual(DONE);
  expect(ctdbd.controls.at(-1)).toMatchObject({ name: "DEREGISTER_SRVID", flags: 0 });
});

test("deletekey has deleted the record also when the node does not take it into its next vacuum", async () => {
  const { ctdbd, tdbs } = world();
  expect(await runCtdb({ ctdbd, tdbs }, "deletekey", "v.tdb", "k")).toEqual(DONE);
  expect(ctdbd.controls.at(-1)).toMatchObject({ name: "SCHEDULE_FOR_DELETION", flags: 0 });
});

test("Keys and values that are wrong are found before a lock or a transaction is asked for", async () => {
  const { ctdbd, tdbs, asked } = world();
  for (const line of [
    ["pstore", "p.tdb", "k", "0x1"],
    ["pfetch", "p.tdb", "0x1"],
    ["pdelete", "p.tdb", "0x1"],
    ["writekey", "v.tdb", "k", "0x1"],
  ]) {
    expect((await runCtdb({ ctdbd, tdbs }, ...line)).status).toBe(22);
    const names = asked();
    expect(names.at(-1)).toBe("DB_OPEN_FLAGS");
    expect(names.filter((name) => name === "DB_OPEN_FLAGS")).toHaveLength(1);
  }
});

test("The leader is listened for once, until the command ends", async () => {
  const { ctdbd, asked } = world();
  let generation = 5;
  ctdbd
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 1)));
      return {};
    })
    .on("GETVNNMAP", () => ({ data: { generation, map: [0] } }))
    .on("SET_RECMODE", () => {
      generation = 6;
      return {};
    });
  expect(await runCtdb({ ctdbd }, "recover")).toEqual(DONE);
  expect(asked()).toEqual([
    "GET_PNN",
    "REGISTER_SRVID",
    "GET_RECMODE",
    "GETVNNMAP",
    "SET_RECMODE",
    "GET_RECMODE",
    "GETVNNMAP",
  ]);
});
