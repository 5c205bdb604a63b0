import { expect, test } from "bun:test";
import { longDelaysContract, timersContract } from "../../../test/contract/platform_timers.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { SystemClock, SystemRandom } from "../node/clock.ts";
import type { Stream } from "../types/network.ts";
import type { Timers } from "../types/time.ts";
import { EventLoop } from "./event_loop.ts";
import { LoopNetwork } from "./network.ts";

const clock = new SystemClock();
const loop = new EventLoop();
const timers: Timers = loop;

timersContract("EventLoop", { clock, timers, random: new SystemRandom() });
longDelaysContract("EventLoop, waiting in steps,", {
  clock,
  timers: new EventLoop({ alarmMsMax: 5 }),
  longMs: 23,
  pass: () => {},
});

test("EventLoop.nextTurn() lets what was written to a socket arrive first", async () => {
  using directory = new TemporaryDirectory("turns");
  const path = directory.file("s");
  const network = new LoopNetwork(loop);
  const none = { onDrain() {}, onClose() {} };
  let arrived = 0;
  const onData = () => {
    arrived += 1;
  };
  const receiving = { onData, ...none };
  const server = network.listenUnix(path, 0o600, () => receiving);
  const stream = await new Promise<Stream>((resolve) => {
    network.connectUnix(path, (outcome) => {
      if (outcome.ok) resolve(outcome.value);
      return { onData() {}, ...none };
    });
  });
  // The server has accepted when the first byte is there.
  stream.write(new Uint8Array(1));
  while (arrived === 0) await new Promise<void>((resolve) => timers.nextTurn(resolve));
  for (let sent = 1; sent <= 20; sent++) {
    expect(arrived).toBe(sent);
    stream.write(new Uint8Array(1));
    await new Promise<void>((resolve) => timers.nextTurn(resolve));
  }
  stream.close();
  if (server.ok) server.value.close();
});
