import { expect, test } from "bun:test";
import { FakeEventDaemon } from "../../../test/support/fake_event_daemon.ts";
import { EVENTS_REMEMBERED_MAX, WAITING_RUNS_MAX } from "../limits.ts";

const TWO = ["00.ctdb.script", "50.samba.script"];
const [EAGAIN, ECANCELED, EINVAL, ENOEXEC, ETIMEDOUT] = [11, 125, 22, 8, 110];

test("Component runs enabled scripts in order, with the event and its arguments", () => {
  const daemon = new FakeEventDaemon([
    "50.samba.script",
    "00.ctdb.script",
    "-10.off.script",
    "README",
    "1.short.script",
    "aa.bad.script",
  ]);
  daemon.run("takeip", { args: " eth0  10.0.0.1 24" });
  expect(daemon.started).toEqual(["00.ctdb takeip eth0 10.0.0.1 24"]);
  expect(daemon.script.options.env).toEqual({ A: "b" });
  daemon.end(0, "good\n");
  daemon.end(0);
  expect(daemon.started.slice(1)).toEqual(["50.samba takeip eth0 10.0.0.1 24"]);
  expect(daemon.results).toEqual(["takeip 0"]);
  expect(daemon.status("takeip")).toEqual(["summary 0", "00.ctdb 0", "10.off -8", "50.samba 0"]);
  expect(daemon.log.lines.join()).toContain("00.ctdb: good");
});

test("Component stops at the script that fails, unless all are to run", () => {
  for (const runAll of [false, true]) {
    const daemon = new FakeEventDaemon(TWO);
    daemon.run("monitor", { runAll });
    daemon.end(3, "bad");
    if (runAll) daemon.end(0);
    expect(daemon.results).toEqual([`monitor ${ENOEXEC}`]);
    const second = runAll ? ["50.samba 0"] : [];
    expect(daemon.status("monitor")).toEqual(["summary 3", "00.ctdb 3", ...second]);
  }
});

test("Component of an orphaned event daemon starts no script any more, neither of the event that runs nor of the next", () => {
  const daemon = new FakeEventDaemon(TWO);
  daemon.run("releaseip");
  daemon.run("takeip");
  daemon.orphaned = true;
  daemon.end(0);
  daemon.run("takeip");
  daemon.world.run(60_000);
  expect([daemon.started, daemon.results]).toEqual([["00.ctdb releaseip"], []]);
});

test("Component keeps the results of scripts that a failed run did not come to, and the last good run", () => {
  const daemon = new FakeEventDaemon(TWO);
  expect(daemon.status("monitor")).toBe(EINVAL);
  daemon.run("monitor");
  daemon.end(0);
  daemon.end(0, "fine");
  daemon.world.run(1000);
  daemon.run("monitor");
  daemon.end(undefined, "", "SIGSEGV");
  expect(daemon.status("monitor")).toEqual(["summary -4", "00.ctdb -4", "50.samba 0"]);
  expect(daemon.status("monitor", true)).toEqual(["summary 0", "00.ctdb 0", "50.samba 0"]);
  expect(daemon.status("startup", true)).toBe(EINVAL);
});

test("Component cancels a monitor for any other event, and a monitor that comes meanwhile", () => {
  const daemon = new FakeEventDaemon(TWO);
  daemon.run("monitor");
  const monitor = daemon.script;
  daemon.run("startup");
  expect([daemon.results, monitor.signals]).toEqual([[`monitor ${ECANCELED}`], ["SIGKILL"]]);
  monitor.end(undefined, "SIGKILL");
  daemon.run("monitor");
  daemon.run("releaseip");
  expect(daemon.results.slice(1)).toEqual([`monitor ${ECANCELED}`]);
  expect(daemon.started).toEqual(["00.ctdb monitor", "00.ctdb startup"]);
  for (let i = 0; i < 4; i++) daemon.end(0);
  expect(daemon.results.slice(2)).toEqual(["startup 0", "releaseip 0"]);
  expect(daemon.status("monitor")).toBe(EINVAL);
});

test("Component ends a run whose time is over, and the script that hangs first asked and then killed", () => {
  const daemon = new FakeEventDaemon(TWO);
  daemon.run("startup", { timeout: 5 });
  const hung = daemon.script;
  hung.options.onOutput?.(Buffer.from("waiting"));
  daemon.world.run(4999);
  expect([daemon.results, hung.signals]).toEqual([[], []]);
  daemon.run("setup", { timeout: 5 });
  daemon.world.run(2);
  expect(daemon.results).toEqual([`startup ${ETIMEDOUT}`]);
  expect(daemon.status("startup")).toEqual([`summary ${-ETIMEDOUT}`, `00.ctdb ${-ETIMEDOUT}`]);
  // The time of the one that waited begins when it runs.
  daemon.world.run(4900);
  expect([daemon.results.length, hung.signals]).toEqual([1, ["SIGTERM"]]);
  daemon.world.run(200);
  expect(hung.signals).toEqual(["SIGTERM", "SIGKILL"]);
  hung.end(undefined, "SIGKILL");
  expect(daemon.results).toEqual([`startup ${ETIMEDOUT}`, `setup ${ETIMEDOUT}`]);
});

test("HungScripts lets the debug script look first, but not for ever, and one at a time", () => {
  for (const debugHangs of [false, true]) {
    const daemon = new FakeEventDaemon(TWO);
    daemon.debugScript = "/etc/ctdb/debug-hung-script.sh";
    daemon.run("startup", { timeout: 1 });
    const hung = daemon.script;
    daemon.world.run(1000);
    expect(daemon.started.at(-1)).toBe(`/etc/ctdb/debug-hung-script.sh ${hung.pid} startup`);
    expect(daemon.results).toEqual([`startup ${ETIMEDOUT}`]);
    const debug = daemon.script;
    daemon.run("setup", { timeout: 1 });
    const second = daemon.script;
    daemon.world.run(1000);
    expect([hung.signals, second.signals]).toEqual([[], ["SIGTERM"]]);
    second.end(undefined, "SIGTERM");
    if (debugHangs) daemon.world.run(40_000);
    else {
      debug.options.onOutput?.(Buffer.from("seen\n"));
      debug.end(0);
    }
    expect(debug.signals).toEqual(debugHangs ? ["SIGKILL"] : []);
    expect(hung.signals[0]).toBe("SIGTERM");
    expect(daemon.log.lines.join().includes("event_debug: seen")).toBe(!debugHangs);
  }
});

test("Component says what is wrong with its directory, and goes on when it is back", () => {
  const daemon = new FakeEventDaemon(TWO);
  daemon.run("setup");
  daemon.end(0);
  daemon.end(0);
  const [directory = ""] = daemon.files.directories;
  daemon.files.directories.clear();
  daemon.run("startup");
  daemon.world.settle();
  daemon.files.directories.add(directory);
  daemon.run("startup");
  daemon.end(0);
  daemon.end(0);
  expect(daemon.results).toEqual(["setup 0", "startup 2", "startup 0"]);
});

test("Component takes a script that cannot be started as one that was disabled meanwhile", () => {
  for (const [code, result] of [
    ["ENOENT", -8],
    ["EACCES", -8],
    ["E2BIG", -7],
  ] as const) {
    const daemon = new FakeEventDaemon(["00.ctdb.script"]);
    daemon.processes.failure = code;
    daemon.run("startup");
    daemon.world.settle();
    expect([code, daemon.results]).toEqual([code, [`startup ${result === -8 ? 0 : ENOEXEC}`]]);
    expect(daemon.status("startup")).toEqual([
      `summary ${result === -8 ? 0 : result}`,
      `00.ctdb ${result}`,
    ]);
  }
});

test("Component has limits: events that wait, and events whose results it keeps", () => {
  const daemon = new FakeEventDaemon(["00.ctdb.script"]);
  daemon.run("startup");
  for (let i = 0; i <= WAITING_RUNS_MAX; i++) daemon.run("takeip");
  expect(daemon.results).toEqual([`takeip ${EAGAIN}`]);
  const other = new FakeEventDaemon([]);
  for (let i = 0; i <= EVENTS_REMEMBERED_MAX; i++) {
    other.run(`event${i}`);
    other.world.settle();
  }
  expect(other.status("event0")).toBe(EINVAL);
  expect(other.status("event1")).toEqual(["summary 0"]);
});

test("EventCommands.close() leaves nothing that runs, and answers nobody any more", () => {
  const daemon = new FakeEventDaemon(TWO);
  daemon.debugScript = "/debug";
  daemon.run("startup", { timeout: 1 });
  const hung = daemon.script;
  daemon.world.run(1000);
  daemon.run("setup");
  daemon.run("shutdown");
  daemon.commands.close();
  expect(hung.signals).toEqual(["SIGKILL"]);
  expect(daemon.processes.children.map(({ signals }) => signals.at(-1))).toEqual([
    "SIGKILL",
    "SIGKILL",
    "SIGKILL",
  ]);
  for (const child of daemon.processes.children) child.end(undefined, "SIGKILL");
  daemon.world.run(100_000);
  expect(daemon.results).toEqual([`startup ${ETIMEDOUT}`]);
});

test("EventCommands refuses what is no component, and enables and disables scripts", () => {
  const daemon = new FakeEventDaemon(["00.ctdb.script", "README"]);
  daemon.files.makeLink("/usr/share/x", "/etc/ctdb/events/legacy/10.link.script");
  daemon.files.directories.add("/etc/ctdb/events/..");
  const component = (name: string | undefined) =>
    daemon.ask({ command: "status", component: name, event: "monitor" }).result;
  expect([undefined, "", "..", "absent", "../events", "legacy"].map(component)).toEqual([
    EINVAL,
    2,
    2,
    2,
    2,
    EINVAL,
  ]);
  const set = (script: string | undefined, action: "enable" | "disable") =>
    daemon.ask({ command: "script", component: "legacy", script, action }).result;
  const path = "/etc/ctdb/events/legacy/00.ctdb.script";
  expect([set("00.ctdb", "disable"), daemon.files.isExecutable(path)]).toEqual([0, false]);
  expect([set("00.ctdb.script", "enable"), daemon.files.isExecutable(path)]).toEqual([0, true]);
  const wrong = [undefined, "README", "99.none", "10.link"].map((name) => set(name, "enable"));
  expect(wrong).toEqual([EINVAL, 2, 2, EINVAL]);
});
