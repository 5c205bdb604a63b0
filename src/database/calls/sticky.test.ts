import { expect, test } from "bun:test";
import { FakeHost } from "../../../test/database/fake_host.ts";
import { textBytes } from "../../wire/codec.ts";
import { StickyRecords } from "./sticky.ts";
import { type WaitingCall, WaitingCalls } from "./waiting_calls.ts";

const KEY = textBytes("key");
const HASH = 7;

function world() {
  const host = new FakeHost(0);
  Object.assign(host.tunables, { HopcountMakeSticky: 5, StickyDuration: 10, StickyPindown: 200 });
  const waiting = new WaitingCalls(host, "x.tdb");
  const sticky = new StickyRecords(host, waiting);
  const ran: string[] = [];
  const call = (name: string, clientId = 0): WaitingCall => ({
    bytes: 8,
    clientId,
    wantsReadonly: false,
    resume: () => ran.push(name),
    drop: () => ran.push(`${name} dropped`),
  });
  const isPinned = () => sticky.pinned(HASH, KEY) !== undefined;
  const wait = (name: string) => {
    const record = sticky.pinned(HASH, KEY);
    if (record === undefined) throw new Error("the record is not pinned");
    sticky.wait(record, call(name));
  };
  return { host, waiting, sticky, ran, isPinned, wait };
}

test("StickyRecords pins a hot record down each time that it arrives", () => {
  const { sticky, host, isPinned } = world();
  sticky.counted(HASH, KEY, 4);
  sticky.arrived(HASH, KEY);
  expect([sticky.size, isPinned()]).toEqual([0, false]);
  sticky.counted(HASH, KEY, 5);
  expect(isPinned()).toBe(false);
  sticky.arrived(HASH, KEY);
  expect(isPinned()).toBe(true);
  host.time.advance(150);
  // A rest is not made longer.
  sticky.arrived(HASH, KEY);
  host.time.advance(60);
  expect(isPinned()).toBe(false);
  sticky.arrived(HASH, KEY);
  expect(isPinned()).toBe(true);
});

test("StickyRecords lets calls wait for the end of the rest, in their order", () => {
  const { sticky, host, ran, wait, waiting, isPinned } = world();
  sticky.counted(HASH, KEY, 5);
  sticky.arrived(HASH, KEY);
  host.time.advance(100);
  wait("first");
  wait("second");
  expect(waiting.count).toBe(2);
  host.time.advance(90);
  expect(ran).toEqual([]);
  host.time.advance(20);
  host.time.settle();
  expect(ran).toEqual(["first", "second"]);
  expect([waiting.count, waiting.bytes, isPinned()]).toEqual([0, 0, false]);
});

test("StickyRecords forgets what is not hot any more, and begins again", () => {
  const { sticky, host, isPinned } = world();
  sticky.counted(HASH, KEY, 5);
  host.time.advance(11_000);
  sticky.arrived(HASH, KEY);
  expect([sticky.size, isPinned()]).toEqual([0, false]);
  sticky.counted(HASH, KEY, 5);
  sticky.arrived(HASH, KEY);
  expect(isPinned()).toBe(true);
});

test("StickyRecords goes by the tunables of the moment", () => {
  const { sticky, host, isPinned } = world();
  sticky.counted(HASH, KEY, 5);
  Object.assign(host.tunables, { StickyPindown: 0 });
  sticky.arrived(HASH, KEY);
  expect(isPinned()).toBe(false);
  Object.assign(host.tunables, { StickyPindown: 1000 });
  sticky.arrived(HASH, KEY);
  host.time.advance(900);
  expect(isPinned()).toBe(true);
});

test("StickyRecords.close() drops what waits", () => {
  const { sticky, host, ran, wait, waiting } = world();
  sticky.counted(HASH, KEY, 5);
  sticky.arrived(HASH, KEY);
  wait("one");
  sticky.close("the database was detached");
  expect([ran, waiting.count]).toEqual([["one dropped"], 0]);
  host.time.advance(1000);
  expect(ran.length).toBe(1);
});
