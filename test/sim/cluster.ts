/**
 * A whole cluster in one process on virtual time, made from one seed. Nodes run the product's own
 * objects; what is simulated is the system below them (time, network, disk, lock service). The
 * checkers live here.
 */
import type { Logger } from "../../src/base/log.ts";
import type { DatabaseSet } from "../../src/database/database_set.ts";
import type { ClusterLockProbe } from "../../src/lock/cluster_lock_probe.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { AddressChecker } from "./address_checker.ts";
import { CallChecker } from "./call_checker.ts";
import { LockService, type SimLock } from "./cluster_lock.ts";
import { SimDisk } from "./disk.ts";
import { DiskTrouble } from "./disk_trouble.ts";
import { JournalChecker } from "./journal_checker.ts";
import { JournalReader } from "./journal_reader.ts";
import { LeaderChecker } from "./leader_checker.ts";
import { type NetworkConditions, SimNetwork } from "./network.ts";
import { SimNode } from "./node.ts";
import { SeededRandom } from "./random.ts";
import { RecordChecker } from "./record_checker.ts";
import { watchRecoveries } from "./recovery_watch.ts";
import { Scheduler, SimProcess } from "./scheduler.ts";
import { isSettled } from "./settled.ts";
import { REPLICATED, TransactionChecker } from "./transaction_checker.ts";
import { watchVacuum } from "./vacuum_watch.ts";
import { Judge } from "./violation.ts";

export interface SimOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly clusterLock: boolean;
  readonly tunables?: Readonly<Record<string, number>>;
  readonly conditions?: NetworkConditions;
  /**
   * Nodes that are configured without the lock all the same: a mistake that the cluster must
   * survive.
   */
  readonly withoutLock?: readonly number[];
  /** As CTDB_TEST_MODE: a fast first election and no wait for further recoveries. */
  readonly testMode?: boolean;
  /** Public addresses that every node may host; with none there are no event scripts. */
  readonly publicAddresses?: number;
  /** Each node has somebody who keeps its events. */
  readonly journals?: boolean;
  /** A node with one public interface down is healthy. */
  readonly partiallyOnline?: boolean;
  /** Gets every log line; without it the last lines are kept for a failure report. */
  readonly onLogLine?: (line: string) => void;
}

/** Small files: a few hundred chains would only cost memory here. */
const HASH_SIZE = 13;
const LOG_LINES_KEPT = 250;
/** Of random numbers: what disks refuse shifts nothing else. */
const FIRST_DISK_STREAM = 1000;
const FIRST_SCRIPTS_STREAM = 2000;
const FIRST_JOURNAL_STREAM = 3000;

export class SimCluster {
  readonly scheduler = new Scheduler();
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly judge = new Judge(this.scheduler);
  readonly records: RecordChecker;
  readonly transactions = new TransactionChecker(this.judge, () => this.nowMs);
  readonly leaders = new LeaderChecker(this.judge);
  readonly addresses: AddressChecker;
  readonly calls = new CallChecker(this.judge, () =>
    this.nodes.some(({ daemon }) => daemon?.node?.state.recovering === true),
  );
  /** What nodes write down, where somebody keeps it; and who does, by node. */
  readonly journals: JournalChecker | undefined;
  readonly readers: readonly JournalReader[];
  readonly lockService: LockService | undefined;
  readonly tunables: Readonly<Record<string, number>>;
  readonly testMode: boolean;
  recoveries = 0;
  readonly #onRecovery: (() => void)[] = [];
  readonly #options: SimOptions;
  /** Time and text; joined only when somebody reads them. */
  #log: [number, string][] = [];

  constructor(options: SimOptions) {
    this.#options = options;
    this.testMode = options.testMode ?? false;
    this.random = new SeededRandom(options.seed);
    this.tunables = { DatabaseHashSize: HASH_SIZE, ...options.tunables };
    const kernel = new SimProcess(this.scheduler, "kernel");
    this.network = new SimNetwork(
      this.scheduler,
      this.random.fork(),
      kernel,
      options.conditions ?? { delayMinMs: 0.1, delayMaxMs: 1, splitChance: 0.1 },
    );
    this.lockService = options.clusterLock
      ? new LockService(this.scheduler, this.random.fork(), kernel)
      : undefined;
    this.nodes = Array.from({ length: options.nodes }, (_, pnn) => {
      const random = this.random.fork();
      const trouble = new DiskTrouble(new SeededRandom(options.seed, FIRST_DISK_STREAM + pnn));
      const disk = new SimDisk(this.scheduler, kernel, random.fork(), trouble);
      const scripts = new SeededRandom(options.seed, FIRST_SCRIPTS_STREAM + pnn);
      return new SimNode(this, pnn, random, disk, scripts);
    });
    this.journals =
      options.journals === true
        ? new JournalChecker(this, this.newProcess("journal checker"))
        : undefined;
    this.readers = options.journals === true ? this.nodes.map((node) => this.#readerOf(node)) : [];
    this.addresses = new AddressChecker(this, this.newProcess("address checker"));
    this.records = new RecordChecker(this.judge, {
      validGeneration: (pnn, name) => this.nodes[pnn]?.validGeneration(name),
      lmaster: (pnn, key) => this.nodes[pnn]?.lmasterOf(key),
    });
  }

  #readerOf(node: SimNode): JournalReader {
    const random = new SeededRandom(this.#options.seed, FIRST_JOURNAL_STREAM + node.pnn);
    return new JournalReader(this, node, random);
  }

  get size(): number {
    return this.#options.nodes;
  }
  get publicAddresses(): number {
    return this.#options.publicAddresses ?? 0;
  }
  get partiallyOnline(): boolean {
    return this.#options.partiallyOnline === true;
  }
  /** Is the node configured with a cluster lock? */
  usesLock(pnn: number): boolean {
    return this.lockService !== undefined && !this.#options.withoutLock?.includes(pnn);
  }
  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  node(pnn: number): SimNode {
    const node = this.nodes[pnn];
    if (node === undefined) throw new Error(`no node ${pnn}: expected 0 to ${this.size - 1}`);
    return node;
  }

  startAll(): void {
    for (const node of this.nodes) node.start();
    for (const reader of this.readers) reader.start();
  }

  /** Somebody starts a recovery. */
  onRecovery(action: () => void): void {
    this.#onRecovery.push(action);
  }

  /** From all others, both ways, until the network is healed. */
  isolate(node: SimNode): void {
    for (const other of this.nodes) {
      if (other === node) continue;
      this.network.cut(node.host, other.host);
      this.network.cut(other.host, node.host);
    }
  }

  settled(nodes: readonly SimNode[] = this.nodes): boolean {
    return isSettled(nodes);
  }

  newProcess(name: string): SimProcess {
    return new SimProcess(this.scheduler, name);
  }

  lockFor(process: SimProcess, pnn: number): SimLock | undefined {
    return this.usesLock(pnn) ? this.lockService?.clientOf(process, pnn) : undefined;
  }

  probeFor(process: SimProcess): ClusterLockProbe | undefined {
    return this.lockService?.probeOf(process);
  }

  // --- for the checkers

  /** Every store through this handle is judged, whoever of the host makes it. */
  watch(node: SimNode, tdb: Tdb): void {
    const name = databaseName(tdb.path);
    if (tdb.path.startsWith("/volatile/") && name !== REPLICATED) {
      this.records.watch(tdb, node.pnn, name);
    }
  }

  watchRecoveries(node: SimNode, databases: DatabaseSet): void {
    watchRecoveries({ records: this.records, transactions: this.transactions }, node, databases);
    watchVacuum(this.records, node.pnn, databases);
  }

  recoveryStarted(node: SimNode, generation: number): void {
    this.recoveries += 1;
    this.note(`node${node.pnn} starts a recovery to generation ${generation}`);
    this.leaders.judge(node, "recovery started");
    this.journals?.recoveryStarted(node, generation);
    for (const action of this.#onRecovery) action();
  }

  nodeDied(node: SimNode): void {
    this.records.forget(node.pnn);
    this.addresses.daemonDied(node.pnn);
    this.note(`node${node.pnn} died`);
  }

  // --- log

  note(text: string): void {
    const atMs = this.scheduler.nowMs;
    this.#options.onLogLine?.(logLine(atMs, text));
    this.#log.push([atMs, text]);
    if (this.#log.length > 2 * LOG_LINES_KEPT) this.#log.splice(0, LOG_LINES_KEPT);
  }

  get logLines(): readonly string[] {
    return this.#log.map(([atMs, text]) => logLine(atMs, text));
  }

  logger(process: SimProcess): Logger {
    const { name } = process;
    return {
      error: (message) => this.note(`${name} ERROR: ${message}`),
      warning: (message) => this.note(`${name} WARNING: ${message}`),
      notice: (message) => this.note(`${name} NOTICE: ${message}`),
      info: () => {},
      debug: () => {},
    };
  }
}

function logLine(atMs: number, text: string): string {
  return `${(atMs / 1000).toFixed(3)} ${text}`;
}

/** "/volatile/work.tdb.2" → "work.tdb" */
export function databaseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.[0-9]+$/, "");
}
