import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../test/database/fake_host.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import { INVALID_GENERATION } from "../wire/packet.ts";

function setUp(attach: "DB_ATTACH" | "DB_ATTACH_PERSISTENT" = "DB_ATTACH") {
  const host = new FakeHost(0);
  host.map = [0, 1];
  for (const pnn of [0, 1, 2]) host.flags.set(pnn, 0);
  const caller = new ControlCaller(host);
  caller.now(attach, "x.tdb");
  return { host, caller, set: caller.set };
}

test("DatabaseSet.nodeLost() forces a recovery: what was on the way may be lost", () => {
  const { host, set } = setUp();
  set.nodeLost(1);
  expect(host.recoveriesForced.length).toBe(1);
});

test("DatabaseSet.nodeLost() counts nodes outside of the vnn map, which have records all the same", () => {
  const { host, set } = setUp();
  set.nodeLost(2);
  expect(host.recoveriesForced.length).toBe(1);
});

test("DatabaseSet.nodeLost() leaves alone what cannot have lost a record", () => {
  const { host, set } = setUp();
  host.flags.set(2, NODE_FLAGS.STOPPED | NODE_FLAGS.DISCONNECTED);
  set.nodeLost(2);
  host.flags.set(0, NODE_FLAGS.STOPPED);
  set.nodeLost(1);
  setUp("DB_ATTACH_PERSISTENT").set.nodeLost(1);
  expect(host.recoveriesForced).toEqual([]);
});

test("DatabaseSet.invalidateGenerations() names databases that must be recovered", () => {
  const { set } = setUp();
  expect(set.databaseOfOtherGeneration(77)).toBeUndefined();
  set.invalidateGenerations();
  expect(set.databaseOfOtherGeneration(77)).toBe("x.tdb");
  expect(set.databaseOfOtherGeneration(INVALID_GENERATION)).toBeUndefined();
});

test("DatabaseSet.freezeAll() and thawAll() act on every database", () => {
  const { host, caller, set } = setUp();
  caller.now("DB_ATTACH", "y.tdb");
  const outcomes: boolean[] = [];
  set.freezeAll((outcome) => outcomes.push(outcome.ok));
  host.time.settle();
  expect([outcomes, set.allFrozen()]).toEqual([[true], true]);
  set.thawAll();
  expect(set.allFrozen()).toBe(false);
});

test("DatabaseSet.close() releases locks, waits and files", () => {
  const { host, caller, set } = setUp();
  const [file] = host.memory.files.values();
  const release = file?.hold(3);
  set.freezeAll(() => {});
  host.time.advance(10);
  expect(host.waiter.active).toBe(1);
  set.close();
  release?.();
  host.time.advance(1000);
  expect([host.waiter.active, file?.allOwner]).toEqual([0, undefined]);
  expect(caller.now("GET_DBMAP", undefined).data).toEqual(new Uint8Array(4));
});
