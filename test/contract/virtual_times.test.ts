/** The virtual times of the tests wait for long delays as the platform does. */
import { VirtualTime } from "../database/virtual_time.ts";
import { Scheduler, SimProcess } from "../sim/scheduler.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { ManualTime } from "../support/manual_time.ts";
import { longDelaysContract } from "./platform_timers.ts";

const longMs = 2 ** 31 + 5;

const manual = new ManualTime();
longDelaysContract("ManualTime", {
  clock: manual,
  timers: manual,
  longMs,
  pass: (byMs) => manual.advance(byMs),
});

const virtual = new VirtualTime();
longDelaysContract("VirtualTime", {
  clock: virtual,
  timers: virtual,
  longMs,
  pass: (byMs) => virtual.advance(byMs),
});

const scheduler = new Scheduler();
const { clock, timers } = new SimProcess(scheduler, "p");
longDelaysContract("SimProcess", {
  clock,
  timers,
  longMs,
  pass: (byMs) => scheduler.run(scheduler.nowMs + byMs),
});

const fake = new FakeWorld();
longDelaysContract("FakeWorld", {
  clock: fake.clock,
  timers: fake.timers,
  longMs,
  pass: (byMs) => fake.run(byMs),
});
