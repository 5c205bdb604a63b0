import { expect, test } from "bun:test";
import { FakeProcesses } from "../../test/recovery/fake_processes.ts";
import { CollectedLog } from "../../test/support/collected_log.ts";
import { FakeScripts } from "../../test/support/fake_scripts.ts";
import { FakeWorld } from "../../test/support/fake_world.ts";
import { NOTIFICATION_MS_MAX, NOTIFICATIONS_WAITING_MAX } from "./limits.ts";
import { Notifications } from "./notifications.ts";

function scene(script = "notify.sh") {
  const world = new FakeWorld();
  const processes = new FakeProcesses();
  const log = new CollectedLog(world.clock, world.timers);
  const files = new FakeScripts("/etc/ctdb", [script]);
  const host = { processes, timers: world.timers, environment: {} };
  const notifications = new Notifications(host, files, "/etc/ctdb/notify.sh", log);
  const told = () => processes.children.map(({ options: { argv } }) => argv.join(" "));
  return { world, processes, log, notifications, told };
}

test("Notifications.notify() runs the script with one word, one after the other", () => {
  const { processes, notifications, told, log } = scene();
  notifications.notify("unhealthy");
  notifications.notify("healthy");
  expect(told()).toEqual(["/etc/ctdb/notify.sh unhealthy"]);
  processes.last.options.onOutput?.(Buffer.from("mail does not work\n"));
  processes.last.end(1);
  expect(told().slice(1)).toEqual(["/etc/ctdb/notify.sh healthy"]);
  processes.last.end(0);
  expect(log.lines.join()).toContain("notification: mail does not work");
});

test("Notifications.notify() kills a script that hangs, and drops the oldest of many that wait", () => {
  const { world, processes, notifications, told, log } = scene();
  notifications.notify("init");
  for (let i = 0; i < NOTIFICATIONS_WAITING_MAX; i++) notifications.notify("unhealthy");
  notifications.notify("healthy");
  const hung = processes.last;
  world.run(NOTIFICATION_MS_MAX);
  expect(hung.signals).toEqual(["SIGKILL"]);
  hung.end(undefined, "SIGKILL");
  for (let i = 0; i < NOTIFICATIONS_WAITING_MAX; i++) processes.last.end(0);
  expect(told()).toHaveLength(1 + NOTIFICATIONS_WAITING_MAX);
  expect(told().at(-1)).toBe("/etc/ctdb/notify.sh healthy");
  expect(log.lines.join()).toContain('Notification "unhealthy" is dropped');
});

test("Notifications.notify() starts nothing where the script is missing or not executable", () => {
  for (const script of ["-notify.sh", "other.sh"]) {
    const { notifications, told } = scene(script);
    notifications.notify("startup");
    expect(told()).toEqual([]);
  }
});
