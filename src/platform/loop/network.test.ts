import { expect, test } from "bun:test";
import { closeSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import {
  connectedPair,
  connectedProbe,
  failureOf,
  type NetworkWorld,
  networkContract,
  Probe,
} from "../../../test/contract/platform_network.ts";
import { must } from "../../../test/support/must.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { LISTEN_FUNCTIONS, SOCKET_FUNCTIONS } from "../libc/functions.ts";
import { openLibc } from "../libc/libc.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import { socketAddress, unixAddress } from "../libc/socket_address.ts";
import { EventLoop } from "./event_loop.ts";
import { LoopNetwork } from "./network.ts";

const loop = new EventLoop();
const network = new LoopNetwork(loop);

const ADDRESSES = ["127.103.0.1", "127.103.0.2"] as const;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, ADDRESSES[0], () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function makeWorld(): NetworkWorld {
  const directory = new TemporaryDirectory("net");
  let limit = 10_000;
  return {
    network: new LoopNetwork(loop, () => limit),
    exhaust() {
      limit = 1;
      return () => {
        limit = 10_000;
      };
    },
    path: directory.file("s"),
    addresses: ADDRESSES,
    freePort,
    dispose: () => directory.remove(),
  };
}

networkContract("LoopNetwork", makeWorld);

function openSockets(): number {
  let count = 0;
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) count += 1;
    } catch {
      // The descriptor of the listing itself.
    }
  }
  return count;
}

test("Network.listenUnix() sets the mode, and close() removes its path", () => {
  using directory = new TemporaryDirectory("net");
  const path = directory.file("s");
  const accept = () => ({ onData() {}, onDrain() {}, onClose() {} });
  for (const mode of [0o700, 0o660]) {
    const listener = must(network.listenUnix(path, mode, accept));
    expect(statSync(path).mode & 0o777).toBe(mode);
    listener.close();
    expect(() => statSync(path)).toThrow("ENOENT");
  }
  writeFileSync(path, "in the way");
  const outcome = network.listenUnix(path, 0o700, accept);
  expect(outcome.ok ? "listening" : outcome.error.code).toBe("EADDRINUSE");
});

test("Network unix streams know their peer process", async () => {
  using directory = new TemporaryDirectory("net");
  const path = directory.file("s");
  const { server, client, listener } = await connectedPair(
    (accept) => must(network.listenUnix(path, 0o700, accept)),
    (connected) => network.connectUnix(path, connected),
  );
  const self = { pid: process.pid, uid: process.getuid?.() ?? -1 };
  expect(server.stream.peer).toEqual(self);
  expect(client.stream.peer).toEqual(self);
  client.stream.close();
  server.stream.close();
  listener.close();
});

test("Stream.onClose() comes to a paused stream of a unix socket whose peer has gone, after what it wrote", async () => {
  using directory = new TemporaryDirectory("net");
  const path = directory.file("s");
  const { server, client, listener } = await connectedPair(
    (accept) => must(network.listenUnix(path, 0o700, accept)),
    (connected) => network.connectUnix(path, connected),
  );
  server.stream.pause();
  client.say("last words");
  client.stream.close();
  await server.until((probe) => probe.closed !== undefined);
  expect(server.text).toBe("last words");
  listener.close();
});

test("Network.connectUnix() waits for a listener that has as many connections waiting as it keeps", async () => {
  using directory = new TemporaryDirectory("net");
  const path = directory.file("s");
  const address = unixAddress(path)?.memory;
  if (address === undefined) throw new Error("bad path");
  const { bind, listen, accept4 } = openLibc(LISTEN_FUNCTIONS);
  const descriptor = openLibc(SOCKET_FUNCTIONS).socket(1, 1 | 0o4000, 0);
  expect(bind(descriptor, address.address, address.bytes.length)).toBe(0);
  expect(listen(descriptor, 0)).toBe(0);
  const first = await connectedProbe((connected) => network.connectUnix(path, connected));
  let told = 0;
  const second = connectedProbe((connected) =>
    network.connectUnix(path, (outcome) => {
      told += 1;
      return connected(outcome);
    }),
  );
  network.connectUnix(path, () => expect.unreachable()).cancel();
  await new Promise<void>((resolve) => loop.after(50, resolve));
  expect(told).toBe(0);
  const accepted = [accept4(descriptor, 0, 0, 0)];
  const probe = await second;
  accepted.push(accept4(descriptor, 0, 0, 0));
  for (const stream of [first.stream, probe.stream]) stream.close();
  for (const open of [descriptor, ...accepted]) closeDescriptor(open);
});

test("Stream.onClose() says ECONNRESET when the peer resets", async () => {
  const port = await freePort();
  const peer = new Socket();
  let accepted: (probe: Probe) => void = () => {};
  const server = new Promise<Probe>((resolve) => {
    accepted = resolve;
  });
  const listener = must(
    network.listenTcp(ADDRESSES[0], port, (stream) => {
      const probe = new Probe(stream);
      accepted(probe);
      return probe.handlers;
    }),
  );
  peer.connect(port, ADDRESSES[0]);
  const probe = await server;
  peer.resetAndDestroy();
  await probe.until(() => probe.closed !== undefined);
  expect(probe.closed?.reason?.code).toBe("ECONNRESET");
  listener.close();
});

/** Listens and never accepts; after `fill` further connections stay on their way. */
class SilentListener {
  readonly #libc = openLibc(LISTEN_FUNCTIONS);
  readonly #descriptor = openLibc(SOCKET_FUNCTIONS).socket(2, 1 | 0o4000, 0);
  readonly #accepted: number[] = [];
  readonly port: number;

  constructor(port: number) {
    this.port = port;
    const memory = socketAddress(ADDRESSES[0], port)?.memory;
    if (memory === undefined) throw new Error("bad address");
    expect(this.#libc.bind(this.#descriptor, memory.address, 16)).toBe(0);
    expect(this.#libc.listen(this.#descriptor, 0)).toBe(0);
  }

  async fill(): Promise<void> {
    const to = { address: ADDRESSES[0], port: this.port, timeoutMs: 5000 };
    await connectedProbe((connected) => network.connectTcp(to, connected));
  }

  acceptAll(): void {
    for (;;) {
      const descriptor = this.#libc.accept4(this.#descriptor, 0, 0, 0);
      if (descriptor === -1) return;
      this.#accepted.push(descriptor);
    }
  }

  close(): void {
    for (const descriptor of [this.#descriptor, ...this.#accepted]) closeSync(descriptor);
  }
}

test("Network.connectTcp() ends with ETIMEDOUT in time and closes its socket", async () => {
  const silent = new SilentListener(await freePort());
  await silent.fill();
  const before = openSockets();
  const to = { address: ADDRESSES[0], port: silent.port, timeoutMs: 80 };
  const start = performance.now();
  const outcome = failureOf((connected) => network.connectTcp(to, connected));
  expect(openSockets()).toBe(before + 1);
  expect(await outcome).toBe("ETIMEDOUT");
  expect(performance.now() - start).toBeGreaterThanOrEqual(75);
  expect(openSockets()).toBe(before);
  silent.close();
});

test("Network.connectTcp() cancelled closes its socket and says nothing", async () => {
  const silent = new SilentListener(await freePort());
  await silent.fill();
  const before = openSockets();
  const to = { address: ADDRESSES[0], port: silent.port, timeoutMs: 50 };
  let told = false;
  const attempt = network.connectTcp(to, () => {
    told = true;
    return undefined;
  });
  attempt.cancel();
  expect(openSockets()).toBe(before);
  // A second attempt's end is later than the first one's would have been.
  await failureOf((connected) => network.connectTcp(to, connected));
  expect(told).toBe(false);
  silent.close();
});

test("Network.connectTcp() waits for a peer that answers late", async () => {
  const silent = new SilentListener(await freePort());
  await silent.fill();
  const to = { address: ADDRESSES[0], port: silent.port, timeoutMs: 20_000 };
  const start = performance.now();
  const pending = connectedProbe((connected) => network.connectTcp(to, connected));
  silent.acceptAll();
  const probe = await pending;
  // The kernel asks again after one second.
  expect(performance.now() - start).toBeGreaterThan(500);
  silent.acceptAll();
  probe.stream.close();
  silent.close();
}, 120_000);

test("Network.connectTcp() refuses names and bad ports without a lookup", async () => {
  for (const [address, port] of [
    ["localhost", 1],
    ["127.0.0.1", 70_000],
    ["fe80::1%lo", 1],
  ] as const) {
    const to = { address, port, timeoutMs: 1000 };
    const failure = await failureOf((connected) => network.connectTcp(to, connected));
    expect(failure).toBe("EINVAL");
  }
});

test("Network.connectTcp() leaves no socket behind", async () => {
  const before = openSockets();
  const port = await freePort();
  const to = { address: ADDRESSES[0], port, timeoutMs: 1000 };
  for (let i = 0; i < 20; i++) {
    expect(await failureOf((connected) => network.connectTcp(to, connected))).toBe("ECONNREFUSED");
  }
  expect(openSockets()).toBe(before);
});

test("Network.hasInterface() is about what interfaces there are", () => {
  expect(network.hasInterface("lo")).toBe(true);
  expect(network.hasInterface("missing0")).toBe(false);
  expect(network.hasInterface("longer-than-any-name-of-an-interface")).toBe(false);
});

test("Network.interfaces() has loopback with its prefix lengths, up", () => {
  const found = must(network.interfaces());
  const loopback = found.find((candidate) => candidate.name === "lo");
  expect(loopback?.up).toBe(true);
  expect(loopback?.addresses).toContainEqual({ address: "127.0.0.1", prefixLength: 8 });
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    const ours = found.find((candidate) => candidate.name === name)?.addresses ?? [];
    for (const entry of entries ?? []) {
      const prefixLength = Number(entry.cidr?.split("/")[1]);
      expect(ours).toContainEqual({ address: entry.address, prefixLength });
    }
  }
});
