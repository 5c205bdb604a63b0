/** Public addresses of a whole daemon: controls of clients and nodes, what a node must not host, and the file. */
import { expect, test } from "bun:test";
import { ok } from "../../src/base/result.ts";
import type { DaemonDependencies } from "../../src/daemon/dependencies.ts";
import type { Network } from "../../src/platform/types/network.ts";
import {
  EVENT_TIMED_OUT,
  type EventRunner,
  type RunningEvent,
} from "../../src/services/event_runner.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../../src/wire/controls.ts";
import type { EventName } from "../../src/wire/events.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { connection, ip } from "../failover/address_world.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { configuredNodes, FakeNode, fakeConfig, type RawClient, recover } from "./fake_cluster.ts";

const A = "10.0.0.1";
const FILE = "/etc/public_addresses";
const SCRIPT_MS = 10;

/** Scripts that put addresses on interfaces of a fake kernel. */
class Kernel implements EventRunner {
  readonly runsScripts = true;
  readonly addresses = new Set<string>();
  readonly events: string[] = [];
  /** Status of an event; events that are not named succeed. */
  readonly statuses = new Map<EventName, number>();
  readonly #world: FakeWorld;

  constructor(world: FakeWorld) {
    this.#world = world;
  }

  run(
    event: EventName,
    args: readonly string[],
    _timeoutMs: number,
    done: (status: number) => void,
  ): RunningEvent {
    this.events.push([event, ...args].join(" "));
    const timer = this.#world.timers.after(SCRIPT_MS, () => {
      const address = args[args.length - 2] ?? "";
      if (event === "takeip") this.addresses.add(address);
      const status = this.statuses.get(event) ?? 0;
      if (event === "releaseip" && status === 0) this.addresses.delete(address);
      done(status);
    });
    return timer;
  }

  lastRun(_event: EventName, done: (scripts: readonly []) => void): void {
    this.#world.timers.soon(() => done([]));
  }
  explain(_event: EventName, done: (failure: undefined) => void): void {
    done(undefined);
  }

  network(real: Network, own: string): Network {
    const of = (name: string, addresses: readonly string[]) => ({
      name,
      up: true,
      addresses: addresses.map((address) => ({ address, prefixLength: 24 })),
    });
    const interfaces = () => ok([of("lo", [own]), of("eth0", [...this.addresses])]);
    return Object.assign(Object.create(real) as Network, { interfaces });
  }

  /** Events of public addresses, without the others. */
  get moves(): readonly string[] {
    return this.events.filter((event) => /^(take|release|update)ip/.test(event));
  }
}

interface Scene {
  readonly world: FakeWorld;
  readonly node: FakeNode;
  readonly kernel: Kernel;
  readonly client: RawClient;
  readonly files: MemoryFiles;
}

/** One running node with a file of public addresses. */
function scene(
  text = `${A}/24 eth0\n`,
  overrides: (world: FakeWorld) => Partial<DaemonDependencies> = () => ({}),
): Scene {
  const world = new FakeWorld();
  const kernel = new Kernel(world);
  const nodes = configuredNodes(1);
  const own = nodes[0]?.address ?? "";
  const files = new MemoryFiles({ [FILE]: text }, ["/db/volatile", "/db/persistent", "/db/state"]);
  const paths = {
    testMode: false,
    etcDirectory: "/etc",
    dataDirectory: "/usr/share",
    socket: "/run/0/ctdbd.socket",
    recoverdSocket: "/run/0/recd.socket",
    eventSocket: "/run/0/eventd.socket",
    pidFile: "/run/0/ctdbd.pid",
    logDirectory: "/log",
    variableDirectory: "/var",
    runDirectory: "/run",
    lockDirectory: "/run",
    helperDirectory: "/helpers",
  };
  const node = new FakeNode(world, nodes, 0, {
    paths,
    files,
    events: kernel,
    network: kernel.network(world.network(own, 1000), own),
    ...overrides(world),
  });
  node.start();
  world.run(100);
  if (node.started?.ok === true) becomeHealthy(node, kernel);
  return { world, node, kernel, client: node.client(), files };
}

/** Out of recovery, started up, monitored. */
function becomeHealthy(node: FakeNode, kernel: Kernel): void {
  recover(node, [0]);
  node.world.run(SCRIPT_MS + 1);
  node.world.run(20_000);
  expect(kernel.events).toContain("monitor");
  expect(node.daemon.node?.nodes.own.flags).toBe(0);
}

function take({ client, world }: Scene, address = A, pnn = 0) {
  const reqid = client.sendControl("TAKEOVER_IP", { pnn, addr: ip(address) });
  world.run(2 * SCRIPT_MS);
  return client.reply(reqid)?.status;
}

function listed(client: RawClient, flags = 0): readonly string[] {
  const answer = client.control("GET_PUBLIC_IPS", undefined, { flags });
  if (!answer.ok) return [answer.error];
  return answer.value.data.map(
    ({ pnn, addr }) => `${addr.address} ${pnn === UNKNOWN_PNN ? -1 : pnn}`,
  );
}
const available = (client: RawClient) => listed(client, PUBLIC_IPS_ONLY_AVAILABLE);

test("a node takes and releases a public address by controls, and tells its clients", () => {
  const all = scene();
  const { client, world, kernel } = all;
  client.register(SRVID.TAKE_IP);
  client.register(SRVID.RELEASE_IP);
  expect(listed(client)).toEqual([`${A} -1`]);
  expect(take(all)).toBe(0);
  expect([listed(client), client.messages()]).toEqual([[`${A} 0`], [`${A}\0`]]);
  expect(client.control("GET_PUBLIC_IP_INFO", ip(A))).toMatchObject({
    value: { data: { head: { active_idx: 0 }, ifaces: [{ name: "eth0", references: 1 }] } },
  });
  const reqid = client.sendControl("RELEASE_IP", { pnn: 2, addr: ip(A) });
  world.run(2 * SCRIPT_MS);
  expect(client.reply(reqid)?.status).toBe(0);
  expect([listed(client), client.messages()]).toEqual([[`${A} 2`], [`${A}\0`, `${A}\0`]]);
  expect(kernel.moves).toEqual(["takeip eth0 10.0.0.1 24", "releaseip eth0 10.0.0.1 24"]);
});

test("a node can host addresses while it is running, healthy, enabled and active", () => {
  const { client, node, kernel, world } = scene();
  expect(available(client)).toEqual([`${A} -1`]);
  client.control("DISABLE_NODE", undefined);
  expect(available(client)).toEqual([]);
  client.control("ENABLE_NODE", undefined);
  expect(available(client)).toEqual([`${A} -1`]);
  kernel.statuses.set("monitor", 1);
  world.run(30_000);
  expect(node.daemon.node?.nodes.own.flags).toBe(NODE_FLAGS.UNHEALTHY);
  expect(available(client)).toEqual([]);
  expect(listed(client)).toEqual([`${A} -1`]);
});

test("a node that is stopped or banned lets go of its addresses, and takes none", () => {
  for (const leave of ["stop", "ban"] as const) {
    const all = scene();
    const { client, world, kernel } = all;
    take(all);
    if (leave === "stop") client.control("STOP_NODE", undefined);
    else client.control("SET_BAN_STATE", { pnn: 0, time: 60 });
    world.run(2 * SCRIPT_MS);
    expect([leave, [...kernel.addresses], listed(client)]).toEqual([leave, [], [`${A} -1`]]);
    expect(take(all)).toBe(-1);
    expect(kernel.moves).toHaveLength(2);
  }
});

test("a node that is stopped while it takes an address gives it back", () => {
  const { client, world, kernel } = scene();
  client.sendControl("TAKEOVER_IP", { pnn: 0, addr: ip(A) });
  client.sendControl("STOP_NODE", undefined);
  world.run(4 * SCRIPT_MS);
  expect([...kernel.addresses]).toEqual([]);
  expect(kernel.moves).toEqual(["takeip eth0 10.0.0.1 24", "releaseip eth0 10.0.0.1 24"]);
});

test("a node in recovery takes no address, and drops them all after RecoveryDropAllIPs", () => {
  const all = scene();
  const { client, world, kernel, node } = all;
  take(all);
  client.control("SET_RECMODE", 1);
  world.run(119_000);
  expect([...kernel.addresses]).toEqual([A]);
  expect(take(all)).toBe(-1);
  world.run(2000);
  expect([...kernel.addresses]).toEqual([]);
  const shorter = scene();
  take(shorter);
  shorter.client.control("SET_RECMODE", 1);
  shorter.world.run(60_000);
  recover(shorter.node, [0]);
  shorter.world.run(300_000);
  expect([...shorter.kernel.addresses]).toEqual([A]);
  expect(node.exitCode).toBeUndefined();
});

test("a node that is in recovery for too long tries again to release what its scripts did not", () => {
  const all = scene();
  const { client, world, kernel } = all;
  take(all);
  kernel.statuses.set("releaseip", EVENT_TIMED_OUT);
  client.control("SET_RECMODE", 1);
  world.run(125_000);
  expect([...kernel.addresses]).toEqual([A]);
  kernel.statuses.clear();
  world.run(10_000);
  expect([...kernel.addresses]).toEqual([]);
});

test("a node that shuts down releases what no takeover run has moved, before the shutdown event", () => {
  const all = scene();
  const { world, kernel, node } = all;
  take(all);
  node.daemon.shutdown(0, "test");
  world.run(60_000);
  expect(kernel.events.slice(-2)).toEqual(["releaseip eth0 10.0.0.1 24", "shutdown"]);
  expect([node.exitCode, [...kernel.addresses]]).toEqual([0, []]);
});

test("with failover disabled a node takes no address down by itself, and asks no kernel", () => {
  const failover = { ...fakeConfig.failover, disabled: true };
  const all = scene(undefined, () => ({ config: { ...fakeConfig, failover } }));
  const { client, world, kernel, files } = all;
  take(all);
  client.control("STOP_NODE", undefined);
  world.run(1000);
  expect([...kernel.addresses]).toEqual([A]);
  expect(files.exists("/run/public_addresses_held")).toBe(false);
});

test("what a node holds is written down for the children that outlive it", () => {
  const all = scene();
  const held = () => all.files.readText("/run/public_addresses_held");
  take(all);
  expect(held()).toEqual(ok(`ctdbd 1000\n${A}\n`));
  all.client.sendControl("RELEASE_IP", { pnn: 2, addr: ip(A) });
  all.world.run(2 * SCRIPT_MS);
  expect(held()).toEqual(ok("ctdbd 1000\n"));
});

test("hung takeip and releaseip scripts count as successes, a hung updateip bans", () => {
  const all = scene(`${A}/24 eth0\n`);
  const { kernel, client, world, node } = all;
  kernel.statuses.set("takeip", EVENT_TIMED_OUT);
  kernel.statuses.set("updateip", EVENT_TIMED_OUT);
  expect(take(all)).toBe(0);
  expect(node.daemon.node?.nodes.own.flags).toBe(0);
  client.sendControl("RELEASE_IP", { pnn: UNKNOWN_PNN, addr: ip(A) });
  world.run(2 * SCRIPT_MS);
  kernel.addresses.add(A);
  expect(take(all)).toBeLessThan(0);
  // And a banned node lets go of what it has.
  expect(kernel.moves.slice(-2)).toEqual([
    "updateip __none__ eth0 10.0.0.1 24",
    "releaseip __none__ 10.0.0.1 24",
  ]);
  expect((node.daemon.node?.nodes.own.flags ?? 0) & NODE_FLAGS.BANNED).not.toBe(0);
});

test("a file of public addresses that is wrong ends the start, with the line", () => {
  const { node } = scene("10.0.0.1/24 eth0\n10.0.0.300/24 eth0\n");
  expect(node.started).toMatchObject({ ok: false });
  expect(node.started?.ok === false && node.started.error).toContain("line 2");
});

test("RELOAD_PUBLIC_IPS reads the file again, and leaves things as they are when it is wrong", () => {
  const all = scene();
  const { client, files } = all;
  client.register(SRVID.REBALANCE_NODE);
  files.writeText(FILE, "nonsense\n");
  expect(client.control("RELOAD_PUBLIC_IPS", undefined)).toMatchObject({ value: { status: 1 } });
  expect(listed(client)).toEqual([`${A} -1`]);
  files.writeText(FILE, "10.0.0.2/24 eth0\n");
  expect(client.control("RELOAD_PUBLIC_IPS", undefined)).toMatchObject({ value: { status: 0 } });
  expect(listed(client)).toEqual(["10.0.0.2 -1"]);
  all.world.settle();
  expect(client.messages()).toEqual(["\0\0\0\0"]);
});

test("ADD_PUBLIC_IP and DEL_PUBLIC_IP change what is known", () => {
  const { client } = scene();
  const added = { addr: ip("10.0.0.5"), mask: 24, iface: "eth0" };
  expect(client.control("ADD_PUBLIC_IP", added).ok).toBe(true);
  expect(client.control("ADD_PUBLIC_IP", added).ok).toBe(false);
  expect(
    client.control("ADD_PUBLIC_IP", { ...added, addr: ip("10.0.0.6"), iface: "eth9" }).ok,
  ).toBe(false);
  expect(listed(client)).toEqual(["10.0.0.5 -1", `${A} -1`]);
  expect(client.control("DEL_PUBLIC_IP", { addr: ip(A), mask: 0, iface: "" }).ok).toBe(true);
  expect(client.control("DEL_PUBLIC_IP", { addr: ip(A), mask: 0, iface: "" }).ok).toBe(false);
  expect(listed(client)).toEqual(["10.0.0.5 -1"]);
});

test("SET_IFACE_LINK_STATE and GET_IFACES", () => {
  const { client } = scene();
  const set = (name: string, link_state: number, references = 0) =>
    client.control("SET_IFACE_LINK_STATE", { name, link_state, references }).ok;
  expect([set("eth0", 2), set("eth0", 0, 1), set("eth9", 0), set("eth0", 0)]).toEqual([
    false,
    false,
    false,
    true,
  ]);
  expect(client.control("GET_IFACES", undefined)).toMatchObject({
    value: { data: [{ name: "eth0", link_state: 0, references: 0 }] },
  });
  expect(available(client)).toEqual([]);
});

test("a connection that a client has told of is known to the node, until the client goes", () => {
  const all = scene();
  const { client, node, world } = all;
  take(all);
  const smbd = node.client(4001);
  const told = connection("10.9.9.9", 1000, A);
  expect(smbd.control("TCP_CLIENT", told).ok).toBe(true);
  world.settle();
  const list = () => client.control("GET_TCP_TICKLE_LIST", ip(A, 445));
  expect(list()).toMatchObject({ value: { data: { connections: [told] } } });
  smbd.stream?.close();
  world.settle();
  expect(list()).toMatchObject({ value: { data: { connections: [] } } });
  const reqid = client.sendControl("GET_TCP_TICKLE_LIST", ip("10.8.8.8"));
  world.settle();
  expect(client.reply(reqid)?.status).toBe(1);
});
