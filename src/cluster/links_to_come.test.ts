import { expect, test } from "bun:test";
import { NODE_FLAGS } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { NO_ADDRESS } from "../wire/structs/socket_address.ts";
import { LinksToCome } from "./links_to_come.ts";

const { BANNED, DISCONNECTED } = NODE_FLAGS;
const AWAITED = "node 2 has a link to node 1, and this node not yet";

function nodes(...flags: number[]): NodeAndFlags[] {
  return flags.map((value, pnn) => ({ pnn, flags: value, addr: NO_ADDRESS }));
}

const alone = nodes(0, DISCONNECTED, DISCONNECTED);
const without1 = nodes(0, DISCONNECTED, 0);
const all = nodes(0, 0, 0);
const seesAll = new Map([[2, all]]);

test("LinksToCome.awaited() names whom others see while links come back, for three seconds", () => {
  const links = new LinksToCome();
  links.learn(alone, 0);
  links.learn(without1, 10_000);
  expect(links.awaited(without1, seesAll, 10_500)).toBe(AWAITED);
  expect(links.awaited(without1, seesAll, 13_000)).toBe(AWAITED);
  expect(links.awaited(without1, seesAll, 13_501)).toBeUndefined();
  // A link that flaps does not make the wait longer.
  links.learn(alone, 13_600);
  links.learn(without1, 13_700);
  expect(links.awaited(without1, seesAll, 13_800)).toBeUndefined();
  links.learn(all, 14_000);
  expect(links.awaited(all, seesAll, 14_000)).toBeUndefined();
  links.learn(without1, 20_000);
  links.learn(all, 20_100);
  links.learn(without1, 20_200);
  expect(links.awaited(without1, seesAll, 20_300)).toBe(AWAITED);
});

test("LinksToCome.awaited() waits for nobody when links are only lost", () => {
  const links = new LinksToCome();
  links.learn(all, 0);
  links.learn(without1, 10_000);
  expect(links.awaited(without1, seesAll, 10_100)).toBeUndefined();
});

test("LinksToCome.awaited() waits for no node that takes part in nothing, or that nobody sees", () => {
  const links = new LinksToCome();
  links.learn(alone, 0);
  links.learn(without1, 1000);
  const banned = new Map([[2, nodes(0, BANNED, 0)]]);
  expect(links.awaited(without1, banned, 1100)).toBeUndefined();
  expect(links.awaited(without1, new Map([[2, without1]]), 1100)).toBeUndefined();
});
