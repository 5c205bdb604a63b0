import { expect, test } from "bun:test";
import { eventRunnerContract } from "../../test/contract/event_runner.ts";
import { EVENTS, FakeEventDaemon } from "../../test/support/fake_event_daemon.ts";
import { FakeWorld } from "../../test/support/fake_world.ts";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { RecordedEvents } from "../../test/support/recorded_events.ts";
import { silentLogger } from "../base/log.ts";
import { TracedTurns } from "../base/trace.ts";
import { Turns } from "../transport/turns.ts";
import { encodeEventRequest } from "../wire/event_protocol.ts";
import type { EventFailure, EventRunner } from "./event_runner.ts";
import { EventdEvents, type StartEventd } from "./eventd_events.ts";
import { EventServer } from "./scripts/event_server.ts";

const SOCKET = "/run/eventd.socket";
const EIO = 5;
const LIMIT_MS = 30_000;

/** A runner and the event daemon that it starts, whose scripts the test plays. */
class Scene {
  readonly world: FakeWorld;
  readonly daemon: FakeEventDaemon;
  readonly events: EventdEvents;
  readonly turns: Turns;
  readonly gone: string[] = [];
  /** What happened to the child, as a process. */
  readonly child: string[] = [];
  readonly journal = new RecordedEvents();
  handlers: Parameters<StartEventd>[0] | undefined;
  server: EventServer | undefined;
  /** Whether it says that it is ready, and whether it can be started at all. */
  starts: "ready" | "silent" | "not at all" = "ready";

  constructor(scripts: readonly string[], world = new FakeWorld()) {
    this.world = world;
    this.daemon = new FakeEventDaemon(scripts, world);
    this.turns = new Turns(new TracedTurns(world.clock, () => undefined), world.timers);
    this.events = new EventdEvents({
      start: (handlers) => this.#start(handlers),
      connector: world.network("127.0.0.1", 1),
      socket: SOCKET,
      directory: EVENTS,
      files: this.daemon.files,
      turns: this.turns,
      timers: world.timers,
      log: silentLogger,
      journal: this.journal,
      version: "1",
      gone: (reason) => void this.gone.push(reason),
    });
  }

  #start(handlers: Parameters<StartEventd>[0]): ReturnType<StartEventd> {
    this.child.push("started");
    if (this.starts === "not at all") return "there is no such program";
    this.handlers = handlers;
    const network = this.world.network("127.0.0.1", 2);
    const files = new MemoryFiles({});
    const { turns, daemon } = this;
    const options = { network, files, turns, socket: SOCKET, log: silentLogger };
    this.server = new EventServer({ ...options, commands: daemon.commands });
    this.server.start(() => {
      if (this.starts === "ready") handlers.ready();
    });
    return {
      pid: 4711,
      kill: () => void this.child.push("killed"),
      reconfigure: () => void this.child.push("reconfigured"),
    };
  }

  /** How an event ended, and when; it is begun now. */
  begin(event: "init" | "startup" | "monitor"): string[] {
    const ended: string[] = [];
    const at = this.world.nowMs;
    this.events.run(event, [], LIMIT_MS, (status) => {
      ended.push(`${status} after ${this.world.nowMs - at} ms`);
    });
    return ended;
  }
}

/** Plays scripts that succeed at once. */
function newSuccess(world: FakeWorld): EventRunner {
  const scene = new Scene(["00.ctdb.script"], world);
  const play = (): void => {
    const { children } = scene.daemon.processes;
    const last = children.at(-1);
    if (last !== undefined && !last.ended) last.end(0);
  };
  world.timers.every(10, play);
  return scene.events;
}

eventRunnerContract("EventdEvents", (_timers, world) => newSuccess(world));

test("EventdEvents starts the event daemon with the first event, and runs it and what came meanwhile", () => {
  const scene = new Scene(["00.ctdb.script"]);
  expect([scene.child, scene.events.runsScripts]).toEqual([[], true]);
  const [first, second] = [scene.begin("init"), scene.begin("startup")];
  scene.world.run(10);
  expect([scene.child, scene.daemon.started]).toEqual([["started"], ["00.ctdb init"]]);
  scene.daemon.end(0);
  scene.daemon.end(1, "no\n");
  scene.world.run(0);
  expect([first.length, second]).toEqual([1, [expect.stringMatching(/^8 /)]]);
  const failures: (EventFailure | undefined)[] = [];
  scene.events.explain("startup", (failure) => void failures.push(failure));
  scene.events.explain("init", (failure) => void failures.push(failure));
  expect(failures).toEqual([]);
  scene.world.run(0);
  expect(failures).toEqual([
    { script: "00.ctdb", result: 1, line: "no", durationMs: expect.any(Number) },
    undefined,
  ]);
});

test("EventdEvents hands on the arguments and the time of an event", () => {
  const scene = new Scene(["00.ctdb.script"]);
  let status = -1;
  scene.events.run("takeip", ["eth0", "10.0.0.1", "24"], 1500, (ended) => {
    status = ended;
  });
  scene.world.run(10);
  expect(scene.daemon.started).toEqual(["00.ctdb takeip eth0 10.0.0.1 24"]);
  scene.world.run(1980);
  expect(status).toBe(-1);
  scene.world.run(20);
  expect(status).toBe(110);
});

test("EventdEvents without an event daemon answers every event, and says so once", () => {
  const ways: readonly (readonly [string, (scene: Scene) => void])[] = [
    ["not at all", () => undefined],
    ["silent", (scene) => scene.world.run(10_000)],
    ["ready", (scene) => scene.handlers?.ended("SIGKILL")],
    ["ready", (scene) => scene.server?.close()],
  ];
  for (const [starts, end] of ways) {
    const scene = new Scene(["00.ctdb.script"]);
    scene.starts = starts as Scene["starts"];
    const [first, second] = [scene.begin("init"), scene.begin("startup")];
    scene.world.run(10);
    end(scene);
    scene.world.run(100);
    scene.handlers?.ended("again");
    expect(scene.gone).toHaveLength(1);
    const third = scene.begin("startup");
    expect(third).toEqual([]);
    scene.world.run(0);
    const statuses = [first, second, third].map((ended) => ended.map((text) => text.split(" ")[0]));
    expect(statuses).toEqual([[`${EIO}`], [`${EIO}`], [`${EIO}`]]);
    expect(scene.events.runsScripts).toBe(false);
    scene.events.explain("startup", (failure) => expect(failure).toBeUndefined());
    scene.world.run(0);
  }
});

test("EventdEvents does not wait for ever for an event daemon that does not answer", () => {
  const scene = new Scene(["00.ctdb.script"]);
  const first = scene.begin("init");
  scene.world.run(10);
  // It has asked, and from now on nothing is heard.
  scene.daemon.commands.close();
  const second = scene.begin("startup");
  scene.world.run(3 * LIMIT_MS);
  expect([first, second]).toEqual([["110 after 40000 ms"], ["110 after 70000 ms"]]);
  expect(scene.gone).toEqual([]);
});

test("EventdEvents.stop() ends the event daemon, and nobody is told of anything any more", () => {
  const scene = new Scene(["00.ctdb.script"]);
  const first = scene.begin("init");
  scene.world.run(10);
  scene.events.stop();
  scene.handlers?.ended("SIGTERM");
  scene.world.run(100_000);
  expect([scene.child, scene.gone, first]).toEqual([["started", "killed"], [], []]);
});

test("EventdEvents.reconfigure() reaches the event daemon that runs, and no other", () => {
  const scene = new Scene(["00.ctdb.script"]);
  scene.events.reconfigure();
  scene.begin("init");
  scene.events.reconfigure();
  expect(scene.child).toEqual(["started"]);
  scene.world.run(10);
  scene.events.reconfigure();
  expect(scene.child).toEqual(["started", "reconfigured"]);
});

test("EventdEvents.runsScripts is false where no script is enabled", () => {
  expect(new Scene([]).events.runsScripts).toBe(false);
  expect(new Scene(["-00.ctdb.script", "README"]).events.runsScripts).toBe(false);
});

test("EventServer ends the connection of who sends no request, and serves the others", () => {
  const scene = new Scene(["00.ctdb.script"]);
  const ended = scene.begin("init");
  scene.world.run(10);
  const good = encodeEventRequest(7, { command: "status", component: "legacy", event: "init" });
  const wrongCommand = good.slice();
  wrongCommand[12] = 9;
  const tooLong = good.slice();
  tooLong.set([0xff, 0xff, 0xff, 0x7f]);
  const closed: number[] = [];
  for (const bytes of [wrongCommand, tooLong, good.slice(0, 10)]) {
    scene.world.network("127.0.0.1", 3).connectUnix(SOCKET, (outcome) => {
      if (!outcome.ok) throw outcome.error;
      outcome.value.write(bytes);
      const onClose = () => void closed.push(bytes.length);
      return { onData: () => void closed.push(-1), onDrain() {}, onClose };
    });
    scene.world.run(10);
  }
  expect(closed).toEqual([wrongCommand.length, tooLong.length]);
  scene.daemon.end(0);
  scene.world.run(0);
  expect(ended).toHaveLength(1);
});

test("EventdEvents writes down when the event daemon starts, and how it ends", () => {
  const scene = new Scene(["00.ctdb.script"]);
  scene.begin("init");
  scene.world.run(10);
  scene.handlers?.ended("SIGKILL");
  const process = { process: "eventd" as const, pid: 4711 };
  expect(scene.journal.take()).toEqual([
    { kind: "process_started", ...process, version: "1" },
    { kind: "process_ended", ...process, how: "the event daemon ended (SIGKILL)" },
  ]);
  const other = new Scene(["00.ctdb.script"]);
  other.begin("init");
  other.world.run(10);
  other.events.stop();
  expect(other.journal.take().at(-1)).toMatchObject({ how: "it was ended: ctdbd ends" });
});
