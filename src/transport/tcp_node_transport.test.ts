import { expect, test } from "bun:test";
import { nodeTransportContract } from "../../test/contract/node_transport.ts";
import { FakeWorld } from "../../test/support/fake_world.ts";
import {
  loopbackWorld,
  type MakeTransport,
  memoryWorld,
} from "../../test/support/transport_worlds.ts";
import { CTDB_PORT } from "../wire/constants.ts";
import type { IncomingStream } from "./node_transport.ts";
import { TcpNodeTransport } from "./tcp_node_transport.ts";

const NOTHING = { onData() {}, onDrain() {}, onClose() {} };

const plain: MakeTransport = (_address, { network }) => new TcpNodeTransport(network);

nodeTransportContract("TcpNodeTransport in memory", () => memoryWorld(plain));
nodeTransportContract("TcpNodeTransport", () => loopbackWorld("127.104.31", plain));

test("TcpNodeTransport takes an IPv4 address in IPv6 form for what it is", () => {
  const world = new FakeWorld();
  const incoming: IncomingStream[] = [];
  const accept = (stream: IncomingStream) => {
    incoming.push(stream);
    return NOTHING;
  };
  new TcpNodeTransport(world.network("127.0.0.1", 1)).listen("127.0.0.1", accept, {
    paused() {},
    resumed() {},
  });
  const to = { address: "127.0.0.1", port: CTDB_PORT, timeoutMs: 1000 };
  for (const from of ["::ffff:127.0.0.2", "fd00::2"]) {
    world.network(from, 1).connectTcp(to, () => NOTHING);
  }
  world.settle();
  const address = "127.0.0.2";
  expect(incoming.map((stream) => stream.isOf({ pnn: 1, address }))).toEqual([true, false]);
});
