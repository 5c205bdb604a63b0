/**
 * One simulated run: trouble for a while, then a healed world in which the cluster must come back
 * to rest, answer everything, and leave sound files.
 */
import { RECOVERY_ACTIVE } from "../../src/wire/constants.ts";
import { AddressFaults } from "./address_faults.ts";
import { SimCluster } from "./cluster.ts";
import { CommitFaults } from "./commit_faults.ts";
import { ConnectionClient } from "./connection_client.ts";
import { DiskFaults } from "./disk_faults.ts";
import {
  copiesAreEqual,
  drained,
  filesAreSound,
  journalsAreWhole,
  sawEnough,
  vacuumed,
} from "./end_checks.ts";
import { Faults } from "./faults.ts";
import { Operator } from "./operator.ts";
import { SeededRandom } from "./random.ts";
import { CALM_MS, LOOK_MS, PLACED_MS, RestWatch } from "./rest_watch.ts";
import { unsettled } from "./settled.ts";
import { InvariantViolation } from "./violation.ts";
import { WeatherRun } from "./weather.ts";
import { Workload } from "./workload.ts";

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly virtualMs: number;
  /** Disks fill and fail all the time; otherwise in some runs, now and then. */
  readonly disks?: boolean;
  /** Transactions on all nodes, one after the other, and nodes that are cut off in the middle of them. */
  readonly commits?: boolean;
  /** Storms of all faults at once, each followed by a healed world; `nodes` is not looked at. */
  readonly weather?: boolean;
  readonly onLogLine?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  /** undefined: no checker fired. */
  readonly violation: string | undefined;
  /** The last log lines, when a checker fired. */
  readonly log: readonly string[];
  readonly virtualMs: number;
  readonly turns: number;
  readonly faults: number;
  readonly recoveries: number;
  readonly increments: number;
  /** Reads without the record itself that were compared with the model. */
  readonly reads: number;
  /** Copies of records that were deleted from files. */
  readonly vacuumed: number;
  readonly transactions: number;
  readonly settleMs: number;
}

/** Random numbers of their own, so that they shift nothing else. */
const DISK_FAULTS_STREAM = 2;
const DISK_FAULTS_CHANCE = 0.3;
const ADDRESS_STREAM = 3;
const COMMIT_STREAM = 4;
const ADDRESS_FAULTS_CHANCE = 0.6;
const PUBLIC_ADDRESSES = 4;
const START_LIMIT_MS = 120_000;
/** Bans last up to 300 s; everything else is over sooner. */
const SETTLE_LIMIT_MS = 450_000;
/** Of each client, before a cluster counts as stuck in which no counter rises. */
const PAUSES_TO_PROGRESS = 30;
const LAST_WORK_MS = 15_000;

export function simulate(options: RunOptions): RunResult {
  const run = options.weather === true ? new WeatherRun(options) : new Run(options);
  let violation: string | undefined;
  try {
    run.all(options.virtualMs);
  } catch (error) {
    violation =
      error instanceof InvariantViolation ? error.message : String((error as Error).stack);
  }
  return run.result(violation);
}

class Run {
  readonly #seed: number;
  readonly #cluster: SimCluster;
  readonly #workload: Workload;
  readonly #faults: Faults;
  readonly #operator: Operator;
  readonly #diskFaults: DiskFaults | undefined;
  readonly #commitFaults: CommitFaults | undefined;
  readonly #connectionClients: readonly ConnectionClient[];
  readonly #addressFaults: AddressFaults | undefined;
  readonly #rest: RestWatch;
  #settleMs = 0;

  constructor(options: RunOptions) {
    this.#seed = options.seed;
    this.#cluster = new SimCluster(swarm(options));
    this.#commitFaults = options.commits === true ? this.#newCommitFaults() : undefined;
    this.#workload = new Workload(this.#cluster, this.#commitFaults);
    this.#rest = new RestWatch(this.#cluster, this.#workload);
    this.#faults = new Faults(this.#cluster, this.#workload.transactionClients);
    this.#operator = new Operator(this.#cluster);
    const random = new SeededRandom(options.seed, DISK_FAULTS_STREAM);
    const sometimes = random.chance(DISK_FAULTS_CHANCE);
    const howOften = options.disks === true ? "often" : "sometimes";
    this.#diskFaults =
      options.disks === true || sometimes
        ? new DiskFaults(this.#cluster, random, howOften)
        : undefined;
    const addressRandom = new SeededRandom(options.seed, ADDRESS_STREAM);
    this.#addressFaults = addressRandom.chance(ADDRESS_FAULTS_CHANCE)
      ? new AddressFaults(this.#cluster, addressRandom.fork())
      : undefined;
    this.#connectionClients = this.#cluster.nodes.map(
      (node) => new ConnectionClient(this.#cluster, node, addressRandom.fork()),
    );
  }

  #newCommitFaults(): CommitFaults {
    return new CommitFaults(this.#cluster, new SeededRandom(this.#seed, COMMIT_STREAM));
  }

  all(virtualMs: number): void {
    const { scheduler } = this.#cluster;
    this.#cluster.startAll();
    this.#workload.start();
    for (const client of this.#connectionClients) client.start();
    this.#rest.until("start", START_LIMIT_MS);
    this.#faults.start();
    this.#operator.start();
    this.#diskFaults?.start();
    this.#commitFaults?.start();
    this.#addressFaults?.start();
    while (scheduler.nowMs < virtualMs)
      this.#rest.step(Math.min(virtualMs, scheduler.nowMs + LOOK_MS));
    this.#cluster.note("everything is healed");
    this.#diskFaults?.healAll();
    this.#commitFaults?.stop();
    this.#addressFaults?.healAll();
    this.#faults.healAll();
    this.#operator.healAll();
    for (const reader of this.#cluster.readers) reader.calmDown();
    this.#settleMs = this.#rest.until("settle after everything was healed", SETTLE_LIMIT_MS);
    this.#progress();
    this.#placed();
    this.#oneMoreRecovery();
    this.#workload.stop();
    drained(this.#cluster, this.#workload);
    vacuumed(this.#cluster);
    journalsAreWhole(this.#cluster);
    filesAreSound(this.#cluster);
    copiesAreEqual(this.#cluster);
    sawEnough(this.#cluster);
  }

  result(violation: string | undefined): RunResult {
    const cluster = this.#cluster;
    return {
      seed: this.#seed,
      violation,
      log: violation === undefined ? [] : cluster.logLines.slice(-150),
      virtualMs: cluster.scheduler.nowMs,
      turns: cluster.scheduler.turns,
      faults:
        this.#faults.count +
        this.#operator.count +
        (this.#diskFaults?.count ?? 0) +
        (this.#commitFaults?.count ?? 0) +
        (this.#addressFaults?.count ?? 0),
      recoveries: cluster.recoveries,
      increments: this.#workload.increments,
      reads: this.#workload.counters.readsChecked,
      vacuumed: cluster.records.deletesSeen,
      transactions: this.#workload.transactions,
      settleMs: this.#settleMs,
    };
  }

  /** Once settled the cluster stays so, and every client gets its locks again. */
  #progress(): void {
    const { scheduler } = this.#cluster;
    const before = this.#workload.increments;
    const startMs = scheduler.nowMs;
    const endMs = startMs + CALM_MS + 10_000;
    // Clients that rest for long do other things than increments for a while.
    const latestMs = endMs + PAUSES_TO_PROGRESS * this.#workload.pauseMaxMs;
    const progress = () => this.#workload.increments > before;
    while (scheduler.nowMs < endMs || (!progress() && scheduler.nowMs < latestMs)) {
      this.#rest.step(scheduler.nowMs + LOOK_MS);
    }
    if (!progress()) {
      const waitedSec = Math.round((scheduler.nowMs - startMs) / 1000);
      throw new InvariantViolation(
        `no client made progress in ${waitedSec} s after the cluster settled`,
      );
    }
  }

  /** Healed, and left alone for long enough: the addresses are judged at least once. */
  #placed(): void {
    const { scheduler } = this.#cluster;
    const limitMs = scheduler.nowMs + SETTLE_LIMIT_MS;
    this.#rest.placedJudged = 0;
    while (this.#rest.placedJudged === 0) {
      if (scheduler.nowMs >= limitMs) {
        throw new InvariantViolation(
          `the cluster was never at rest for ${PLACED_MS / 1000} s: ${unsettled(this.#cluster.nodes).join("; ")}`,
        );
      }
      this.#rest.step(scheduler.nowMs + LOOK_MS);
    }
  }

  /** In a calm cluster, whatever the run was like: the checkers see at least this one. */
  #oneMoreRecovery(): void {
    const { scheduler, recoveries } = this.#cluster;
    void this.#cluster.node(0).request("SET_RECMODE", RECOVERY_ACTIVE);
    scheduler.runUntil(() => this.#cluster.recoveries > recoveries, SETTLE_LIMIT_MS);
    this.#rest.until("settle after a forced recovery", SETTLE_LIMIT_MS);
    // Clients that wait for the recovery get their turn, and leave something to the vacuum.
    scheduler.run(scheduler.nowMs + LAST_WORK_MS);
  }
}

/**
 * The character of a run: half of them with a cluster lock, and tunables in the ranges that people
 * use.
 */
function swarm(options: RunOptions): ConstructorParameters<typeof SimCluster>[0] {
  const random = new SeededRandom(options.seed, 1);
  const delayMinMs = random.chance(0.3) ? random.between(0.05, 30) : random.between(0.05, 1);
  const tunables: Record<string, number> = {
    DatabaseHashSize: random.pick([3, 13, 13, 101]),
    RecoveryBanPeriod: random.pick([30, 60, 300]),
    RerecoveryTimeout: random.pick([2, 10]),
    VacuumInterval: random.pick([2, 5, 10, 10]),
    // What nodes ask each other when nothing happens is most of the turns of a run.
    RecoverInterval: random.pick([1, 2, 3, 4]),
    VacuumFastPathCount: random.pick([1, 2, 6]),
    VacuumMaxRunTime: random.pick([2, 120]),
    RepackLimit: random.pick([2, 8, 10_000, 10_000]),
    FetchCollapse: random.chance(0.8) ? 1 : 0,
  };
  if (random.chance(0.3)) tunables["KeepaliveInterval"] = random.pick([1, 2]);
  if (random.chance(0.3)) tunables["RecoverTimeout"] = random.pick([5, 10]);
  if (random.chance(0.3)) tunables["RecBufferSizeLimit"] = 1024;
  if (random.chance(0.3)) tunables["LockProcessesPerDB"] = 1;
  tunables["HopcountMakeSticky"] = random.pick([1, 2, 50]);
  tunables["StickyPindown"] = random.pick([20, 200, 1000]);
  tunables["StickyDuration"] = random.pick([1, 10, 600]);
  const places = new SeededRandom(options.seed, ADDRESS_STREAM + 1);
  tunables["RecoveryDropAllIPs"] = places.pick([10, 30, 120]);
  tunables["IPAllocAlgorithm"] = places.pick([2, 2, 1, 0]);
  return {
    seed: options.seed,
    nodes: options.nodes,
    publicAddresses: PUBLIC_ADDRESSES,
    journals: true,
    partiallyOnline: places.chance(0.5),
    clusterLock: options.seed % 2 === 1,
    testMode: random.chance(0.2),
    tunables,
    conditions: {
      delayMinMs,
      delayMaxMs: delayMinMs + random.between(1, random.chance(0.3) ? 70 : 15),
      splitChance: random.chance(0.5) ? 0.02 : 0.2,
    },
    ...(options.onLogLine === undefined ? {} : { onLogLine: options.onLogLine }),
  };
}
