import { expect, test } from "bun:test";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import { parseAddress } from "../../wire/structs/socket_address.ts";
import { mergeAddresses } from "../allocation/addresses.ts";
import { assignments } from "./assignments.ts";

const NOBODY = UNKNOWN_PNN;

function ip(address: string) {
  const parsed = parseAddress(address);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}
const A = ip("10.0.0.1");

/** `views`: who has the address as each node says, by pnn; undefined for a node that says nothing. */
function moved(
  views: readonly (number | undefined)[],
  to: number,
  more: { flags?: readonly number[]; can?: readonly number[]; rebalance?: readonly number[] } = {},
) {
  const { flags = [], can = views.map((_, pnn) => pnn), rebalance = [] } = more;
  const known = new Map(
    views.flatMap((pnn, node) => (pnn === undefined ? [] : [[node, [{ pnn, addr: A }]] as const])),
  );
  const available = new Map(can.map((node) => [node, [{ pnn: NOBODY, addr: A }]] as const));
  const placed = mergeAddresses(views.length, known, available);
  for (const address of placed) address.pnn = to;
  const nodes = views.map((_, pnn) => ({ pnn, flags: flags[pnn] ?? 0, addr: A }));
  return assignments({ placed, known, nodes, rebalance }).map(
    ({ from, to: host, reason }) => `${from} > ${host}: ${reason}`,
  );
}

test("assignments() are of addresses that change their host", () => {
  expect(moved([0, 0], 0)).toEqual([]);
  expect(moved([NOBODY, NOBODY], NOBODY)).toEqual([]);
  expect(moved([NOBODY, NOBODY], 1)).toEqual(["null > 1: no node had it"]);
  expect(moved([0, 0], 1)).toEqual(["0 > 1: addresses are spread evenly"]);
  expect(moved([0, 0], 1, { rebalance: [1] })).toEqual(["0 > 1: node 1 is to get addresses"]);
});

test("assignments() say what is wrong with the node that had it", () => {
  const by = (flag: number) => moved([0, 0], 1, { flags: [flag], can: [1] });
  expect(by(NODE_FLAGS.UNHEALTHY)).toEqual(["0 > 1: node 0 is unhealthy"]);
  expect(by(NODE_FLAGS.PERMANENTLY_DISABLED)).toEqual(["0 > 1: node 0 is disabled"]);
  expect(by(NODE_FLAGS.STOPPED)).toEqual(["0 > 1: node 0 is stopped"]);
  expect(by(0)).toEqual(["0 > 1: node 0 says that it cannot have it"]);
  const lost = { flags: [NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY], can: [1] };
  expect(moved([undefined, 0], 1, lost)).toEqual(["0 > 1: node 0 is not connected"]);
});

test("assignments() know who had an address that was let go", () => {
  const banned = { flags: [NODE_FLAGS.BANNED], can: [1] };
  expect(moved([NOBODY, 0], 1, banned)).toEqual(["0 > 1: node 0 is banned"]);
  // It comes back to where it was.
  expect(moved([NOBODY, 0], 0)).toEqual(["null > 0: no node had it"]);
});

test("assignments() say when no node can have an address any more", () => {
  expect(moved([0], NOBODY, { flags: [NODE_FLAGS.UNHEALTHY], can: [] })).toEqual([
    "0 > null: node 0 is unhealthy, and no node can have it now",
  ]);
});
