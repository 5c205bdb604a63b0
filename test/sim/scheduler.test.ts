import { expect, test } from "bun:test";
import { SystemError } from "../../src/base/errors.ts";
import type { Stream, StreamHandlers } from "../../src/platform/types/network.ts";
import { SimHost, SimNetwork } from "./network.ts";
import { SeededRandom } from "./random.ts";
import { Scheduler, SimProcess } from "./scheduler.ts";

function world() {
  const scheduler = new Scheduler();
  const kernel = new SimProcess(scheduler, "kernel");
  const network = new SimNetwork(scheduler, new SeededRandom(7), kernel, {
    delayMinMs: 1,
    delayMaxMs: 5,
    splitChance: 0.5,
  });
  return { scheduler, network };
}

/** Collects what a stream delivers. */
function collector() {
  const state = { text: "", closed: undefined as undefined | string };
  const handlers: StreamHandlers = {
    onData: (chunk) => {
      state.text += new TextDecoder().decode(chunk);
    },
    onDrain: () => {},
    onClose: (reason) => {
      state.closed = reason?.code ?? "end";
    },
  };
  return { state, handlers };
}

function connectedPair() {
  const { scheduler, network } = world();
  const hosts = [new SimHost("a", "10.0.0.1"), new SimHost("b", "10.0.0.2")] as const;
  const client = new SimProcess(scheduler, "client");
  const server = new SimProcess(scheduler, "server");
  const atServer = collector();
  const atClient = collector();
  const streams: Stream[] = [];
  network.forProcess(hosts[1], server).listenTcp("10.0.0.2", 4379, (stream) => {
    streams[1] = stream;
    return atServer.handlers;
  });
  network
    .forProcess(hosts[0], client)
    .connectTcp({ address: "10.0.0.2", port: 4379, timeoutMs: 1000 }, (outcome) => {
      if (outcome.ok) streams[0] = outcome.value;
      return atClient.handlers;
    });
  scheduler.run(100);
  return { scheduler, network, hosts, client, server, atServer, atClient, streams };
}

const text = (value: string) => new TextEncoder().encode(value);

test("Scheduler.run() runs events in the order of time, then of arrival", () => {
  const { scheduler } = world();
  const process = new SimProcess(scheduler, "p");
  const seen: string[] = [];
  process.timers.after(20, () => seen.push("late"));
  process.timers.after(10, () => {
    seen.push("first");
    process.timers.soon(() => seen.push("soon"));
    void Promise.resolve().then(() => seen.push("microtask"));
  });
  process.timers.after(10, () => seen.push("second"));
  scheduler.run(30);
  expect(seen).toEqual(["first", "microtask", "soon", "second", "late"]);
});

test("Scheduler.run() keeps the order when most of its events are cancelled, in and outside of turns", () => {
  const { scheduler } = world();
  const process = new SimProcess(scheduler, "p");
  const random = new SeededRandom(3);
  const seen: number[] = [];
  const kept: [number, number][] = [];
  const cancelled = Array.from({ length: 6000 }, (_, number) => {
    const delayMs = 1 + random.below(500);
    const timer = process.timers.after(delayMs, () => seen.push(number));
    if (number % 10 === 0) kept.push([delayMs, number]);
    return number % 10 === 0 ? undefined : timer;
  });
  for (const timer of cancelled.slice(0, 3000)) timer?.cancel();
  process.timers.after(0.5, () => {
    for (const timer of cancelled) timer?.cancel();
  });
  scheduler.run(1000);
  kept.sort(([a, first], [b, second]) => a - b || first - second);
  expect(seen).toEqual(kept.map(([, number]) => number));
});

test("SimProcess.pause() holds events back, kill() drops them", () => {
  const { scheduler } = world();
  const process = new SimProcess(scheduler, "p");
  const seen: number[] = [];
  process.timers.every(10, () => seen.push(scheduler.nowMs));
  scheduler.run(25);
  process.pause();
  scheduler.run(55);
  expect(seen).toEqual([10, 20]);
  process.resume();
  scheduler.run(80);
  expect(seen).toEqual([10, 20, 55, 65, 75]);
  process.kill();
  scheduler.run(200);
  expect(seen.length).toBe(5);
});

test("SimNetwork delivers a stream in order, however it is cut", () => {
  const { scheduler, atServer, streams } = connectedPair();
  const sent = Array.from({ length: 50 }, (_, i) => `message ${i};`);
  for (const message of sent) streams[0]?.write(text(message));
  scheduler.run(500);
  expect(atServer.state.text).toBe(sent.join(""));
});

test("SimNetwork.cut() holds bytes back until healed, one direction at a time", () => {
  const { scheduler, network, hosts, atServer, atClient, streams } = connectedPair();
  network.cut(hosts[0], hosts[1]);
  streams[0]?.write(text("to server"));
  streams[1]?.write(text("to client"));
  scheduler.run(1000);
  expect(atServer.state.text).toBe("");
  expect(atClient.state.text).toBe("to client");
  network.healAll();
  scheduler.run(5000);
  expect(atServer.state.text).toBe("to server");
});

test("SimNetwork tells the peer of a killed process", () => {
  const { scheduler, client, atServer } = connectedPair();
  client.kill();
  scheduler.run(200);
  expect(atServer.state.closed).toBe("end");
});

test("SimNetwork.reset() ends both sides with an error", () => {
  const { scheduler, network, hosts, atServer, atClient } = connectedPair();
  network.reset(hosts[0], hosts[1]);
  scheduler.run(200);
  expect([atServer.state.closed, atClient.state.closed]).toEqual(["ECONNRESET", "ECONNRESET"]);
});

test("SimNetwork refuses where nobody listens and times out across a partition", () => {
  const { scheduler, network, hosts, client } = connectedPair();
  const failures: string[] = [];
  const note = (outcome: { ok: boolean; error?: SystemError }) => {
    if (outcome.error instanceof SystemError) failures.push(outcome.error.code);
    return undefined;
  };
  const from = network.forProcess(hosts[0], client);
  from.connectTcp({ address: "10.0.0.2", port: 1, timeoutMs: 500 }, note);
  scheduler.run(300);
  network.cut(hosts[1], hosts[0]);
  from.connectTcp({ address: "10.0.0.2", port: 4379, timeoutMs: 500 }, note);
  scheduler.run(1000);
  expect(failures).toEqual(["ECONNREFUSED", "ETIMEDOUT"]);
});
