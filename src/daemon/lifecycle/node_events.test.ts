import { expect, test } from "bun:test";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { TracedTurns } from "../../base/trace.ts";
import type { EventRunner } from "../../services/event_runner.ts";
import { Turns } from "../../transport/turns.ts";
import { NodeEvents } from "./node_events.ts";

test("NodeEvents.run() gives an event EventScriptTimeout and its arguments, and its end is a turn", () => {
  const world = new FakeWorld();
  const turns = new Turns(new TracedTurns(world.clock, () => undefined), world.timers);
  const asked: unknown[] = [];
  const ends: (() => void)[] = [];
  const runner: EventRunner = {
    runsScripts: true,
    run: (event, args, timeoutMs, done) => {
      asked.push([event, args, timeoutMs]);
      ends.push(() => done(7));
      return { cancel: () => void asked.push("cancelled") };
    },
  };
  const events = new NodeEvents(runner, turns, (name) => (name === "EventScriptTimeout" ? 9 : 0));
  const written: number[] = [];
  let status = 0;
  const running = events.run("updateip", ["eth0", "eth1", "10.0.0.1", "24"], (ended) => {
    status = ended;
    // Flushed at the end of the turn, and not later.
    turns.flushAtEnd({ flush: () => void written.push(ended) });
  });
  ends[0]?.();
  expect([events.runsScripts, status, written]).toEqual([true, 7, [7]]);
  running.cancel();
  expect(asked).toEqual([["updateip", ["eth0", "eth1", "10.0.0.1", "24"], 9000], "cancelled"]);
});
