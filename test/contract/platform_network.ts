/** What every `Network` must do (platform/types/network.ts). */
import { expect, test } from "bun:test";
import type { SystemError } from "../../src/base/errors.ts";
import type {
  AcceptNotices,
  Network,
  Stream,
  StreamHandlers,
  StreamServer,
} from "../../src/platform/types/network.ts";
import type { Timer } from "../../src/platform/types/time.ts";
import { must } from "../support/must.ts";
import { until, when } from "../support/until.ts";

const WAIT_MS = 10_000;

export interface NetworkWorld {
  readonly network: Network;
  /** Path for a unix socket that does not exist yet. */
  readonly path: string;
  /** Two addresses of this machine; the first listens on a port that is free. */
  readonly addresses: readonly [string, string];
  freePort(): Promise<number>;
  /**
   * Lets `network` act as if no descriptor were free, until the result is called.
   */
  exhaust(): () => void;
  dispose(): void;
}

/** One end of a connection, which collects what arrives. */
export class Probe {
  readonly stream: Stream;
  received = 0;
  text = "";
  drains = 0;
  closed: { reason: SystemError | undefined } | undefined;
  #wake: () => void = () => {};

  constructor(stream: Stream) {
    this.stream = stream;
  }

  get handlers(): StreamHandlers {
    return {
      onData: (chunk) => {
        this.received += chunk.length;
        if (this.received < 1000) this.text += new TextDecoder().decode(chunk);
        this.#wake();
      },
      onDrain: () => {
        this.drains += 1;
        this.#wake();
      },
      onClose: (reason) => {
        expect(this.closed).toBeUndefined();
        this.closed = { reason };
        this.#wake();
      },
    };
  }

  async until(condition: (probe: Probe) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  say(text: string): void {
    expect(this.stream.write(new TextEncoder().encode(text))).toBe(text.length);
  }
}

export async function connectedPair(
  listen: (accept: (stream: Stream) => StreamHandlers) => StreamServer,
  connect: Connect,
): Promise<{ server: Probe; client: Probe; listener: StreamServer }> {
  let accepted: (probe: Probe) => void = () => {};
  const server = new Promise<Probe>((resolve) => (accepted = resolve));
  const listener = listen((stream) => {
    const probe = new Probe(stream);
    accepted(probe);
    return probe.handlers;
  });
  const client = await connectedProbe(connect);
  return { server: await server, client, listener };
}

type Connect = (connected: Parameters<Network["connectUnix"]>[1]) => Timer;

export function connectedProbe(connect: Connect): Promise<Probe> {
  return new Promise((resolve, reject) => {
    let inside = true;
    connect((outcome) => {
      expect(inside).toBe(false);
      if (!outcome.ok) {
        reject(outcome.error);
        return undefined;
      }
      const probe = new Probe(outcome.value);
      resolve(probe);
      return probe.handlers;
    });
    inside = false;
  });
}

export async function failureOf(connect: Connect): Promise<string> {
  const outcome = await connectedProbe(connect).then(
    () => "connected",
    (error: SystemError) => error.code,
  );
  return outcome;
}

/** A listener of that kind whose streams echo, and what connects to it. */
async function echoing(kind: "unix" | "tcp", { network, path, addresses, freePort }: NetworkWorld) {
  const said = { accepted: 0, paused: 0, resumed: 0 };
  const accept = (stream: Stream): StreamHandlers => {
    said.accepted += 1;
    return { onData: (chunk) => void stream.write(chunk), onDrain() {}, onClose() {} };
  };
  const notices: AcceptNotices = {
    paused() {
      said.paused += 1;
    },
    resumed() {
      said.resumed += 1;
    },
  };
  if (kind === "unix") {
    const listener = must(network.listenUnix(path, 0o700, accept, notices));
    const connect = () => connectedProbe((connected) => network.connectUnix(path, connected));
    return { said, listener, connect };
  }
  const port = await freePort();
  const [address, localAddress] = addresses;
  const listener = must(network.listenTcp(address, port, accept, notices));
  const target = { address, port, localAddress, timeoutMs: 5000 };
  const connect = () => connectedProbe((connected) => network.connectTcp(target, connected));
  return { said, listener, connect };
}

async function testOutOfDescriptors(kind: "unix" | "tcp", world: NetworkWorld): Promise<void> {
  const free = world.exhaust();
  const { said, listener, connect } = await echoing(kind, world);
  const probes = await Promise.all(Array.from({ length: 20 }, connect));
  for (const probe of probes) probe.say("hello");
  // They wait, and nobody is refused.
  await until("the listener pauses", WAIT_MS, () => when(said.paused === 1));
  expect(said).toEqual({ accepted: 0, paused: 1, resumed: 0 });
  free();
  for (const probe of probes) await probe.until(({ text }) => text === "hello");
  expect(said).toEqual({ accepted: 20, paused: 1, resumed: 1 });
  expect(probes.every(({ closed }) => closed === undefined)).toBe(true);
  for (const probe of probes) probe.stream.close();
  listener.close();
}

export function networkContract(name: string, makeWorld: () => NetworkWorld): void {
  const kinds = ["unix", "tcp"] as const;
  const pairOf = async (kind: (typeof kinds)[number], world: NetworkWorld) => {
    const { network, path, addresses } = world;
    if (kind === "unix") {
      return await connectedPair(
        (accept) => must(network.listenUnix(path, 0o700, accept)),
        (connected) => network.connectUnix(path, connected),
      );
    }
    const port = await world.freePort();
    const [address, localAddress] = addresses;
    return await connectedPair(
      (accept) => must(network.listenTcp(address, port, accept)),
      (connected) =>
        network.connectTcp({ address, port, localAddress, timeoutMs: 5000 }, connected),
    );
  };

  for (const kind of kinds) {
    test(`${name} ${kind} streams carry bytes both ways and tell the end once`, async () => {
      const world = makeWorld();
      const { server, client, listener } = await pairOf(kind, world);
      client.say("hello");
      await server.until((probe) => probe.text === "hello");
      server.say("world");
      await client.until((probe) => probe.text === "world");
      server.say("last words");
      server.stream.close();
      await client.until((probe) => probe.closed !== undefined);
      expect(client.text).toBe("worldlast words");
      expect(client.closed?.reason).toBeUndefined();
      expect(client.stream.write(new Uint8Array(1))).toBe(0);
      expect(server.closed).toBeUndefined();
      client.stream.close();
      listener.close();
      world.dispose();
    });

    test(`${name} ${kind} write() takes what fits, onDrain tells of room`, async () => {
      const world = makeWorld();
      const { server, client, listener } = await pairOf(kind, world);
      server.stream.pause();
      const big = new Uint8Array(64 << 20);
      const taken = client.stream.write(big);
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(big.length);
      const drainsBefore = client.drains;
      server.stream.resume();
      let sent = taken;
      while (sent < big.length) {
        const drains = client.drains;
        const now = client.stream.write(big.subarray(sent));
        sent += now;
        if (sent < big.length) await client.until((probe) => probe.drains > drains);
      }
      await server.until((probe) => probe.received === big.length);
      expect(client.drains).toBeGreaterThan(drainsBefore);
      client.stream.close();
      await server.until((probe) => probe.closed !== undefined);
      listener.close();
      world.dispose();
    });

    test(`${name} ${kind} what write() took before close() arrives whole`, async () => {
      const world = makeWorld();
      const { server, client, listener } = await pairOf(kind, world);
      server.stream.pause();
      const taken = client.stream.write(new Uint8Array(8 << 20));
      client.stream.close();
      server.stream.resume();
      await server.until((probe) => probe.closed !== undefined);
      expect(server.received).toBe(taken);
      listener.close();
      world.dispose();
    });

    test(`${name} ${kind} a paused stream loses nothing of a peer that wrote and closed`, async () => {
      const world = makeWorld();
      const { server, client, listener } = await pairOf(kind, world);
      server.stream.pause();
      client.say("last words");
      client.stream.close();
      server.stream.resume();
      await server.until((probe) => probe.closed !== undefined);
      expect(server.text).toBe("last words");
      listener.close();
      world.dispose();
    });

    test(`${name} ${kind} closing the listener leaves accepted streams alone`, async () => {
      const world = makeWorld();
      const { server, client, listener } = await pairOf(kind, world);
      listener.close();
      client.say("still here");
      await server.until((probe) => probe.text === "still here");
      client.stream.close();
      await server.until((probe) => probe.closed !== undefined);
      world.dispose();
    });
  }

  for (const kind of kinds) {
    test(`${name} ${kind} connections wait while there are no descriptors, and are served later`, async () => {
      const world = makeWorld();
      await testOutOfDescriptors(kind, world);
      world.dispose();
    });

    test(`${name} ${kind} listener that waits for descriptors can be closed`, async () => {
      const world = makeWorld();
      const free = world.exhaust();
      const { said, listener, connect } = await echoing(kind, world);
      const probes = [await connect(), await connect()];
      await until("the listener pauses", WAIT_MS, () => when(said.paused === 1));
      listener.close();
      free();
      for (const probe of probes) await probe.until(({ closed }) => closed !== undefined);
      const outcome = connect().then(
        () => "connected",
        () => "refused",
      );
      expect(await outcome).toBe("refused");
      expect(said).toEqual({ accepted: 0, paused: 1, resumed: 0 });
      world.dispose();
    });
  }

  test(`${name} listenUnix() refuses a path in use and connectUnix() a path without listener`, async () => {
    const world = makeWorld();
    const { network, path } = world;
    expect(await failureOf((connected) => network.connectUnix(path, connected))).toBe("ENOENT");
    const accept = () => ({ onData() {}, onDrain() {}, onClose() {} });
    const listener = must(network.listenUnix(path, 0o700, accept));
    const second = network.listenUnix(path, 0o700, accept);
    expect(second.ok ? "listening" : second.error.code).toBe("EADDRINUSE");
    expect(second.ok ? "" : second.error.path).toBe(path);
    await connectedProbe((connected) => network.connectUnix(path, connected));
    listener.close();
    world.dispose();
  });

  test(`${name} connectTcp() comes from the local address, and says why it failed`, async () => {
    const world = makeWorld();
    const { network, addresses } = world;
    const [address, localAddress] = addresses;
    const { server, client, listener } = await pairOf("tcp", world);
    expect(server.stream.remoteAddress).toBe(localAddress);
    expect(client.stream.remoteAddress).toBe(address);
    listener.close();
    client.stream.close();
    const port = await world.freePort();
    const refused = await failureOf((connected) =>
      network.connectTcp({ address, port, localAddress, timeoutMs: 5000 }, connected),
    );
    expect(refused).toBe("ECONNREFUSED");
    const foreign = await failureOf((connected) =>
      network.connectTcp({ address, port, localAddress: "192.0.2.77", timeoutMs: 5000 }, connected),
    );
    expect(foreign).toBe("EADDRNOTAVAIL");
    world.dispose();
  });

  test(`${name} listenTcp() refuses a port in use and an address of another machine`, async () => {
    const world = makeWorld();
    const { network, addresses } = world;
    const port = await world.freePort();
    const accept = () => ({ onData() {}, onDrain() {}, onClose() {} });
    const listener = must(network.listenTcp(addresses[0], port, accept));
    const second = network.listenTcp(addresses[0], port, accept);
    expect(second.ok ? "listening" : second.error.code).toBe("EADDRINUSE");
    const foreign = network.listenTcp("192.0.2.77", port, accept);
    expect(foreign.ok ? "listening" : foreign.error.code).toBe("EADDRNOTAVAIL");
    listener.close();
    must(network.listenTcp(addresses[0], port, accept)).close();
    world.dispose();
  });
}
