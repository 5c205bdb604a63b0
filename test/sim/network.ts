/**
 * The simulated network: ordered byte streams between processes, with delay, arbitrary chunking,
 * resets and partitions, behind platform's `Network`.
 *
 * What is modelled: bytes of one direction arrive in order, cut anywhere; a partition holds bytes back
 * as TCP's retransmission does and delivers them when it heals, unless the connection was reset;
 * connecting across a partition times out; when a process dies, its peers see the end of their
 * streams (once they can be reached). Unix sockets are never partitioned.
 */
import { SystemError } from "../../src/base/errors.ts";
import { err, ok } from "../../src/base/result.ts";
import type {
  Acceptor,
  ConnectCallback,
  Network,
  Stream,
  StreamHandlers,
} from "../../src/platform/types.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

export interface NetworkConditions {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Chance that a write is delivered in several pieces. */
  readonly splitChance: number;
}

const LOCAL_DELAY_MS = 0.03;
const IN_FLIGHT_BYTES_MAX = 1 << 20;

interface Listener {
  readonly owner: SimProcess;
  readonly host: SimHost;
  readonly accept: Acceptor;
}

/** One end of a connection. */
class Endpoint implements Stream {
  readonly peer: Stream["peer"];
  readonly remoteAddress: string | undefined;
  readonly owner: SimProcess;
  readonly link: Connection;
  handlers: StreamHandlers | undefined;
  other: Endpoint | undefined;
  open = true;
  reading = true;
  /** Chunks that arrived while paused or before the handlers were known. */
  arrived: (Uint8Array | "end")[] = [];
  inFlightBytes = 0;
  wantsDrain = false;
  lastArrivalMs = 0;

  constructor(link: Connection, owner: SimProcess, remote: string | undefined, pid: number) {
    this.link = link;
    this.owner = owner;
    this.remoteAddress = remote;
    this.peer = remote === undefined ? { pid, uid: 0 } : undefined;
  }

  write(bytes: Uint8Array): number {
    if (!this.open) return bytes.length;
    const room = IN_FLIGHT_BYTES_MAX - this.inFlightBytes;
    const taken = Math.min(room, bytes.length);
    if (taken < bytes.length) this.wantsDrain = true;
    if (taken > 0) this.link.send(this, bytes.slice(0, taken));
    return taken;
  }
  pause(): void {
    this.reading = false;
  }
  resume(): void {
    if (this.reading) return;
    this.reading = true;
    this.link.network.scheduler.soon(this.owner, () => this.deliver());
  }
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.link.sendEnd(this);
  }

  deliver(): void {
    while (this.open && this.reading && this.handlers !== undefined && this.arrived.length > 0) {
      const item = this.arrived.shift();
      if (item === "end") {
        this.open = false;
        this.handlers.onClose(undefined);
      } else if (item !== undefined) {
        this.handlers.onData(item);
      }
    }
  }
}

class Connection {
  readonly network: SimNetwork;
  readonly from: SimHost;
  readonly to: SimHost;
  readonly client: Endpoint;
  readonly server: Endpoint;

  constructor(
    network: SimNetwork,
    from: SimHost,
    to: SimHost,
    clientOwner: SimProcess,
    serverOwner: SimProcess,
    addresses: { client: string; server: string } | undefined,
  ) {
    this.network = network;
    this.from = from;
    this.to = to;
    this.client = new Endpoint(this, clientOwner, addresses?.server, network.pidOf(serverOwner));
    this.server = new Endpoint(this, serverOwner, addresses?.client, network.pidOf(clientOwner));
    this.client.other = this.server;
    this.server.other = this.client;
  }

  get local(): boolean {
    return this.client.remoteAddress === undefined;
  }

  send(sender: Endpoint, bytes: Uint8Array): void {
    const { random, conditions } = this.network;
    sender.inFlightBytes += bytes.length;
    let at = 0;
    while (at < bytes.length) {
      const rest = bytes.length - at;
      const piece =
        rest > 1 && random.chance(conditions.splitChance) ? 1 + random.below(rest - 1) : rest;
      this.#transmit(sender, bytes.subarray(at, at + piece));
      at += piece;
    }
  }

  sendEnd(sender: Endpoint): void {
    this.#transmit(sender, "end");
  }

  #transmit(sender: Endpoint, item: Uint8Array | "end"): void {
    const { scheduler } = this.network;
    const receiver = sender.other as Endpoint;
    const delay = this.local ? LOCAL_DELAY_MS : this.network.delayMs();
    const atMs = Math.max(scheduler.nowMs + delay, receiver.lastArrivalMs);
    receiver.lastArrivalMs = atMs;
    scheduler.at(this.network.kernel, atMs, () => this.#arrive(sender, receiver, item));
  }

  #arrive(sender: Endpoint, receiver: Endpoint, item: Uint8Array | "end"): void {
    const fromHost = sender === this.client ? this.from : this.to;
    const toHost = sender === this.client ? this.to : this.from;
    if (!this.local && this.network.isCut(fromHost, toHost)) {
      this.network.holdUntilHealed(() => this.#arrive(sender, receiver, item));
      return;
    }
    if (item !== "end") {
      sender.inFlightBytes -= item.length;
      if (sender.wantsDrain && sender.open && sender.inFlightBytes < IN_FLIGHT_BYTES_MAX / 2) {
        sender.wantsDrain = false;
        this.network.scheduler.soon(sender.owner, () => {
          if (sender.open) sender.handlers?.onDrain();
        });
      }
    }
    if (!receiver.open) return;
    receiver.arrived.push(item);
    this.network.scheduler.soon(receiver.owner, () => receiver.deliver());
  }
}

/** A machine: addresses it owns and what listens there. */
export class SimHost {
  readonly name: string;
  readonly address: string;

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
  }
}

export class SimNetwork {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** Deliveries belong to no process: the kernel keeps running. */
  readonly kernel: SimProcess;
  conditions: NetworkConditions;
  #listeners = new Map<string, Listener>();
  #connections = new Set<Connection>();
  #cuts = new Set<string>();
  #held: (() => void)[] = [];
  #pids = new Map<SimProcess, number>();
  #nextPid = 100;

  constructor(
    scheduler: Scheduler,
    random: SeededRandom,
    kernel: SimProcess,
    conditions: NetworkConditions,
  ) {
    this.scheduler = scheduler;
    this.random = random;
    this.kernel = kernel;
    this.conditions = conditions;
  }

  pidOf(process: SimProcess): number {
    let pid = this.#pids.get(process);
    if (pid === undefined) {
      pid = this.#nextPid++;
      this.#pids.set(process, pid);
    }
    return pid;
  }

  isAlive(pid: number): boolean {
    for (const [process, own] of this.#pids) if (own === pid) return process.alive;
    return false;
  }

  delayMs(): number {
    return this.random.between(this.conditions.delayMinMs, this.conditions.delayMaxMs);
  }

  // --- faults

  isCut(from: SimHost, to: SimHost): boolean {
    return this.#cuts.has(`${from.name}>${to.name}`);
  }
  /** Cuts one direction; bytes already sent are held too. */
  cut(from: SimHost, to: SimHost): void {
    this.#cuts.add(`${from.name}>${to.name}`);
  }
  healAll(): void {
    this.#cuts.clear();
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.scheduler.at(this.kernel, this.scheduler.nowMs, action);
  }
  holdUntilHealed(action: () => void): void {
    this.#held.push(action);
  }
  /** Both ends of the connections between two hosts see a reset; bytes in flight are lost. */
  reset(a: SimHost, b: SimHost): void {
    for (const connection of [...this.#connections]) {
      const between =
        (connection.from === a && connection.to === b) ||
        (connection.from === b && connection.to === a);
      if (between && !connection.local) this.#abort(connection);
    }
  }

  #abort(connection: Connection): void {
    this.#connections.delete(connection);
    for (const end of [connection.client, connection.server]) {
      if (!end.open) continue;
      end.open = false;
      this.scheduler.soon(end.owner, () =>
        end.handlers?.onClose(new SystemError("ECONNRESET", "read", end.remoteAddress ?? "")),
      );
    }
  }

  // --- platform's Network for one process on one host

  forProcess(host: SimHost, owner: SimProcess): Network {
    owner.onDeath(() => this.#ownerDied(owner));
    return {
      listenUnix: (path, _mode, accept) => this.#listen(`${host.name}:${path}`, host, owner, accept),
      listenTcp: (address, port, accept) => this.#listen(`tcp:${address}:${port}`, host, owner, accept),
      connectUnix: (path, connected) =>
        this.#connect(host, owner, `${host.name}:${path}`, undefined, 0, connected),
      connectTcp: (to, connected) =>
        this.#connect(host, owner, `tcp:${to.address}:${to.port}`, to, to.timeoutMs, connected),
      interfaces: () =>
        ok([{ name: "eth0", up: true, addresses: [{ address: host.address, prefixLength: 24 }] }]),
    };
  }

  #listen(key: string, host: SimHost, owner: SimProcess, accept: Acceptor) {
    if (this.#listeners.has(key)) return err(new SystemError("EADDRINUSE", "bind", key));
    this.#listeners.set(key, { owner, host, accept });
    return ok({ close: () => void this.#listeners.delete(key) });
  }

  #connect(
    host: SimHost,
    owner: SimProcess,
    key: string,
    tcp: { address: string; localAddress?: string } | undefined,
    timeoutMs: number,
    connected: ConnectCallback,
  ) {
    const delay = tcp === undefined ? LOCAL_DELAY_MS : 2 * this.delayMs();
    const state = { cancelled: false };
    const fail = (code: string) => {
      if (!state.cancelled) connected(err(new SystemError(code, "connect", key)));
    };
    this.scheduler.at(owner, this.scheduler.nowMs + delay, () => {
      if (state.cancelled) return;
      const listener = this.#listeners.get(key);
      const target = listener?.host;
      const unreachable =
        tcp !== undefined && target !== undefined && (this.isCut(host, target) || this.isCut(target, host));
      if (unreachable) {
        this.scheduler.at(owner, this.scheduler.nowMs + timeoutMs, () => fail("ETIMEDOUT"));
        return;
      }
      if (listener === undefined) return fail("ECONNREFUSED");
      this.#establish(host, owner, listener, tcp, connected);
    });
    return {
      cancel: () => {
        state.cancelled = true;
      },
    };
  }

  #establish(
    host: SimHost,
    owner: SimProcess,
    listener: Listener,
    tcp: { address: string; localAddress?: string } | undefined,
    connected: ConnectCallback,
  ): void {
    const addresses =
      tcp === undefined ? undefined : { client: tcp.localAddress ?? host.address, server: tcp.address };
    const connection = new Connection(this, host, listener.host, owner, listener.owner, addresses);
    this.#connections.add(connection);
    this.scheduler.soon(listener.owner, () => {
      connection.server.handlers = listener.accept(connection.server);
      connection.server.deliver();
    });
    connection.client.handlers = connected(ok(connection.client));
    connection.client.deliver();
  }

  #ownerDied(owner: SimProcess): void {
    for (const [key, listener] of this.#listeners) {
      if (listener.owner === owner) this.#listeners.delete(key);
    }
    for (const connection of [...this.#connections]) {
      for (const end of [connection.client, connection.server]) {
        if (end.owner !== owner) continue;
        this.#connections.delete(connection);
        if (end.open) end.close();
      }
    }
  }
}
