/**
 * A database is detached under everything that may be at work on it, in any turn: the work ends with an
 * answer, and nobody touches the file that was closed.
 */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../test/database/fake_host.ts";
import { buildReqCall } from "../../test/database/packets_for_tests.ts";
import { recordValue } from "../../test/database/record_values.ts";
import { must } from "../../test/support/must.ts";
import type { ControlReply } from "../control/control_request.ts";
import { MemoryDisk } from "../tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../tdb/memory/memory_opener.ts";
import type { Tdb } from "../tdb/types.ts";
import { encode, textBytes } from "../wire/codec.ts";
import { CALL_FLAGS, FETCH_WITH_HEADER_FUNC, NULL_FUNC } from "../wire/constants.ts";
import { OPERATIONS } from "../wire/packet.ts";
import { recBuffer } from "../wire/structs/records.ts";

const RECORDS = 40;
const NODE = { srcnode: 1, clientId: 0 };
const SRVID = { hi: 0, lo: 7 };

function setUp() {
  const host = new FakeHost(0);
  host.map = [0];
  host.flags.set(1, 0);
  host.flags.set(2, 0);
  host.tunables["AllowClientDBAttach"] = 0;
  host.tunables["RepackLimit"] = 3;
  host.tunables["DatabaseMaxDead"] = 0;
  const disk = new MemoryDisk({ soon: (action) => host.time.soon(action) });
  const { opener, lockWaiter } = createMemoryTdbs({ disk, timers: host.time, clock: host.time });
  host.tdbs = opener;
  host.lockWaiter = lockWaiter;
  host.tdbMutexes = false;
  const caller = new ControlCaller(host);
  host.tunables["AllowClientDBAttach"] = 1;
  const { dbId, database } = caller.open("x.tdb");
  host.tunables["AllowClientDBAttach"] = 0;
  for (let i = 0; i < RECORDS; i++) {
    must(database.tdb.store(key(i), recordValue({ rsn: 5, dmaster: 0, data: "x".repeat(i * 40) })));
  }
  for (let i = 1; i < RECORDS; i += 4) must(database.tdb.delete(key(i)));
  const { opener: theirs } = createMemoryTdbs({ disk, timers: host.time, clock: host.time });
  const other = must(
    theirs.open({ path: database.path, flags: database.tdb.flags, hashSize: 0, create: false }),
  );
  const detach = () => caller.call("DB_DETACH", dbId, { clientId: 0, srcnode: 1 });
  return { host, caller, dbId, database, other, detach };
}

type World = ReturnType<typeof setUp>;
type Answer = { readonly reply: ControlReply | undefined };

const key = (i: number) => textBytes(`key ${i}`);
const asRecords = (dbId: number, rsn: number) => ({
  db_id: dbId,
  records: Array.from({ length: RECORDS }, (_, i) => ({
    reqid: 0,
    key: key(i),
    data: recordValue({ rsn, dmaster: 1, data: "new" }),
  })),
});

function call({ host, dbId }: World, reqid: number, srcnode: number, flags = 0) {
  const header = { generation: host.generation(), destnode: 0, srcnode, reqid };
  const callid = flags === 0 ? NULL_FUNC : FETCH_WITH_HEADER_FUNC;
  const body = { flags, db_id: dbId, callid, hopcount: 0 };
  return buildReqCall(header, { ...body, key: key(2), calldata: new Uint8Array() });
}

/** Answers to a call, to the client or to the node that asked. */
const answersTo = (world: World, reqid: number): Answer => ({
  get reply() {
    const packets = [...world.host.toClients, ...world.host.toNodes].map(({ packet }) => packet);
    const found = packets.filter((packet) => packet.reqid === reqid);
    expect(found.length).toBeLessThan(2);
    return found.length === 0 ? undefined : { status: 0 };
  },
});

/** Each begins something; what it returns has an answer in the end. */
const WORKS: Record<string, (world: World) => readonly Answer[]> = {
  "UPDATE_RECORD of many records": ({ caller, dbId }) => [
    caller.call("UPDATE_RECORD", asRecords(dbId, 6), NODE),
  ],
  PUSH_RECORD: ({ caller, dbId, host }) => {
    const header = { rsn: { hi: 0, lo: 9 }, dmaster: 1, flags: 0 };
    const generation = host.generation();
    const data = textBytes("new");
    const request = { db_id: dbId, generation, key: key(2), data, header };
    return [
      caller.call("PUSH_RECORD", request as Parameters<typeof caller.call<"PUSH_RECORD">>[1], NODE),
    ];
  },
  TRY_DELETE_RECORDS: ({ caller, dbId, host }) => {
    host.map = [1];
    const { records } = asRecords(dbId, 6);
    const empty = records.map((record) => ({ ...record, data: recordValue({ rsn: 6 }) }));
    const bytes = encode(recBuffer, { db_id: dbId, records: empty });
    return [caller.call("TRY_DELETE_RECORDS", bytes, NODE)];
  },
  GET_DB_SEQNUM: ({ caller, dbId }) => [caller.call("GET_DB_SEQNUM", { db_id: dbId })],
  "a call of a client": (world) => {
    world.caller.set.clientCall(1, call(world, 71, 0));
    return [answersTo(world, 71)];
  },
  "a call of a node": (world) => {
    world.caller.set.nodePacket(call(world, 72, 1));
    return [answersTo(world, 72)];
  },
  "a revoke": (world) => {
    const { caller, host, dbId } = world;
    caller.now("SET_DB_READONLY", dbId);
    caller.set.nodePacket(call(world, 80, 1, CALL_FLAGS.WANT_READONLY));
    caller.set.nodePacket(call(world, 81, 2, CALL_FLAGS.WANT_READONLY));
    caller.set.clientCall(1, call(world, 82, 0));
    host.time.soon(() => {
      for (const [i, { finished }] of host.requests.entries()) {
        if (i === 0) finished({ ok: true, value: { status: 0, data: new Uint8Array() } });
        else finished({ ok: false, error: "no answer" });
      }
    });
    return [answersTo(world, 82)];
  },
  "a traverse": ({ caller, dbId, host }) => {
    const request = { db_id: dbId, reqid: 3, pnn: 1, client_reqid: 8, srvid: SRVID };
    caller.call("TRAVERSE_ALL", request, NODE);
    const started = caller.call("TRAVERSE_START", { db_id: dbId, reqid: 5, srvid: SRVID });
    // The end of it is an empty record.
    return [
      {
        get reply() {
          const ended = host.messagesSent.some(({ data }) => data.length <= 20);
          return ended ? started.reply : undefined;
        },
      },
    ];
  },
  "a vacuum that repacks": ({ caller, dbId }) => [
    caller.call("DB_VACUUM", { db_id: dbId, full_vacuum_run: true }),
  ],
  "a pull and a push of a recovery": ({ caller, dbId, host }) => {
    const tid = 78;
    const pulled = caller.call("DB_FREEZE", dbId, NODE);
    const answers: Answer[] = [pulled];
    const pull = { db_id: dbId, srvid: SRVID, lmaster: 0 };
    host.time.settle();
    if (pulled.reply?.status !== 0) return answers;
    answers.push(caller.call("DB_PULL", pull as never, NODE));
    caller.call("DB_TRANSACTION_START", { db_id: dbId, tid }, NODE);
    answers.push(caller.call("DB_PUSH_START", pull as never, NODE));
    host.handlers.get(`${SRVID.hi}:${SRVID.lo}`)?.(encode(recBuffer, asRecords(dbId, 9)), 1);
    answers.push(caller.call("DB_PUSH_CONFIRM", dbId, NODE));
    return answers;
  },
};

/** The work begins, so many turns pass, a chain that was held is let go, and the database is detached. */
function run(begin: (world: World) => readonly Answer[], held: boolean, turns: number): void {
  const world = setUp();
  const { host, caller, other, detach } = world;
  const chains = new Set(held ? [other.chainOf(key(2)), other.chainOf(key(9))] : []);
  for (const chain of chains) expect(other.tryLockChain(chain, "write")).toBe("granted");
  host.time.tickPerLookMs = 1;
  const answers = begin(world);
  for (let turn = 0; turn < turns; turn++) {
    if (turn === Math.floor(turns / 2)) letGo(other, chains);
    if (!host.time.runOneSoon()) host.time.runNextTimer();
  }
  const detached = detach();
  host.time.tickPerLookMs = 0;
  letGo(other, chains);
  host.time.advance(60_000);
  expect(detached.reply?.status).toBe(0);
  expect(caller.set.databaseNames()).toEqual([]);
  for (const answer of answers) expect(answer.reply).toBeDefined();
  other.close();
}

function letGo(other: Tdb, chains: Set<number>): void {
  for (const chain of chains) other.unlockChain(chain);
  chains.clear();
}

for (const [name, begin] of Object.entries(WORKS)) {
  test(`DB_DETACH under ${name} ends it with an answer, in whatever turn it comes`, () => {
    for (const held of [true, false]) {
      for (let turns = 0; turns < 30; turns++) run(begin, held, turns);
    }
  });
}

test("DB_DETACH under a repack that a freeze could not end any more leaves nothing behind", () => {
  let writing = 0;
  for (let turns = 1; turns < 60; turns++) {
    const { host, caller, dbId, database, detach } = setUp();
    host.time.tickPerLookMs = 1;
    const vacuum = caller.call("DB_VACUUM", { db_id: dbId, full_vacuum_run: true });
    for (let turn = 0; turn < turns; turn++) {
      if (!host.time.runOneSoon()) host.time.runNextTimer();
    }
    const frozen = caller.call("DB_FREEZE", dbId);
    expect(caller.call("DB_THAW", dbId).reply?.status).toBe(0);
    if (database.tdb.inTransaction) writing += 1;
    expect(detach().reply?.status).toBe(0);
    host.time.tickPerLookMs = 0;
    host.time.advance(1000);
    expect([vacuum.reply, frozen.reply]).not.toContain(undefined);
  }
  expect(writing).toBeGreaterThan(0);
});

test("DB_DETACH is answered to whoever waits, with the reason", () => {
  const world = setUp();
  const { host, other, detach, caller } = world;
  other.tryLockChain(other.chainOf(key(2)), "write");
  const [update] = WORKS["UPDATE_RECORD of many records"]?.(world) ?? [];
  host.time.advance(100);
  expect(update?.reply).toBeUndefined();
  detach();
  expect(update?.reply?.error).toContain("was detached");
  caller.set.clientCall(1, call(world, 99, 0));
  expect(host.toClients.map(({ packet }) => packet.operation)).toEqual([OPERATIONS.REPLY_ERROR]);
});
