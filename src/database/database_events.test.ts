/** What databases write down, and what they tell for metrics. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../test/database/fake_host.ts";
import { recordValue } from "../../test/database/record_values.ts";
import { must } from "../../test/support/must.ts";
import { emptyNodeFacts } from "../../test/support/node_facts.ts";
import { textBytes } from "../wire/codec.ts";
import { decodeNodeFacts, encodeNodeFacts } from "../wire/node_facts.ts";
import { countLockWait } from "./database_statistics.ts";

function setUp() {
  const host = new FakeHost(0);
  host.map = [0];
  return { host, caller: new ControlCaller(host) };
}

test("Databases that come and go are written down", () => {
  const { host, caller } = setUp();
  const { dbId } = caller.open("x.tdb");
  const { dbId: other } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  host.tunables["AllowClientDBAttach"] = 0;
  caller.now("DB_DETACH", dbId, { clientId: 0, srcnode: 1 });
  expect(host.journal.events).toEqual([
    { kind: "database_attached", name: "x.tdb", id: dbId, type: "volatile" },
    { kind: "database_attached", name: "p.tdb", id: other, type: "persistent" },
    { kind: "database_detached", name: "x.tdb", id: dbId },
  ]);
});

test("A database that is not healthy any more is written down once, with the reason", () => {
  const { host, caller } = setUp();
  const { database } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  host.journal.take();
  database.unhealthyReason = "it is damaged";
  database.unhealthyReason = "it is damaged";
  database.unhealthyReason = undefined;
  expect(host.journal.events).toEqual([
    { kind: "database_unhealthy", name: "p.tdb", reason: "it is damaged" },
  ]);
});

test("A process that died with a lock of a database is warned of", () => {
  const { host, caller } = setUp();
  caller.open("x.tdb");
  expect(host.warnings).toEqual([]);
  for (const tdb of host.memory.handles.values()) tdb.ownerDied();
  expect(host.warnings).toEqual(["x.tdb: lock owner died"]);
});

test("DatabaseSet.clientGone() tells of which databases the client was committing something", () => {
  const { host, caller } = setUp();
  const { dbId } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  const records = {
    db_id: dbId,
    records: [
      { reqid: 0, key: textBytes("k"), data: recordValue({ rsn: 1, dmaster: 0, data: "v" }) },
    ],
  };
  caller.call("TRANS3_COMMIT", records as never, { clientId: 7 });
  expect(caller.set.clientGone(8)).toEqual([]);
  expect(caller.set.clientGone(7)).toEqual(["p.tdb"]);
  expect(caller.set.clientGone(7)).toEqual([]);
  host.time.settle();
});

test("DatabaseSet.facts() are what NODE_FACTS can tell, and bounded", () => {
  const { caller } = setUp();
  const { database } = caller.open("x.tdb");
  caller.open("y.tdb");
  countLockWait([database.statistics.locks])(20, true);
  database.statistics.migrated(3);
  database.statistics.migrated(70_000);
  const [facts] = caller.set.facts(1);
  expect(caller.set.facts(1)).toHaveLength(1);
  expect(facts).toMatchObject({
    name: "x.tdb",
    kind: "volatile",
    lock_waits: { count: 1, total_ms: 20, longest_ms: 20, failed: 0, waiting: 0 },
    migrations: { count: 2, total_ms: 70_003, longest_ms: 70_000 },
    vacuum: { delete_queue: 0, runs: 0 },
  });
  expect(facts?.migrations.buckets.at(-1)).toBe(1);
  caller.set.resetStatistics();
  expect(caller.set.facts(1)[0]?.migrations).toMatchObject({ count: 0, total_ms: 0 });
  const databases = caller.set.facts(2);
  const told = encodeNodeFacts({ ...emptyNodeFacts(), databases: [...databases] });
  expect(must(decodeNodeFacts(told)).databases).toEqual([...databases]);
});
