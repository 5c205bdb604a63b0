import { expect, test } from "bun:test";
import { FakeCtdbd } from "../../test/support/fake_ctdbd.ts";
import { ManualTime, settle } from "../../test/support/manual_time.ts";
import { assert } from "../base/assert.ts";
import { u64 } from "../base/u64.ts";
import { textBytes } from "../wire/codec.ts";
import { NULL_FUNC, SRVID } from "../wire/constants.ts";
import { CONTROL_NOREPLY } from "../wire/controls.ts";
import { BROADCAST_CONNECTED, CURRENT_NODE, newPacket, OPERATIONS } from "../wire/packet.ts";
import { type ConnectedClient, connectClient } from "./ctdb_client.ts";
import type { ClientFailure } from "./types.ts";

const time = new ManualTime();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function connect(ctdbd: FakeCtdbd, timers = time): Promise<ConnectedClient> {
  const connected = await connectClient(ctdbd.network, timers, "/run/ctdbd.socket");
  assert(connected.ok, "the fake accepts");
  return connected.value;
}

function failureOf(outcome: { ok: boolean; error?: ClientFailure }): ClientFailure | undefined {
  return outcome.ok ? undefined : outcome.error;
}

test("connectClient() asks for the pnn", async () => {
  const ctdbd = new FakeCtdbd(3);
  const client = await connect(ctdbd);
  expect(client.pnn).toBe(3);
  expect(client.connected).toBe(true);
  expect(ctdbd.controls.map(({ name, destnode }) => [name, destnode])).toEqual([
    ["GET_PNN", CURRENT_NODE],
  ]);
});

test("connectClient() says which socket nobody listens at", async () => {
  const outcome = await connectClient(new FakeCtdbd().network, time, "/nowhere");
  expect(failureOf(outcome)).toMatchObject({
    kind: "disconnected",
    reason: expect.stringContaining('"/nowhere"'),
    cause: { code: "ENOENT" },
  });
});

test("connectClient() gives up when the daemon does not answer", async () => {
  const timers = new ManualTime();
  const ctdbd = new FakeCtdbd().on("GET_PNN", () => "silent");
  const outcome = connectClient(ctdbd.network, timers, "/run/x", { timeoutMs: 500 });
  await timers.advance(499);
  expect(await Promise.race([outcome, settle()])).toBeUndefined();
  await timers.advance(1);
  expect(failureOf(await outcome)?.kind).toBe("timeout");
});

test("ConnectedClient.control() decodes the reply and keeps it beyond the packet", async () => {
  const ctdbd = new FakeCtdbd(1, { chunkBytes: 7 });
  ctdbd.on("GET_DBNAME", (id) => ({ data: `db${id}.tdb` }));
  ctdbd.on("DB_GET_HEALTH", () => ({ data: textBytes("bad") }));
  const client = await connect(ctdbd);
  const name = await client.control("GET_DBNAME", 7, { pnn: 2 });
  expect(name).toEqual({ ok: true, value: { status: 0, data: "db7.tdb" } });
  const health = await client.control("DB_GET_HEALTH", 7);
  await client.control("GET_DBNAME", 8);
  expect(health.ok && text(health.value.data)).toBe("bad");
  expect(ctdbd.controls[1]?.destnode).toBe(2);
});

test("ConnectedClient.control() gives a negative status as a refusal with its text", async () => {
  const ctdbd = new FakeCtdbd().on("GETDBPATH", () => ({ status: -1, error: "no such db" }));
  const client = await connect(ctdbd);
  expect(failureOf(await client.control("GETDBPATH", 1))).toEqual({
    kind: "refused",
    reason: "no such db",
    status: -1,
  });
});

test("ConnectedClient.control() times out and drops the late reply", async () => {
  const timers = new ManualTime();
  const ctdbd = new FakeCtdbd().on("PING", () => "silent");
  const client = await connect(ctdbd, timers);
  const pending = client.control("PING", undefined, { timeoutMs: 100 });
  await timers.advance(100);
  expect(failureOf(await pending)?.kind).toBe("timeout");
  // GET_PNN was request 1.
  ctdbd.replyControl(2, { status: 5, data: new Uint8Array(0), error: "" });
  expect(client.droppedReplies).toBe(1);
  expect(timers.waiting).toBe(0);
});

test("ConnectedClient.control() fails a reply that does not decode, and only that", async () => {
  const ctdbd = new FakeCtdbd().on("GET_DBMAP", () => "silent").on("PING", () => ({ status: 4 }));
  const client = await connect(ctdbd);
  const pending = client.control("GET_DBMAP", undefined);
  await settle();
  const tooMany = new Uint8Array([0xff, 0xff, 0xff, 0x7f]);
  ctdbd.replyControl(2, { status: 0, data: tooMany, error: "" });
  expect(failureOf(await pending)).toMatchObject({
    kind: "malformed",
    reason: expect.stringContaining("GET_DBMAP"),
  });
  const ping = await client.control("PING", undefined);
  expect(ping.ok && ping.value.status).toBe(4);
});

test("ConnectedClient.control() writes the requests of one turn at once", async () => {
  const ctdbd = new FakeCtdbd().on("PING", () => ({ status: 1 }));
  const client = await connect(ctdbd);
  ctdbd.writes.length = 0;
  await Promise.all(Array.from({ length: 50 }, () => client.control("PING", undefined)));
  expect(ctdbd.writes).toHaveLength(1);
});

test("ConnectedClient.control() goes on where a full stream stopped", async () => {
  const ctdbd = new FakeCtdbd(0, { acceptBytes: 33 }).on("PING", () => ({ status: 1 }));
  const connecting = connectClient(ctdbd.network, time, "/run/x");
  await settle();
  ctdbd.drain();
  const connected = await connecting;
  assert(connected.ok, "connected after the drain");
  const answers = Promise.all(
    Array.from({ length: 5 }, () => connected.value.control("PING", undefined)),
  );
  // 5 packets of 64 bytes in pieces of 33.
  for (let i = 0; i < 10; i++) {
    await settle();
    ctdbd.drain();
  }
  expect((await answers).every((answer) => answer.ok)).toBe(true);
});

test("ConnectedClient.controlEach() answers for every node by itself", async () => {
  const ctdbd = new FakeCtdbd().on("GET_RECMODE", (_, pnn) => ({ status: pnn === 1 ? -1 : 0 }));
  const client = await connect(ctdbd);
  const outcomes = await client.controlEach("GET_RECMODE", undefined, [0, 1, 2]);
  expect([...outcomes].map(([pnn, outcome]) => [pnn, outcome.ok])).toEqual([
    [0, true],
    [1, false],
    [2, true],
  ]);
});

test("ConnectedClient.controlNoReply() sets the flag and waits for nothing", async () => {
  const ctdbd = new FakeCtdbd();
  const client = await connect(ctdbd);
  client.controlNoReply("SHUTDOWN", undefined, { pnn: 2 });
  client.close();
  await settle();
  expect(ctdbd.controls[1]).toMatchObject({
    name: "SHUTDOWN",
    destnode: 2,
    flags: CONTROL_NOREPLY,
  });
});

test("ConnectedClient.registerSrvid() delivers to every handler until it is removed", async () => {
  const ctdbd = new FakeCtdbd(1);
  const client = await connect(ctdbd);
  const srvid = u64(0xbe000000, 77);
  const seen: string[] = [];
  const first = await client.registerSrvid(srvid, (data, srcnode) => {
    seen.push(`first ${text(data)} from ${srcnode}`);
  });
  const second = await client.registerSrvid(srvid, (data) => seen.push(`second ${text(data)}`));
  assert(first.ok && second.ok, "the fake takes registrations");
  ctdbd.sendMessage(srvid, textBytes("a"), 2);
  first.value.remove();
  ctdbd.sendMessage(srvid, textBytes("b"));
  second.value.remove();
  second.value.remove();
  await settle();
  expect(seen).toEqual(["first a from 2", "second a", "second b"]);
  expect(ctdbd.controls.map(({ name }) => name)).toEqual([
    "GET_PNN",
    "REGISTER_SRVID",
    "DEREGISTER_SRVID",
  ]);
});

test("ConnectedClient.settled() waits for answers that nobody awaits, and for a deadline", async () => {
  const timers = new ManualTime();
  const ctdbd = new FakeCtdbd().on("PING", () => "silent");
  const answers: (() => void)[] = [];
  const client = await connect(ctdbd, timers);
  const registered = await client.registerSrvid(u64(0xbe000000, 77), () => {});
  assert(registered.ok, "the fake takes registrations");
  ctdbd.answerLater = (answer) => answers.push(answer);
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  registered.value.remove();
  void client.settled().then(note);
  await settle();
  expect([settled, answers.length]).toEqual([false, 1]);
  answers[0]?.();
  await settle();
  expect(settled).toBe(true);

  settled = false;
  void client.control("PING", undefined, { timeoutMs: 100 });
  void client.settled().then(note);
  await timers.advance(99);
  expect(settled).toBe(false);
  await timers.advance(1);
  expect(settled).toBe(true);
});

test("ConnectedClient.registerSrvid() of ALL sees messages of every srvid once", async () => {
  const ctdbd = new FakeCtdbd();
  const client = await connect(ctdbd);
  const seen: number[] = [];
  await client.registerSrvid(SRVID.ALL, (_data, _node, srvid) => seen.push(srvid.hi));
  await client.registerSrvid(SRVID.LEADER, () => {});
  ctdbd.sendMessage(SRVID.LEADER, textBytes("x"));
  ctdbd.sendMessage(SRVID.ALL, textBytes("x"));
  expect(seen).toEqual([SRVID.LEADER.hi, SRVID.ALL.hi]);
});

test("ConnectedClient.registerSrvid() that was refused delivers nothing", async () => {
  const ctdbd = new FakeCtdbd().on("REGISTER_SRVID", () => ({ status: -1 }));
  const client = await connect(ctdbd);
  let calls = 0;
  const outcome = await client.registerSrvid(SRVID.LEADER, () => {
    calls += 1;
  });
  ctdbd.sendMessage(SRVID.LEADER, textBytes("x"));
  expect([outcome.ok, calls]).toEqual([false, 0]);
});

test("ConnectedClient.sendMessage() sends to the node and srvid", async () => {
  const ctdbd = new FakeCtdbd();
  const client = await connect(ctdbd);
  client.sendMessage(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, textBytes("abc"));
  await settle();
  expect(ctdbd.messages).toEqual([
    { destnode: BROADCAST_CONNECTED, srvid: SRVID.TAKEOVER_RUN, data: textBytes("abc") },
  ]);
});

test("ConnectedClient.call() ends in data or in the status as a refusal", async () => {
  const ctdbd = new FakeCtdbd();
  const client = await connect(ctdbd);
  const request = { db_id: 1, flags: 1, callid: NULL_FUNC, key: textBytes("k") };
  expect(await client.call(request, 100)).toEqual({ ok: true, value: new Uint8Array(0) });
  ctdbd.onCall = () => -5;
  expect(failureOf(await client.call(request, 100))).toMatchObject({ kind: "refused", status: -5 });
  expect(ctdbd.calls).toEqual([
    { key: "k", flags: 1 },
    { key: "k", flags: 1 },
  ]);
});

test("ConnectedClient.onDisconnect() runs once, after every request has failed", async () => {
  const ctdbd = new FakeCtdbd().on("PING", () => "silent");
  const client = await connect(ctdbd);
  const events: string[] = [];
  client.onDisconnect(() => events.push("disconnected"));
  const pending = client.control("PING", undefined);
  await settle();
  ctdbd.drop();
  expect(failureOf(await pending)?.kind).toBe("disconnected");
  expect(failureOf(await client.control("PING", undefined))?.kind).toBe("disconnected");
  client.sendMessage(0, SRVID.LEADER, textBytes("x"));
  client.onDisconnect(() => events.push("late"));
  await settle();
  expect([events, client.connected]).toEqual([["disconnected", "late"], false]);
});

test("ConnectedClient.close() fails what waits and tells nobody", async () => {
  const ctdbd = new FakeCtdbd().on("PING", () => "silent");
  const client = await connect(ctdbd);
  let told = 0;
  client.onDisconnect(() => {
    told += 1;
  });
  const pending = client.control("PING", undefined);
  client.close();
  client.close();
  expect(failureOf(await pending)?.kind).toBe("disconnected");
  expect(told).toBe(0);
});

test("ConnectedClient loses the connection over bytes that are no packet", async () => {
  const ctdbd = new FakeCtdbd();
  const client = await connect(ctdbd);
  const reasons: string[] = [];
  client.onDisconnect((reason) => reasons.push(reason));
  ctdbd.sendBytes(textBytes("this is not a packet of CTDB, is it?"));
  expect(reasons).toHaveLength(1);
  expect(client.connected).toBe(false);
});

test("ConnectedClient loses the connection over a message that says more than it has", async () => {
  const ctdbd = new FakeCtdbd();
  const client = await connect(ctdbd);
  const header = { generation: 0, operation: OPERATIONS.REQ_MESSAGE, destnode: 0, srcnode: 0 };
  const packet = newPacket({ ...header, reqid: 0 }, 48);
  packet.setU32(40, 0xffffffff);
  ctdbd.send(packet);
  expect(client.connected).toBe(false);
});
