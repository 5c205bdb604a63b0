import { expect, test } from "bun:test";
import { AddressWorld, ip, OWN_PNN } from "../../../test/failover/address_world.ts";
import { parsePublicAddresses } from "../../config/public_addresses.ts";

function configured(text: string) {
  const parsed = parsePublicAddresses(text, "public_addresses");
  if (!parsed.ok) throw new Error("not a file of public addresses");
  return parsed.value;
}

test("NodeAddresses.publicIps() of what can be hosted: node, links and interfaces decide", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n10.0.0.2/24 eth0,eth1\n10.0.0.3/24 eth7\n");
  expect(node.addresses.publicIps(false).map(({ addr }) => addr.address)).toEqual([
    "10.0.0.3",
    "10.0.0.2",
    "10.0.0.1",
  ]);
  expect(node.available()).toEqual(["10.0.0.2", "10.0.0.1"]);
  node.addresses.setLinkState("eth0", false);
  expect(node.available()).toEqual(["10.0.0.2"]);
  node.mayHost = false;
  expect(node.available()).toEqual([]);
});

test("NodeAddresses: an interface that does not exist is no error, and counts when it comes", () => {
  const node = new AddressWorld("10.0.0.3/24 eth7\n");
  expect(node.addresses.interfaces()).toEqual([{ name: "eth7", link_state: 0, references: 0 }]);
  expect(node.logged).toHaveLength(1);
  node.kernel.set("eth7", new Set());
  expect(node.available()).toEqual(["10.0.0.3"]);
  node.kernel.delete("eth7");
  expect(node.available()).toEqual([]);
});

test("NodeAddresses.setLinkState() knows the interfaces of public addresses only", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n");
  expect(node.addresses.setLinkState("eth1", true)).toBe(false);
  expect(node.addresses.setLinkState("eth0", true)).toBe(true);
  expect(node.logged).toEqual([]);
  expect(node.addresses.setLinkState("eth0", false)).toBe(true);
  expect(node.logged).toHaveLength(1);
});

test("NodeAddresses.add() wants a new address and interfaces that exist", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n");
  expect(node.addresses.add(ip("10.0.0.1"), 24, "eth0").ok).toBe(false);
  expect(node.addresses.add(ip("10.0.0.2"), 24, "eth0,eth9").ok).toBe(false);
  expect(node.addresses.add(ip("10.0.0.2"), 24, "").ok).toBe(false);
  expect(node.addresses.add(ip("fc00::2"), 64, "eth0,eth1").ok).toBe(true);
  expect(node.take("fc00::2")).toEqual({ status: 0 });
  expect(node.events).toEqual(["takeip eth0 fc00::2 64"]);
});

test("NodeAddresses.reload() adds what is new and deletes what is gone, what is hosted with its release", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n10.0.0.2/24 eth0\n");
  node.take("10.0.0.1");
  const file = configured("10.0.0.3/24 eth1\n10.0.0.4/24 eth1\n");
  expect(node.addresses.reload(file)).toEqual({ ok: true, value: 2 });
  const known = () => node.addresses.publicIps(false).map(({ addr }) => addr.address);
  expect(known()).toEqual(["10.0.0.4", "10.0.0.3", "10.0.0.1"]);
  expect(node.addresses.reload(file)).toEqual({ ok: true, value: 0 });
  node.release("10.0.0.1", 0);
  expect(known()).toEqual(["10.0.0.4", "10.0.0.3"]);
});

test("NodeAddresses.reload() keeps an address that is in the file again before it was released", () => {
  const node = new AddressWorld("10.0.0.1/24 eth0\n");
  node.take("10.0.0.1");
  node.addresses.delete(ip("10.0.0.1"));
  node.addresses.reload(configured("10.0.0.1/24 eth0\n"));
  expect([node.available(), node.pnnOf("10.0.0.1")]).toEqual([["10.0.0.1"], OWN_PNN]);
});
