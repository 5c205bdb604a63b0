import { expect, test } from "bun:test";
import {
  failureOf,
  type NetworkWorld,
  networkContract,
} from "../../../test/contract/platform_network.ts";
import { longDelaysContract, timersContract } from "../../../test/contract/platform_timers.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { bytesText } from "../../base/byte_text.ts";
import { EventLoop } from "../loop/event_loop.ts";
import { LoopNetwork } from "../loop/network.ts";
import { SystemClock, SystemRandom } from "../node/clock.ts";
import { RuntimeTimers } from "../node/runtime_timers.ts";
import type { Network } from "../types/network.ts";
import { connectUnix } from "./unix_connect.ts";

const clock = new SystemClock();

timersContract("RuntimeTimers", {
  clock,
  timers: new RuntimeTimers(),
  random: new SystemRandom(),
});
longDelaysContract("RuntimeTimers, waiting in steps,", {
  clock,
  timers: new RuntimeTimers(5),
  longMs: 23,
  pass: () => {},
});

const loop = new EventLoop();

/** The loop's network, but connections to unix sockets are the runtime's. */
function mixedNetwork(limit: () => number): Network {
  const own = new LoopNetwork(loop, limit);
  return {
    listenUnix: (...given) => own.listenUnix(...given),
    listenTcp: (...given) => own.listenTcp(...given),
    connectUnix: (path, connected) =>
      connectUnix(path, connected, (...given) => own.connectUnix(...given)),
    connectTcp: (...given) => own.connectTcp(...given),
    interfaces: () => own.interfaces(),
    hasInterface: (name) => own.hasInterface(name),
  };
}

function makeWorld(): NetworkWorld {
  const directory = new TemporaryDirectory("net");
  let limit = 10_000;
  return {
    network: mixedNetwork(() => limit),
    exhaust() {
      limit = 1;
      return () => {
        limit = 10_000;
      };
    },
    path: directory.file("s"),
    addresses: ["127.104.0.1", "127.104.0.2"],
    freePort: async () => {
      const listener = Bun.listen({ hostname: "127.104.0.1", port: 0, socket: { data() {} } });
      listener.stop(true);
      return listener.port;
    },
    dispose: () => directory.remove(),
  };
}

networkContract("connectUnix() of the runtime, LoopNetwork", makeWorld);

test("connectUnix() leaves to the other way what the runtime cannot connect to", async () => {
  const asked: string[] = [];
  const otherwise: Network["connectUnix"] = (path, connected) => {
    asked.push(path);
    return new LoopNetwork(loop).connectUnix(path, connected);
  };
  const noText = bytesText(Uint8Array.of(0x2f, 0xe9));
  for (const path of ["/nowhere", noText]) {
    expect(await failureOf((connected) => connectUnix(path, connected, otherwise))).toBe("ENOENT");
  }
  expect(asked).toEqual(["/nowhere", noText]);
});

test("connectUnix() that was cancelled asks nobody", async () => {
  const connecting = connectUnix(
    "/nowhere",
    () => {
      throw new Error("told");
    },
    () => {
      throw new Error("asked");
    },
  );
  connecting.cancel();
  await new Promise((resolve) => new RuntimeTimers().after(20, () => resolve(undefined)));
});
