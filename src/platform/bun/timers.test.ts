import { expect, test } from "bun:test";
import { longDelaysContract, timersContract } from "../../../test/contract/platform_timers.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { BunClock, BunRandom } from "../node/clock.ts";
import type { Stream } from "../types/network.ts";
import { BunNetwork } from "./network.ts";
import { BunTimers } from "./timers.ts";

const clock = new BunClock();
const timers = new BunTimers();

timersContract("Bun", { clock, timers, random: new BunRandom() });
longDelaysContract("Bun, waiting in steps,", {
  clock,
  timers: new BunTimers(5),
  longMs: 23,
  pass: () => {},
});

test("BunTimers.nextTurn() lets what was written to a socket arrive first", async () => {
  using directory = new TemporaryDirectory("turns");
  const path = directory.file("s");
  const network = new BunNetwork(timers);
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
