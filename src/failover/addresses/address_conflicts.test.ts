import { expect, test } from "bun:test";
import { AddressWorld, OWN_HARDWARE_ADDRESS } from "../../../test/failover/address_world.ts";

const ONE = "10.0.0.1/24 eth0,eth1\n";
const A = "10.0.0.1";
const B = "10.0.0.2";
const OTHER = "02:00:00:00:00:99";
/** The last of three announcements, and the time for answers to it. */
const LISTENS_MS = 2 * 1100 + 1000;

/** The time since the take. */
const timesOf = (lines: readonly string[]) =>
  lines.map((line) => Number(line.split(" ", 1)[0]) - 10);
const conflicts = (node: AddressWorld) =>
  node.logged.filter((line) => line.includes("Address conflict"));

/** A node that has just taken the address. */
function taken(configured = ONE, address = A): AddressWorld {
  const node = new AddressWorld(configured);
  node.take(address);
  return node;
}

test("A taken address is probed with each announcement, and listened for until a second after the last", () => {
  const node = taken();
  expect(node.arpWatches.size).toBe(1);
  node.world.run(LISTENS_MS - 11);
  expect(node.arpWatches.size).toBe(1);
  node.world.run(1);
  expect(node.arpWatches.size).toBe(0);
  node.world.run(60_000);
  expect(timesOf(node.probes)).toEqual([0, 1100, 2200]);
  expect(timesOf(node.sent)).toEqual([0, 1100, 2200]);
  expect(conflicts(node)).toEqual([]);
});

test("A conflict is said once with who it is, and adds one round of announcements", () => {
  const node = taken();
  node.arp(A, OTHER);
  node.arp(A, OTHER);
  node.world.run(3000);
  node.arp(A, "02:00:00:00:00:98");
  node.world.run(60_000);
  expect(timesOf(node.sent)).toEqual([0, 1100, 2200, 3300, 4400, 5500]);
  expect(timesOf(node.probes)).toEqual([0, 1100, 2200]);
  const [line, ...more] = conflicts(node);
  for (const word of [A, "eth0", OTHER]) expect(line).toContain(word);
  expect(more).toEqual([]);
  expect(node.bans).toEqual([]);
  expect(node.events).toEqual(["takeip eth0 10.0.0.1 24"]);
  expect(node.arpWatches.size).toBe(0);
});

test("A conflict after the last announcement begins the further round at once", () => {
  const node = taken();
  node.world.run(LISTENS_MS - 100);
  const before = node.sent.length;
  node.arp(A, OTHER);
  node.world.run(60_000);
  const more = timesOf(node.sent.slice(before));
  expect([before, more.length]).toEqual([3, 3]);
  expect(more[0]).toBeLessThan(LISTENS_MS);
});

test("What this host says itself, or somebody of another address, is no conflict", () => {
  const node = taken();
  expect(node.arp(A, OWN_HARDWARE_ADDRESS)).toBe(true);
  node.arp(B, OTHER);
  node.world.run(60_000);
  expect(conflicts(node)).toEqual([]);
  expect(node.sent).toHaveLength(3);
});

test("The next take defends the address again, and is said again after a minute", () => {
  const node = taken();
  const takeAgain = () => {
    node.release(A, 2);
    node.take(A);
    node.arp(A, OTHER);
    node.world.run(10_000);
  };
  takeAgain();
  takeAgain();
  expect([conflicts(node).length, node.sent.length]).toEqual([1, 1 + 6 + 6]);
  node.world.run(60_000);
  takeAgain();
  expect(conflicts(node)).toHaveLength(2);
});

test("Addresses on one interface share a watch, which the last of them closes", () => {
  const node = taken(`${ONE}${B}/24 eth0\n`);
  node.world.run(500);
  node.take(B);
  node.release(A, 2);
  expect([...node.arpWatches.keys()]).toEqual(["eth0"]);
  node.arp(A, OTHER);
  node.arp(B, OTHER);
  expect(conflicts(node)).toHaveLength(1);
  node.release(B, 2);
  expect(node.arpWatches.size).toBe(0);
});

test("An address that moves to another interface is listened for there", () => {
  const node = taken();
  node.addresses.setLinkState("eth0", false);
  node.take(A);
  node.world.run(1200);
  expect([...node.arpWatches.keys()]).toEqual(["eth1"]);
  node.arp(A, OTHER, "eth1");
  expect(conflicts(node)[0]).toContain("eth1");
});

test("Nothing is listened for without a take, for IPv6 addresses, and after close()", () => {
  expect(new AddressWorld(ONE).arpWatches.size).toBe(0);
  const six = taken("fd00::1/64 eth0\n", "fd00::1");
  expect([six.arpWatches.size, six.probes, six.sent.length]).toEqual([0, [], 1]);
  const node = taken();
  node.arp(A, OTHER);
  node.addresses.close();
  expect(node.arpWatches.size).toBe(0);
  node.world.run(60_000);
  expect(node.sent).toHaveLength(1);
});

test("Without sockets for packets the address is announced all the same, and one line says so", () => {
  const node = new AddressWorld(ONE);
  node.deaf = true;
  node.take(A);
  node.world.run(60_000);
  expect(timesOf(node.sent)).toEqual([0, 1100, 2200]);
  expect(node.probes).toEqual([]);
  expect(node.logged.filter((line) => line.includes("look for address conflicts"))).toHaveLength(1);
});
