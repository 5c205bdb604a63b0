import { expect, test } from "bun:test";
import { FakeHost } from "../../../test/database/fake_host.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { LostHolders } from "./holders.ts";

const { BANNED, STOPPED, DISCONNECTED, DELETED } = NODE_FLAGS;

function setUp(map: number[], flags: Record<number, number>) {
  const host = new FakeHost(0);
  host.map = map;
  for (const [pnn, value] of Object.entries(flags)) host.flags.set(Number(pnn), value);
  return { host, holders: new LostHolders(host) };
}

test("LostHolders.others() are the active nodes, while every member of the generation is one", () => {
  const { holders } = setUp([0, 1, 2], { 1: 0, 2: 0 });
  expect(holders.others()).toEqual([1, 2]);
});

test("LostHolders.others() has no answer while a member or a lost node is out of reach", () => {
  const { host, holders } = setUp([0, 1], { 1: 0, 2: 0 });
  host.flags.set(1, DISCONNECTED);
  expect(holders.others()).toBeUndefined();
  host.flags.set(1, 0);
  // Without the lmaster role it is not in the map, but it has records.
  holders.nodeLost(2);
  host.flags.set(2, DISCONNECTED);
  expect(holders.others()).toBeUndefined();
  host.currentGeneration += 1;
  expect(holders.others()).toEqual([1]);
});

test("LostHolders.hidden() is a node that others see and we do not", () => {
  const { host, holders } = setUp([0, 1], { 1: 0 });
  const seen = (flags: number) =>
    [0, 1, 2].map((pnn) => ({
      pnn,
      flags: pnn === 2 ? flags : 0,
      addr: { family: "ipv4" as const, address: "127.0.0.1", port: 4379, scope: 0 },
    }));
  expect(holders.someoneIsAway).toBe(false);
  host.flags.set(2, DISCONNECTED);
  expect(holders.someoneIsAway).toBe(true);
  expect([0, STOPPED, DISCONNECTED].map((flags) => holders.hidden(seen(flags)))).toEqual([
    2,
    undefined,
    undefined,
  ]);
  host.flags.set(2, 0);
  expect(holders.hidden(seen(0))).toBeUndefined();
});

test("LostHolders.others() leaves out who is stopped, but not who may have gone on since", () => {
  const { host, holders } = setUp([0, 1], { 1: 0, 2: 0 });
  holders.nodeLost(2);
  host.flags.set(2, STOPPED);
  expect(holders.others()).toEqual([1]);
  host.flags.set(2, STOPPED | DISCONNECTED);
  expect(holders.others()).toBeUndefined();
  host.flags.set(2, DELETED);
  expect(holders.others()).toEqual([1]);
});

test("LostHolders.others() has no answer while a member of the vnn map is known as banned: that may be old", () => {
  const { host, holders } = setUp([0, 1, 2], { 1: 0, 2: BANNED });
  expect(holders.others()).toBeUndefined();
  host.flags.set(2, DELETED);
  expect(holders.others()).toEqual([1]);
});
