/** What clients and nodes may not say, what is said to nobody, and answers that come once. */
import { expect, test } from "bun:test";
import { RequestIds } from "../../src/control/request_ids.ts";
import type { Stream } from "../../src/platform/types/network.ts";
import { PacketFramer } from "../../src/transport/framer.ts";
import { KEPT_OUT_LINGER_MS } from "../../src/transport/limits.ts";
import { EMPTY, textBytes } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { OPERATIONS, PacketView } from "../../src/wire/packet.ts";
import { REQ_CONTROL_AT } from "../../src/wire/packets/layouts.ts";
import {
  buildReqControl,
  buildReqMessage,
  buildReqTunnel,
} from "../../src/wire/packets/message.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { configuredNodes, FakeNode, startCluster } from "./fake_cluster.ts";

const SRVID = { hi: 0xae000000, lo: 7 };
const NOREPLY = 1;

/** Node 0 of two that is connected to a node 1 made of bare streams. */
function withBareNode() {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(2), 0);
  const arrived: PacketView[] = [];
  world.listeners.set("tcp:127.0.0.2:4379", () => {
    const framer = new PacketFramer("node");
    return {
      onData: (chunk) => {
        framer.push(chunk);
        for (let packet = framer.next(); packet; packet = framer.next())
          arrived.push(packet.copy());
      },
      onDrain() {},
      onClose() {},
    };
  });
  node.start();
  let stream: Stream | undefined;
  const state = { closed: false };
  world.settle();
  world
    .network("127.0.0.2", 1)
    .connectTcp({ address: "127.0.0.1", port: 4379, timeoutMs: 1000 }, (outcome) => {
      if (!outcome.ok) return undefined;
      stream = outcome.value;
      return {
        onData() {},
        onDrain() {},
        onClose: () => {
          state.closed = true;
        },
      };
    });
  world.run(1500);
  const send = (packet: PacketView) => {
    stream?.write(packet.bytes());
    world.settle();
  };
  return { world, node, arrived, send, state };
}

function messageTo(destnode: number, srcnode: number): PacketView {
  const data = textBytes("12345678");
  const header = { generation: 1, destnode, srcnode, reqid: 0 };
  const packet = buildReqMessage(header, { srvid: SRVID, data });
  const padded = new Uint8Array(Math.ceil(packet.length / 8) * 8);
  padded.set(packet.bytes());
  new DataView(padded.buffer).setUint32(0, padded.length, true);
  const view = new PacketView();
  view.moveTo(padded, 0, padded.length);
  return view;
}

test("PacketInput takes nothing that is for another node, or from one that does not exist", () => {
  for (const [destnode, srcnode, heard] of [
    [0, 1, ["12345678"]],
    [1, 1, []],
    [0, 7, []],
  ] as const) {
    const { world, node, send, state } = withBareNode();
    const client = node.client();
    client.register(SRVID);
    send(messageTo(destnode, srcnode));
    // It hears why before its connection ends.
    world.run(KEPT_OUT_LINGER_MS + 100);
    expect([client.messages(), state.closed]).toEqual([[...heard], heard.length === 0]);
  }
});

test("NodeLinks restarts a node that sends over the connection that is for receiving", () => {
  const world = new FakeWorld();
  const node = new FakeNode(world, configuredNodes(2), 0);
  const streams: { stream: Stream; closed: boolean }[] = [];
  world.listeners.set("tcp:127.0.0.2:4379", (stream) => {
    const entry = { stream, closed: false };
    streams.push(entry);
    return {
      onData() {},
      onDrain() {},
      onClose: () => {
        entry.closed = true;
      },
    };
  });
  node.start();
  world.run(1500);
  streams[0]?.stream.write(messageTo(0, 1).bytes());
  world.settle();
  expect(streams[0]?.closed).toBe(true);
});

test("PacketInput counts what cannot be framed, and what is no operation, as refused", () => {
  for (const [what, at] of [
    ["magic", 4],
    ["operation", 16],
  ] as const) {
    const { node, send } = withBareNode();
    const refused = () => node.daemon.node?.input.refused.node;
    const odd = messageTo(0, 1);
    odd.setU32(at, 99);
    expect([what, refused()]).toEqual([what, 0]);
    send(odd);
    expect([what, refused()]).toEqual([what, 1]);
  }
});

test("Keepalive declares a node dead that was heard once, and keeps one that only sends messages", () => {
  for (const talks of [false, true]) {
    const { world, node, send } = withBareNode();
    node.tunables.set("KeepaliveInterval", 1);
    node.tunables.set("KeepaliveLimit", 3);
    world.run(5000);
    const lostBefore = node.records.lost.length;
    send(messageTo(0, 1));
    for (let i = 0; i < 8; i++) {
      world.run(1000);
      if (talks) send(messageTo(0, 1));
    }
    expect([talks, node.records.lost.length - lostBefore]).toEqual([talks, talks ? 0 : 1]);
  }
});

test("ControlRouter stamps what it passes on with its own client id, node and generation", () => {
  const { world, node, arrived } = withBareNode();
  const client = node.client();
  const inside = [...(node.daemon.node?.routing.clients.all() ?? [])].at(-1);
  const forged = { opcode: 0, srvid: SRVID, client_id: 0x1234, flags: NOREPLY, data: EMPTY };
  client.send(buildReqControl({ generation: 77, destnode: 1, srcnode: 5, reqid: 9 }, forged));
  world.settle();
  const passed = arrived.find(
    (packet) =>
      packet.operation === OPERATIONS.REQ_CONTROL && packet.u32(REQ_CONTROL_AT.OPCODE) === 0,
  );
  expect([passed?.srcnode, passed?.u32(REQ_CONTROL_AT.CLIENT_ID)]).toEqual([0, inside?.id]);
  expect(passed?.generation).toBe(node.daemon.node?.vnnMap.generation);
});

test("MessageRouter.fromClient() stamps messages with its own node", () => {
  const { world, nodes } = startCluster(2);
  const [sender, listener] = [nodes[0]?.client(), nodes[1]?.client()];
  listener?.register(SRVID);
  const header = { generation: 77, destnode: 1, srcnode: 1, reqid: 9 };
  sender?.send(buildReqMessage(header, { srvid: SRVID, data: textBytes("forged") }));
  world.settle();
  const heard = listener?.received.at(-1);
  expect([listener?.messages(), heard?.srcnode, heard?.reqid]).toEqual([["forged"], 0, 0]);
});

test("TunnelRouter passes on nothing of a client whose node has nobody registered for the tunnel", () => {
  const { world, nodes } = startCluster(2);
  const [sender, receiver] = [nodes[0]?.client(), nodes[1]?.client()];
  receiver?.control("TUNNEL_REGISTER", undefined, { srvid: SRVID });
  const header = { generation: 0, destnode: 1, srcnode: 0, reqid: 42 };
  sender?.send(buildReqTunnel(header, { tunnel_id: SRVID, flags: 1, data: textBytes("x") }));
  world.settle();
  const tunnels = receiver?.received.filter(({ operation }) => operation === OPERATIONS.REQ_TUNNEL);
  expect(tunnels).toEqual([]);
});

test("A client that has gone leaves neither srvids nor tunnels behind", () => {
  const { world, nodes } = startCluster(1);
  const registry = nodes[0]?.daemon.node?.routing.registry;
  const before = registry?.size;
  const client = nodes[0]?.client();
  client?.register(SRVID);
  client?.control("TUNNEL_REGISTER", undefined, { srvid: SRVID });
  expect(registry?.size).toBe((before ?? 0) + 1);
  client?.stream?.close();
  world.settle();
  expect(registry?.size).toBe(before);
  const other = nodes[0]?.client();
  expect(other?.control("TUNNEL_REGISTER", undefined, { srvid: SRVID }).ok).toBe(true);
});

test("ControlRouter answers a control of another node once, and one without reply never", () => {
  const { world, nodes } = startCluster(2);
  const client = nodes[0]?.client();
  const answers = () => nodes[0]?.daemon.node?.statistics.current.node.reply_control;
  const before = answers() ?? 0;
  client?.sendControl("DB_ATTACH", "a.tdb", { destnode: 1 });
  client?.sendControl("DB_ATTACH", "a.tdb", { destnode: 1, flags: NOREPLY });
  world.settle();
  const reply = { status: 0, data: EMPTY };
  for (const later of nodes[1]?.records.deferred ?? []) {
    later(reply);
    later(reply);
  }
  world.settle();
  expect(nodes[1]?.records.deferred.length).toBe(2);
  expect(answers()).toBe(before + 1);
});

test("RequestIds.take() gives no id that is in use, and never 0", () => {
  const inUse = new Set<number>();
  const ids = new RequestIds((id) => inUse.has(id));
  const first = ids.take();
  for (let id = first + 1; id <= 0x7fffffff; id++) inUse.add(id);
  for (let id = 1; id < 10; id++) inUse.add(id);
  expect([ids.take(), ids.take()]).toEqual([10, 11]);
});

test("A node that is lost counts as unhealthy, and nobody else says what its flags are", () => {
  const { world, nodes } = startCluster(2);
  const client = nodes[0]?.client();
  const flags = () => nodes[0]?.daemon.node?.nodes.flags(1);
  const modify = (new_flags: number) => {
    const change = { pnn: 1, new_flags, old_flags: 0 };
    return client?.control("MODIFY_FLAGS", change).ok;
  };
  modify(0);
  expect(flags()).toBe(0);
  nodes[1]?.daemon.shutdown(0, "test");
  world.run(100);
  const lost = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY;
  expect(flags()).toBe(lost);
  expect([modify(NODE_FLAGS.BANNED), flags()]).toEqual([true, lost]);
});
