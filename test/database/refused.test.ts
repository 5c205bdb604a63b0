/** What comes too late, from the wrong side or at the wrong time does nothing; what is lost is not forgotten. */
import { expect, test } from "bun:test";
import { textBytes } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { at, calledNode } from "./called_node.ts";
import { ControlCaller, FakeHost } from "./fake_host.ts";

const FROM_NODE = { clientId: 0, srcnode: 1 };

test("DB_DETACH of a node is refused while a recovery runs, or a commit writes", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  const { dbId } = caller.open("x.tdb");
  host.tunables["AllowClientDBAttach"] = 0;
  host.isRecovering = true;
  expect(caller.now("DB_DETACH", dbId, FROM_NODE).status).toBe(-1);
  caller.now("DB_FREEZE", dbId);
  caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 78 });
  const committed = caller.call("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 78 });
  host.isRecovering = false;
  expect(caller.call("DB_DETACH", dbId, FROM_NODE).reply?.status).toBe(-1);
  host.time.advance(1000);
  expect(committed.reply?.status).toBe(0);
  caller.now("DB_THAW", dbId);
  expect(caller.now("DB_DETACH", dbId, FROM_NODE).status).toBe(0);
});

test("DatabaseSet.nodeLost() asks for a recovery for every node that took part in the last one", () => {
  const host = new FakeHost();
  host.map = [0, 1];
  const caller = new ControlCaller(host);
  caller.open("x.tdb");
  const lost = (pnn: number, flags: number) => {
    host.flags.set(pnn, flags);
    caller.set.nodeLost(pnn);
    return host.recoveriesForced.splice(0).length;
  };
  expect([lost(2, 0), lost(2, NODE_FLAGS.STOPPED)]).toEqual([1, 0]);
  // Stopped since the recovery: what it was told then may be on its way.
  expect(lost(1, NODE_FLAGS.STOPPED)).toBe(1);
  host.flags.set(0, NODE_FLAGS.BANNED);
  expect(lost(1, 0)).toBe(0);
});

test("DatabaseSet.close() answers a commit that is under way", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  const { dbId } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  const commit = caller.call("TRANS3_COMMIT", { db_id: dbId, records: [] });
  expect(commit.reply).toBeUndefined();
  caller.set.close();
  expect(commit.reply?.status).toBe(-1);
});

test("A record that comes with the request id of a call for another key does not answer it", () => {
  const { put, clientCall, sent, answers, caller, stored, replyDmaster } = calledNode(1);
  put(4, 1, "");
  const other = textBytes("another key");
  clientCall(7, { key: other });
  const { reqid } = at(sent(), 0).packet;
  replyDmaster(1, reqid, { data: "data" });
  expect([answers().length, caller.set.pendingCalls]).toEqual([0, 1]);
  expect(stored()).toMatchObject({ dmaster: 0, data: "data" });
});
