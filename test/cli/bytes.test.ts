/** Keys, values, names and files of commands are bytes: what is no UTF-8 comes and goes as it is. */
import { expect, test } from "bun:test";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { bytesText, encode, stringZ, textBytes } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const text = (...bytes: number[]) => bytesText(Uint8Array.from(bytes));
const KEY = text(0x6b, 0xff);
const OTHER = text(0x6b, 0xfe);
const PATH = `/db/${text(0xe9)}.tdb.0`;

test("tstore and tfetch tell keys apart that no UTF-8 decoder does", async () => {
  const ours = createMemoryTdbs();
  const others = createMemoryTdbs({ disk: ours.disk });
  const tdb = must(others.opener.open({ path: PATH, flags: 0, hashSize: 7, create: true }));
  const world = { ctdbd: daemon([nodeAt(0)]), tdbs: ours.opener };
  for (const [key, value] of [
    [KEY, text(0xef, 0xbb, 0xbf, 0x80)],
    [OTHER, "two"],
  ] as const) {
    const stored = await runCtdb(world, "tstore", PATH, key, value);
    expect(stored).toEqual({ status: 0, out: "", err: "" });
  }
  const value = must(tdb.fetch(Uint8Array.of(0x6b, 0xff)));
  expect([...(value ?? []).slice(24)]).toEqual([0xef, 0xbb, 0xbf, 0x80]);
  const fetched = await runCtdb(world, "tfetch", PATH, OTHER);
  expect(fetched.out).toContain('data(3) = "two"\n');
  const absent = await runCtdb(world, "tfetch", PATH, text(0x6b, 0xfd));
  expect(textBytes(absent.err)).toEqual(
    Uint8Array.from([...textBytes("No record for key k"), 0xfd, 0x0a]),
  );
});

test("attach sends the bytes of the name, and shows those of the answer", async () => {
  const name = `${KEY}.tdb`;
  const ctdbd = daemon([nodeAt(0)])
    .on("DB_ATTACH", () => ({ data: 7 }))
    .on("GETDBPATH", () => ({ data: PATH }))
    .on("DB_GET_HEALTH", () => ({ data: textBytes("") }))
    .on("DB_OPEN_FLAGS", () => ({ data: 0 }))
    .on("GET_DBMAP", () => ({ data: [{ db_id: 7, flags: 0 }] }))
    .on("GET_DBNAME", () => ({ data: name }));
  expect(await runCtdb({ ctdbd }, "attach", name)).toMatchObject({ status: 0, err: "" });
  const [attach] = ctdbd.controls.filter((control) => control.name === "DB_ATTACH");
  const sent = encode(stringZ, attach?.request as string);
  expect([...sent.slice(0, 3)]).toEqual([0x6b, 0xff, 0x2e]);
  const shown = await runCtdb({ ctdbd }, "getdbmap");
  expect(shown.out).toContain(`name:${name} path:${PATH}`);
});

test("an argument that has to be text is refused with its bytes shown", async () => {
  const ctdbd = daemon([nodeAt(0)]).on("LIST_TUNABLES", () => ({ data: "A:B" }));
  expect(await runCtdb({ ctdbd }, "getvar", KEY)).toEqual({
    status: 1,
    out: `No such tunable ${KEY}\n`,
    err: "",
  });
  expect(await runCtdb({ ctdbd }, KEY)).toEqual({
    status: 1,
    out: "",
    err: `Unknown command '${KEY}'\n`,
  });
  const option = await runCtdb({ ctdbd }, "-n", KEY, "pnn");
  expect(option.status).toBe(1);
  expect(option.err).toContain(KEY);
});
