import { expect, test } from "bun:test";
import { VirtualTime } from "../../test/database/virtual_time.ts";
import { GROWN_BYTES, LOOK_MS, QUIET_PROCESSOR_MS, QuietCollector } from "./quiet_collector.ts";

/** `after`: what a collection, and letting go of the mapped files, leave. */
function setUp(after = { ownBytes: 10, mappedBytes: 50 }) {
  const time = new VirtualTime();
  const memory = { ownBytes: 10, mappedBytes: 50 };
  const done: string[] = [];
  let usedMs = 0;
  const collector = new QuietCollector({
    timers: time,
    processorMs: () => usedMs,
    memory: () => ({ ...memory }),
    collect: () => {
      done.push("collect");
      memory.ownBytes = after.ownBytes;
    },
    *releaseMapped() {
      for (const piece of ["release 1", "release 2"]) {
        done.push(piece);
        yield;
      }
      memory.mappedBytes = after.mappedBytes;
    },
  });
  collector.start();
  const look = (used: number) => {
    usedMs += used;
    time.advance(LOOK_MS);
    return done.splice(0);
  };
  return { time, memory, done, collector, look };
}

test("QuietCollector collects after a burst, once the process is quiet", () => {
  const { memory, look } = setUp();
  expect(look(1)).toEqual([]);
  memory.ownBytes += GROWN_BYTES;
  expect(look(5000)).toEqual([]);
  expect(look(QUIET_PROCESSOR_MS)).toEqual([]);
  expect(look(QUIET_PROCESSOR_MS - 1)).toEqual(["collect"]);
  expect(look(1)).toEqual([]);
});

test("QuietCollector lets go of mapped files in pieces", () => {
  const { time, memory, done, look } = setUp();
  memory.mappedBytes += GROWN_BYTES;
  look(5000);
  expect(done).toEqual([]);
  time.nowMs += LOOK_MS - 1;
  expect(look(1)).toEqual(["release 1", "release 2"]);
  expect(look(1)).toEqual([]);
  memory.mappedBytes += GROWN_BYTES;
  expect(look(1)).toEqual(["release 1", "release 2"]);
});

test("QuietCollector leaves alone what has grown little, and what is needed", () => {
  const { memory, look } = setUp({ ownBytes: 10 + GROWN_BYTES, mappedBytes: 50 });
  memory.ownBytes += GROWN_BYTES - 1;
  expect(look(1)).toEqual([]);
  memory.ownBytes += 1;
  expect(look(1)).toEqual(["collect"]);
  memory.ownBytes += GROWN_BYTES - 1;
  expect(look(1)).toEqual([]);
  // What went by itself meanwhile counts as garbage when it comes back.
  memory.ownBytes = 10;
  expect(look(1)).toEqual([]);
  memory.ownBytes += GROWN_BYTES;
  expect(look(1)).toEqual(["collect"]);
});

test("QuietCollector.stop() ends it", () => {
  const { memory, collector, look } = setUp();
  collector.stop();
  memory.ownBytes += GROWN_BYTES;
  expect(look(1)).toEqual([]);
});
