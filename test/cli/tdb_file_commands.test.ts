/** `ctdb tfetch` and `ctdb tstore`: one TDB file, without the cluster. */
import { expect, test } from "bun:test";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const PATH = "/db/persistent/test.tdb.0";

/** A file on a disk of its own; `tdb` is the handle of another process. */
function diskWithFile() {
  const ours = createMemoryTdbs();
  const others = createMemoryTdbs({ disk: ours.disk });
  const tdb = must(others.opener.open({ path: PATH, flags: 0, hashSize: 7, create: true }));
  return { tdb, world: { ctdbd: daemon([nodeAt(0)]), tdbs: ours.opener } };
}

test("tstore writes what tfetch shows", async () => {
  const { world } = diskWithFile();
  const stored = await runCtdb(world, "tstore", PATH, "0x6b00", 'a"1', "258", "2", "65536");
  expect(stored).toEqual({ status: 0, out: "", err: "" });
  expect((await runCtdb(world, "tfetch", PATH, "0x6b00")).out).toBe(
    'dmaster: 2\nrsn: 258\nflags: 0x00010000 MIGRATED_WITH_DATA\ndata(3) = "a\\221"\n',
  );
  expect((await runCtdb(world, "tstore", PATH, "0x6b00", "0x")).status).toBe(0);
  expect((await runCtdb(world, "tfetch", PATH, "0x6b00")).out).toBe(
    'dmaster: 0\nrsn: 0\nflags: 0x00000000\ndata(0) = ""\n',
  );
});

test("tstore refuses what it cannot read, and writes nothing", async () => {
  const { tdb, world } = diskWithFile();
  const run = async (...args: string[]) => {
    const { status, err } = await runCtdb(world, "tstore", ...args);
    return [status, err];
  };
  expect(await run(PATH, "0x123", "x")).toEqual([
    22,
    "Key (123) contains odd number of hex digits\nFailed to parse key 0x123\n",
  ]);
  expect(await run(PATH, "key", "x", "99999999999999999999")).toEqual([34, ""]);
  const [status, message] = await run("/db/none.tdb", "key", "x");
  expect(message).toStartWith("Failed to open TDB file /db/none.tdb");
  expect(status).toBe(1);
  expect(tdb.nextUsedChain(0)).toBe(tdb.hashSize);
});

for (const [name, ...rest] of [["tstore", "new"], ["tfetch"]] as const) {
  test(`${name} waits for a lock that somebody else holds`, async () => {
    const { tdb, world } = diskWithFile();
    const key = textBytes("key");
    expect(tdb.store(key, new Uint8Array(27)).ok).toBe(true);
    const chain = tdb.chainOf(key);
    expect(tdb.tryLockChain(chain, "write")).toBe("granted");
    const time = new ManualTime();
    let ended = false;
    const run = runCtdb({ ...world, time }, name, PATH, "key", ...rest).then((outcome) => {
      ended = true;
      return outcome;
    });
    for (let i = 0; i < 20; i++) await time.advance(5);
    await settle();
    expect(ended).toBe(false);
    tdb.unlockChain(chain);
    while (!ended) await time.advance(5);
    expect(await run).toMatchObject({ status: 0, err: "" });
  });
}

test("tfetch says when there is no such record", async () => {
  const { world } = diskWithFile();
  expect(await runCtdb(world, "tfetch", PATH, "key")).toEqual({
    status: 1,
    out: "",
    err: "No record for key key\n",
  });
});
