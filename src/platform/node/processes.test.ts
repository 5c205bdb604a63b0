import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { until, when } from "../../../test/support/until.ts";
import { EventLoop } from "../loop/event_loop.ts";
import type { ChildProcess, SpawnOptions } from "../types/processes.ts";
import { LINE_BYTES_MAX } from "./line_cutter.ts";
import { SystemProcesses } from "./processes.ts";

const processes = new SystemProcesses(new EventLoop());

const WAIT_MS = 10_000;

type Exit = { readonly code: number | undefined; readonly signal: string | undefined };

interface Ran {
  readonly child: ChildProcess;
  readonly lines: string[];
  status: string;
  readonly exit: Promise<Exit>;
  /** Resolves when a line arrived that contains the text. */
  line(text: string): Promise<string>;
}

function run(script: string, more: Partial<SpawnOptions> = {}): Ran {
  const lines: string[] = [];
  let wake: () => void = () => {};
  let exited: (exit: Exit) => void = () => {};
  const exit = new Promise<Exit>((resolve) => {
    exited = resolve;
  });
  const ran: Omit<Ran, "child"> = {
    lines,
    status: "",
    exit,
    async line(text) {
      for (;;) {
        const found = lines.find((line) => line.includes(text));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
  const outcome = processes.spawn({
    argv: ["/bin/sh", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
    onOutputLine(line, from) {
      lines.push(`${from}: ${line}`);
      wake();
    },
    onStatusPipe(chunk) {
      ran.status += new TextDecoder().decode(chunk);
    },
    onExit: (result) => exited(result),
    ...more,
  });
  if (!outcome.ok) throw outcome.error;
  return Object.assign(ran, { child: outcome.value });
}

test("Processes.spawn() tells lines of both pipes, the status pipe and then the exit", async () => {
  const ran = run("echo one; echo two >&2; printf three; printf 'S\\0T' >&3; exit 7");
  expect(await ran.exit).toEqual({ code: 7, signal: undefined });
  expect(ran.lines.toSorted()).toEqual(["stderr: two", "stdout: one", "stdout: three"]);
  expect(ran.status).toBe("S\0T");
});

test("Processes.spawn() gives real pipes and a group of its own", async () => {
  const ran = run("echo ok >/dev/stderr; ps -o pgid= -p $$");
  expect(await ran.exit).toEqual({ code: 0, signal: undefined });
  expect(ran.lines).toContain("stderr: ok");
  expect(ran.lines.some((line) => line.trim().endsWith(` ${ran.child.pid}`))).toBe(true);
});

test("Processes.spawn() gives the child no other descriptor of ours", async () => {
  const ran = run("exec ls /proc/self/fd");
  expect(await ran.exit).toEqual({ code: 0, signal: undefined });
  // Input, both outputs, the status pipe, and the directory that ls reads.
  expect(ran.lines).toEqual(["0", "1", "2", "3", "4"].map((name) => `stdout: ${name}`));
});

test("Processes.spawn() drops BUN_BE_BUN and BUN_OPTIONS and passes only the given environment", async () => {
  const ran = run("env", {
    env: { PATH: "/usr/bin:/bin", BUN_BE_BUN: "1", BUN_OPTIONS: "-h", A: "b" },
  });
  await ran.exit;
  const names = ran.lines.map((line) => line.replace(/^stdout: /, "").split("=")[0]);
  expect(names.filter((name) => !["PWD", "_", "SHLVL"].includes(name ?? "")).toSorted()).toEqual([
    "A",
    "PATH",
  ]);
});

test("ChildProcess.kill() reaches the whole group and onExit tells the signal", async () => {
  const ran = run("sleep 600 & echo $!; wait");
  const grandchild = Number((await ran.line("stdout: ")).slice("stdout: ".length));
  expect(processes.isAlive(grandchild)).toBe(true);
  ran.child.kill("SIGKILL");
  expect(await ran.exit).toEqual({ code: undefined, signal: "SIGKILL" });
  // The end of the pipe was waited for, so the grandchild has let go of it too.
  await until("the grandchild has ended", WAIT_MS, () =>
    when(!processes.isAlive(grandchild) || isZombie(grandchild)),
  );
  expect(() => ran.child.kill("SIGTERM")).not.toThrow();
});

function isZombie(pid: number): boolean {
  try {
    return Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
      .stdout.toString()
      .startsWith("Z");
  } catch {
    return true;
  }
}

test("Processes.spawn() tells the exit although a grandchild keeps the pipes open", async () => {
  const ran = run("(sleep 600) & echo $!; exit 3");
  expect(await ran.exit).toEqual({ code: 3, signal: undefined });
  const grandchild = Number(ran.lines[0]?.slice("stdout: ".length));
  expect(processes.isAlive(grandchild)).toBe(true);
  process.kill(grandchild, "SIGKILL");
});

test("Processes.spawn() cuts long lines and drains endless output without keeping it", async () => {
  const ran = run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end");
  expect(await ran.exit).toEqual({ code: 0, signal: undefined });
  expect(ran.lines.length).toBe(2);
  expect(ran.lines[0]?.length).toBeLessThan(LINE_BYTES_MAX + 30);
  expect(ran.lines[1]).toBe("stdout: end");
});

test("Processes.spawn() keepStdinOpen holds a pipe to the child; otherwise it reads nothing", async () => {
  const open = run("echo started; read line; echo over", { keepStdinOpen: true });
  await open.line("started");
  const closed = run("read line; echo over");
  expect(await closed.exit).toEqual({ code: 0, signal: undefined });
  expect(open.lines).toEqual(["stdout: started"]);
  open.child.kill("SIGTERM");
  expect(await open.exit).toEqual({ code: undefined, signal: "SIGTERM" });
});

test("Processes.spawn() onStdout gives raw bytes and onStdoutEnd the end", async () => {
  const chunks: number[] = [];
  let ended = false;
  const ran = run("printf '0\\n1'", {
    onStdout: (chunk) => chunks.push(...chunk),
    onStdoutEnd: () => {
      ended = true;
    },
  });
  await ran.exit;
  expect(chunks).toEqual([0x30, 0x0a, 0x31]);
  expect(ended).toBe(true);
});

test("Processes.spawn() of what is missing or not executable is an error and leaks nothing", () => {
  const before = readdirSync("/proc/self/fd").length;
  const rounds = 50;
  for (let i = 0; i < rounds; i++) {
    for (const [path, code] of [
      ["/nonexistent/helper", "ENOENT"],
      ["/etc/passwd", "EACCES"],
    ] as const) {
      const outcome = processes.spawn({ argv: [path], env: {}, onExit() {} });
      expect(outcome.ok ? "started" : outcome.error.code).toBe(code);
      expect(outcome.ok ? "" : outcome.error.path).toBe(path);
    }
  }
  // The runtime's threads close copies of earlier tests meanwhile: not exact.
  expect(readdirSync("/proc/self/fd").length).toBeLessThan(before + rounds);
});

test("Processes.spawn() leaves no descriptor behind", async () => {
  await run("echo warm").exit;
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 10; i++) await run("echo x; echo y >&3").exit;
  // The runtime closes its own copies on another thread.
  await until("its copies are closed", WAIT_MS, () =>
    when(readdirSync("/proc/self/fd").length <= before),
  );
});

test("Processes.isAlive() knows itself, and refuses groups", () => {
  expect(processes.isAlive(process.pid)).toBe(true);
  expect(processes.isAlive(0)).toBe(false);
  expect(processes.isAlive(-1)).toBe(false);
  expect(processes.isAlive(2 ** 30)).toBe(false);
});

test("Processes.nameOf() is the name of the program", async () => {
  const ran = run("exec sleep 600");
  await until("the program runs", WAIT_MS, () => when(processes.nameOf(ran.child.pid) === "sleep"));
  ran.child.kill("SIGKILL");
  await ran.exit;
  expect(processes.nameOf(2 ** 30)).toBe(undefined);
});

test("Processes.reopenLogs() reaches children that log and handle SIGHUP, and ends nobody", async () => {
  const answering = "trap 'echo reopened' HUP; echo ready; while :; do read -r x; done";
  const logging = run(answering, { reopensLog: true, keepStdinOpen: true });
  const starting = run("echo ready; exec sleep 60", { reopensLog: true });
  const foreign = run(answering, { keepStdinOpen: true });
  const all = [logging, starting, foreign];
  for (const ran of all) await ran.line("ready");
  processes.reopenLogs();
  await logging.line("reopened");
  // Signals are handled in their order: had one come before this, it would show.
  foreign.child.kill("SIGTERM");
  starting.child.kill("SIGTERM");
  logging.child.kill("SIGKILL");
  expect((await foreign.exit).signal).toBe("SIGTERM");
  expect((await starting.exit).signal).toBe("SIGTERM");
  await logging.exit;
  expect(foreign.lines).toEqual(["stdout: ready"]);
  processes.reopenLogs();
});

test("Processes.spawn() gives both outputs in their order in one pipe, and waits for no grandchild", async () => {
  let output = "";
  const onOutput = (chunk: Uint8Array): void => {
    output += new TextDecoder().decode(chunk);
  };
  const script = "(exec sleep 600) 3>&- & for i in 1 2 3; do echo $i; echo e$i >&2; done; exit 3";
  const before = readdirSync("/proc/self/fd").length;
  const beginMs = performance.now();
  const ran = run(script, { onOutput, endsGroup: true });
  expect(await ran.exit).toEqual({ code: 3, signal: undefined });
  expect([output, ran.lines]).toEqual(["1\ne1\n2\ne2\n3\ne3\n", []]);
  // Without the time that others are given for what may still come.
  expect(performance.now() - beginMs).toBeLessThan(WAIT_MS);
  await until("its pipe is closed", WAIT_MS, () =>
    when(readdirSync("/proc/self/fd").length <= before),
  );
  // The end of the script was its own: what it left stays.
  const left = groupOf(ran.child.pid);
  expect(left).toHaveLength(1);
  for (const pid of left) process.kill(pid, "SIGKILL");
});

test("ChildProcess.kill() with endsGroup leaves nobody who ignores the signal", async () => {
  const script = "trap 'exit 5' TERM; (trap '' TERM; echo ready; exec sleep 600) & wait";
  for (const endsGroup of [true, false]) {
    const ran = run(script, { endsGroup });
    await ran.line("ready");
    expect(groupOf(ran.child.pid)).toHaveLength(2);
    ran.child.kill("SIGTERM");
    expect(await ran.exit).toEqual({ code: 5, signal: undefined });
    if (!endsGroup) {
      for (const pid of groupOf(ran.child.pid)) process.kill(pid, "SIGKILL");
    }
    await until("nobody is left", WAIT_MS, () => when(groupOf(ran.child.pid).length === 0));
  }
});

/** Living processes of the group. */
function groupOf(leader: number): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-eo", "pid=,pgid=,stat="]);
  return new TextDecoder()
    .decode(stdout)
    .split("\n")
    .map((line) => line.trim().split(/ +/))
    .filter(([, group, state]) => group === String(leader) && state?.startsWith("Z") === false)
    .map(([pid]) => Number(pid));
}
