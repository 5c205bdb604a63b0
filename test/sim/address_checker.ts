/**
 * Whether public addresses are where they should be, judged by the kernels' tables of the simulated hosts:
 * - an address comes to a host only when it is on no other, unless something kept the nodes apart shortly before;
 * - none is on a node that is stopped, banned, or without ctdbd, after a while;
 * - in a calm cluster each is on exactly one host, every node knows which, and none has two while another has none;
 * - an address that was taken is announced, and connections that were to its former host are tickled.
 *
 * It changes nothing.
 */
import type { SimCluster } from "./cluster.ts";
import { ConnectionModel } from "./connection_model.ts";
import { publicAddress } from "./host_addresses.ts";
import type { SimNode } from "./node.ts";
import type { SimProcess } from "./scheduler.ts";

const LOOK_MS = 250;
/** Two takeover runs of two leaders, and what they asked for, are over so long after the trouble that made them. */
const UNDISTURBED_MS = 60_000;
/** A script, and the retry after one that failed. */
const INACTIVE_MS = 15_000;
/** RecoveryDropAllIPs, unless it is set. */
const DROP_ALL_SEC = 120;
/** The event daemon looks once a second. */
const DEAD_MS = 3000;
const ANNOUNCED_MS = 1000;
const PORTS = 60_000;
/** A node that has come up makes others see connections end. */
const FRESH_MS = 10_000;

interface NodeView {
  /** Something kept it from others, or others from it. */
  disturbedMs: number;
  startedMs: number;
  inactiveSinceMs: number | undefined;
  recoveringSinceMs: number | undefined;
  /** Of the last look. */
  recovery: string;
  deadSinceMs: number | undefined;
  /** By address. */
  readonly taken: Map<string, Taken>;
  /** By address: when its last takeip began. */
  readonly takesAskedMs: Map<string, number>;
}

/** An address that was taken, until all is done that must follow. */
interface Taken {
  readonly sinceMs: number;
  announced: boolean;
  /** Of outside clients who must get a tickle. */
  readonly untickled: Set<number>;
}

export class AddressChecker {
  readonly #cluster: SimCluster;
  readonly #views: readonly NodeView[];
  readonly #endings = new Map<string, number>();
  /** How often an address came to a host. */
  takesSeen = 0;
  /** How often a connection that had to be tickled was. */
  ticklesSeen = 0;
  readonly #connections = new ConnectionModel();
  #lastPort = 0;

  constructor(cluster: SimCluster, process: SimProcess) {
    this.#cluster = cluster;
    this.#views = cluster.nodes.map(() => ({
      disturbedMs: 0,
      startedMs: 0,
      inactiveSinceMs: undefined,
      recoveringSinceMs: undefined,
      recovery: "",
      deadSinceMs: undefined,
      taken: new Map(),
      takesAskedMs: new Map(),
    }));
    if (cluster.publicAddresses === 0) return;
    for (const node of cluster.nodes) this.#watch(node);
    process.timers.every(LOOK_MS, () => this.#look());
  }

  /** What it was to announce it never will, nor what it was about to tell of connections. */
  daemonDied(pnn: number): void {
    this.#views[pnn]?.taken.clear();
    this.#connections.died(pnn, this.#cluster.nowMs);
  }

  /** For a connection of an outside client. */
  newPort(): number {
    this.#lastPort = (this.#lastPort % PORTS) + 1;
    return this.#lastPort;
  }

  /** A ctdbd was told of a connection, and has said that it knows it. */
  connectionTold(pnn: number, address: string, port: number): void {
    this.#connections.told({ pnn, address, port, sinceMs: this.#cluster.nowMs });
  }

  /** What is not as it should be in a cluster that has long been calm; empty when all is well. */
  misplaced(nodes = this.#cluster.nodes): readonly string[] {
    const { publicAddresses } = this.#cluster;
    const problems: string[] = [];
    for (let number = 0; number < publicAddresses; number++) {
      const address = publicAddress(number);
      const hosts = nodes.filter(({ host }) => host.publicAddresses.has(address));
      const [host] = hosts;
      if (host === undefined || hosts.length !== 1) {
        problems.push(`${address} is on ${hostsText(hosts)}`);
        continue;
      }
      for (const node of nodes) {
        const known = knownHost(node, address);
        if (known !== host.pnn) {
          problems.push(
            `node ${node.pnn} takes ${address} to be on node ${known}, not ${host.pnn}`,
          );
        }
      }
    }
    return [...problems, ...this.#unfair(nodes)];
  }

  /** Somebody is or was a moment ago kept from the others. */
  get disturbed(): boolean {
    return this.#views.some(({ disturbedMs }) => this.#cluster.nowMs - disturbedMs < 2 * LOOK_MS);
  }

  #unfair(nodes: readonly SimNode[]): readonly string[] {
    if (this.#cluster.tunables["NoIPFailback"] === 1) return [];
    const counts = nodes.map(({ host }) => host.publicAddresses.all.length);
    if (Math.max(...counts) < 2 || Math.min(...counts) > 0) return [];
    return [`nodes have ${counts.join(", ")} addresses`];
  }

  #watch(node: SimNode): void {
    const { publicAddresses } = node.host;
    const { taken, takesAskedMs } = this.#view(node);
    publicAddresses.onChange = (what, address) => {
      this.#cluster.note(`node${node.pnn} kernel: ${address} ${what}`);
      if (what === "came") this.#came(node, address);
      else taken.delete(address);
    };
    publicAddresses.onAnnounced = (address) => {
      const entry = taken.get(address);
      if (entry !== undefined) entry.announced = true;
    };
    publicAddresses.onTickled = (address, to) => {
      if (taken.get(address)?.untickled.delete(to.port) === true) this.ticklesSeen += 1;
    };
    node.scripts.onEvent = (event, address, what) => {
      if (event === "takeip" && what !== "asked") {
        this.#taken(node, address);
        // Whether it is announced depends on what ctdbd finds there.
        if (what === "hung") taken.delete(address);
        return;
      }
      taken.delete(address);
      if (event === "takeip") takesAskedMs.set(address, this.#cluster.nowMs);
    };
  }

  #taken(node: SimNode, address: string): void {
    this.#lookWhatDisturbs();
    const { nowMs } = this.#cluster;
    const { pnn } = node;
    const { taken, takesAskedMs, disturbedMs } = this.#view(node);
    const askedMs = takesAskedMs.get(address) ?? nowMs;
    const ports = this.#connections.taken(address, { pnn, disturbedMs, askedMs }, nowMs);
    taken.set(address, { sinceMs: nowMs, announced: false, untickled: new Set(ports) });
  }

  #came(node: SimNode, address: string): void {
    this.takesSeen += 1;
    this.#lookWhatDisturbs();
    const since = this.#cluster.nowMs - UNDISTURBED_MS;
    if (this.#view(node).disturbedMs > since) return;
    for (const other of this.#cluster.nodes) {
      if (other === node || !other.host.publicAddresses.has(address)) continue;
      if (this.#view(other).disturbedMs > since) continue;
      this.#cluster.judge.violated(
        `${address} comes to node ${node.pnn} while it is on node ${other.pnn}, and nothing keeps them apart`,
      );
    }
  }

  #look(): void {
    this.#lookWhatDisturbs();
    for (const node of this.#cluster.nodes) {
      this.#judgeInactive(node);
      this.#judgeRecovering(node);
      this.#judgeDead(node);
      this.#judgeAnnouncements(node);
    }
  }

  #judgeInactive(node: SimNode): void {
    const view = this.#view(node);
    const { nowMs } = this.#cluster;
    if (!node.inactive || isExcused(node)) {
      view.inactiveSinceMs = undefined;
      return;
    }
    view.inactiveSinceMs ??= nowMs;
    if (nowMs - view.inactiveSinceMs > INACTIVE_MS) this.#mustBeEmpty(node, "is stopped or banned");
  }

  /** Cut off for so long, somebody else has its addresses. */
  #judgeRecovering(node: SimNode): void {
    const view = this.#view(node);
    const { nowMs, tunables } = this.#cluster;
    // A recovery may end and the next begin between two looks.
    const state = node.daemon?.node?.state;
    const recovery = `${node.generation} after ${state?.lastRecoveryFinishedMs}`;
    const another = recovery !== view.recovery;
    view.recovery = recovery;
    if (another || state?.recovering !== true) {
      view.recoveringSinceMs = undefined;
      return;
    }
    view.recoveringSinceMs ??= nowMs;
    const dropMs = (tunables["RecoveryDropAllIPs"] ?? DROP_ALL_SEC) * 1000;
    // Excused for the moment, with the time that follows.
    if (isExcused(node)) {
      view.recoveringSinceMs = Math.max(view.recoveringSinceMs, nowMs - dropMs);
    }
    if (nowMs - view.recoveringSinceMs > dropMs + INACTIVE_MS) {
      this.#mustBeEmpty(node, "is in recovery for too long");
    }
  }

  #judgeDead(node: SimNode): void {
    const view = this.#view(node);
    const { nowMs } = this.#cluster;
    if (node.running || node.guardPaused) {
      view.deadSinceMs = undefined;
      return;
    }
    view.deadSinceMs ??= nowMs;
    if (nowMs - view.deadSinceMs > DEAD_MS) this.#mustBeEmpty(node, "has no ctdbd");
  }

  #mustBeEmpty({ pnn, host }: SimNode, why: string): void {
    const left = host.publicAddresses.all;
    if (left.length === 0) return;
    this.#cluster.judge.violated(`${left.join(", ")} on node ${pnn}, which ${why}`);
  }

  #judgeAnnouncements(node: SimNode): void {
    const { taken } = this.#view(node);
    for (const [address, { sinceMs, announced, untickled }] of taken) {
      if (node.wasPausedWithin(2 * ANNOUNCED_MS) || isPaused(node)) continue;
      if (this.#cluster.nowMs - sinceMs <= ANNOUNCED_MS) continue;
      taken.delete(address);
      const what = `node ${node.pnn} has taken ${address}`;
      if (!announced) this.#cluster.judge.violated(`${what} and does not announce it`);
      if (untickled.size === 0) continue;
      this.#cluster.judge.violated(`${what} and does not tickle ${[...untickled].join(", ")}`);
    }
  }

  #lookWhatDisturbs(): void {
    const { nodes, nowMs } = this.#cluster;
    for (const node of nodes) {
      const view = this.#view(node);
      if (!node.running) view.startedMs = nowMs;
      if (node.daemon?.node?.state.runstate !== "RUNNING" || isPaused(node)) {
        view.disturbedMs = nowMs;
      }
    }
    this.#connections.forget(({ pnn, sinceMs }) => {
      const running = nodes[pnn]?.running === true;
      return running && (this.#views[pnn]?.disturbedMs ?? 0) > sinceMs;
    });
    for (const a of nodes) for (const b of nodes) if (a.pnn < b.pnn) this.#lookBetween(a, b);
    // While a leader's recovery daemon sleeps its run goes on, and somebody else leads.
    const sleeps = nodes.some(({ recoverdProcess }) => recoverdProcess?.paused === true);
    if (sleeps) for (const view of this.#views) view.disturbedMs = nowMs;
  }

  #lookBetween(a: SimNode, b: SimNode): void {
    const { network, nowMs } = this.#cluster;
    const key = `${a.pnn} ${b.pnn}`;
    const endings = network.endings(a.host, b.host);
    const ended = endings !== (this.#endings.get(key) ?? 0);
    this.#endings.set(key, endings);
    const [first, second] = [this.#view(a), this.#view(b)];
    const fresh = nowMs - Math.max(first.startedMs, second.startedMs) < FRESH_MS;
    const apart = network.isTroubled(a.host, b.host) || network.isTroubled(b.host, a.host);
    if (!apart && (!ended || fresh)) return;
    first.disturbedMs = nowMs;
    second.disturbedMs = nowMs;
  }

  #view({ pnn }: SimNode): NodeView {
    const view = this.#views[pnn];
    if (view === undefined)
      throw new Error(`no node ${pnn}: expected 0 to ${this.#views.length - 1}`);
    return view;
  }
}

function isPaused({ process, recoverdProcess }: SimNode): boolean {
  return process?.paused === true || recoverdProcess?.paused === true;
}

/** It, or its scripts, cannot do what they must. */
function isExcused(node: SimNode): boolean {
  const { trouble, troubled } = node.scripts;
  const scriptsStand = node.eventdProcess?.paused === true;
  return isPaused(node) || scriptsStand || trouble !== undefined || troubled > 0;
}

/** As `ctdb ip` says there. */
function knownHost(node: SimNode, address: string): number | undefined {
  const known = node.daemon?.node?.addresses.addresses.publicIps(false) ?? [];
  return known.find(({ addr }) => addr.address === address)?.pnn;
}

function hostsText(hosts: readonly SimNode[]): string {
  if (hosts.length === 0) return "no host";
  return `nodes ${hosts.map(({ pnn }) => pnn).join(" and ")}`;
}
