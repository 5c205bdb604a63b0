/** A real ctdbd under a stand-in for systemd: a socket that writes down what it is told. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  nodeDirectory,
  REAL_TEST_MS,
  RealNode,
  STEP_MS,
  startLimited,
  withNodeDirectory,
} from "../../daemon/real_node.ts";
import { until, when } from "../../support/until.ts";

const WATCHDOG_MS = 1000;

/** One line for each datagram, with its newlines as spaces; the first is the time. */
const MANAGER = `
import os, socket, sys, time
path, told = sys.argv[1:]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("\\0" + path[1:] if path.startswith("@") else path)
with open(told, "a", buffering=1) as out:
    while True:
        text = manager.recv(65536).decode().replace("\\n", " ")
        out.write("%d %s\\n" % (time.monotonic() * 1000, text))
`;

interface Told {
  readonly atMs: number;
  readonly text: string;
}

function toldIn(path: string): Told[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const space = line.indexOf(" ");
      return space < 0 ? [] : [{ atMs: Number(line.slice(0, space)), text: line.slice(space + 1) }];
    });
}

for (const abstract of [false, true]) {
  test(
    `ctdbd tells a service manager ${abstract ? "with an abstract socket " : ""}who serves, when, and that its loop turns`,
    () =>
      withNodeDirectory(async (base) => {
        const address = await nodeDirectory(base);
        const socket = abstract ? `@${base}` : join(base, "notify");
        const path = join(base, "told");
        const program = join(base, "manager.py");
        writeFileSync(program, MANAGER);
        const manager = Bun.spawn(["python3", program, socket, path], { stderr: "inherit" });
        try {
          await until("the manager listens", STEP_MS, () => when(existsSync(path)));
          const variables = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: `${WATCHDOG_MS * 1000}` };
          const exports = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
          expect((await startLimited(base, `export ${exports.join(" ")}`)).code).toBe(0);
          const node = new RealNode(base, address);
          const told = (pattern: RegExp) => toldIn(path).filter(({ text }) => pattern.test(text));
          const first = await until(
            "the manager is told who serves",
            STEP_MS,
            () => told(/^MAINPID=/)[0],
          );
          expect(first.text).toStartWith(`MAINPID=${node.pid} `);
          await until("it is ready", STEP_MS, () =>
            when(told(/^READY=1 STATUS=serves/).length > 0),
          );
          expect(told(/^EXTEND_TIMEOUT_USEC=/).length).toBeGreaterThan(0);
          for (const child of node.children()) {
            const environment = readFileSync(`/proc/${child}/environ`, "latin1");
            expect(environment).not.toContain("NOTIFY_SOCKET=");
          }
          await until("its loop turns", STEP_MS, () => when(told(/^WATCHDOG=1/).length > 2));

          process.kill(node.pid, "SIGSTOP");
          await Bun.sleep(2 * WATCHDOG_MS);
          const last = told(/^WATCHDOG=1/).at(-1)?.atMs ?? 0;
          process.kill(node.pid, "SIGCONT");
          await until("it turns again", STEP_MS, () =>
            when((told(/^WATCHDOG/).at(-1)?.atMs ?? 0) > last),
          );
          const times = told(/^WATCHDOG=1/).map(({ atMs }) => atMs);
          const pauses = times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0));
          expect(Math.max(...pauses)).toBeGreaterThan(WATCHDOG_MS);

          process.kill(node.pid, "SIGHUP");
          await until("it has reloaded", STEP_MS, () => when(told(/^RELOADING=1 /).length === 1));
          await node.end();
          await until("it was told of the end", STEP_MS, () =>
            when(told(/^STOPPING=1 /).length === 1),
          );
        } finally {
          manager.kill();
          await manager.exited;
        }
      }),
    REAL_TEST_MS,
  );
}
