import { expect, test } from "bun:test";
import type { Logger } from "../../src/base/log.ts";
import { runTakeover, type TakeoverOptions } from "../../src/failover/takeover/run_takeover.ts";
import { decodeExact, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import type { ControlName } from "../../src/wire/controls.ts";
import { FakeClient } from "../recovery/fake_client.ts";
import { FakeCluster } from "../recovery/fake_cluster.ts";
import { SimProcess } from "../sim/scheduler.ts";
import { address } from "../support/addresses.ts";
import { RecordedEvents } from "../support/recorded_events.ts";

const LEADER = 1;
const NOBODY = 0xffffffff;
const OPTIONS: TakeoverOptions = {
  rebalance: [],
  failoverDisabled: false,
  homeNodes: () => [],
};
const ETIMEDOUT = 110;
const EPIPE = 32;

/** Every node knows the addresses, and believes this about who hosts them. */
function newCluster(places: Readonly<Record<string, number>> = {}, count = 3): FakeCluster {
  const cluster = new FakeCluster(count);
  for (const node of cluster.nodes) {
    for (const [text, pnn] of Object.entries(places)) {
      node.addresses.push({ addr: address(text), pnn, available: true });
    }
  }
  return cluster;
}

function start(cluster: FakeCluster, options: Partial<TakeoverOptions> = {}) {
  const process = new SimProcess(cluster.scheduler, "takeover helper");
  const client = new FakeClient(cluster.node(LEADER), process);
  const lines: string[] = [];
  const say = (message: string) => void lines.push(message);
  const log: Logger = { error: say, warning: say, notice: say, info() {}, debug() {} };
  const blamed: number[] = [];
  for (const node of cluster.nodes) {
    node.subscribe(SRVID.BANNING, (data) => {
      const pnn = decodeExact(u32Codec, data);
      blamed.push(node.pnn, pnn.ok ? pnn.value : NOBODY);
    });
  }
  const journal = new RecordedEvents();
  const host = { client, clock: process.clock, log, journal, logsDetails: false };
  return { client, journal, lines, blamed, outcome: runTakeover(host, { ...OPTIONS, ...options }) };
}

function takenOver(cluster: FakeCluster, options: Partial<TakeoverOptions> = {}) {
  const { outcome, lines, blamed, journal } = start(cluster, options);
  const result = cluster.settle(outcome);
  cluster.run(10);
  return { result, lines, blamed, journal };
}

function failing(name: ControlName, pnn: number, how: "fail" | "hang" | number) {
  return (asked: number, control: ControlName) =>
    asked === pnn && control === name ? how : undefined;
}

/** Who hosts each address, as that node says itself. */
function hosts(cluster: FakeCluster): Record<string, number[]> {
  const all: Record<string, number[]> = {};
  for (const { pnn: node, addresses } of cluster.nodes) {
    for (const { addr, pnn } of addresses) {
      const list = all[addr.address] ?? [];
      all[addr.address] = list;
      if (pnn === node) list.push(node);
    }
  }
  return all;
}

const TWO = { "10.0.0.1": 0, "10.0.0.2": 0 };

test("runTakeover() has every address on one node, and all nodes know which", () => {
  const cluster = newCluster({ "10.0.0.1": NOBODY, "10.0.0.2": NOBODY, "10.0.0.3": NOBODY });
  const { result } = takenOver(cluster);
  expect(result.ok).toBe(true);
  expect(Object.values(hosts(cluster)).flat().sort()).toEqual([0, 1, 2]);
  const views = cluster.nodes.map(({ addresses }) => addresses.map(({ pnn }) => pnn).join());
  expect(new Set(views).size).toBe(1);
});

test("runTakeover() begins each step when the last has ended everywhere", () => {
  const cluster = newCluster(TWO);
  cluster.node(0).flags = NODE_FLAGS.UNHEALTHY;
  for (const address of cluster.node(0).addresses) address.available = false;
  takenOver(cluster);
  const steps = cluster.seen.map((entry) => entry.split(" ")[1]);
  const order = steps.filter((step, at) => step !== steps[at - 1]);
  expect(order).toEqual([
    "GET_ALL_TUNABLES",
    "GET_NODEMAP",
    "GET_PUBLIC_IPS",
    "START_IPREALLOCATE",
    "RELEASE_IP",
    "TAKEOVER_IP",
    "IPREALLOCATED",
  ]);
  expect(Object.values(hosts(cluster)).map((pnns) => pnns.length)).toEqual([1, 1]);
  expect(hosts(cluster)).not.toMatchObject({ "10.0.0.1": [0] });
});

test("runTakeover() asks active nodes only what they could host, if they know an address", () => {
  const cluster = newCluster(TWO);
  cluster.node(0).flags = NODE_FLAGS.STOPPED;
  cluster.node(LEADER).tunables.set("TakeoverTimeout", 1);
  cluster.node(2).addresses.length = 0;
  // The leader must have been told of the flags.
  cluster.node(LEADER).handle("MODIFY_FLAGS", { pnn: 0, new_flags: NODE_FLAGS.STOPPED });
  takenOver(cluster);
  const asked = cluster.seen.filter((entry) => entry.endsWith("GET_PUBLIC_IPS"));
  expect(asked.map((entry) => entry[0]).sort()).toEqual(["0", "1", "1", "2"]);
  expect(hosts(cluster)).toEqual({ "10.0.0.1": [1], "10.0.0.2": [1] });
});

test("runTakeover() releases an address everywhere but on its host, where it is known", () => {
  const cluster = newCluster({ "10.0.0.1": LEADER });
  cluster.node(2).addresses.length = 0;
  takenOver(cluster);
  const told = cluster.seen.filter((entry) => /RELEASE_IP|TAKEOVER_IP/.test(entry));
  expect(told).toEqual(["0 RELEASE_IP", "1 TAKEOVER_IP"]);
});

test("runTakeover() leaves disconnected nodes alone", () => {
  const cluster = newCluster(TWO);
  cluster.node(0).kill();
  const { result } = takenOver(cluster);
  expect(result.ok).toBe(true);
  expect(cluster.seen.filter((entry) => entry.startsWith("0 "))).toEqual([]);
});

test("runTakeover() only ends a reallocation where nothing can be hosted, or failover is disabled", () => {
  for (const [cluster, options] of [
    [newCluster(), {}],
    [newCluster(TWO), { failoverDisabled: true }],
  ] as const) {
    const { result } = takenOver(cluster, options);
    expect(result).toEqual({ ok: true, value: { addresses: [] } });
    const changes = cluster.seen.filter((entry) => !/ GET_/.test(entry));
    expect(changes.sort()).toEqual(["0 IPREALLOCATED", "1 IPREALLOCATED", "2 IPREALLOCATED"]);
    const asked = cluster.seen.some((entry) => entry.endsWith("GET_PUBLIC_IPS"));
    expect(asked).toBe(options !== undefined && !("failoverDisabled" in options));
  }
});

test("runTakeover() goes on without START_IPREALLOCATE on a node that does not know it", () => {
  const cluster = newCluster(TWO);
  cluster.interfere = failing("START_IPREALLOCATE", 2, "fail");
  const { result, blamed } = takenOver(cluster);
  expect(result.ok).toBe(true);
  expect(blamed).toEqual([]);
  expect(hosts(cluster)).toMatchObject({ "10.0.0.1": [expect.any(Number)] });
});

const ENOEXEC = 8;
for (const name of ["START_IPREALLOCATE", "RELEASE_IP", "TAKEOVER_IP", "IPREALLOCATED"] as const) {
  for (const status of [ENOEXEC, -ENOEXEC]) {
    test(`runTakeover() fails when ${name} answers ${status}, and blames the node`, () => {
      const cluster = newCluster({ "10.0.0.1": 0, "10.0.0.2": 2 });
      cluster.interfere = failing(name, 2, status);
      const { result, blamed, lines } = takenOver(cluster);
      expect(result).toMatchObject({ ok: false, error: { status, blamed: 2 } });
      expect(blamed).toEqual([LEADER, 2]);
      expect(lines.some((line) => line.includes(name) && line.includes("node 2"))).toBe(true);
    });
  }
}

test("runTakeover() does not take what was not released everywhere", () => {
  const cluster = newCluster({ "10.0.0.1": 0 });
  for (const entry of cluster.node(0).addresses) entry.available = false;
  cluster.interfere = failing("RELEASE_IP", 0, -1);
  const { result } = takenOver(cluster);
  expect(result).toMatchObject({ ok: false, error: { status: -1, blamed: 0 } });
  expect(cluster.seen.filter((entry) => entry.endsWith("TAKEOVER_IP"))).toEqual([]);
  expect(hosts(cluster)).toEqual({ "10.0.0.1": [0] });
});

test("runTakeover() gives the steps three times TakeoverTimeout together", () => {
  const cluster = newCluster(TWO);
  for (const { tunables } of cluster.nodes) tunables.set("TakeoverTimeout", 2);
  cluster.interfere = failing("TAKEOVER_IP", 0, "hang");
  cluster.holds = (_pnn, name) => name === "START_IPREALLOCATE";
  const { outcome } = start(cluster);
  cluster.run(4000);
  expect(cluster.heldAnswers).toBe(3);
  cluster.letArrive();
  const result = cluster.settle(outcome);
  expect(result).toMatchObject({ ok: false, error: { status: ETIMEDOUT, blamed: 0 } });
  expect(cluster.scheduler.nowMs).toBeGreaterThanOrEqual(6000);
  expect(cluster.scheduler.nowMs).toBeLessThan(6100);
});

test("runTakeover() blames the node that failed most, unless bans are disabled", () => {
  const places = { "10.0.0.1": 1, "10.0.0.2": 1, "10.0.0.3": 1 };
  const interfere = (pnn: number, name: ControlName, request: unknown) => {
    if (name !== "RELEASE_IP") return undefined;
    const { addr } = request as { addr: { address: string } };
    return pnn === 2 || addr.address === "10.0.0.2" ? -1 : undefined;
  };
  const options = { rebalance: [] };
  const cluster = newCluster(places);
  cluster.node(LEADER).tunables.set("NoIPFailback", 1);
  cluster.interfere = interfere;
  expect(takenOver(cluster, options).blamed).toEqual([LEADER, 2]);
  const lenient = newCluster(places);
  lenient.node(LEADER).tunables.set("NoIPFailback", 1);
  lenient.node(LEADER).tunables.set("EnableBans", 0);
  lenient.interfere = interfere;
  const { result, blamed } = takenOver(lenient, options);
  expect(result).toMatchObject({ ok: false, error: { status: -1, blamed: undefined } });
  expect(blamed).toEqual([]);
});

for (const name of ["GET_ALL_TUNABLES", "GET_NODEMAP"] as const) {
  for (const [how, status] of [
    ["fail", -1],
    ["hang", ETIMEDOUT],
  ] as const) {
    test(`runTakeover() ends when ${name} does ${how}, and blames nobody`, () => {
      const cluster = newCluster(TWO);
      cluster.interfere = failing(name, LEADER, how);
      const { result, blamed } = takenOver(cluster);
      expect(result).toMatchObject({ ok: false, error: { status, blamed: undefined } });
      expect(blamed).toEqual([]);
      expect(cluster.seen.some((entry) => /IP/.test(entry))).toBe(false);
    });
  }
}

for (const [how, status] of [
  ["fail", -1],
  ["hang", ETIMEDOUT],
] as const) {
  test(`runTakeover() blames the node whose addresses ${how} to come`, () => {
    const cluster = newCluster(TWO);
    cluster.interfere = failing("GET_PUBLIC_IPS", 2, how);
    const { result, blamed } = takenOver(cluster);
    expect(result).toMatchObject({ ok: false, error: { status, blamed: 2 } });
    expect(blamed).toEqual([LEADER, 2]);
  });
}

test("runTakeover() fails where no node is active", () => {
  const cluster = newCluster(TWO, 2);
  for (const node of cluster.nodes) {
    node.flags = NODE_FLAGS.STOPPED;
    cluster.node(LEADER).handle("MODIFY_FLAGS", { pnn: node.pnn, new_flags: NODE_FLAGS.STOPPED });
  }
  const { result } = takenOver(cluster);
  expect(result).toMatchObject({ ok: false, error: { blamed: undefined } });
});

test("runTakeover() ends at once when its client is closed", () => {
  const cluster = newCluster(TWO);
  cluster.interfere = failing("RELEASE_IP", 1, "hang");
  const { client, outcome } = start(cluster);
  cluster.run(100);
  client.close();
  expect(cluster.settle(outcome, 1)).toMatchObject({ ok: false, error: { status: EPIPE } });
});

test("runTakeover() reads home_nodes for the deterministic algorithm only", () => {
  for (const [tunable, reads] of [
    [0, 1],
    [1, 0],
    [2, 0],
  ] as const) {
    const cluster = newCluster(TWO);
    cluster.node(LEADER).tunables.set("IPAllocAlgorithm", tunable);
    let asked = 0;
    const homeNodes = () => {
      asked += 1;
      return [{ addr: address("10.0.0.1"), pnn: 2 }];
    };
    takenOver(cluster, { homeNodes });
    expect(asked).toBe(reads);
    if (reads > 0) expect(hosts(cluster)).toMatchObject({ "10.0.0.1": [2] });
  }
});

test("runTakeover() writes down each address that it moves, and no other", () => {
  const cluster = newCluster(TWO);
  cluster.node(0).flags = NODE_FLAGS.UNHEALTHY;
  for (const address of cluster.node(0).addresses) address.available = false;
  cluster.node(LEADER).handle("MODIFY_FLAGS", { pnn: 0, new_flags: NODE_FLAGS.UNHEALTHY });
  const { journal } = takenOver(cluster);
  const placed = hosts(cluster);
  const moved = journal.of("address_assigned");
  expect(moved.map(({ address }) => address).sort()).toEqual(["10.0.0.1", "10.0.0.2"]);
  for (const { address, from, to, reason } of moved) {
    expect([from, [to], reason]).toEqual([0, placed[address] ?? [], "node 0 is unhealthy"]);
  }
  expect(takenOver(cluster).journal.events).toEqual([]);
});
