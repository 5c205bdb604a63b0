import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import { buildReqCall } from "../../../test/database/packets_for_tests.ts";
import { must } from "../../../test/support/must.ts";
import { MemoryDisk } from "../../tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../tdb/types.ts";
import { encode, stringZ, textBytes } from "../../wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS, NULL_FUNC } from "../../wire/constants.ts";
import { ATTACH_RECOVERY, CONTROLS } from "../../wire/controls.ts";
import { BROADCAST_CONNECTED, OPERATIONS } from "../../wire/packet.ts";
import { Reader } from "../../wire/reader.ts";
import { databaseId, databaseNameProblem, persistentNames } from "./attach.ts";
import { ATTACH_TIMEOUT_MS, ATTACH_WAITING_BYTES_MAX } from "./limits.ts";

function setUp() {
  const host = new FakeHost(3);
  const caller = new ControlCaller(host);
  const idOf = (data: Uint8Array | undefined) => new Reader(data ?? new Uint8Array()).u32();
  return { host, caller, idOf };
}

test("DB_ATTACH opens the file, answers the id that Samba uses, and tells the others", () => {
  const { host, caller, idOf } = setUp();
  const reply = caller.now("DB_ATTACH", "locking.tdb");
  expect(idOf(reply.data)).toBe(0x7a19d84d);
  expect(host.memory.opened).toEqual([
    { path: "/v/locking.tdb.3", flags: 0x1c41, hashSize: 131, create: true, mode: 0o600 },
  ]);
  expect(host.controlsSent).toEqual([
    {
      destination: BROADCAST_CONNECTED,
      opcode: CONTROLS.DB_ATTACH.opcode,
      data: encode(stringZ, "locking.tdb"),
    },
  ]);
  expect(host.memory.handles.get("/v/locking.tdb.3")?.maxDead).toBe(5);
  caller.now("DB_ATTACH", "locking.tdb");
  expect([host.controlsSent.length, host.memory.opened.length]).toEqual([1, 1]);
});

test("DB_ATTACH uses mutexes for volatile databases only, when asked and possible", () => {
  const { host, caller } = setUp();
  caller.now("DB_ATTACH_REPLICATED", "r.tdb");
  caller.now("DB_ATTACH_PERSISTENT", "p.tdb");
  host.memory.mutexesWork = false;
  caller.now("DB_ATTACH", "a.tdb");
  host.memory.mutexesWork = true;
  host.tdbMutexes = false;
  caller.now("DB_ATTACH", "b.tdb");
  expect(host.memory.opened.map(({ path, flags }) => [path, flags])).toEqual([
    ["/v/r.tdb.3", 0xc41],
    ["/p/p.tdb.3", 0x400],
    ["/v/a.tdb.3", 0xc41],
    ["/v/b.tdb.3", 0xc41],
  ]);
});

test("DB_ATTACH of a file that is held waits, for all who ask", () => {
  const { host, caller, idOf } = setUp();
  host.memory.busyPaths.add("/v/x.tdb.3");
  const first = caller.call("DB_ATTACH", "x.tdb");
  const second = caller.call("DB_ATTACH", "x.tdb", { clientId: 2 });
  host.time.advance(1000);
  expect([first.reply, second.reply]).toEqual([undefined, undefined]);
  host.memory.busyPaths.clear();
  host.time.advance(100);
  expect(idOf(first.reply?.data)).toBe(databaseId("x.tdb"));
  expect(idOf(second.reply?.data)).toBe(databaseId("x.tdb"));
  expect(host.memory.handles.size).toBe(1);
});

test("DB_ATTACH gives up on a file that stays held, or that is not empty", () => {
  const { host, caller } = setUp();
  host.memory.busyPaths.add("/v/x.tdb.3");
  const held = caller.call("DB_ATTACH", "x.tdb");
  const file = host.memory.file("/v/y.tdb.3");
  file.clearHolders = 1;
  file.contents.set("k", { key: textBytes("k"), data: new Uint8Array(24) });
  const full = caller.call("DB_ATTACH", "y.tdb");
  host.time.advance(ATTACH_TIMEOUT_MS + 100);
  expect([held.reply?.status, full.reply?.status]).toEqual([-1, -1]);
  expect(full.reply?.error).toContain("not empty");
  expect(file.clearHolders).toBe(1);
  host.memory.busyPaths.clear();
  expect(caller.now("DB_ATTACH", "x.tdb").status).toBe(0);
});

/** Real files in memory, of which another process keeps one chain locked. */
function withHeldChain(path: string) {
  const world = setUp();
  const { host } = world;
  const holder = 4711;
  const disk = new MemoryDisk({ soon: (action) => host.time.soon(action), holder: () => holder });
  const around = { disk, timers: host.time, clock: host.time };
  const ours = createMemoryTdbs(around);
  host.tdbs = ours.opener;
  host.lockWaiter = ours.lockWaiter;
  const flags = TDB_FLAGS.DISALLOW_NESTING;
  const tdb = must(
    createMemoryTdbs(around).opener.open({ path, flags, hashSize: 7, create: true }),
  );
  expect(tdb.tryLockChain(2, "write")).toBe("granted");
  return { ...world, tdb };
}

test("DB_ATTACH_PERSISTENT is refused when one chain stays locked, and names the process", () => {
  const { host, caller, tdb } = withHeldChain("/p/p.tdb.3");
  const [first, second] = [1, 2].map((clientId) =>
    caller.call("DB_ATTACH_PERSISTENT", "p.tdb", { clientId }),
  );
  host.time.advance(ATTACH_TIMEOUT_MS - 100);
  expect([first?.reply, second?.reply]).toEqual([undefined, undefined]);
  host.time.advance(200);
  expect([first?.reply?.status, second?.reply?.status]).toEqual([-1, -1]);
  expect(first?.reply?.error).toContain("process 4711 (program4711)");
  tdb.unlockChain(2);
  expect(caller.now("DB_ATTACH_PERSISTENT", "p.tdb").status).toBe(0);
});

test("DatabaseSet.attachExisting() waits for a locked chain as long as it takes, and says so", () => {
  for (const path of ["/p/p.tdb.3", "/s/persistent_health.tdb.3"]) {
    const { host, caller, tdb } = withHeldChain(path);
    const warnings: string[] = [];
    Object.assign(host, { log: { ...host.log, warning: (line: string) => warnings.push(line) } });
    host.runstate = "INIT";
    host.fileNames.push("p.tdb.3");
    let outcome: unknown;
    caller.set.attachExisting((result) => {
      outcome = result;
    });
    host.time.advance(1000);
    expect(warnings.length).toBe(0);
    host.time.advance(1500);
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toContain("4711");
    host.time.advance(100_000);
    expect([outcome, warnings.length]).toEqual([undefined, 11]);
    tdb.unlockChain(2);
    host.time.advance(100);
    expect(outcome).toEqual({ ok: true, value: undefined });
    expect(caller.set.unhealthyReason()).toBeUndefined();
    expect(caller.set.databaseNames()).toEqual(["p.tdb"]);
  }
});

test("a lock that somebody keeps on the health file makes no database unhealthy", () => {
  const { host, caller, tdb } = withHeldChain("/s/persistent_health.tdb.3");
  tdb.unlockChain(2);
  let opened: unknown;
  caller.set.attachExisting((outcome) => {
    opened = outcome.ok;
  });
  host.time.advance(100);
  expect(opened).toBe(true);
  expect(tdb.tryLockAll("write")).toBe("granted");
  const dbId = caller.attach("p.tdb", "DB_ATTACH_PERSISTENT");
  expect(caller.now("DB_GET_HEALTH", dbId)).toEqual({ status: 0 });
  expect(caller.set.unhealthyReason()).toBeUndefined();
});

test("DatabaseSet.close() ends an attach that waits, and lets go of its file", () => {
  const { host, caller, tdb } = withHeldChain("/p/p.tdb.3");
  const reply = caller.call("DB_ATTACH_PERSISTENT", "p.tdb");
  host.time.advance(100);
  caller.set.close();
  tdb.unlockChain(2);
  host.time.advance(ATTACH_TIMEOUT_MS);
  expect(reply.reply).toBeUndefined();
  expect(caller.set.databaseNames()).toEqual([]);
  expect(tdb.tryLockAll("write")).toBe("granted");
});

test("DB_ATTACH again needs flags that the database has", () => {
  const { caller } = setUp();
  caller.now("DB_ATTACH_PERSISTENT", "p.tdb");
  caller.now("DB_ATTACH", "v.tdb");
  expect(caller.now("DB_ATTACH", "p.tdb").status).toBe(0);
  expect(caller.now("DB_ATTACH_REPLICATED", "p.tdb").status).toBe(-1);
  expect(caller.now("DB_ATTACH_PERSISTENT", "v.tdb").status).toBe(-1);
});

test("databaseNameProblem() names what cannot be a file name", () => {
  for (const name of ["", "a/b", "..", ".", "x".repeat(201), "a\0b"]) {
    expect(databaseNameProblem(name)).toContain("expected a database name");
    expect(setUp().caller.now("DB_ATTACH", name).status).toBe(-1);
  }
  for (const name of ["locking.tdb", "x".repeat(200), "ü", "a\udcffb", "...", " "]) {
    expect(databaseNameProblem(name)).toBeUndefined();
  }
});

test("DB_ATTACH refuses a name whose id belongs to another", () => {
  // Two names of one Jenkins hash, found by trying.
  const { host, caller } = setUp();
  const names = new Map<number, string>();
  let pair: [string, string] | undefined;
  for (let i = 0; pair === undefined && i < 400_000; i++) {
    const name = `db${i}.tdb`;
    const id = databaseId(name);
    const other = names.get(id);
    if (other !== undefined) pair = [other, name];
    names.set(id, name);
  }
  if (pair === undefined) throw new Error("no collision found");
  expect(caller.now("DB_ATTACH", pair[0]).status).toBe(0);
  const refused = caller.now("DB_ATTACH", pair[1]);
  expect(refused.status).toBe(-1);
  expect(refused.error).toContain(pair[0]);
  expect(host.memory.opened.length).toBe(1);
});

test("DB_ATTACH of a local client waits for the end of the recovery", () => {
  const { host, caller } = setUp();
  host.isRecovering = true;
  const client = caller.call("DB_ATTACH", "a.tdb");
  const other = caller.call("DB_ATTACH", "b.tdb", { clientId: 9 });
  expect(caller.call("DB_ATTACH", "c.tdb", { clientId: 0, srcnode: 1 }).reply?.status).toBe(0);
  expect(caller.call("DB_ATTACH", "d.tdb", { flags: ATTACH_RECOVERY }).reply?.status).toBe(0);
  host.time.advance(30_000);
  expect(client.reply).toBeUndefined();
  caller.set.clientGone(9);
  host.isRecovering = false;
  caller.set.recovered();
  host.time.settle();
  expect(client.reply?.status).toBe(0);
  expect(other.reply).toBeUndefined();
  expect(caller.set.databaseNames()).not.toContain("b.tdb");
});

test("DB_ATTACH is refused after DeferredAttachTO, while inactive, and by the tunable", () => {
  const { host, caller } = setUp();
  host.isRecovering = true;
  const late = caller.call("DB_ATTACH", "a.tdb");
  host.time.advance(120_001);
  expect(late.reply?.status).toBe(-1);
  host.isRecovering = false;
  expect(caller.now("DB_ATTACH", "a.tdb", { flags: ATTACH_RECOVERY }).status).toBe(-1);
  host.flags.set(3, NODE_FLAGS.STOPPED);
  expect(caller.now("DB_ATTACH", "a.tdb").status).toBe(-1);
  expect(caller.now("DB_ATTACH", "a.tdb", { clientId: 0, srcnode: 1 }).status).toBe(0);
  host.flags.set(3, 0);
  host.tunables["AllowClientDBAttach"] = 0;
  expect(caller.now("DB_ATTACH", "b.tdb").status).toBe(-1);
});

test("DB_DETACH from a client goes to all nodes; from a node it is done", () => {
  const { host, caller } = setUp();
  const dbId = caller.attach("x.tdb");
  expect(caller.now("DB_DETACH", dbId).status).toBe(-1);
  host.tunables["AllowClientDBAttach"] = 0;
  host.controlsSent.length = 0;
  expect(caller.now("DB_DETACH", dbId).status).toBe(0);
  expect(host.controlsSent.map(({ opcode }) => opcode)).toEqual([CONTROLS.DB_DETACH.opcode]);
  expect(caller.set.databaseNames()).toEqual(["x.tdb"]);
  expect(caller.now("DB_DETACH", dbId, { clientId: 0, srcnode: 3 }).status).toBe(0);
  expect(caller.set.databaseNames()).toEqual([]);
  expect(caller.now("GET_DBNAME", dbId).status).toBe(-1);
});

test("persistentNames() takes this node's files only", () => {
  const files = [
    "a.tdb.3",
    "b.tdb.1",
    "c.tdb.3.corrupted.2026.0Z",
    "d.txt",
    "e.tdb",
    "f.tdb.x.3",
    "h.tdb.03",
  ];
  expect(persistentNames([...files, "g.x.tdb.3"], 3)).toEqual(["a.tdb", "g.x.tdb"]);
});

/** A node that starts and has attached the files that it found, one of them damaged. */
function withFiles(
  names: readonly string[],
  damaged?: string,
  prepare: (world: ReturnType<typeof setUp>) => void = () => {},
) {
  const world = setUp();
  const { host, caller } = world;
  host.runstate = "INIT";
  host.fileNames.push(...names);
  if (damaged !== undefined) host.memory.file(damaged).damaged = true;
  prepare(world);
  let outcome: unknown;
  caller.set.attachExisting((result) => {
    outcome = result;
  });
  host.time.advance(100);
  expect(outcome).toEqual({ ok: true, value: undefined });
  return world;
}

test("DatabaseSet.attachExisting() attaches the files of this node, after a check", () => {
  const { host, caller } = withFiles(["a.tdb.3", "b.tdb.3", "other.tdb.1"]);
  expect(caller.set.databaseNames()).toEqual(["a.tdb", "b.tdb"]);
  expect(host.memory.opened[0]).toMatchObject({
    path: "/s/persistent_health.tdb.3",
    flags: TDB_FLAGS.DISALLOW_NESTING,
    hashSize: 0,
  });
  expect(caller.set.unhealthyReason()).toBeUndefined();
  expect(host.controlsSent).toEqual([]);
});

test("DatabaseSet.attachExisting() sets a damaged file aside and marks it unhealthy", () => {
  const { host, caller } = withFiles(["a.tdb.3"], "/p/a.tdb.3");
  expect(host.renames).toEqual(["/p/a.tdb.3.corrupted.20231114221320.0Z"]);
  const dbId = databaseId("a.tdb");
  expect(caller.set.unhealthyReason()).toContain("corrupted.20231114221320.0Z");
  const health = caller.now("DB_GET_HEALTH", dbId);
  expect(Buffer.from(health.data ?? []).toString()).toBe(
    "ERROR - Backup of corrupted TDB in '/p/a.tdb.3.corrupted.20231114221320.0Z'\0",
  );
});

/** Values of a plain TDB beside one that is long enough to pass for a record. */
function plainValues(host: FakeHost, path: string, lengths: readonly number[]): void {
  const { contents } = host.memory.file(path);
  lengths.forEach((length, at) => {
    const key = textBytes(`key-${at}`);
    contents.set(`key-${at}`, { key, data: new Uint8Array(length).fill(0x61) });
  });
}

test("DatabaseSet.attachExisting() sets a file aside whose values have no record headers", () => {
  for (const length of [1, 5, 23]) {
    const { host, caller } = withFiles(["a.tdb.3"], undefined, ({ host }) =>
      plainValues(host, "/p/a.tdb.3", [length, 0, 100]),
    );
    const aside = "/p/a.tdb.3.corrupted.20231114221320.0Z";
    expect(host.renames).toEqual([aside]);
    const kept = [...host.memory.file(aside).contents.values()].map(({ data }) => data.length);
    expect(kept).toEqual([length, 0, 100]);
    const [database] = [...caller.set.databases()];
    expect(database?.tdb.fetch(textBytes("key-2"))).toEqual({ ok: true, value: undefined });
    expect(caller.set.unhealthyReason()).toContain("ltdbtool convert");
  }
});

test("DatabaseSet.attachExisting() takes values that can be records, and such without any bytes", () => {
  const { host, caller } = withFiles(["a.tdb.3"], undefined, ({ host }) =>
    plainValues(host, "/p/a.tdb.3", [0, 24, 25, 100]),
  );
  expect(host.renames).toEqual([]);
  expect(caller.set.unhealthyReason()).toBeUndefined();
});

test("DB_ATTACH_PERSISTENT of a file without record headers is refused once the node runs", () => {
  const { host, caller } = setUp();
  plainValues(host, "/p/a.tdb.3", [5, 100]);
  const reply = caller.now("DB_ATTACH_PERSISTENT", "a.tdb");
  expect(reply.status).toBe(-1);
  expect(reply.error).toContain("ltdbtool convert");
  expect(host.renames).toEqual([]);
  expect(host.memory.file("/p/a.tdb.3").contents.size).toBe(2);
});

test("DatabaseSet.attachExisting() sets a file aside that no node of ours could have made", () => {
  const reason = "it was made on a machine of the other byte order";
  const { host } = withFiles(["a.tdb.3"], undefined, ({ host }) => {
    host.memory.file("/p/a.tdb.3").openError = { code: "unsupported", reason };
  });
  expect(host.renames).toEqual(["/p/a.tdb.3.corrupted.20231114221320.0Z"]);
});

test("DatabaseSet.attachExisting() shows of a reason in the health file what is text", () => {
  const { caller } = withFiles(["a.tdb.3", "b.tdb.3"], undefined, ({ host }) => {
    const { contents } = host.memory.file("/s/persistent_health.tdb.3");
    const put = (name: string, data: Uint8Array) =>
      contents.set(name, { key: textBytes(name), data });
    put("a.tdb", textBytes("broken\0and more"));
    put("b.tdb", new Uint8Array(1_000_000).fill(0x78));
  });
  const reasons = [...caller.set.databases()].map(({ unhealthyReason }) => unhealthyReason);
  expect(reasons).toEqual(["broken", "x".repeat(1024)]);
});

test("DatabaseSet.attachExisting() with a damaged health file distrusts every database", () => {
  const { caller } = withFiles(["a.tdb.3"], "/s/persistent_health.tdb.3");
  expect(caller.set.unhealthyReason()).toContain("manual verification needed");
});

function unhealthy() {
  const { host, caller } = setUp();
  host.runstate = "STARTUP";
  host.fileNames.push("a.tdb.3");
  host.memory.file("/p/a.tdb.3").damaged = true;
  caller.set.attachExisting(() => {});
  host.time.advance(100);
  const dbId = databaseId("a.tdb");
  const recover = () => {
    caller.now("DB_FREEZE", dbId);
    caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 9 });
    return caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 9 });
  };
  return { host, caller, dbId, recover };
}

test("DB_SET_HEALTHY during startup forces a recovery", () => {
  const { host, caller, dbId } = unhealthy();
  expect(caller.now("DB_SET_HEALTHY", dbId).status).toBe(0);
  expect(host.recoveriesForced.length).toBe(1);
  expect(caller.now("DB_GET_HEALTH", dbId)).toEqual({ status: 0 });
  expect(caller.set.unhealthyReason()).toBeUndefined();
});

test("A recovery with a healthy node makes a database healthy, without one it does not", () => {
  const { host, caller, dbId, recover } = unhealthy();
  host.flags.set(3, NODE_FLAGS.UNHEALTHY);
  for (let round = 0; round < 2; round++) {
    expect(recover().status).toBe(0);
    const text = Buffer.from(caller.now("DB_GET_HEALTH", dbId).data ?? []).toString();
    expect(text.split("NO-HEALTHY-NODES - ").length).toBe(2);
  }
  host.flags.set(3, 0);
  expect(recover().status).toBe(0);
  expect(caller.now("DB_GET_HEALTH", dbId)).toEqual({ status: 0 });
});

test("DB_ATTACH_PERSISTENT of an unhealthy database is refused once the node runs", () => {
  const { host } = unhealthy();
  host.runstate = "RUNNING";
  const later = new ControlCaller(host);
  let opened: unknown;
  host.fileNames.length = 0;
  later.set.attachExisting((result) => {
    opened = result.ok;
  });
  host.time.advance(100);
  expect(opened).toBe(true);
  expect(later.now("DB_ATTACH_PERSISTENT", "a.tdb").error).toContain("unhealthy");
  expect(later.now("DB_ATTACH_PERSISTENT", "b.tdb").status).toBe(0);
  const [database] = [...later.set.databases()];
  expect(database?.flags).toBe(DB_FLAGS.PERSISTENT);
  expect(database?.tdb.path).toBe("/p/b.tdb.3");
});

test("A control about a database that is being attached waits until it is", () => {
  const { host, caller } = setUp();
  host.memory.busyPaths.add(`/p/late.tdb.${host.pnn}`);
  const attach = caller.call("DB_ATTACH_PERSISTENT", "late.tdb", { clientId: 0, srcnode: 1 });
  const dbId = databaseId("late.tdb");
  const frozen = caller.call("DB_FREEZE", dbId, { clientId: 0, srcnode: 1 });
  const number = caller.call("GET_DB_SEQNUM", { db_id: dbId });
  host.time.advance(100);
  expect([attach.reply, frozen.reply, number.reply]).toEqual([undefined, undefined, undefined]);
  host.memory.busyPaths.clear();
  host.time.advance(100);
  expect(attach.reply?.status).toBe(0);
  expect(frozen.reply?.status).toBe(0);
  expect(number.reply).toBeDefined();
});

test("what nodes ask of a database that is being attached waits for the attach", () => {
  const { host, caller } = setUp();
  const node = { srcnode: 1, clientId: 0 };
  const dbId = databaseId("x.tdb");
  host.flags.set(1, 0);
  host.map = [3, 1];
  host.memory.busyPaths.add("/v/x.tdb.3");
  caller.call("DB_ATTACH", "x.tdb", node);
  const record = { reqid: 0, key: textBytes("other"), data: new Uint8Array(24) };
  const update = caller.call("UPDATE_RECORD", { db_id: dbId, records: [record] }, node);
  const srvid = { hi: 0, lo: 0 };
  const traverse = { db_id: dbId, reqid: 7, pnn: 1, client_reqid: 8, srvid };
  caller.call("TRAVERSE_ALL", traverse, node);
  const header = { generation: host.generation(), destnode: 3, srcnode: 1, reqid: 5 };
  const body = { flags: 1, db_id: dbId, callid: NULL_FUNC, hopcount: 0 };
  const call = buildReqCall(header, { ...body, key: textBytes("k"), calldata: new Uint8Array() });
  caller.set.nodePacket(call);
  host.time.advance(1000);
  expect([update.reply, host.toNodes, host.controlsSent]).toEqual([undefined, [], []]);
  host.memory.busyPaths.clear();
  host.time.advance(100);
  expect(update.reply?.status).toBe(0);
  // The call is answered with the record or passed on, not with an error.
  expect(host.toNodes.map(({ packet }) => packet.operation)).not.toContain(OPERATIONS.REPLY_ERROR);
  expect(host.toNodes.length).toBe(1);
  const marks = host.controlsSent.filter(({ opcode }) => opcode === CONTROLS.TRAVERSE_DATA.opcode);
  expect(marks.length).toBe(1);
});

test("what waits for an attach is bounded in bytes, and leaves room when the attach has ended", () => {
  const { host, caller } = setUp();
  host.memory.busyPaths.add("/v/x.tdb.3");
  const node = { srcnode: 1, clientId: 0 };
  caller.call("DB_ATTACH", "x.tdb", node);
  const update = () => {
    const key = textBytes("key");
    const data = new Uint8Array(ATTACH_WAITING_BYTES_MAX / 2);
    const request = { db_id: databaseId("x.tdb"), records: [{ reqid: 0, key, data }] };
    return caller.call("UPDATE_RECORD", request, node);
  };
  const first = update();
  // Beyond the limit: refused at once, as for a database that is not there.
  expect(update().reply?.status).toBe(-1);
  expect(first.reply).toBeUndefined();
  host.time.advance(ATTACH_TIMEOUT_MS + 100);
  expect(first.reply?.status).toBe(-1);
  caller.call("DB_ATTACH", "x.tdb", node);
  expect(update().reply).toBeUndefined();
});

test("what nodes ask of a database whose attach fails is refused", () => {
  const { host, caller } = setUp();
  host.memory.busyPaths.add("/v/x.tdb.3");
  const node = { srcnode: 1, clientId: 0 };
  caller.call("DB_ATTACH", "x.tdb", node);
  const request = { db_id: databaseId("x.tdb"), records: [] };
  const update = caller.call("UPDATE_RECORD", request, node);
  host.time.advance(ATTACH_TIMEOUT_MS + 100);
  expect(update.reply?.status).toBe(-1);
});
