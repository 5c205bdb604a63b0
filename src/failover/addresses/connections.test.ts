import { expect, test } from "bun:test";
import { AddressWorld, connection, ip } from "../../../test/failover/address_world.ts";
import { CONNECTIONS_PER_CLIENT_MAX } from "./limits.ts";

const A = "10.0.0.1";
const CLIENT = 5;
const FROM = connection("10.9.9.9", 1000, A);

/** A node that hosts the address. */
function hosting() {
  const node = new AddressWorld("10.0.0.1/24 eth0\n10.0.0.2/24 eth0\n");
  node.take(A);
  node.told.length = 0;
  return { node, connections: node.addresses.connections };
}

test("Connections.clientConnected() tells all nodes of a connection to an address of ours", () => {
  const { node, connections } = hosting();
  expect(connections.clientConnected(CLIENT, FROM)).toEqual({ status: 0 });
  expect(node.told).toEqual(["add 10.9.9.9:1000 10.0.0.1:445"]);
  const mapped = connection("::ffff:10.9.9.9", 1001, A);
  const asIpv6 = (text: string, port: number) => ({
    family: "ipv6" as const,
    address: text,
    port,
    scope: 0,
  });
  connections.clientConnected(CLIENT, {
    src: asIpv6("::ffff:10.9.9.9", 1001),
    dst: asIpv6("::ffff:10.0.0.1", 445),
  });
  expect(node.told[1]).toBe(`add ${mapped.src.address}:1001 10.0.0.1:445`);
});

test("Connections.clientConnected() refuses an address that another node hosts, and ignores others", () => {
  const { node, connections } = hosting();
  expect(connections.clientConnected(CLIENT, connection("10.9.9.9", 1, "10.0.0.2")).status).toBe(
    -1,
  );
  expect(connections.clientConnected(CLIENT, connection("10.9.9.9", 1, "10.8.8.8")).status).toBe(0);
  expect(connections.clientConnected(0, FROM).status).toBe(-1);
  expect(node.told).toEqual([]);
  const none = new AddressWorld("");
  expect(none.addresses.connections.clientConnected(0, FROM)).toEqual({ status: 0 });
});

test("Connections.clientConnected() has a limit for each client", () => {
  const { connections } = hosting();
  for (let port = 1; port <= CONNECTIONS_PER_CLIENT_MAX; port++) {
    connections.clientConnected(CLIENT, connection("10.9.9.9", port, A));
  }
  expect(connections.clientConnected(CLIENT, connection("10.9.9.8", 1, A)).status).toBe(-1);
  expect(connections.clientConnected(CLIENT + 1, connection("10.9.9.8", 1, A)).status).toBe(0);
});

test("Connections.clientDisconnected() tells all nodes, but not when the address is on its way elsewhere", () => {
  const { node, connections } = hosting();
  connections.clientConnected(CLIENT, FROM);
  connections.clientDisconnected(CLIENT, FROM);
  connections.clientDisconnected(CLIENT, FROM);
  expect(node.told).toEqual([
    "add 10.9.9.9:1000 10.0.0.1:445",
    "remove 10.9.9.9:1000 10.0.0.1:445",
  ]);
  connections.clientConnected(CLIENT, FROM);
  connections.clientConnected(CLIENT, connection("10.9.9.9", 1001, A));
  node.told.length = 0;
  node.releaseLater(A, 2);
  expect(connections.clientDisconnected(CLIENT, FROM)).toEqual({ status: 0 });
  node.settle();
  connections.clientDisconnected(CLIENT, connection("10.9.9.9", 1001, A));
  expect(node.told).toEqual(["RELEASE_IP 10.0.0.1"]);
});

test("Connections.clientPassed() leaves the connection to another client", () => {
  const { node, connections } = hosting();
  connections.clientConnected(CLIENT, FROM);
  connections.add(FROM, false);
  connections.clientPassed(CLIENT, FROM);
  connections.clientGone(CLIENT);
  expect(connections.listOf(ip(A))).toHaveLength(1);
  expect(node.told).toEqual(["add 10.9.9.9:1000 10.0.0.1:445"]);
});

test("Connections.clientGone() removes the client's connections to what is hosted here", () => {
  const { node, connections } = hosting();
  const other = connection("10.9.9.9", 1001, A);
  for (const told of [FROM, other]) {
    connections.clientConnected(CLIENT, told);
    connections.add(told, false);
  }
  connections.clientGone(CLIENT + 1);
  expect(connections.listOf(ip(A))).toHaveLength(2);
  connections.clientGone(CLIENT);
  expect(connections.listOf(ip(A))).toHaveLength(0);
  connections.clientConnected(CLIENT, FROM);
  connections.add(FROM, false);
  node.release(A, 2);
  // The next node needs it.
  connections.clientGone(CLIENT);
  expect(connections.listOf(ip(A))).toHaveLength(1);
});

test("Connections.listOf() chooses by port, and knows public addresses only", () => {
  const { connections } = hosting();
  connections.add(connection("10.9.9.9", 1, A, 445), false);
  connections.add(connection("10.9.9.9", 2, A, 2049), false);
  expect(connections.listOf(ip(A))).toHaveLength(2);
  expect(connections.listOf(ip(A, 2049))).toEqual([connection("10.9.9.9", 2, A, 2049)]);
  expect(connections.listOf(ip("10.8.8.8"))).toBeUndefined();
  expect(connections.add(connection("10.9.9.9", 1, "10.8.8.8"), false).status).toBe(-1);
  expect(connections.remove(connection("10.9.9.9", 1, "10.8.8.8")).status).toBe(0);
});

test("Connections.setList() takes the list of the host of an address, and none for an address of ours", () => {
  const { connections } = hosting();
  expect(connections.setList({ addr: ip(A), connections: [FROM] })).toEqual({ status: 0 });
  expect(connections.listOf(ip(A))).toEqual([]);
  const other = connection("10.9.9.9", 1, "10.0.0.2");
  expect(connections.setList({ addr: ip("10.0.0.2"), connections: [other] })).toEqual({
    status: 0,
  });
  expect(connections.listOf(ip("10.0.0.2"))).toEqual([other]);
  expect(connections.setList({ addr: ip("10.0.0.2"), connections: [] })).toEqual({ status: 0 });
  expect(connections.listOf(ip("10.0.0.2"))).toEqual([]);
  expect(connections.setList({ addr: ip("10.8.8.8"), connections: [] })).toEqual({ status: 1 });
});

test("Connections.clientGone() leaves the connections to an address on its way elsewhere, and the others their lists", () => {
  const { node, connections } = hosting();
  connections.clientConnected(CLIENT, FROM);
  connections.add(FROM, false);
  node.releaseLater(A, 2);
  // The script of the release has just ended the connection.
  connections.clientGone(CLIENT);
  node.told.length = 0;
  connections.sendLists("changed");
  expect([node.told, connections.listOf(ip(A))?.length]).toEqual([[], 1]);
});

test("Connections sends the lists that changed each TickleUpdateInterval, and all when a node has started", () => {
  const { node, connections } = hosting();
  connections.start();
  node.world.run(20_000);
  expect(node.told).toEqual([]);
  connections.add(FROM, false);
  node.world.run(20_000);
  expect(node.told).toEqual([]);
  connections.add(connection("10.9.9.9", 1, A), true);
  node.world.run(60_000);
  expect(node.told).toEqual(["list 10.0.0.1 2"]);
  connections.remove(FROM);
  node.world.run(60_000);
  connections.sendLists("all");
  expect(node.told.slice(1)).toEqual(["list 10.0.0.1 1", "list 10.0.0.1 1"]);
});
