import { expect, test } from "bun:test";
import { FakeWorld } from "../../test/support/fake_world.ts";
import { silentLogger } from "../base/log.ts";
import { ok } from "../base/result.ts";
import type { CtdbClient, RequestOptions } from "../client/types.ts";
import { decodePadded } from "../wire/codec.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../wire/controls.ts";
import { BROADCAST_CONNECTED, UNKNOWN_PNN } from "../wire/packet.ts";
import { srvidMessage } from "../wire/structs/cluster.ts";
import { AddressChecks, type AddressFacts, addressProblems } from "./address_checks.ts";

const OWN = 1;
const ip = (address: string, pnn: number) => ({
  pnn,
  addr: { family: "ipv4" as const, address, port: 0, scope: 0 },
});
const link = (name: string, link_state = 1) => ({ name, link_state });

/** A node where everything is as it should be. */
const GOOD: AddressFacts = {
  pnn: OWN,
  interfacesBefore: [link("eth0")],
  interfaces: [link("eth0")],
  known: [ip("10.0.0.1", OWN), ip("10.0.0.2", 2)],
  available: [ip("10.0.0.1", OWN), ip("10.0.0.2", 2)],
  takesAddresses: true,
  local: new Set(["10.0.0.1", "192.168.0.1"]),
};

test("addressProblems() finds none where the kernel has what is ours and every address a host", () => {
  expect(addressProblems(GOOD)).toEqual([]);
  expect(addressProblems({ ...GOOD, interfacesBefore: undefined, interfaces: [] })).toEqual([]);
});

test("addressProblems() compares the interfaces with those of the look before", () => {
  const of = (interfacesBefore: AddressFacts["interfacesBefore"], interfaces = GOOD.interfaces) =>
    addressProblems({ ...GOOD, interfacesBefore, interfaces });
  expect(of(undefined)).toEqual(["Initial interface fetched"]);
  expect(of([])).toEqual(["Interface count changed from 0 to 1"]);
  expect(of([link("eth1")])).toEqual(["Interface in slot 0 changed: eth1 => eth0"]);
  expect(of([link("eth0")], [link("eth0", 0)])).toEqual(["Interface eth0 changed state: 1 => 0"]);
});

test("addressProblems() wants unassigned addresses that this node can host and takes", () => {
  const available = [ip("10.0.0.3", UNKNOWN_PNN)];
  expect(addressProblems({ ...GOOD, available })).toEqual([
    "Unassigned IP 10.0.0.3 can be served by this node",
  ]);
  expect(addressProblems({ ...GOOD, available, takesAddresses: false })).toEqual([]);
});

test("addressProblems() believes the kernel", () => {
  expect(addressProblems({ ...GOOD, local: new Set(["10.0.0.2"]) })).toEqual([
    "Assigned IP 10.0.0.1 not on an interface",
    "IP 10.0.0.2 incorrectly on an interface",
  ]);
  expect(addressProblems({ ...GOOD, local: undefined })).toEqual([]);
});

/** A ctdbd that answers with `facts`, and the times at which a takeover run was asked for. */
class Scene {
  readonly world = new FakeWorld();
  facts = GOOD;
  readonly askedAtMs: number[] = [];
  mayAsk = true;
  questions = 0;
  readonly #checks: AddressChecks;

  constructor() {
    const client = {
      pnn: OWN,
      control: async (name: string, _request: undefined, options: RequestOptions) =>
        ok({ status: 0, data: this.#answer(name, options.flags ?? 0) }),
      sendMessage: (pnn: number, _srvid: unknown, data: Uint8Array) => {
        expect(pnn).toBe(BROADCAST_CONNECTED);
        expect(decodePadded(srvidMessage, data)).toEqual(ok({ pnn: OWN, srvid: { hi: 0, lo: 0 } }));
        this.askedAtMs.push(this.world.nowMs);
      },
    };
    this.#checks = new AddressChecks({
      client: client as unknown as CtdbClient,
      clock: this.world.clock,
      log: silentLogger,
      localAddresses: () => this.facts.local,
    });
  }

  async look(): Promise<void> {
    this.#checks.look({ takesAddresses: true, timeoutMs: 1000 }, () => this.mayAsk);
    await Bun.sleep(0);
  }

  /** Looks each second. */
  async seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      await this.look();
      this.world.run(1000);
    }
  }

  #answer(name: string, flags: number): unknown {
    this.questions += 1;
    if (name === "GET_IFACES") return this.facts.interfaces;
    return flags === PUBLIC_IPS_ONLY_AVAILABLE ? this.facts.available : this.facts.known;
  }
}

test("AddressChecks asks for one run when it has begun, and again when something is wrong", async () => {
  const scene = new Scene();
  await scene.seconds(10);
  expect(scene.askedAtMs).toHaveLength(1);
  scene.facts = { ...GOOD, interfaces: [link("eth0", 0)] };
  await scene.seconds(10);
  expect(scene.askedAtMs).toHaveLength(2);
});

test("AddressChecks asks at growing intervals about what no run puts right", async () => {
  const scene = new Scene();
  await scene.seconds(1);
  scene.facts = { ...GOOD, local: new Set<string>() };
  await scene.seconds(60);
  const [, ...times] = scene.askedAtMs;
  const intervals = times.slice(1).map((atMs, i) => (atMs - (times[i] ?? 0)) / 1000);
  expect(intervals).toEqual([1, 2, 4, 8, 16, 16]);
  scene.facts = GOOD;
  await scene.seconds(2);
  scene.facts = { ...GOOD, local: new Set<string>() };
  await scene.seconds(1);
  expect(scene.askedAtMs).toHaveLength(9);
});

test("AddressChecks does not use what it was told while takeover runs are forbidden", async () => {
  const scene = new Scene();
  scene.mayAsk = false;
  await scene.seconds(3);
  expect(scene.askedAtMs).toEqual([]);
  scene.mayAsk = true;
  await scene.seconds(3);
  expect(scene.askedAtMs).toHaveLength(1);
});

test("AddressChecks asks ctdbd one thing a second on a node without public addresses", async () => {
  const scene = new Scene();
  scene.facts = { ...GOOD, known: [], available: [], interfaces: [] };
  await scene.seconds(5);
  expect([scene.questions, scene.askedAtMs]).toEqual([5, []]);
  scene.facts = GOOD;
  await scene.seconds(5);
  expect([scene.questions, scene.askedAtMs.length]).toEqual([20, 1]);
});
