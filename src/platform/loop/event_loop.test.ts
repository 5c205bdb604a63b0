import { afterAll, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { lookup } from "node:dns/promises";
import * as fsPromises from "node:fs/promises";
import { createServer, connect as netConnect, type Socket } from "node:net";
import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { READY } from "../libc/epoll.ts";
import { DESCRIPTOR_FUNCTIONS, SOCKET_FUNCTIONS } from "../libc/functions.ts";
import { nativeMemory, openLibc } from "../libc/libc.ts";
import { closeDescriptor, openPipe } from "../libc/pipe.ts";
import { EventLoop } from "./event_loop.ts";

/** Beyond the event itself: what the runtime may be late while there is traffic, twice, and a loaded machine. */
const LATE_MS_MAX = 300;
const DELAY_MS = 30;

const loop = new EventLoop();
const { read, write } = openLibc(DESCRIPTOR_FUNCTIONS);
const ONE_BYTE = new Uint8Array(1);

/** A byte that goes round through a pipe as long as it is wanted: the loop is never quiet. */
class Traffic {
  readonly #pipe = openPipe();
  rounds = 0;

  constructor() {
    loop.watch(this.#pipe.readEnd, READY.READ, { onReady: () => this.#goRound() });
    write(this.#pipe.writeEnd, ONE_BYTE, 1);
  }

  #goRound(): void {
    this.rounds += 1;
    read(this.#pipe.readEnd, ONE_BYTE, 1);
    write(this.#pipe.writeEnd, ONE_BYTE, 1);
  }

  [Symbol.dispose](): void {
    loop.forget(this.#pipe.readEnd);
    closeDescriptor(this.#pipe.readEnd);
    closeDescriptor(this.#pipe.writeEnd);
  }
}

const WORKER_SOURCE = `
import { parentPort } from "node:worker_threads";
parentPort.on("message", (message) => parentPort.postMessage(message));
`;
const directory = new TemporaryDirectory("loop");
await Bun.write(directory.file("worker.mjs"), WORKER_SOURCE);
const worker = new Worker(directory.file("worker.mjs"));
worker.unref();
afterAll(async () => {
  await worker.terminate();
  directory.remove();
});

function fromWorker(): Promise<unknown> {
  return new Promise((resolve) => {
    worker.once("message", resolve);
    worker.postMessage("there and back");
  });
}
await fromWorker();

/** Resolves inside a callback of our loop. */
const insideOurs = (): Promise<void> => new Promise((resolve) => loop.soon(resolve));

/** What must run promptly; each resolves with how long it is meant to take. */
const EVENTS: Readonly<Record<string, () => Promise<number>>> = {
  async "a message to a worker and back"() {
    await fromWorker();
    return 0;
  },
  async "a message channel"() {
    const { port1, port2 } = new MessageChannel();
    await new Promise((resolve) => {
      port1.once("message", resolve);
      port2.postMessage(1);
    });
    port1.close();
    return 0;
  },
  async "the output and the end of a child"() {
    const child = spawn("/bin/sh", ["-c", "echo out"], { stdio: ["ignore", "pipe", "ignore"] });
    const output = new Promise((resolve) => child.stdout.once("data", resolve));
    await Promise.all([output, new Promise((resolve) => child.once("close", resolve))]);
    return 0;
  },
  async "a signal"() {
    const came = new Promise((resolve) => process.once("SIGUSR2", resolve));
    spawnSync("/bin/kill", ["-USR2", String(process.pid)]);
    await came;
    return 0;
  },
  async "five calls of fs.promises, one after the other"() {
    for (let i = 0; i < 5; i++) await fsPromises.stat("/");
    return 0;
  },
  async "a name looked up"() {
    await lookup("localhost");
    return 0;
  },
  async "a request to Bun.serve by fetch"() {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("yes") });
    expect(await (await fetch(server.url)).text()).toBe("yes");
    await server.stop(true);
    return 0;
  },
  async "an echo over node:net"() {
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const client = await new Promise<Socket>((resolve) => {
      const connecting = netConnect(port, "127.0.0.1", () => resolve(connecting));
    });
    const echoed = new Promise((resolve) => client.once("data", resolve));
    client.write("x");
    await echoed;
    client.destroy();
    server.close();
    return 0;
  },
  async setTimeout() {
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
    return DELAY_MS;
  },
  async "setInterval, three times"() {
    let left = 3;
    await new Promise<void>((resolve) => {
      const interval = setInterval(() => {
        left -= 1;
        if (left > 0) return;
        clearInterval(interval);
        resolve();
      }, DELAY_MS);
    });
    return 3 * DELAY_MS;
  },
  async "Bun.sleep"() {
    await Bun.sleep(DELAY_MS);
    return DELAY_MS;
  },
  async "AbortSignal.timeout"() {
    const signal = AbortSignal.timeout(DELAY_MS);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return DELAY_MS;
  },
  async setImmediate() {
    await new Promise((resolve) => setImmediate(resolve));
    return 0;
  },
  async "a timer of ours"() {
    await new Promise<void>((resolve) => loop.after(DELAY_MS, resolve));
    return DELAY_MS;
  },
  async "promises, queueMicrotask and nextTick"() {
    for (let i = 0; i < 5; i++) await Promise.resolve();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    await new Promise((resolve) => process.nextTick(resolve));
    return 0;
  },
};

for (const [name, happen] of Object.entries(EVENTS)) {
  for (const load of ["idle", "under traffic"] as const) {
    test(`EventLoop lets ${name} run promptly, ${load}`, async () => {
      using traffic = load === "idle" ? undefined : new Traffic();
      // From the runtime's side, and from inside one of our callbacks.
      for (const start of [() => Promise.resolve(), insideOurs]) {
        await start();
        const roundsBefore = traffic?.rounds ?? 0;
        const beganMs = performance.now();
        const meantMs = await happen();
        expect(performance.now() - beganMs - meantMs).toBeLessThan(LATE_MS_MAX);
        if (meantMs > 0 && traffic !== undefined) {
          expect(traffic.rounds - roundsBefore).toBeGreaterThan(100);
        }
      }
    });
  }
}

const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const PIDFD_OPEN = 434;

/** Descriptors of each kind that becomes ready, and what makes it so. */
const KINDS: Readonly<Record<string, () => { descriptor: number; happen: () => void }>> = {
  pipe() {
    const { readEnd, writeEnd } = openPipe();
    return {
      descriptor: readEnd,
      happen() {
        write(writeEnd, ONE_BYTE, 1);
        closeDescriptor(writeEnd);
      },
    };
  },
  eventfd() {
    const { eventfd } = openLibc({ eventfd: [["i32", "i32"], "i32"] });
    const descriptor = eventfd(0, 0);
    const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
    return { descriptor, happen: () => void write(descriptor, one, 8) };
  },
  timerfd() {
    const { timerfd_create, timerfd_settime } = openLibc({
      timerfd_create: [["i32", "i32"], "i32"],
      timerfd_settime: [["i32", "i32", "address", "address"], "i32"],
    });
    const descriptor = timerfd_create(1, 0);
    const spec = nativeMemory(32);
    spec.words[6] = 1;
    return { descriptor, happen: () => void timerfd_settime(descriptor, 0, spec.address, 0) };
  },
  pidfd() {
    const { syscall } = openLibc({ syscall: [["i64", "i64", "i64"], "i64"] });
    // A process that is not our child: another runtime reaps it.
    const shell = spawnSync("/bin/sh", ["-c", "sleep 30 >/dev/null 2>&1 & echo $!"]);
    const pid = Number(shell.stdout.toString());
    return {
      descriptor: syscall(PIDFD_OPEN, pid, 0),
      happen: () => void process.kill(pid, "SIGKILL"),
    };
  },
  "netlink socket"() {
    const { socket } = openLibc(SOCKET_FUNCTIONS);
    const descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
    // RTM_GETLINK as a dump: 16 bytes of header, 16 of ifinfomsg.
    const request = new Uint8Array(32);
    const view = new DataView(request.buffer);
    view.setUint32(0, request.length, true);
    view.setUint16(4, 18, true);
    view.setUint16(6, 0x301, true);
    return { descriptor, happen: () => void write(descriptor, request, request.length) };
  },
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`EventLoop.watch() tells of a ${kind}, idle and under traffic, until it is forgotten`, async () => {
    for (const load of ["idle", "under traffic"]) {
      using _traffic = load === "idle" ? undefined : new Traffic();
      const { descriptor, happen } = make();
      expect(descriptor).toBeGreaterThanOrEqual(0);
      let calls = 0;
      const ready = new Promise<number>((resolve) => {
        loop.watch(descriptor, READY.READ, {
          onReady(events) {
            calls += 1;
            loop.forget(descriptor);
            resolve(events);
          },
        });
      });
      await insideOurs();
      expect(calls).toBe(0);
      happen();
      expect((await ready) & READY.READ).toBe(READY.READ);
      await new Promise<void>((resolve) => loop.nextTurn(resolve));
      expect(calls).toBe(1);
      closeDescriptor(descriptor);
    }
  });
}

test.skipIf(process.getuid?.() !== 0)("EventLoop.watch() tells of a packet socket", async () => {
  const { socket } = openLibc(SOCKET_FUNCTIONS);
  const ETH_P_ALL = 0x0300;
  const descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, ETH_P_ALL);
  expect(descriptor).toBeGreaterThanOrEqual(0);
  const ready = new Promise<void>((resolve) => {
    loop.watch(descriptor, READY.READ, { onReady: () => resolve() });
  });
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") });
  await fetch(server.url);
  await ready;
  loop.forget(descriptor);
  closeDescriptor(descriptor);
  await server.stop(true);
});

test("EventLoop.forget() holds for what the same look had found, also when the number is another's", async () => {
  const pipes = [openPipe(), openPipe()];
  const told: number[] = [];
  await new Promise<void>((resolve) => {
    for (const [index, pipe] of pipes.entries()) {
      const other = pipes[1 - index] as (typeof pipes)[0];
      const owner = {
        onReady() {
          told.push(index);
          loop.forget(other.readEnd);
          // The same number, for somebody else: the event of before is not its.
          loop.watch(other.readEnd, 0, { onReady: () => told.push(9) });
          loop.nextTurn(resolve);
        },
      };
      loop.watch(pipe.readEnd, READY.READ, owner);
      write(pipe.writeEnd, ONE_BYTE, 1);
    }
  });
  // One of them, and only once.
  expect(told).toHaveLength(1);
  expect(told).not.toContain(9);
  for (const pipe of pipes) {
    loop.forget(pipe.readEnd);
    closeDescriptor(pipe.readEnd);
    closeDescriptor(pipe.writeEnd);
  }
});

function program(body: string) {
  return spawnSync(
    process.execPath,
    [
      "-e",
      `import { EventLoop } from ${JSON.stringify(join(import.meta.dir, "event_loop.ts"))};
       const loop = new EventLoop();
       ${body}`,
    ],
    { encoding: "utf8", timeout: 4_000, killSignal: "SIGKILL" },
  );
}

test("EventLoop does not wait for ever when it became quiet while the runtime was busy", () => {
  const run =
    program(`const { openPipe } = await import(${JSON.stringify(join(import.meta.dir, "../libc/pipe.ts"))});
    const { openLibc } = await import(${JSON.stringify(join(import.meta.dir, "../libc/libc.ts"))});
    const { DESCRIPTOR_FUNCTIONS } = await import(${JSON.stringify(join(import.meta.dir, "../libc/functions.ts"))});
    const { read, write } = openLibc(DESCRIPTOR_FUNCTIONS);
    const { readEnd, writeEnd } = openPipe();
    const byte = new Uint8Array(1);
    let left = 50;
    loop.watch(readEnd, 1, {
      onReady() {
        read(readEnd, byte, 1);
        left -= 1;
        if (left > 0) write(writeEnd, byte, 1);
        else keepRuntimeBusy();
      },
    });
    write(writeEnd, byte, 1);
    let callbacks = 0;
    const keepRuntimeBusy = () => setInterval(() => {
      const endMs = performance.now() + 50;
      while (performance.now() < endMs);
      callbacks += 1;
      if (callbacks < 10) return;
      console.log("alive");
      process.exit(0);
    }, 1);`);
  expect(run.stdout).toBe("alive\n");
});

test("EventLoop: what a callback throws ends the process, and one with nothing to do ends by itself", () => {
  const thrown = program(`loop.after(1, () => { throw new Error("a bug of ours"); });
    loop.after(10_000, () => {});`);
  expect(thrown.stderr).toContain("a bug of ours");
  expect(thrown.status).toBe(1);
  const ended = program(`loop.after(60, () => console.log("last"));
    loop.after(30_000, () => {}).cancel();`);
  expect(ended.stdout).toBe("last\n");
  expect([ended.status, ended.signal]).toEqual([0, null]);
});

test("EventLoop wakes an idle process for its timers only", async () => {
  const child = spawnSync(
    process.execPath,
    [
      "-e",
      `import { EventLoop } from ${JSON.stringify(join(import.meta.dir, "event_loop.ts"))};
       import { readFileSync } from "node:fs";
       const loop = new EventLoop();
       const wakeUps = () => {
         const status = readFileSync("/proc/thread-self/status", "latin1");
         return Number(/^voluntary_ctxt_switches:\\s*(\\d+)/m.exec(status)[1]);
       };
       let timers = 0;
       loop.every(250, () => { timers += 1; });
       loop.after(1000, () => {
         const before = wakeUps();
         loop.after(2000, () => {
           console.log(wakeUps() - before);
           process.exit(0);
         });
       });`,
    ],
    { encoding: "utf8", timeout: 20_000, env: { ...process.env, BUN_GC_TIMER_DISABLE: "1" } },
  );
  const count = Number(child.stdout.trim());
  expect(count).toBeGreaterThan(0);
  // Eight timers; each may take the runtime a second look.
  expect(count).toBeLessThanOrEqual(24);
});
