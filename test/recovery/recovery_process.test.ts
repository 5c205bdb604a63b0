import { expect, test } from "bun:test";
import { recoveryProcess } from "../../src/cluster/recovery_process.ts";
import { FakeProcesses } from "./fake_processes.ts";

function setUpRecovery() {
  const processes = new FakeProcesses();
  const outcomes: unknown[] = [];
  const helper = recoveryProcess({
    processes,
    command: ["/bin/ctdb_recovery_helper"],
    socket: "/run/ctdbd.socket",
    environment: {},
    onLine: () => {},
  });
  const start = () =>
    helper.start(4711, (outcome) => outcomes.push(outcome.ok ? "ok" : outcome.error));
  return { processes, outcomes, start, run: start() };
}

test("recoveryProcess() starts the helper as the original does and reads its status", () => {
  const { processes, outcomes } = setUpRecovery();
  expect(processes.last.options.argv).toEqual([
    "/bin/ctdb_recovery_helper",
    "3",
    "/run/ctdbd.socket",
    "4711",
  ]);
  processes.last.status(0, 0);
  expect(outcomes).toEqual([]);
  processes.last.status(0, 0);
  processes.last.end(0);
  expect(outcomes).toEqual(["ok"]);
});

test("recoveryProcess() reports a helper that fails without a status", () => {
  const { processes, outcomes } = setUpRecovery();
  processes.last.end(1);
  expect(outcomes).toEqual(["The recovery helper failed (exit status 1)"]);
});

test("recoveryProcess() kills a cancelled helper and reports nothing", () => {
  const { processes, outcomes, run } = setUpRecovery();
  run.cancel();
  expect(processes.last.signals).toEqual(["SIGKILL"]);
  processes.last.end(undefined, "SIGKILL");
  expect(outcomes).toEqual([]);
});

test("recoveryProcess() lets a helper that succeeded write its log, and keeps none beside the next", () => {
  const { processes, outcomes, start } = setUpRecovery();
  const first = processes.last;
  first.status(0, 0, 0, 0);
  expect(outcomes).toEqual(["ok"]);
  expect(first.signals).toEqual([]);
  start();
  expect(first.signals).toEqual(["SIGKILL"]);
  const second = processes.last;
  second.status(0, 0, 0, 0);
  second.end(0);
  start();
  expect(second.signals).toEqual([]);
  expect(outcomes).toEqual(["ok", "ok"]);
});
