import { expect, test } from "bun:test";
import {
  AddressWorld,
  connection,
  HELD_PATH,
  ip,
  OWN_PNN,
} from "../../../test/failover/address_world.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import { readHeldFile } from "./held_file.ts";

const ONE = "10.0.0.1/24 eth0,eth1\n";
const A = "10.0.0.1";

test("AddressMoves.takeOver() runs takeip, tells clients, and answers when the script has ended", () => {
  const node = new AddressWorld(ONE);
  const answer = node.takeLater(A);
  expect([answer(), node.told]).toEqual([undefined, []]);
  node.settle();
  expect(answer()).toEqual({ status: 0 });
  expect(node.events).toEqual(["takeip eth0 10.0.0.1 24"]);
  expect(node.told).toEqual(["TAKE_IP 10.0.0.1"]);
  expect(node.pnnOf(A)).toBe(OWN_PNN);
  // It is there: nothing to do.
  expect(node.take(A)).toEqual({ status: 0 });
  expect(node.events).toHaveLength(1);
});

test("AddressMoves.takeOver() refuses what is for others, on its way, without interface, or not allowed", () => {
  const node = new AddressWorld(ONE);
  expect(node.take(A, 0)?.status).toBe(-1);
  // Nodes need not have the same addresses.
  expect(node.take("10.0.0.99")).toEqual({ status: 0 });
  node.reasonNotToTake = "this node is stopped or banned";
  expect(node.take(A)?.error).toContain("stopped or banned");
  node.reasonNotToTake = undefined;
  node.addresses.setLinkState("eth0", false);
  node.addresses.setLinkState("eth1", false);
  expect(node.take(A)?.status).toBe(-1);
  node.addresses.setLinkState("eth1", true);
  const first = node.takeLater(A);
  expect(node.takeLater(A)()?.status).toBe(-1);
  expect(node.releaseLater(A)()?.status).toBe(-1);
  node.settle();
  expect(first()).toEqual({ status: 0 });
  expect(node.events).toEqual(["takeip eth1 10.0.0.1 24"]);
});

test("AddressMoves.takeOver() chooses the usable interface with the fewest addresses", () => {
  const all = [1, 2, 3].map((last) => `10.0.0.${last}/24 eth0,eth1\n`).join("");
  const node = new AddressWorld(all);
  for (const last of [1, 2, 3]) node.take(`10.0.0.${last}`);
  expect(node.events.map((event) => event.split(" ")[1])).toEqual(["eth0", "eth1", "eth0"]);
  const facts = () =>
    node.addresses.interfaces().map(({ name, references }) => `${name} ${references}`);
  expect(facts()).toEqual(["eth1 1", "eth0 2"]);
  node.release("10.0.0.2");
  expect(facts()).toEqual(["eth1 0", "eth0 2"]);
  // A move between interfaces gains something: 2 and 0 become 1 and 1.
  expect(node.take("10.0.0.1")).toEqual({ status: 0 });
  expect(node.events.at(-1)).toBe("updateip eth0 eth1 10.0.0.1 24");
  expect(facts()).toEqual(["eth1 1", "eth0 1"]);
  expect(node.take("10.0.0.3")).toEqual({ status: 0 });
  expect(node.events).toHaveLength(5);
});

test("AddressMoves.takeOver() moves an address away from an interface whose link is down, and back after a failure", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.addresses.setLinkState("eth0", false);
  node.scripts = { status: 1, act: false };
  expect(node.take(A)?.status).toBe(-1);
  expect(node.addresses.info(ip(A))?.head.active_idx).toBe(0);
  node.scripts = { status: 0, act: true };
  expect(node.take(A)).toEqual({ status: 0 });
  expect(node.events.slice(1)).toEqual([
    "updateip eth0 eth1 10.0.0.1 24",
    "updateip eth0 eth1 10.0.0.1 24",
  ]);
  expect(node.addresses.info(ip(A))).toMatchObject({
    head: { active_idx: 1, ip: { pnn: OWN_PNN } },
    ifaces: [
      { name: "eth0", link_state: 0, references: 0 },
      { name: "eth1", link_state: 1, references: 1 },
    ],
  });
});

test("AddressMoves.takeOver() makes an address its own that the kernel has and nobody was known to host", () => {
  const node = new AddressWorld(ONE);
  node.kernel.get("eth1")?.add(A);
  expect(node.take(A)).toEqual({ status: 0 });
  expect(node.events).toEqual(["updateip __none__ eth0 10.0.0.1 24"]);
  expect(node.pnnOf(A)).toBe(OWN_PNN);
});

test("AddressMoves.takeOver() bans the node when an address of another node is on its interfaces", () => {
  const node = new AddressWorld(ONE);
  node.release(A, 3);
  node.kernel.get("eth1")?.add(A);
  expect(node.take(A)?.status).toBe(-1);
  expect(node.bans).toHaveLength(1);
  expect(node.events).toEqual([]);
});

test("AddressMoves.takeOver() after a failed script: it is still ours, and the next takeover runs the script again", () => {
  const node = new AddressWorld(ONE);
  node.scripts = { status: 8, act: false };
  expect(node.take(A)).toEqual({ status: -8 });
  expect([node.pnnOf(A), node.told]).toEqual([OWN_PNN, []]);
  node.scripts = { status: 0, act: true };
  expect(node.take(A)).toEqual({ status: 0 });
  expect(node.events).toHaveLength(2);
});

test("AddressMoves.release() runs releaseip where the address is, and only notes where it goes elsewhere", () => {
  const node = new AddressWorld(ONE);
  expect(node.release(A, 0)).toEqual({ status: 0 });
  expect([node.pnnOf(A), node.events]).toEqual([0, []]);
  node.release(A, UNKNOWN_PNN);
  node.take(A);
  expect(node.release(A, 2)).toEqual({ status: 0 });
  expect(node.events).toEqual(["takeip eth0 10.0.0.1 24", "releaseip eth0 10.0.0.1 24"]);
  expect(node.told).toEqual(["TAKE_IP 10.0.0.1", "RELEASE_IP 10.0.0.1"]);
  expect(node.pnnOf(A)).toBe(2);
});

test("AddressMoves.release() counts what the kernel says and not what the script does", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.scripts = { status: 0, act: false };
  expect(node.release(A, 2)?.status).toBe(-1);
  expect([node.pnnOf(A), node.told]).toEqual([OWN_PNN, ["TAKE_IP 10.0.0.1"]]);
  node.scripts = { status: 8, act: true };
  expect(node.release(A, 2)).toEqual({ status: 0 });
  expect(node.pnnOf(A)).toBe(2);
});

test("AddressMoves.release() that comes during another one is answered with it, and says where the address goes", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.addresses.moves.releaseAll("test");
  const answer = node.releaseLater(A, 2);
  node.settle();
  expect(answer()).toEqual({ status: 0 });
  expect(node.events).toHaveLength(2);
  expect(node.pnnOf(A)).toBe(2);
});

test("AddressMoves without the kernel goes by what it did itself", () => {
  const node = new AddressWorld(ONE);
  node.asksKernel = false;
  node.kernel.get("eth0")?.add(A);
  expect(node.release(A, 2)).toEqual({ status: 0 });
  expect(node.events).toEqual([]);
  node.take(A);
  node.release(A, 2);
  expect(node.events).toEqual(["takeip eth0 10.0.0.1 24", "releaseip eth0 10.0.0.1 24"]);
});

test("AddressMoves.releaseAll() releases what is here, and afterwards what was on its way here", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n10.0.0.2/24 eth0\n10.0.0.3/24 eth0\n");
  node.take("10.0.0.1");
  const answer = node.takeLater("10.0.0.2");
  let quiet = 0;
  node.addresses.moves.releaseAll("test", () => {
    quiet += 1;
  });
  expect(quiet).toBe(0);
  node.world.run(1000);
  expect([quiet, answer()]).toEqual([1, { status: 0 }]);
  expect([...(node.kernel.get("eth0") ?? [])]).toEqual([]);
  expect(node.events.slice(2).sort()).toEqual([
    "releaseip eth0 10.0.0.1 24",
    "releaseip eth0 10.0.0.2 24",
  ]);
  expect(node.pnnOf("10.0.0.2")).toBe(UNKNOWN_PNN);
});

test("AddressMoves.releaseAll() tries again as long as the node must not host what is still there", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.mustNotHost = true;
  node.scripts = { status: 0, act: false };
  node.addresses.moves.releaseAll("test");
  node.world.run(12_000);
  expect(node.events.filter((event) => event.startsWith("releaseip"))).toHaveLength(3);
  node.scripts = { status: 0, act: true };
  node.world.run(12_000);
  expect(node.events.filter((event) => event.startsWith("releaseip"))).toHaveLength(4);
});

test("AddressMoves.delete() of an address that is hosted waits for its release, and for no script that runs", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  expect(node.addresses.delete(ip(A))).toBe(true);
  expect([node.pnnOf(A), node.available()]).toEqual([OWN_PNN, []]);
  const answer = node.releaseLater(A, 2);
  expect(node.pnnOf(A)).toBe(OWN_PNN);
  node.settle();
  expect([answer()?.status, node.pnnOf(A)]).toEqual([0, undefined]);
  expect(node.addresses.interfaces()).toEqual([]);
  expect(node.addresses.delete(ip(A))).toBe(false);
});

test("AddressMoves writes what it holds before the script of a take and after that of a release", () => {
  const node = new AddressWorld(ONE);
  const held = () => readHeldFile(node.files, HELD_PATH);
  node.takeLater(A);
  expect(held()).toEqual({ ok: true, value: { pid: 77, addresses: [A] } });
  node.settle();
  node.releaseLater(A);
  expect(held()).toMatchObject({ value: { addresses: [A] } });
  node.settle();
  expect(held()).toMatchObject({ value: { addresses: [] } });
});

test("A taken address is announced three times, and the clients of its connections are woken", () => {
  const node = new AddressWorld(ONE);
  node.addresses.connections.setList({
    addr: ip(A),
    connections: [connection("10.9.9.9", 1000, A)],
  });
  node.take(A);
  node.world.run(10_000);
  const ack = "ack 10.0.0.1:445 10.9.9.9:1000 0 0 1234";
  const announce = "announce 10.0.0.1 eth0";
  expect(node.sent).toEqual([
    `10 ${announce}`,
    `10 ${ack}`,
    `1110 ${announce}`,
    `1110 ${ack}`,
    `2210 ${announce}`,
    `2210 ${ack}`,
  ]);
  // They have done what they were for.
  expect(node.addresses.connections.listOf(ip(A))).toEqual([]);
});

test("While takeip works, own clients tell of connections for the next host, the former host of some to wake", () => {
  const node = new AddressWorld(ONE);
  const { connections } = node.addresses;
  const client = (last: number) => connection(`10.0.9.${last}`, 700, A);
  connections.add(client(1), false);
  node.takeLater(A);
  connections.clientConnected(7, client(2));
  connections.add(client(2), false);
  connections.add(client(3), false);
  node.settle();
  expect(connections.listOf(ip(A))).toEqual([client(2)]);
  const woken = (last: number) => node.sent.some((line) => line.includes(`10.0.9.${last}`));
  expect([1, 2, 3].map(woken)).toEqual([true, false, true]);
});

test("All clients of many connections are woken, some in each turn", () => {
  const node = new AddressWorld(ONE);
  const connections = Array.from({ length: 1000 }, (_, port) => connection("10.9.9.9", port, A));
  node.addresses.connections.setList({ addr: ip(A), connections });
  node.take(A);
  node.world.run(10_000);
  const acks = node.sent.filter((line) => line.includes(" ack "));
  expect([acks.length, new Set(acks.map((line) => line.split(" ")[3])).size]).toEqual([3000, 1000]);
});

test("A released address is announced no more", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.release(A, 2);
  node.world.run(10_000);
  expect(node.sent).toHaveLength(1);
});

test("Without raw network nothing is announced, which is said once", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n10.0.0.2/24 eth0\n", ["eth0"], false);
  node.take("10.0.0.1");
  node.take("10.0.0.2");
  node.world.run(10_000);
  expect(node.logged.filter((line) => line.includes("no raw network"))).toHaveLength(1);
  expect(node.addresses.announce("10.0.0.1", "eth0")).toBe(false);
});

test("A requested announcement is repeated three times each second", () => {
  const node = new AddressWorld(ONE);
  expect(node.addresses.announce("10.5.5.5", "eth1")).toBe(true);
  node.world.run(10_000);
  expect(node.sent).toEqual([0, 1000, 2000].map((ms) => `${ms} announce 10.5.5.5 eth1`));
});

test("AddressMoves writes down what came here and what went, how long it took, and why it failed", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.take(A);
  node.release(A);
  node.release(A);
  node.scripts = { status: 1, act: false };
  node.take(A);
  node.reasonNotToTake = "this node is stopped or banned";
  node.take(A);
  const fields = { address: A, interface: "eth0", duration_ms: 10 };
  expect(node.journal.events).toEqual([
    { kind: "address_taken", ...fields, failure: null },
    { kind: "address_released", ...fields, failure: null },
    { kind: "address_taken", ...fields, failure: "its takeip event ended with 1" },
    { kind: "address_taken", ...fields, duration_ms: 0, failure: "this node is stopped or banned" },
  ]);
});

test("AddressMoves writes down an address that stays after its release", () => {
  const node = new AddressWorld(ONE);
  node.take(A);
  node.scripts = { status: 0, act: false };
  node.release(A);
  expect(node.journal.of("address_released")).toMatchObject([
    { failure: "it is still on this machine" },
  ]);
});

test("NodeAddresses writes down when an interface can be used, and when not", () => {
  const node = new AddressWorld(ONE);
  node.addresses.setLinkState("eth0", false);
  node.addresses.setLinkState("eth0", false);
  node.kernel.delete("eth1");
  node.addresses.interfaces();
  node.addresses.setLinkState("eth0", true);
  expect(node.journal.events).toEqual([
    { kind: "interface_link", interface: "eth0", up: false },
    { kind: "interface_link", interface: "eth1", up: false },
    { kind: "interface_link", interface: "eth0", up: true },
  ]);
});
