import { expect, test } from "bun:test";
import { takeoverProcess } from "../../src/cluster/takeover_process.ts";
import { FakeProcesses } from "../recovery/fake_processes.ts";

function setUp() {
  const processes = new FakeProcesses();
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  let level = "NOTICE";
  const helper = takeoverProcess(
    () => ({
      processes,
      command: ["/bin/ctdb_takeover_helper"],
      socket: "/run/ctdbd.socket",
      environment: { CTDB_DEBUGLEVEL: level },
      onLine: () => {},
    }),
    { error: say, warning: say, notice: say, info: say, debug: say },
  );
  const outcomes: boolean[] = [];
  const start = (rebalance: readonly number[] = []) =>
    helper.start({ connected: [0, 1], rebalance, timeoutMs: 9000 }, (outcome) =>
      outcomes.push(outcome.ok),
    );
  const setLevel = (name: string) => {
    level = name;
  };
  return { processes, outcomes, lines, start, setLevel };
}

test("takeoverProcess() starts the helper as the original does", () => {
  const { processes, start, setLevel } = setUp();
  start();
  expect(processes.last.options.argv).toEqual([
    "/bin/ctdb_takeover_helper",
    "3",
    "/run/ctdbd.socket",
  ]);
  setLevel("DEBUG");
  start([2, 0]);
  expect(processes.last.options.argv.at(-1)).toBe("2,0");
  expect(processes.last.options.env).toEqual({ CTDB_DEBUGLEVEL: "DEBUG" });
});

test("takeoverProcess() reports what the helper wrote, once, and logs why it failed", () => {
  const { processes, outcomes, lines, start } = setUp();
  start();
  processes.last.status(0, 0, 0, 0);
  processes.last.end(0);
  expect([outcomes, lines]).toEqual([[true], []]);
  start();
  processes.last.status(110, 0, 0, 0);
  processes.last.end(110);
  expect(outcomes).toEqual([true, false]);
  expect(lines).toEqual(["The takeover helper reports error 110"]);
});

test("takeoverProcess() takes an end without a status for a failure", () => {
  const { processes, outcomes, start } = setUp();
  start();
  processes.last.status(0, 0);
  processes.last.end(undefined, "SIGSEGV");
  expect(outcomes).toEqual([false]);
});

test("takeoverProcess() reports a helper that cannot be started, after the call", async () => {
  const { processes, outcomes, lines, start } = setUp();
  processes.failure = "ENOENT";
  start();
  expect(outcomes).toEqual([]);
  await Promise.resolve();
  expect(outcomes).toEqual([false]);
  expect(lines[0]).toContain("/bin/ctdb_takeover_helper");
});

test("takeoverProcess() kills a cancelled helper and reports nothing", () => {
  const { processes, outcomes, start } = setUp();
  start().cancel();
  expect(processes.last.signals).toEqual(["SIGKILL"]);
  processes.last.end(undefined, "SIGKILL");
  expect(outcomes).toEqual([]);
});
