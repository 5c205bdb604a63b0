import { expect, test } from "bun:test";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { silentLogger } from "../../base/log.ts";
import { TracedTurns } from "../../base/trace.ts";
import { EVENT_REFUSED, EVENT_TIMED_OUT, type EventRunner } from "../../services/event_runner.ts";
import { Turns } from "../../transport/turns.ts";
import type { EventName } from "../../wire/events.ts";
import { NodeEvents } from "./node_events.ts";

/** A runner that only remembers what it was asked; `end()` ends the event that was begun last. */
function nodeEvents({ recovering = false } = {}) {
  const world = new FakeWorld();
  const turns = new Turns(new TracedTurns(world.clock, () => undefined), world.timers);
  const asked: unknown[] = [];
  let end: (status: number) => void = () => undefined;
  const runner: EventRunner = {
    runsScripts: true,
    run: (event, args, timeoutMs, done) => {
      asked.push([event, args, timeoutMs]);
      end = done;
      return { cancel: () => void asked.push("cancelled") };
    },
    explain: (event, done) => {
      asked.push(["explain", event]);
      done({ script: "50.samba", result: 1, line: undefined, durationMs: 3 });
    },
  };
  const events = new NodeEvents({
    runner,
    turns,
    log: silentLogger,
    tunable: (name) => (name === "EventScriptTimeout" ? 9 : 0),
    recovering: () => recovering,
  });
  return { world, turns, events, asked, end: (status: number) => end(status) };
}

test("NodeEvents.run() gives an event EventScriptTimeout and its arguments, and its end is a turn", () => {
  const { turns, events, asked, end } = nodeEvents();
  const written: number[] = [];
  let status = 0;
  const running = events.run("updateip", ["eth0", "eth1", "10.0.0.1", "24"], (ended) => {
    status = ended;
    // Flushed at the end of the turn, and not later.
    turns.flushAtEnd({ flush: () => void written.push(ended) });
  });
  end(7);
  expect([events.runsScripts, status, written]).toEqual([true, 7, [7]]);
  running.cancel();
  expect(asked).toEqual([["updateip", ["eth0", "eth1", "10.0.0.1", "24"], 9000], "cancelled"]);
});

test("NodeEvents.run() takes a hung script for success where addresses and recoveries would wait", () => {
  const judged = new Map<EventName, number>();
  for (const event of ["startrecovery", "recovered", "ipreallocated", "monitor"] as const) {
    const { events, end } = nodeEvents();
    events.run(event, [], (status) => void judged.set(event, status));
    end(EVENT_TIMED_OUT);
  }
  expect(Object.fromEntries(judged)).toEqual({
    startrecovery: 0,
    recovered: 0,
    ipreallocated: EVENT_TIMED_OUT,
    monitor: EVENT_TIMED_OUT,
  });
});

test("NodeEvents.run() refuses in a recovery what may not run in one, and not inside the call", () => {
  const { world, events, asked } = nodeEvents({ recovering: true });
  const ended: unknown[] = [];
  events.run("takeip", ["eth0", "10.0.0.1", "24"], (status) => void ended.push(status));
  events.run("recovered", [], () => void ended.push("cancelled one")).cancel();
  expect(ended).toEqual([]);
  world.settle();
  expect(ended).toEqual([EVENT_REFUSED]);
  events.run("releaseip", ["eth0", "10.0.0.1", "24"], () => undefined);
  expect(asked).toEqual([["releaseip", ["eth0", "10.0.0.1", "24"], 9000]]);
});

test("NodeEvents.explain() asks the runner", () => {
  const { events, asked } = nodeEvents();
  let script = "";
  events.explain("monitor", (failure) => {
    script = failure?.script ?? "";
  });
  expect([script, asked]).toEqual(["50.samba", [["explain", "monitor"]]]);
});
