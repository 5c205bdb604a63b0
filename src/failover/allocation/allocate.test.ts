import { expect, test } from "bun:test";
import { type Logger, silentLogger } from "../../base/log.ts";
import { parseAddress } from "../../wire/structs/socket_address.ts";
import { canHostAddresses, type HostedAddress } from "./addresses.ts";
import { type AllocationRequest, algorithmOfTunable, allocate } from "./allocate.ts";
import { parseHomeNodes } from "./home_nodes.ts";
import { ADDRESSES_MAX, NODES_MAX } from "./limits.ts";

const NOBODY = 0xffffffff;

function hosted(address: string, pnn: number): HostedAddress {
  const parsed = parseAddress(address);
  if (!parsed.ok) throw new Error(parsed.error);
  return { addr: parsed.value, pnn };
}

/** Every node knows all of these; `able` are the nodes that could host them. */
function cluster(
  nodeCount: number,
  places: Readonly<Record<string, number>>,
  able: readonly number[],
  more: Partial<AllocationRequest> = {},
): AllocationRequest {
  const list = Object.entries(places).map(([address, pnn]) => hosted(address, pnn));
  const pnns = Array.from({ length: nodeCount }, (_, pnn) => pnn);
  return {
    nodeCount,
    algorithm: "lcp2",
    known: new Map(pnns.map((pnn) => [pnn, list])),
    available: new Map(able.map((pnn) => [pnn, list])),
    noTakeover: false,
    noFailback: false,
    rebalance: [],
    homeNodes: [],
    log: silentLogger,
    logsDetails: false,
    ...more,
  };
}

function placed(request: AllocationRequest): Record<string, number> | string {
  const outcome = allocate(request);
  if (!outcome.ok) return outcome.error;
  return Object.fromEntries(outcome.value.map(({ addr, pnn }) => [addr.address, pnn]));
}

function collected(lines: string[]): Logger {
  const say = (message: string) => void lines.push(message);
  return { error: say, warning: say, notice: say, info: say, debug: say };
}

const FOUR = { "10.0.0.1": 0, "10.0.0.2": 0, "10.0.0.3": 0, "10.0.0.4": 0 };

test("allocate() lists the addresses in descending order, IPv6 first, each once", () => {
  const request = cluster(2, { "10.0.0.1": 0, "200.0.0.1": 1, "fd00::1": 0, "1::1": 1 }, [0, 1]);
  const outcome = allocate(request);
  expect(outcome.ok && outcome.value.map(({ addr }) => addr.address)).toEqual([
    "fd00::1",
    "1::1",
    "200.0.0.1",
    "10.0.0.1",
  ]);
  expect(placed(cluster(2, {}, [0, 1]))).toEqual({});
});

test("allocate() believes a node about itself only, and the last of several", () => {
  const known = new Map([
    [0, [hosted("10.0.0.1", 0), hosted("10.0.0.2", 1)]],
    [1, [hosted("10.0.0.1", 1), hosted("10.0.0.2", 0)]],
  ]);
  const request = cluster(2, {}, [], { known, available: known, noFailback: true });
  // 10.0.0.2 is nobody's, so it goes where it costs less.
  expect(placed(request)).toEqual({ "10.0.0.1": 1, "10.0.0.2": 0 });
});

test("allocate() leaves what nobody can host without a host, whatever the algorithm", () => {
  for (const algorithm of ["lcp2", "deterministic", "non-deterministic"] as const) {
    const request = cluster(3, { "10.0.0.1": 0, "10.0.0.2": 1 }, [], { algorithm });
    expect(placed(request)).toEqual({ "10.0.0.1": NOBODY, "10.0.0.2": NOBODY });
  }
});

test("allocate() with NoIPTakeover takes addresses from who cannot host, and gives none", () => {
  for (const algorithm of ["lcp2", "non-deterministic"] as const) {
    const places = { "10.0.0.1": 0, "10.0.0.2": 1 };
    const request = cluster(2, places, [0], { algorithm, noTakeover: true });
    expect(placed(request)).toEqual({ "10.0.0.1": 0, "10.0.0.2": NOBODY });
  }
});

test("lcp2 gives addresses to a node that has none, and takes them from nobody who has some", () => {
  expect(Object.values(placed(cluster(2, FOUR, [0, 1]))).sort()).toEqual([0, 0, 1, 1]);
  const uneven = { ...FOUR, "10.0.0.4": 1 };
  expect(placed(cluster(2, uneven, [0, 1]))).toEqual(uneven);
});

test("lcp2 gives addresses to a node that has some when it is to be rebalanced", () => {
  const uneven = { ...FOUR, "10.0.0.4": 1 };
  const lines: string[] = [];
  const log = collected(lines);
  const request = cluster(2, uneven, [0, 1], { rebalance: [7, 1], log });
  expect(Object.values(placed(request)).sort()).toEqual([0, 0, 1, 1]);
  expect(lines[0]).toContain("7");
  expect(lines[1]).toBe("Forcing rebalancing of IPs to node 1");
});

test("lcp2 with NoIPFailback moves nothing that is hosted", () => {
  const options = { noFailback: true, rebalance: [1] };
  expect(placed(cluster(2, FOUR, [0, 1], options))).toEqual(FOUR);
});

test("lcp2 spreads each network over the nodes", () => {
  const places: Record<string, number> = {};
  for (const net of [1, 2]) {
    for (const host of [1, 2, 3]) places[`10.${net}.0.${host}`] = -1;
  }
  const result = placed(cluster(3, places, [0, 1, 2]));
  const nodesOf = (net: number) =>
    Object.entries(result).flatMap(([address, pnn]) =>
      address.startsWith(`10.${net}.`) ? [pnn] : [],
    );
  expect(nodesOf(1).sort()).toEqual([0, 1, 2]);
  expect(nodesOf(2).sort()).toEqual([0, 1, 2]);
});

test("lcp2 says each comparison only where the log shows details", () => {
  const linesOf = (logsDetails: boolean) => {
    const lines: string[] = [];
    placed(cluster(2, { "10.0.0.1": -1 }, [1], { log: collected(lines), logsDetails }));
    return lines;
  };
  expect(linesOf(false)).toEqual([" 10.0.0.1 -> 1 [+0]"]);
  expect(linesOf(true).length).toBeGreaterThan(5);
});

test("the deterministic algorithm goes by the place in the list, home_nodes before it", () => {
  const algorithm = "deterministic";
  const away = { "10.0.0.1": 2, "10.0.0.2": 2, "10.0.0.3": 2, "10.0.0.4": 2 };
  expect(placed(cluster(3, away, [0, 1, 2], { algorithm }))).toEqual({
    "10.0.0.4": 0,
    "10.0.0.3": 1,
    "10.0.0.2": 2,
    "10.0.0.1": 0,
  });
  const homes = parseHomeNodes("10.0.0.4 1\n10.0.0.4 2\n10.0.0.3 3\n");
  if (!homes.ok) throw new Error(homes.error);
  const request = cluster(3, away, [0, 1, 2], { algorithm, homeNodes: homes.value });
  expect(placed(request)).toMatchObject({ "10.0.0.4": 1, "10.0.0.3": 1, "10.0.0.2": 2 });
});

test("the deterministic algorithm gives what its node cannot host to the least loaded", () => {
  const request = cluster(3, FOUR, [1, 2], { algorithm: "deterministic" });
  expect(placed(request)).toEqual({
    "10.0.0.4": 1,
    "10.0.0.3": 1,
    "10.0.0.2": 2,
    "10.0.0.1": 2,
  });
});

test("the non-deterministic algorithm evens out what differs by more than one", () => {
  const algorithm = "non-deterministic";
  expect(Object.values(placed(cluster(2, FOUR, [0, 1], { algorithm }))).sort()).toEqual([
    0, 0, 1, 1,
  ]);
  const places = { "10.0.0.1": 0, "10.0.0.2": 0, "10.0.0.3": 1 };
  expect(placed(cluster(2, places, [0, 1], { algorithm }))).toEqual(places);
  const kept = cluster(2, FOUR, [0, 1], { algorithm, noFailback: true });
  expect(placed(kept)).toEqual(FOUR);
});

test("the non-deterministic algorithm ends where nodes that differ cannot help each other", () => {
  // Both know the last address only, and the first node has ten that nobody else can host.
  const own = Array.from({ length: 10 }, (_, i) => hosted(`10.0.0.${i + 1}`, 0));
  const shared = hosted("10.0.1.1", 0);
  const lists = new Map([
    [0, [...own, shared]],
    [1, [shared]],
  ]);
  const options = { known: lists, available: lists, algorithm: "non-deterministic" } as const;
  const result = placed(cluster(2, {}, [], options));
  expect(Object.values(result).sort()).toEqual([...new Array(10).fill(0), 1]);
});

test("allocate() refuses more addresses and nodes than it has limits for", () => {
  const many = Array.from({ length: ADDRESSES_MAX + 1 }, (_, i) =>
    hosted(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, -1),
  );
  const lists = new Map([[0, many]]);
  const tooMany = cluster(1, {}, [], { known: lists, available: lists });
  expect(placed(tooMany)).toContain(`expected at most ${ADDRESSES_MAX}`);
  expect(placed(cluster(NODES_MAX + 1, {}, []))).toContain(`expected at most ${NODES_MAX}`);
});

test("canHostAddresses() wants an address that is hosted, or one that could be", () => {
  const knownOf = (pnn: number) => new Map([[1, [hosted("10.0.0.1", pnn)]]]);
  const nothing = new Map<number, readonly HostedAddress[]>();
  expect(canHostAddresses(2, nothing, nothing)).toBe(false);
  expect(canHostAddresses(2, knownOf(-1), nothing)).toBe(false);
  // Another node is not believed about it.
  expect(canHostAddresses(2, knownOf(0), nothing)).toBe(false);
  expect(canHostAddresses(2, knownOf(1), nothing)).toBe(true);
  expect(canHostAddresses(2, knownOf(-1), knownOf(-1))).toBe(true);
});

test("algorithmOfTunable() takes what it does not know for lcp2", () => {
  expect([0, 1, 2, 3, 0xffffffff].map(algorithmOfTunable)).toEqual([
    "deterministic",
    "non-deterministic",
    "lcp2",
    "lcp2",
    "lcp2",
  ]);
});
