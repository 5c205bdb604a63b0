/**
 * The cluster as the nemeses see it: its hosts, what is done to them, what was undone of it, and since when which nodes could
 * not see each other.
 *
 * 1. Each thing that is done has its undoing, kept here; `heal` undoes all, the last first.
 * 2. Who is away or cut off is written down with its times: checkers ask for it.
 */
import type { SeededRandom } from "../../sim/random.ts";
import { until, when } from "../../support/until.ts";
import { AddressWatch } from "../address_watch.ts";
import { type NetnsCluster, PUBLIC_INTERFACE } from "../cluster.ts";
import type { Host } from "../host.ts";
import { processesOf, type Role, signalAll } from "./processes.ts";
import { Visibility } from "./visibility.ts";
import { Workload } from "./workload.ts";

const SMALL_DISK = "32m";
const CHAIN = "NEMESIS";
const IPTABLES = ["iptables", "-w", "5"];
const OUTSIDE_MS = 10_000;

export class World {
  readonly cluster: NetnsCluster;
  readonly random: SeededRandom;
  readonly workload: Workload;
  readonly addresses: AddressWatch;
  readonly visibility = new Visibility();
  readonly #undo: (() => Promise<void>)[] = [];
  /** What was done in this round, in words. */
  readonly done: string[] = [];

  private constructor(
    cluster: NetnsCluster,
    random: SeededRandom,
    journals: string,
    addresses: AddressWatch,
  ) {
    this.cluster = cluster;
    this.random = random;
    this.workload = new Workload(journals);
    this.addresses = addresses;
  }

  static async start(
    cluster: NetnsCluster,
    random: SeededRandom,
    journals: string,
  ): Promise<World> {
    const hosts = cluster.nodes.map(({ host }) => host);
    const world = new World(
      cluster,
      random,
      journals,
      await AddressWatch.start(hosts, PUBLIC_INTERFACE),
    );
    for (const host of hosts) await prepareHost(host);
    world.startClients();
    return world;
  }

  get nodes(): readonly number[] {
    return this.cluster.nodes.map((_, pnn) => pnn);
  }

  /** A node by chance. */
  anyNode(): number {
    return this.random.pick(this.nodes);
  }
  anyOther(pnn: number): number {
    return this.random.pick(this.nodes.filter((other) => other !== pnn));
  }

  /** Whose mutex helper runs: it holds the lock, or is about to. */
  leader(): number | undefined {
    return this.nodes.find((pnn) => this.processes(pnn, "mutexHelper").length > 0);
  }

  /** Half of the time the one that leads: what is done to it matters more. */
  likelyLeader(): number {
    const leader = this.random.chance(0.5) ? this.leader() : undefined;
    return leader ?? this.anyNode();
  }

  processes(pnn: number, role: Role | "all"): readonly number[] {
    return processesOf(this.cluster.host(pnn), role);
  }

  say(what: string): void {
    this.done.push(what);
  }

  // --- what is done

  kill(pnn: number, role: Role | "all"): number {
    const count = signalAll(this.processes(pnn, role), "SIGKILL");
    this.say(`kill ${role} of ${pnn} (${count})`);
    if (count > 0) this.away(pnn);
    return count;
  }

  stop(pnn: number, role: Role | "all"): number {
    const pids = this.processes(pnn, role);
    const count = signalAll(pids, "SIGSTOP");
    this.say(`stop ${role} of ${pnn} (${count})`);
    this.away(pnn);
    this.#undo.push(async () => {
      signalAll(pids, "SIGCONT");
      this.workload.goOn(pnn);
    });
    return count;
  }

  /** What comes to node `to` from node `from` is dropped, or that part of it. */
  async drop(from: number, to: number, probability = 1): Promise<void> {
    const source = this.cluster.host(from).address;
    const some = [...["-m", "statistic", "--mode", "random", "--probability", String(probability)]];
    const rule = ["-s", source, ...(probability < 1 ? some : []), "-j", "DROP"];
    await this.cluster.host(to).must([...IPTABLES, "-A", CHAIN, ...rule]);
    this.say(`drop ${probability < 1 ? `${probability} of ` : ""}${from}→${to}`);
    this.visibility.cut(from, to);
    this.#undo.push(async () => {
      await this.cluster.host(to).must([...IPTABLES, "-D", CHAIN, ...rule]);
    });
  }

  /** As when the power is cut: everything ends, and what is in memory is gone. */
  async powerCut(pnn: number): Promise<void> {
    this.kill(pnn, "all");
    const host = this.cluster.host(pnn);
    await host.must(["ip", "address", "flush", "dev", PUBLIC_INTERFACE]);
    await host.must(["sh", "-c", "rm -rf /run/* && mkdir -p /run/ctdb"]);
    this.say(`power cut of ${pnn}`);
  }

  /** The disk of a directory under /var/lib/ctdb has no room left. */
  async fillDisk(pnn: number, name: "volatile" | "persistent"): Promise<void> {
    const host = this.cluster.host(pnn);
    const filler = `/var/lib/ctdb/${name}/filler`;
    await host.run(["dd", "if=/dev/zero", `of=${filler}`, "bs=4k"]);
    this.say(`disk of ${name} of ${pnn} full`);
    this.away(pnn);
    this.#undo.push(async () => {
      await host.must(["rm", "-f", filler]);
    });
  }

  /** The file system of the cluster lock answers nobody. */
  hangLock(): void {
    const { lockFileSystem } = this.cluster;
    if (lockFileSystem === undefined) throw new Error("the lock of this cluster cannot hang");
    lockFileSystem.hang();
    this.say("lock file system hangs");
    this.#undo.push(async () => lockFileSystem.goOn());
  }

  /** Runs when the round is healed. */
  undoLater(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  /** The node may not be able to keep its promises from now until all is whole. */
  away(pnn: number): void {
    this.visibility.away(pnn);
  }

  // --- what is put right

  async heal(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  /** Starts what has ended, as a service manager would; a daemon that is about to end has its time for it. */
  async startWhatEnded(): Promise<void> {
    for (const pnn of this.nodes) {
      const node = this.cluster.node(pnn);
      if (this.processes(pnn, "ctdbd").length > 0) continue;
      this.away(pnn);
      await node.start();
    }
    this.startClients();
  }

  startClients(): void {
    for (const pnn of this.nodes) {
      if (!this.workload.isRunning(pnn)) this.workload.start(pnn, this.cluster.host(pnn));
    }
  }

  async end(): Promise<void> {
    await this.heal();
    await this.workload.end();
    await this.addresses.end();
  }

  /** Waits for something in the world that is not part of what is tested. */
  async until(what: string, holds: () => boolean): Promise<void> {
    await until(what, OUTSIDE_MS, () => when(holds()));
  }
}

/** Before its daemons start: disks that can be filled. */
export async function giveSmallDisks(host: Host): Promise<void> {
  for (const name of ["volatile", "persistent"]) {
    const mount = ["mount", "-t", "tmpfs", "-o", `size=${SMALL_DISK}`, "tmpfs"];
    await host.must([...mount, `/var/lib/ctdb/${name}`]);
  }
}

async function prepareHost(host: Host): Promise<void> {
  await host.must([...IPTABLES, "-N", CHAIN]);
  await host.must([...IPTABLES, "-A", "INPUT", "-i", "eth0", "-j", CHAIN]);
}
