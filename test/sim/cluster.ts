/**
 * A whole cluster in one process on virtual time, made from one seed. Nodes run the product's own
 * objects; what is simulated is the system below them (time, network, disk, lock service).
 */
import type { Logger, LogLevel } from "../../src/base/log.ts";
import type { ClusterLockProbe } from "../../src/cluster/cluster_lock.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { LockService, type SimLock } from "./cluster_lock.ts";
import { SimDisk } from "./disk.ts";
import { SimNetwork } from "./network.ts";
import { SimNode } from "./node.ts";
import { SeededRandom } from "./random.ts";
import { InvariantViolation, RecordChecker } from "./record_checker.ts";
import { Scheduler, SimProcess } from "./scheduler.ts";

export interface SimOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly clusterLock: boolean;
  readonly tunables?: Readonly<Record<string, number>>;
  /** Gets every log line; without it the last lines are kept for a failure report. */
  readonly onLogLine?: (line: string) => void;
}

/** Small files: a few hundred chains would only cost memory here. */
const HASH_SIZE = 13;
const LOG_LINES_KEPT = 200;

export class SimCluster {
  readonly scheduler = new Scheduler();
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly records = new RecordChecker();
  readonly lockService: LockService | undefined;
  readonly tunables: Readonly<Record<string, number>>;
  readonly logLines: string[] = [];
  recoveries = 0;
  readonly #options: SimOptions;

  constructor(options: SimOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    this.tunables = { DatabaseHashSize: HASH_SIZE, ...options.tunables };
    const kernel = new SimProcess(this.scheduler, "kernel");
    this.network = new SimNetwork(this.scheduler, this.random.fork(), kernel, {
      delayMinMs: this.random.between(0.05, 2),
      delayMaxMs: this.random.between(2, 30),
      splitChance: this.random.chance(0.5) ? 0.02 : 0.2,
    });
    this.lockService = options.clusterLock
      ? new LockService(this.scheduler, this.random.fork(), kernel)
      : undefined;
    this.nodes = Array.from(
      { length: options.nodes },
      (_, pnn) => new SimNode(this, pnn, this.random.fork(), new SimDisk(this.scheduler, kernel)),
    );
  }

  get size(): number {
    return this.#options.nodes;
  }
  get usesLock(): boolean {
    return this.lockService !== undefined;
  }

  node(pnn: number): SimNode {
    const node = this.nodes[pnn];
    if (node === undefined) throw new Error(`no node ${pnn}: expected 0 to ${this.size - 1}`);
    return node;
  }

  startAll(): void {
    for (const node of this.nodes) node.start();
  }

  /** All of these are connected, active, NORMAL, in one generation, and agree about the leader. */
  settled(nodes: readonly SimNode[] = this.nodes): boolean {
    const first = nodes[0]?.daemon?.node;
    const leader = nodes[0]?.recoverd?.election.leader;
    if (first === undefined || leader === undefined) return false;
    return nodes.every((node) => {
      const own = node.daemon?.node;
      return (
        own !== undefined &&
        own.state.recoveryMode === RECOVERY_NORMAL &&
        own.state.runstate === "RUNNING" &&
        own.vnnMap.generation === first.vnnMap.generation &&
        own.nodes.configured().every((pnn) => own.nodes.flags(pnn) === 0) &&
        node.recoverd?.election.leader === leader &&
        node.recoverd.election.inProgress === false
      );
    });
  }

  newProcess(name: string): SimProcess {
    return new SimProcess(this.scheduler, name);
  }

  lockFor(process: SimProcess, pnn: number): SimLock | undefined {
    return this.lockService?.clientOf(process, pnn);
  }

  probeFor(process: SimProcess): ClusterLockProbe {
    return {
      probe: (answered) => {
        let cancelled = false;
        this.lockService?.answerAfter(process, () => {
          if (cancelled) return;
          const free = this.lockService?.holder === undefined;
          answered(free ? { kind: "held", latencyMs: 1 } : { kind: "contended" });
        });
        return {
          cancel: () => {
            cancelled = true;
          },
        };
      },
    };
  }

  /** Every store through this handle is judged, whoever of the host makes it. */
  watch(node: SimNode, tdb: Tdb): void {
    const name = databaseName(tdb.path);
    if (!tdb.path.startsWith("/volatile/")) return;
    this.records.watch(tdb, {
      pnn: node.pnn,
      name,
      generation: () => node.validGeneration(name),
    });
  }

  /** DESIGN 7.5: who starts a recovery under a cluster lock holds it, as far as it can know. */
  recoveryStarted(node: SimNode, generation: number): void {
    this.recoveries += 1;
    this.note(`node${node.pnn} starts a recovery to generation ${generation}`);
    const service = this.lockService;
    if (service === undefined) return;
    if (node.recoverd?.election.mayAct === false || service.holder?.pnn !== node.pnn) {
      if (service.recentlyRevoked(node.pnn)) return;
      throw new InvariantViolation(
        `node ${node.pnn} starts a recovery without the cluster lock (holder: ${service.holder?.pnn ?? "none"})`,
      );
    }
  }

  nodeDied(node: SimNode): void {
    this.records.forget(node.pnn);
    this.note(`node${node.pnn} died`);
  }

  note(text: string): void {
    this.#line(`${(this.scheduler.nowMs / 1000).toFixed(3)} ${text}`);
  }

  logger(process: SimProcess): Logger {
    const line = (level: LogLevel) => (message: string) =>
      this.note(`${process.name} ${level}: ${message}`);
    return {
      error: line("ERROR"),
      warning: line("WARNING"),
      notice: line("NOTICE"),
      info: () => {},
      debug: () => {},
    };
  }

  #line(text: string): void {
    this.#options.onLogLine?.(text);
    this.logLines.push(text);
    if (this.logLines.length > 2 * LOG_LINES_KEPT) this.logLines.splice(0, LOG_LINES_KEPT);
  }
}

/** "/volatile/work.tdb.2" → "work.tdb" */
function databaseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.[0-9]+$/, "");
}
