/** Worlds for test/contract/node_transport.ts: one in memory on virtual time, and this machine's loopback. */
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { LoopNetwork } from "../../src/platform/loop/network.ts";
import { SystemClock } from "../../src/platform/node/clock.ts";
import type { Network, StreamServer } from "../../src/platform/types/network.ts";
import type { Clock, Timers } from "../../src/platform/types/time.ts";
import type { NodeAddress, NodeTransport } from "../../src/transport/node_transport.ts";
import type { TransportWorld } from "../contract/node_transport.ts";
import { FakeWorld } from "./fake_world.ts";
import { until, when } from "./until.ts";

/** A transport of the node at an address. */
export type MakeTransport = (
  address: string,
  surroundings: { network: Network; clock: Clock; timers: Timers },
) => NodeTransport;

const STEP_MS = 10;
const STEPS_MAX = 6000;
const TIMEOUT_MS = 30_000;

export function nodesIn(prefix: string): TransportWorld["nodes"] {
  const node = (pnn: number): NodeAddress => ({ pnn, address: `${prefix}.${pnn + 1}` });
  return [node(0), node(1), node(2)];
}

/** Chunks are cut small. */
export function memoryWorld(make: MakeTransport): TransportWorld {
  const world = new FakeWorld();
  world.chunkBytes = 1009;
  world.streamBytesMax = 100_000;
  const { clock, timers } = world;
  return {
    nodes: nodesIn("127.0.0"),
    ...{ clock, timers },
    transport: (address) => make(address, { network: world.network(address, 1), clock, timers }),
    until: (what, isSo) => {
      for (let steps = 0; !isSo(); steps++) {
        if (steps > STEPS_MAX) throw new Error(`waited in vain until ${what}`);
        world.run(STEP_MS);
      }
      return Promise.resolve();
    },
    pass: (ms) => Promise.resolve(world.run(ms)),
    end() {},
  };
}

const loop = new EventLoop();
const clock = new SystemClock();

/** `prefix`: of addresses that no other test has. */
export function loopbackWorld(prefix: string, make: MakeTransport): TransportWorld {
  const own = new LoopNetwork(loop);
  const servers: StreamServer[] = [];
  const network: Network = {
    listenUnix: (...given) => own.listenUnix(...given),
    listenTcp: (...given) => {
      const server = own.listenTcp(...given);
      if (server.ok) servers.push(server.value);
      return server;
    },
    connectUnix: (...given) => own.connectUnix(...given),
    connectTcp: (...given) => own.connectTcp(...given),
    interfaces: () => own.interfaces(),
    hasInterface: (name) => own.hasInterface(name),
  };
  return {
    nodes: nodesIn(prefix),
    ...{ clock, timers: loop },
    transport: (address) => make(address, { network, clock, timers: loop }),
    until: async (what, isSo) => void (await until(what, TIMEOUT_MS, () => when(isSo()))),
    pass: (ms) => new Promise((resolve) => void loop.after(ms, () => resolve())),
    end: () => {
      for (const server of servers) server.close();
    },
  };
}
