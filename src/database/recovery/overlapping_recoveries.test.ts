/** What a database does between the steps of a recovery, and between two recoveries at the same time. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { EMPTY, textBytes } from "../../wire/codec.ts";
import { NULL_FUNC } from "../../wire/constants.ts";
import { buildReqCall } from "../../wire/packets.ts";

const SRVID = { hi: 0xf0010000, lo: 5 };
const KEY = textBytes("key");

function setUp() {
  const host = new FakeHost(0);
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  const call = () =>
    caller.set.clientCall(
      1,
      buildReqCall(
        { generation: 0, destnode: 0, srcnode: 0, reqid: 5 },
        { flags: 1, db_id: dbId, callid: NULL_FUNC, hopcount: 0, key: KEY, calldata: EMPTY },
      ),
    );
  return { host, caller, dbId, database, call };
}

test("RecoveryControls let only the coordinator of the transaction push into it", () => {
  const { host, caller, dbId } = setUp();
  const push = { db_id: dbId, lmaster: 0xffffffff, srvid: SRVID };
  const from = (srcnode: number) => ({ srcnode, clientId: 0 });
  caller.call("DB_FREEZE", dbId, from(1));
  host.time.settle();
  expect(caller.call("DB_TRANSACTION_START", { db_id: dbId, tid: 8 }, from(1)).reply?.status).toBe(
    0,
  );
  expect(caller.call("DB_PUSH_START", push, from(2)).reply?.status).toBe(-1);
  expect(caller.call("DB_PUSH_START", push, from(1)).reply?.status).toBe(0);
  expect(caller.call("DB_PUSH_CONFIRM", dbId, from(2)).reply?.status).toBe(-1);
});

test("DB_THAW of a recovery that was held up does not undo another node's freeze", () => {
  const { host, caller, dbId, database } = setUp();
  const from = (srcnode: number) => ({ srcnode, clientId: 0 });
  const ask = (name: "DB_FREEZE" | "DB_THAW", srcnode: number) => {
    const answer = caller.call(name, dbId, from(srcnode));
    host.time.settle();
    return answer.reply?.status;
  };
  expect([ask("DB_FREEZE", 1), ask("DB_FREEZE", 2), ask("DB_THAW", 1)]).toEqual([0, 0, -1]);
  expect(database.freeze.state).toBe("frozen");
  expect([ask("DB_THAW", 2), database.freeze.state]).toEqual([0, "thawed"]);
  // Of a database that is not frozen a thaw changes nothing.
  expect(ask("DB_THAW", 1)).toBe(0);
});

test("ClientCalls.perform() creates no record while the vnn map is of another generation", () => {
  const { host, caller, database, call } = setUp();
  host.currentGeneration = 78;
  call();
  expect(caller.set.pendingCalls).toBe(1);
  expect(host.toClients).toEqual([]);
  expect(database.records.read(jenkinsHash(KEY), KEY, 0)).toBeUndefined();
  expect(database.records.found).toBe(false);
});

test("ClientCalls.perform() serves a record that is here while the vnn map is of another generation", () => {
  const { host, caller, call } = setUp();
  call();
  expect(host.toClients.length).toBe(1);
  host.currentGeneration = 78;
  call();
  expect(host.toClients.length).toBe(2);
  expect(caller.set.pendingCalls).toBe(0);
});
