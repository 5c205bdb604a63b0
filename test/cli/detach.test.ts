/** `ctdb detach` against a scripted daemon. */
import { expect, test } from "bun:test";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const NAMES = new Map([
  [1, "one.tdb"],
  [2, "two.tdb"],
  [3, "persistent.tdb"],
]);

function clusterWithDatabases(): FakeCtdbd {
  return daemon([nodeAt(0), nodeAt(1), nodeAt(2, GONE)], 1)
    .on("GET_DBMAP", () => ({
      data: [...NAMES.keys()].map((db_id) => ({
        db_id,
        flags: db_id === 3 ? DB_FLAGS.PERSISTENT : 0,
      })),
    }))
    .on("GET_DBNAME", (id) => ({ data: NAMES.get(id) ?? "" }))
    .on("GET_TUNABLE", () => ({ data: 0 }))
    .on("DB_DETACH", () => ({}));
}

function detached(ctdbd: FakeCtdbd) {
  return ctdbd.controls
    .filter(({ name }) => name === "DB_DETACH")
    .map(({ request, destnode }) => ({ request, destnode }));
}

test("detach asks the own node only, which tells the others", async () => {
  const ctdbd = clusterWithDatabases();
  const run = await runCtdb({ ctdbd }, "detach", "one.tdb", "two.tdb");
  expect(run).toEqual({ status: 0, out: "", err: "" });
  expect(detached(ctdbd)).toEqual([
    { request: 1, destnode: 1 },
    { request: 2, destnode: 1 },
  ]);
});

test("detach goes on after a refused database, and fails", async () => {
  const ctdbd = clusterWithDatabases().on("DB_DETACH", (id) => ({ status: id === 1 ? -1 : 0 }));
  const run = await runCtdb({ ctdbd }, "detach", "one.tdb", "absent.tdb", "two.tdb");
  expect(run.err).toBe(
    "detach: one.tdb DB_DETACH failed, ret=-1\nDatabase one.tdb detach failed\n" +
      "No database matching 'absent.tdb' found\n",
  );
  expect(run.status).not.toBe(0);
  expect(detached(ctdbd)).toHaveLength(2);
});

test("detach refuses while a node lets clients attach, and what is not volatile", async () => {
  const ctdbd = clusterWithDatabases();
  const persistent = await runCtdb({ ctdbd }, "detach", "persistent.tdb");
  expect(persistent).toMatchObject({ status: 1, err: "Only volatile databases can be detached\n" });
  ctdbd.on("GET_TUNABLE", (_name, destnode) => ({ data: destnode === 1 ? 1 : 0 }));
  const open = await runCtdb({ ctdbd }, "detach", "one.tdb");
  expect(open.status).toBe(1);
  expect(open.err).toStartWith("Database access is still active on node 1.");
  expect(detached(ctdbd)).toEqual([]);
});
