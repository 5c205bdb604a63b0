/**
 * The simulated network: ordered byte streams between processes, with delay, arbitrary chunking,
 * resets and partitions, behind platform's `Network`.
 *
 * What is modelled: bytes of one direction arrive in order, cut anywhere; a cut direction holds
 * bytes back as TCP's retransmission does and delivers them a while after it heals, unless the
 * connection was reset; connecting across a cut times out; when a process dies, its peers see the
 * end of their streams (once they can be reached); when a host loses power they see nothing until
 * it is up again. Unix sockets are never cut.
 */
import { SystemError } from "../../src/base/errors.ts";
import { err, ok } from "../../src/base/result.ts";
import type { Acceptor, ConnectCallback, Network } from "../../src/platform/types/network.ts";
import { Connection, LOCAL_DELAY_MS } from "./connection.ts";
import { HostAddresses } from "./host_addresses.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

export interface NetworkConditions {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Chance that a write is delivered in several pieces. */
  readonly splitChance: number;
}

/** How long after a cut healed TCP tries again, at most. */
const RETRANSMIT_MAX_MS = 3000;

interface Listener {
  readonly owner: SimProcess;
  readonly host: SimHost;
  readonly accept: Acceptor;
}

/** A machine: its address, and whether it has power. */
export class SimHost {
  readonly name: string;
  readonly address: string;
  readonly publicAddresses = new HostAddresses();
  powered = true;

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
  readonly conditions: NetworkConditions;
  readonly #listeners = new Map<string, Listener>();
  readonly #hosts = new Map<string, SimHost>();
  readonly #connections = new Set<Connection>();
  readonly #cuts = new Set<string>();
  readonly #extraDelayMs = new Map<string, number>();
  readonly #endings = new Map<string, number>();
  readonly #pids = new Map<SimProcess, number>();
  readonly #byPid = new Map<number, SimProcess>();
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
      this.#byPid.set(pid, process);
    }
    return pid;
  }

  isAlive(pid: number): boolean {
    return this.#byPid.get(pid)?.alive === true;
  }

  delayMs(from: SimHost, to: SimHost): number {
    const delayMs = this.random.between(this.conditions.delayMinMs, this.conditions.delayMaxMs);
    if (this.#extraDelayMs.size === 0) return delayMs;
    return delayMs + this.random.fraction() * (this.#extraDelayMs.get(direction(from, to)) ?? 0);
  }

  // --- faults

  isCut(from: SimHost, to: SimHost): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(direction(from, to));
  }
  /** Packets of this direction are late, or do not come at all. */
  isTroubled(from: SimHost, to: SimHost): boolean {
    return this.isCut(from, to) || this.#extraDelayMs.has(direction(from, to));
  }
  /** Cuts one direction; bytes already sent are held too. */
  cut(from: SimHost, to: SimHost): void {
    this.#cuts.add(direction(from, to));
  }
  heal(from: SimHost, to: SimHost): void {
    if (this.#cuts.delete(direction(from, to))) this.#healed();
  }
  healAll(): void {
    this.#extraDelayMs.clear();
    if (this.#cuts.size === 0) return;
    this.#cuts.clear();
    this.#healed();
  }
  /** Up to so much is added to the delay of this direction; 0 ends it. */
  slow(from: SimHost, to: SimHost, extraDelayMs: number): void {
    if (extraDelayMs > 0) this.#extraDelayMs.set(direction(from, to), extraDelayMs);
    else this.#extraDelayMs.delete(direction(from, to));
  }
  /** Both ends of the connections between two hosts see a reset; bytes in flight are lost. */
  reset(a: SimHost, b: SimHost): void {
    for (const connection of [...this.#connections]) {
      if (connection.between(a, b)) connection.abort();
    }
  }
  /** The first host has lost its ends of the connections; the second does not hear of it. */
  halfOpen(at: SimHost, unaware: SimHost): void {
    for (const connection of [...this.#connections]) {
      if (connection.between(at, unaware)) connection.loseEnd(at);
    }
  }
  /** Nothing comes through the connections that there are, and nobody hears of that; new ones are sound. */
  silence(a: SimHost, b: SimHost): void {
    for (const connection of this.#connections) {
      if (connection.between(a, b)) connection.silent = true;
    }
  }
  /** From now on the host's processes die without a word to their peers. */
  powerOff(host: SimHost): void {
    host.powered = false;
  }
  /** What peers still hold open is unknown to the host that comes up. */
  powerOn(host: SimHost): void {
    host.powered = true;
    for (const connection of [...this.#connections]) {
      const { client, server } = connection;
      const stale =
        (client.host === host && !client.open) || (server.host === host && !server.open);
      if (stale && !connection.local) connection.abort();
    }
  }

  /** How many connections between two hosts have ended so far. */
  endings(a: SimHost, b: SimHost): number {
    return this.#endings.get(pair(a, b)) ?? 0;
  }

  ended(connection: Connection): void {
    const { client, server } = connection;
    const key = pair(client.host, server.host);
    this.#endings.set(key, (this.#endings.get(key) ?? 0) + 1);
    if (!client.open && !server.open) this.#connections.delete(connection);
  }

  /** Each connection hears of the end of a cut when it next retransmits. */
  #healed(): void {
    for (const connection of this.#connections) {
      if (connection.client.blocked.length + connection.server.blocked.length === 0) continue;
      const delayMs = this.random.between(1, RETRANSMIT_MAX_MS);
      this.scheduler.at(this.kernel, this.scheduler.nowMs + delayMs, () => connection.unblock());
    }
  }

  // --- platform's Network for one process on one host

  forProcess(host: SimHost, owner: SimProcess): Network {
    this.#hosts.set(host.address, host);
    owner.onDeath(() => this.#ownerDied(owner));
    return {
      listenUnix: (path, _mode, accept) =>
        this.#listen(`${host.name}:${path}`, host, owner, accept),
      listenTcp: (address, port, accept) =>
        this.#listen(`tcp:${address}:${port}`, host, owner, accept),
      connectUnix: (path, connected) =>
        this.#connect(host, owner, `${host.name}:${path}`, undefined, 0, connected),
      connectTcp: (to, connected) =>
        this.#connect(host, owner, `tcp:${to.address}:${to.port}`, to, to.timeoutMs, connected),
      interfaces: () =>
        ok([
          { name: "eth0", up: true, addresses: [{ address: host.address, prefixLength: 24 }] },
          ...host.publicAddresses.interfaces(),
        ]),
      hasInterface: () => false,
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
    tcp: { readonly address: string; readonly localAddress?: string } | undefined,
    timeoutMs: number,
    connected: ConnectCallback,
  ) {
    const target = tcp === undefined ? host : this.#hosts.get(tcp.address);
    const delayMs =
      tcp === undefined || target === undefined
        ? LOCAL_DELAY_MS
        : this.delayMs(host, target) + this.delayMs(target, host);
    const state = { cancelled: false };
    const fail = (code: string) => {
      if (!state.cancelled) connected(err(new SystemError(code, "connect", key)));
    };
    this.scheduler.at(owner, this.scheduler.nowMs + delayMs, () => {
      if (state.cancelled) return;
      const unreachable =
        target !== undefined &&
        (!target.powered || this.isCut(host, target) || this.isCut(target, host));
      if (unreachable || delayMs > timeoutMs + LOCAL_DELAY_MS) {
        this.scheduler.at(owner, this.scheduler.nowMs + timeoutMs, () => fail("ETIMEDOUT"));
        return;
      }
      const listener = this.#listeners.get(key);
      if (listener === undefined) return fail("ECONNREFUSED");
      this.#establish({ host, owner }, listener, tcp, connected);
    });
    return {
      cancel: () => {
        state.cancelled = true;
      },
    };
  }

  #establish(
    from: { readonly host: SimHost; readonly owner: SimProcess },
    listener: Listener,
    tcp: { readonly address: string; readonly localAddress?: string } | undefined,
    connected: ConnectCallback,
  ): void {
    const addresses =
      tcp === undefined
        ? undefined
        : { client: tcp.localAddress ?? from.host.address, server: tcp.address };
    const connection = new Connection(this, from, listener, addresses);
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
        if (end.owner !== owner || !end.open) continue;
        if (end.host.powered || connection.local) end.close();
        else end.open = false;
      }
    }
  }
}

function direction(from: SimHost, to: SimHost): string {
  return `${from.name}>${to.name}`;
}
function pair(a: SimHost, b: SimHost): string {
  return a.name < b.name ? direction(a, b) : direction(b, a);
}
