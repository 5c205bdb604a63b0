import { expect, test } from "bun:test";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { RecordedEvents } from "../../../test/support/recorded_events.ts";
import { silentLogger } from "../../base/log.ts";
import { TracedTurns } from "../../base/trace.ts";
import {
  EVENT_CANCELLED,
  EVENT_REFUSED,
  EVENT_TIMED_OUT,
  type EventRunner,
} from "../../services/event_runner.ts";
import { Turns } from "../../transport/turns.ts";
import type { EventName } from "../../wire/events.ts";
import { NodeEvents } from "./node_events.ts";

/** A runner that only remembers what it was asked; `end()` ends the event that was begun last. */
function nodeEvents({ recovering = false, explains = true } = {}) {
  const world = new FakeWorld();
  const turns = new Turns(new TracedTurns(world.clock, () => undefined), world.timers);
  const asked: unknown[] = [];
  const journal = new RecordedEvents();
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
      if (explains) done({ script: "50.samba", result: 1, line: undefined, durationMs: 3 });
    },
    lastRun: (event, done) => {
      asked.push(["last run", event]);
      done([{ event, script: "50.samba", result: 0, durationMs: 7, endedUs: 1 }]);
    },
  };
  const events = new NodeEvents({
    runner,
    turns,
    clock: world.clock,
    log: silentLogger,
    journal,
    tunable: (name) => (name === "EventScriptTimeout" ? 9 : 0),
    recovering: () => recovering,
  });
  return { world, turns, events, asked, journal, end: (status: number) => end(status) };
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
  expect(asked).toEqual([
    ["updateip", ["eth0", "eth1", "10.0.0.1", "24"], 9000],
    ["explain", "updateip"],
    "cancelled",
  ]);
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

test("NodeEvents.run() tells which script failed, and writes it down before that", () => {
  const { events, journal, end } = nodeEvents();
  let written: readonly string[] = [];
  let script: string | undefined;
  events.run("takeip", ["eth0", "10.0.0.1", "24"], (_status, failure) => {
    written = journal.events.map(({ kind }) => kind);
    script = failure?.script;
  });
  end(1);
  expect([script, written]).toEqual(["50.samba", ["script_failed", "event_failed"]]);
  expect(journal.events).toMatchObject([
    { event: "takeip", script: "50.samba", result: 1, line: null, duration_ms: 3 },
    { event: "takeip", status: "failed with status 1" },
  ]);
});

test("NodeEvents.run() does not wait for an event daemon that does not say which script failed", () => {
  const { world, events, journal, end } = nodeEvents({ explains: false });
  const told: unknown[] = [];
  events.run("monitor", [], (status, failure) => void told.push([status, failure]));
  const cancelled = events.run("startup", [], () => void told.push("cancelled"));
  end(EVENT_TIMED_OUT);
  cancelled.cancel();
  world.run(2000);
  expect(told).toEqual([]);
  events.run("monitor", [], (status, failure) => void told.push([status, failure]));
  end(EVENT_TIMED_OUT);
  expect(told).toEqual([]);
  world.run(2000);
  expect(told).toEqual([[EVENT_TIMED_OUT, undefined]]);
  expect(journal.of("event_failed").map(({ status }) => status)).toEqual([
    "timed out",
    "timed out",
  ]);
});

test("NodeEvents writes a monitor event that goes on failing alike down once, and its end", () => {
  const { world, events, journal, end } = nodeEvents();
  const run = (status: number) => {
    events.run("monitor", [], () => undefined);
    end(status);
  };
  for (const status of [1, 1, EVENT_CANCELLED, 1, 2, 2, 0, 0]) run(status);
  const kinds = ["script_failed", "event_failed"] as const;
  expect(journal.take().map(({ kind }) => kind)).toEqual([...kinds, ...kinds, "event_recovered"]);
  run(1);
  world.run(601_000);
  run(1);
  expect(journal.take().map(({ kind }) => kind)).toEqual([...kinds, ...kinds]);
});

test("NodeEvents.scriptRuns() asks for what has run since, and remembers the rest", () => {
  const { world, events, asked, end } = nodeEvents();
  const told: string[][] = [];
  const ask = () => {
    events.scriptRuns((runs) => void told.push(runs.map(({ event }) => event)));
    world.settle();
  };
  ask();
  for (const event of ["monitor", "startup"] as const) {
    events.run(event, [], () => undefined);
    end(0);
  }
  ask();
  ask();
  expect(told).toEqual([[], ["monitor", "startup"], ["monitor", "startup"]]);
  expect(asked.filter((each) => Array.isArray(each) && each[0] === "last run")).toHaveLength(2);
});
