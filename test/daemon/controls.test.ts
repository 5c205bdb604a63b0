import { expect, test } from "bun:test";
import { TUNABLES } from "../../src/config/tunables.ts";
import { ControlDispatch } from "../../src/control/control_dispatch.ts";
import { encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { CAPABILITIES, NODE_FLAGS } from "../../src/wire/constants.ts";
import { CONTROL_NAMES, CONTROLS } from "../../src/wire/controls.ts";
import { BROADCAST_ALL, BROADCAST_CONNECTED, OPERATIONS } from "../../src/wire/packet.ts";
import { REPLY_CONTROL_AT } from "../../src/wire/packets/layouts.ts";
import { buildReplyControl } from "../../src/wire/packets/message.ts";
import { statistics } from "../../src/wire/structs/statistics.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { configuredNodes, FakeNode, startCluster } from "./fake_cluster.ts";

test("ControlRouter answers local controls and forwards others", () => {
  const { world, nodes } = startCluster(3);
  const client = nodes[0]?.client();
  expect(client?.control("GET_PNN", undefined)).toMatchObject({ value: { status: 0 } });
  expect(client?.control("GET_PID", undefined)).toMatchObject({ value: { status: 1000 } });
  const reqid = client?.sendControl("GET_PNN", undefined, { destnode: 2 }) ?? 0;
  world.settle();
  expect(client?.reply(reqid)).toMatchObject({ status: 2 });
  expect(client?.control("GET_PID", undefined, { destnode: 1 })).toMatchObject({
    value: { status: 1001 },
  });
});

test("ControlRouter answers what cannot be answered with −1", () => {
  const { nodes } = startCluster(2);
  const client = nodes[0]?.client();
  const disconnected = "ctdb_control to disconnected node";
  expect(client?.control("PING", undefined, { destnode: 5 })).toMatchObject({
    error: disconnected,
  });
  expect(client?.control("PING", undefined, { destnode: BROADCAST_ALL }).ok).toBe(false);
  expect(client?.control("GETDBPATH", 7).ok).toBe(false);
});

test("ControlRouter answers every control of the table and every other number, malformed or not", () => {
  const { world, nodes } = startCluster(1);
  const disruptive = new Set<number>([CONTROLS.SHUTDOWN.opcode]);
  const client = nodes[0]?.client();
  for (let opcode = 0; opcode < 200; opcode++) {
    if (disruptive.has(opcode)) continue;
    client?.sendRawControl(opcode, new Uint8Array(3).fill(0xff));
  }
  world.run(61_000);
  const replies = client?.received.filter(
    ({ operation }) => operation === OPERATIONS.REPLY_CONTROL,
  );
  expect(replies).toHaveLength(199);
  expect(client?.closed).toBe(false);
  expect(client?.control("PING", undefined)).toMatchObject({ value: { status: 1 } });
});

test("ControlDispatch refuses requests that are too short or too long", () => {
  const { world, nodes } = startCluster(1);
  const client = nodes[0]?.client();
  for (const name of CONTROL_NAMES) {
    const { opcode, request } = CONTROLS[name];
    if (request.minSize === 0 || name === "SHUTDOWN") continue;
    const before = client?.received.length ?? 0;
    client?.sendRawControl(opcode, new Uint8Array(request.minSize - 1));
    world.settle();
    const reply = client?.received[before];
    expect([name, reply?.i32(32)]).toEqual([name, -1]);
  }
});

test("ControlRouter times out what nobody answers, and tells the client", () => {
  const { world, nodes } = startCluster(1);
  nodes[0]?.tunables.set("ControlTimeout", 3);
  const client = nodes[0]?.client();
  const reqid = client?.sendControl("DB_ATTACH", "a.tdb") ?? 0;
  world.run(2900);
  expect(client?.reply(reqid)).toBeUndefined();
  world.run(1000);
  expect(client?.reply(reqid)).toMatchObject({ status: -1, error: "ctdb_control timed out" });
  // The late answer is dropped.
  nodes[0]?.records.deferred[0]?.({ status: 0, data: encode(u32Codec, 1) });
  world.settle();
  expect(client?.received.filter(({ reqid: id }) => id === reqid)).toHaveLength(1);
});

test("ControlRouter fails what a lost node was asked, and drops what a lost client asked", () => {
  const { world, nodes } = startCluster(2);
  const client = nodes[0]?.client();
  const other = nodes[0]?.client(4001);
  const reqid = client?.sendControl("DB_ATTACH", "a.tdb", { destnode: 1 }) ?? 0;
  other?.sendControl("DB_ATTACH", "b.tdb", { destnode: 1 });
  world.settle();
  expect(nodes[1]?.records.deferred).toHaveLength(2);
  expect(nodes[0]?.daemon.node?.controls.pendingCount).toBe(2);
  other?.stream?.close();
  world.settle();
  expect(nodes[0]?.daemon.node?.controls.pendingCount).toBe(1);
  // A packet that is shorter than it says costs it the link.
  const lying = forgedReply(1, 1);
  lying.setU32(REPLY_CONTROL_AT.DATA_LENGTH, 1000);
  nodes[1]?.daemon.node?.routing.output.send(0, lying);
  world.settle();
  expect(client?.reply(reqid)).toMatchObject({ status: -1, error: "node is disconnected" });
  expect(nodes[0]?.daemon.node?.controls.pendingCount).toBe(0);
});

test("ControlRouter takes a reply only from the node that was asked", () => {
  const { world, nodes } = startCluster(3);
  const client = nodes[0]?.client();
  const reqid = client?.sendControl("DB_ATTACH", "a.tdb", { destnode: 1 }) ?? 0;
  world.settle();
  const asked = 0x7fffffff - 200;
  for (let id = asked; id < asked + 20; id++) {
    nodes[2]?.daemon.node?.routing.output.send(0, forgedReply(id, 2));
  }
  world.settle();
  expect(client?.reply(reqid)).toBeUndefined();
  expect(nodes[0]?.daemon.node?.input.refused.node).toBe(0);
  nodes[1]?.records.deferred[0]?.({ status: 0, data: encode(u32Codec, 9) });
  world.settle();
  expect(client?.reply(reqid)).toMatchObject({ status: 0, data: encode(u32Codec, 9) });
});

function forgedReply(reqid: number, srcnode: number) {
  return buildReplyControl(
    { generation: 1, destnode: 0, srcnode, reqid },
    { status: 0, data: textBytes("forged"), error: "" },
  );
}

test("ControlRouter broadcasts controls without reply, its own node included", () => {
  const { world, nodes } = startCluster(3);
  const client = nodes[0]?.client();
  client?.sendControl("SET_DEBUG", 10, { destnode: BROADCAST_CONNECTED, flags: 1 });
  world.settle();
  expect(client?.received).toHaveLength(0);
  for (const destnode of [0, 1, 2]) {
    expect(client?.control("GET_DEBUG", undefined, { destnode })).toMatchObject({
      value: { data: 10 },
    });
  }
});

test("tunables are read and set by name, whatever the case", () => {
  const { nodes } = startCluster(1);
  const client = nodes[0]?.client();
  expect(client?.control("GET_TUNABLE", { name: "monitorinterval" })).toMatchObject({
    value: { data: 15 },
  });
  expect(client?.control("SET_TUNABLE", { name: "MonitorInterval", value: 7 }).ok).toBe(true);
  expect(client?.control("GET_TUNABLE", { name: "MonitorInterval" })).toMatchObject({
    value: { data: 7 },
  });
  expect(client?.control("SET_TUNABLE", { name: "MaxRedirectCount", value: 1 })).toMatchObject({
    value: { status: 1 },
  });
  const unknown = client?.sendControl("GET_TUNABLE", { name: "NoSuch" }) ?? 0;
  nodes[0]?.world.settle();
  expect(client?.reply(unknown)?.status).toBe(-22);
  expect(client?.control("SET_TUNABLE", { name: "NoSuch", value: 1 }).ok).toBe(false);
  const all = client?.control("GET_ALL_TUNABLES", undefined);
  expect(all).toMatchObject({ value: { data: { length: TUNABLES.length } } });
});

test("STATISTICS counts, and STATISTICS_RESET begins anew in place", () => {
  const { world, nodes } = startCluster(1);
  const client = nodes[0]?.client();
  for (let i = 0; i < 10; i++) client?.control("PING", undefined);
  const read = () => {
    const outcome = client?.control("STATISTICS", undefined);
    if (outcome?.ok !== true) throw new Error("no statistics");
    return outcome.value.data;
  };
  const before = read();
  expect(before.client.req_control).toBe(11);
  expect(before.node.reply_control).toBe(10);
  expect(before.num_clients).toBe(1);
  client?.control("STATISTICS_RESET", undefined);
  expect(read().client.req_control).toBe(1);
  world.run(3500);
  const history = client?.control("GET_STAT_HISTORY", undefined);
  if (history?.ok !== true) throw new Error("no history");
  expect(history.value.data.entries).toHaveLength(100);
  // All that was counted is in the intervals, the reset notwithstanding.
  const counted = history.value.data.entries.reduce(
    (sum, entry) => sum + entry.client.req_control,
    0,
  );
  expect(counted).toBe(13);
  expect(encode(statistics, before)).toHaveLength(488);
});

test("roles, debug level, echo, runstate and memory report", () => {
  const { nodes } = startCluster(1);
  const client = nodes[0]?.client();
  const all = CAPABILITIES.RECMASTER | CAPABILITIES.LMASTER | 0x30000;
  expect(client?.control("GET_CAPABILITIES", undefined)).toMatchObject({ value: { data: all } });
  client?.control("SET_LMASTERROLE", 0);
  client?.control("SET_RECMASTERROLE", 0);
  expect(client?.control("GET_CAPABILITIES", undefined)).toMatchObject({
    value: { data: 0x30000 },
  });
  const echo = { timeout: 500, data: textBytes("echo") };
  expect(client?.control("ECHO_DATA", echo)).toMatchObject({ value: { data: echo } });
  expect(client?.control("GET_RUNSTATE", undefined)).toMatchObject({ value: { data: 3 } });
  const memory = client?.control("DUMP_MEMORY", undefined);
  if (memory?.ok !== true) throw new Error("no report");
  const lines = new TextDecoder().decode(memory.value.data).trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    expect(line).toMatch(
      /^(\s.+\s+contains\s+\d+ bytes in\s+\d+ blocks \(ref \d+\)\s+0x[0-9a-f]+|full talloc report on .+ \(total\s+\d+ bytes in\s+\d+ blocks\))$/,
    );
  }
});

test("PROCESS_EXISTS and CHECK_PID_SRVID know clients only", () => {
  const { world, nodes } = startCluster(1);
  const client = nodes[0]?.client(4100);
  const srvid = { hi: 1, lo: 2 };
  const asked = nodes[0]?.client(4200);
  expect(client?.control("PROCESS_EXISTS", 4200).ok).toBe(true);
  expect(client?.control("PROCESS_EXISTS", 4300).ok).toBe(false);
  expect(client?.control("CHECK_PID_SRVID", { pid: 4200, srvid }).ok).toBe(false);
  asked?.register(srvid);
  expect(client?.control("CHECK_PID_SRVID", { pid: 4200, srvid }).ok).toBe(true);
  // On an inactive node the process is cut off.
  client?.control("STOP_NODE", undefined);
  expect(client?.control("PROCESS_EXISTS", 4200).ok).toBe(false);
  world.settle();
  expect(asked?.closed).toBe(true);
});

test("public address controls answer as a node without public addresses", () => {
  const { nodes } = startCluster(1);
  const client = nodes[0]?.client();
  const addr = { family: "ipv4", address: "10.1.1.1", port: 0, scope: 0 } as const;
  expect(client?.control("GET_PUBLIC_IPS", undefined)).toMatchObject({ value: { data: [] } });
  expect(client?.control("GET_IFACES", undefined)).toMatchObject({ value: { data: [] } });
  expect(client?.control("GET_PUBLIC_IP_INFO", addr).ok).toBe(false);
  expect(client?.control("TCP_CLIENT", { src: addr, dst: addr })).toMatchObject({
    value: { status: 0 },
  });
  expect(client?.control("TAKEOVER_IP", { pnn: 0, addr }).ok).toBe(true);
  expect(client?.control("TAKEOVER_IP", { pnn: 1, addr }).ok).toBe(false);
  expect(client?.control("IPREALLOCATED", undefined).ok).toBe(true);
});

test("nodes files are answered and reloaded, unless our own line changes", () => {
  const world = new FakeWorld();
  const nodes = configuredNodes(2);
  const node = new FakeNode(world, nodes, 0);
  node.start();
  world.run(1000);
  const client = node.client();
  node.nodesFile = { ok: true, value: configuredNodes(3) };
  expect(client.control("RELOAD_NODES_FILE", undefined).ok).toBe(true);
  const map = client.control("GET_NODEMAP", undefined);
  expect(map).toMatchObject({
    value: { data: [{ flags: NODE_FLAGS.UNHEALTHY }, { pnn: 1 }, { pnn: 2, flags: 3 }] },
  });
  const third = new FakeNode(world, configuredNodes(3), 2);
  third.start();
  world.run(2000);
  expect(client.control("GET_PNN", undefined, { destnode: 2 })).toMatchObject({
    value: { status: 2 },
  });
  const deleted = configuredNodes(3).map((line) =>
    line.pnn === 2 ? { ...line, address: "", deleted: true } : line,
  );
  node.nodesFile = { ok: true, value: deleted };
  expect(client.control("RELOAD_NODES_FILE", undefined).ok).toBe(true);
  expect(client.control("GET_PNN", undefined, { destnode: 2 }).ok).toBe(false);
  expect(client.control("GET_NODES_FILE", undefined)).toMatchObject({
    value: { data: [{ flags: 0 }, { flags: 0 }, { flags: NODE_FLAGS.DELETED }] },
  });
  node.nodesFile = { ok: true, value: deleted.slice(1) };
  expect(client.control("RELOAD_NODES_FILE", undefined).ok).toBe(false);
  node.nodesFile = { ok: false, error: "no such file" };
  expect(client.control("RELOAD_NODES_FILE", undefined)).toMatchObject({ error: "no such file" });
});

test("ControlDispatch takes one handler for a control", () => {
  const one = { GET_PNN: () => ({ status: 1 }) };
  expect(() => new ControlDispatch([one, { GET_PID: () => ({ status: 2 }) }])).not.toThrow();
  expect(() => new ControlDispatch([one, { GET_PNN: () => ({ status: 2 }) }])).toThrow("GET_PNN");
});
