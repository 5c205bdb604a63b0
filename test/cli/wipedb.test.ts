/** `ctdb wipedb` against a scripted daemon. */
import { expect, test } from "bun:test";
import { encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, RECOVERY_ACTIVE, SRVID } from "../../src/wire/constants.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const ID = 0x445c6ab;
const STEPS = [
  "DB_FREEZE",
  "DB_TRANSACTION_START",
  "WIPE_DATABASE",
  "DB_SET_HEALTHY",
  "DB_TRANSACTION_COMMIT",
  "DB_THAW",
] as const;

/** Nodes 0 and 2 are active, 1 is stopped, 3 is gone; 2 leads. */
function clusterWithDatabase(): FakeCtdbd {
  const nodes = [nodeAt(0), nodeAt(1, NODE_FLAGS.STOPPED), nodeAt(2), nodeAt(3, GONE)];
  const ctdbd = daemon(nodes)
    .on("GET_DBMAP", () => ({ data: [{ db_id: ID, flags: 0 }] }))
    .on("GET_DBNAME", () => ({ data: "test.tdb" }))
    .on("GETDBPATH", () => ({ data: "/db/test.tdb.0" }))
    .on("DB_GET_HEALTH", () => ({ data: textBytes("") }))
    .on("DB_ATTACH", () => ({ data: ID }))
    .on("DB_OPEN_FLAGS", () => ({ data: 0x1c41 }))
    .on("SET_RECMODE", () => ({}))
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 2)));
      return {};
    });
  for (const step of STEPS) ctdbd.on(step, () => ({}));
  return ctdbd;
}

function stepsOf(ctdbd: FakeCtdbd) {
  const names: readonly string[] = STEPS;
  return ctdbd.controls.filter(({ name }) => names.includes(name));
}

test("wipedb takes every active node through each step before the next one", async () => {
  const ctdbd = clusterWithDatabase();
  expect(await runCtdb({ ctdbd }, "wipedb", "test.tdb")).toEqual({
    status: 0,
    out: "Database test.tdb wiped\n",
    err: "",
  });
  const transaction = { db_id: ID, tid: 77 };
  const request = (step: string) =>
    ["DB_FREEZE", "DB_SET_HEALTHY", "DB_THAW"].includes(step) ? ID : transaction;
  expect(
    stepsOf(ctdbd).map(({ name, request, destnode }) => ({ name, request, destnode })),
  ).toEqual(
    STEPS.flatMap((name) => [0, 2].map((destnode) => ({ name, request: request(name), destnode }))),
  );
  expect(ctdbd.controls.filter(({ name }) => name === "SET_RECMODE")).toEqual([]);
  const asked = ctdbd.controls.find(({ name }) => name === "GETVNNMAP");
  expect(asked?.destnode).toBe(2);
});

test("wipedb asks for a recovery when a node refuses a step", async () => {
  const ctdbd = clusterWithDatabase().on("WIPE_DATABASE", (_request, destnode) =>
    destnode === 2 ? { status: -1, error: "not frozen" } : {},
  );
  const run = await runCtdb({ ctdbd }, "wipedb", "test.tdb");
  expect(run.out).toBe("");
  expect(run.err).toContain("WIPE_DATABASE failed on node 2");
  expect(run.status).not.toBe(0);
  expect(stepsOf(ctdbd).at(-1)?.name).toBe("WIPE_DATABASE");
  expect(ctdbd.controls.at(-1)).toMatchObject({
    name: "SET_RECMODE",
    request: RECOVERY_ACTIVE,
    destnode: 0,
  });
});

test("wipedb names a database that is not there", async () => {
  const ctdbd = clusterWithDatabase();
  const run = await runCtdb({ ctdbd }, "wipedb", "other.tdb");
  expect(run).toMatchObject({ status: 1, err: "No database matching 'other.tdb' found\n" });
  expect(stepsOf(ctdbd)).toEqual([]);
});
