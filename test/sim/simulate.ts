/**
 * One simulated run: trouble for a while, then a healed world in which the cluster must come back
 * to rest, answer everything, and leave sound files.
 */
import type { Tdb, TdbResult } from "../../src/tdb/types.ts";
import { RECOVERY_ACTIVE } from "../../src/wire/constants.ts";
import { AddressFaults } from "./address_faults.ts";
import { SimCluster } from "./cluster.ts";
import { CommitFaults } from "./commit_faults.ts";
import { ConnectionClient } from "./connection_client.ts";
import { DiskFaults } from "./disk_faults.ts";
import { Faults } from "./faults.ts";
import { Operator } from "./operator.ts";
import { SeededRandom } from "./random.ts";
import { readContent } from "./record_checker.ts";
import { unsettled } from "./settled.ts";
import { leftovers } from "./vacuum_backlog.ts";
import { InvariantViolation } from "./violation.ts";
import { Workload } from "./workload.ts";

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly virtualMs: number;
  /** Disks fill and fail all the time; otherwise in some runs, now and then. */
  readonly disks?: boolean;
  /** Transactions on all nodes, one after the other, and nodes that are cut off in the middle of them. */
  readonly commits?: boolean;
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
/** A cluster at rest for so long has no reason to keep anybody waiting. */
const CALM_MS = 45_000;
const LOOK_MS = 1000;
/**
 * A leader that was cut off in a takeover run leaves runs disabled for 60 s; who misses an address asks again after at
 * most 16 s, and a run takes a while.
 */
const PLACED_MS = 90_000;
const LAST_WORK_MS = 15_000;
/** Some rounds of full runs over all databases, one after the other. */
const VACUUM_LIMIT_MS = 900_000;
const JOURNAL_LIMIT_MS = 60_000;

export function simulate(options: RunOptions): RunResult {
  const run = new Run(options);
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
  /** Since then nothing is wrong with addresses, either. */
  #placedSinceMs: number | undefined;
  /** How often all addresses were judged. */
  #placedJudged = 0;
  #calmSinceMs: number | undefined;
  #settleMs = 0;

  constructor(options: RunOptions) {
    this.#seed = options.seed;
    this.#cluster = new SimCluster(swarm(options));
    this.#commitFaults = options.commits === true ? this.#newCommitFaults() : undefined;
    this.#workload = new Workload(this.#cluster, this.#commitFaults);
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
    this.#until("start", START_LIMIT_MS);
    this.#faults.start();
    this.#operator.start();
    this.#diskFaults?.start();
    this.#commitFaults?.start();
    this.#addressFaults?.start();
    while (scheduler.nowMs < virtualMs) this.#step(Math.min(virtualMs, scheduler.nowMs + LOOK_MS));
    this.#cluster.note("everything is healed");
    this.#diskFaults?.healAll();
    this.#commitFaults?.stop();
    this.#addressFaults?.healAll();
    this.#faults.healAll();
    this.#operator.restore();
    for (const reader of this.#cluster.readers) reader.calmDown();
    this.#settleMs = this.#until("settle after everything was healed", SETTLE_LIMIT_MS);
    this.#progress();
    this.#placed();
    this.#oneMoreRecovery();
    this.#workload.stop();
    this.#drained();
    this.#vacuumed();
    this.#journalsAreWhole();
    this.#filesAreSound();
    this.#copiesAreEqual();
    this.#sawEnough();
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

  /** Runs on; whenever the cluster has been at rest for long enough, nothing old may be open. */
  #step(untilMs: number): void {
    const { scheduler } = this.#cluster;
    scheduler.run(untilMs);
    this.#judgePlaces();
    // A commit that is refused for a disk is tried again by its client for as long as that wants.
    const inTrouble = this.#cluster.nodes.some(({ disk }) => disk.trouble.isOn);
    if (inTrouble || !this.#cluster.settled()) {
      this.#calmSinceMs = undefined;
      return;
    }
    this.#calmSinceMs ??= scheduler.nowMs;
    if (scheduler.nowMs - this.#calmSinceMs >= CALM_MS) {
      this.#workload.requests.judge(this.#calmSinceMs);
    }
  }

  /** In a cluster that has been at rest for long enough every address is where it belongs. */
  #judgePlaces(): void {
    const { scheduler, nodes, addresses } = this.#cluster;
    const inTrouble = nodes.some(
      ({ scripts, host, process, recoverdProcess }) =>
        scripts.trouble !== undefined ||
        scripts.troubled > 0 ||
        !host.publicAddresses.allPlugged ||
        process?.paused === true ||
        recoverdProcess?.paused === true,
    );
    if (inTrouble || !this.#cluster.settled() || addresses.disturbed) {
      this.#placedSinceMs = undefined;
      return;
    }
    this.#placedSinceMs ??= scheduler.nowMs;
    if (scheduler.nowMs - this.#placedSinceMs < PLACED_MS) return;
    this.#placedJudged += 1;
    const problems = addresses.misplaced();
    if (problems.length === 0) return;
    throw new InvariantViolation(
      `public addresses are not in place after ${PLACED_MS / 1000} s of rest: ${problems.join("; ")}`,
    );
  }

  #until(what: string, limitMs: number): number {
    const { scheduler, nodes } = this.#cluster;
    const startMs = scheduler.nowMs;
    while (!this.#cluster.settled()) {
      if (scheduler.nowMs - startMs >= limitMs) {
        throw new InvariantViolation(
          `the cluster did not ${what} within ${limitMs / 1000} s: ${unsettled(nodes).join("; ")}`,
        );
      }
      this.#step(scheduler.nowMs + LOOK_MS);
    }
    return scheduler.nowMs - startMs;
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
      this.#step(scheduler.nowMs + LOOK_MS);
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
    this.#placedJudged = 0;
    while (this.#placedJudged === 0) {
      if (scheduler.nowMs >= limitMs) {
        throw new InvariantViolation(
          `the cluster was never at rest for ${PLACED_MS / 1000} s: ${unsettled(this.#cluster.nodes).join("; ")}`,
        );
      }
      this.#step(scheduler.nowMs + LOOK_MS);
    }
  }

  /** In a calm cluster, whatever the run was like: the checkers see at least this one. */
  #oneMoreRecovery(): void {
    const { scheduler, recoveries } = this.#cluster;
    void this.#cluster.node(0).request("SET_RECMODE", RECOVERY_ACTIVE);
    scheduler.runUntil(() => this.#cluster.recoveries > recoveries, SETTLE_LIMIT_MS);
    this.#until("settle after a forced recovery", SETTLE_LIMIT_MS);
    // Clients that wait for the recovery get their turn, and leave something to the vacuum.
    scheduler.run(scheduler.nowMs + LAST_WORK_MS);
  }

  /** With the clients gone nothing waits in a daemon any more. */
  #drained(): void {
    const { scheduler, nodes } = this.#cluster;
    const limitMs = scheduler.nowMs + CALM_MS;
    const left = () => {
      const open: string[] = [];
      const { size } = this.#workload.requests;
      if (size > 0) open.push(`${size} requests of clients`);
      for (const { pnn, databases } of nodes) {
        if (databases === undefined) continue;
        if (databases.pendingCalls > 0) open.push(`node ${pnn}: ${databases.pendingCalls} calls`);
        if (databases.memoryBytes() > 0) open.push(`node ${pnn}: parked requests`);
      }
      return open;
    };
    while (left().length > 0) {
      if (scheduler.nowMs >= limitMs) {
        throw new InvariantViolation(
          `still open after the clients have gone: ${left().join("; ")}`,
        );
      }
      scheduler.run(scheduler.nowMs + LOOK_MS);
    }
  }

  /** Deleted records do not pile up: left alone, all nodes get rid of them. */
  #vacuumed(): void {
    const { scheduler, nodes } = this.#cluster;
    const limitMs = scheduler.nowMs + VACUUM_LIMIT_MS;
    for (let left = leftovers(nodes); left.length > 0; left = leftovers(nodes)) {
      if (scheduler.nowMs >= limitMs) {
        throw new InvariantViolation(
          `deleted records are still there after ${VACUUM_LIMIT_MS / 1000} s: ${left.slice(0, 5).join("; ")}`,
        );
      }
      scheduler.run(scheduler.nowMs + LOOK_MS);
    }
  }

  /** Who keeps the events of a node has all of them soon, when nobody kills it. */
  #journalsAreWhole(): void {
    const { scheduler, nodes, journals } = this.#cluster;
    const waiting = new Set(nodes);
    const whole = () => {
      for (const node of waiting) {
        if (journals?.behind(node) === undefined) waiting.delete(node);
      }
      return waiting.size === 0;
    };
    if (scheduler.runUntil(whole, JOURNAL_LIMIT_MS)) return;
    const texts = [...waiting].map((node) => journals?.behind(node));
    throw new InvariantViolation(`events are not kept: ${texts.join("; ")}`);
  }

  /** Every active node has the same records of persistent and replicated databases. */
  #copiesAreEqual(): void {
    const copies = new Map<string, { readonly pnn: number; readonly content: string }>();
    for (const { pnn, databases } of this.#cluster.nodes) {
      for (const { name, tdb, kind } of databases?.databases() ?? []) {
        if (kind === "volatile") continue;
        const content = copyOf(tdb);
        const first = copies.get(name) ?? { pnn, content };
        copies.set(name, first);
        if (first.content !== content) {
          throw new InvariantViolation(`${name} differs on nodes ${first.pnn} and ${pnn}`);
        }
      }
    }
  }

  #filesAreSound(): void {
    for (const { pnn, databases } of this.#cluster.nodes) {
      for (const { name, tdb } of databases?.databases() ?? []) {
        const outcome = this.#check(tdb);
        if (!outcome.ok) {
          throw new InvariantViolation(
            `${name} on node ${pnn} is damaged: ${outcome.error.reason}`,
          );
        }
      }
    }
  }

  /** Somebody may still sit on a lock: then once more a moment later. */
  #check(tdb: Tdb): TdbResult<void> {
    const { scheduler } = this.#cluster;
    for (let attempt = 1; ; attempt++) {
      const check = tdb.check();
      let outcome = check.step(1000);
      while (outcome === undefined) outcome = check.step(1000);
      if (outcome.ok || outcome.error.code !== "busy" || attempt === 20) return outcome;
      scheduler.run(scheduler.nowMs + LOOK_MS);
    }
  }

  /** A run in which the checkers saw nothing proves nothing. */
  #sawEnough(): void {
    const { records, leaders, addresses, journals } = this.#cluster;
    const seen = [records.storesSeen, records.thawsSeen, leaders.actsSeen, addresses.takesSeen];
    seen.push(journals?.eventsSeen ?? 0);
    if (seen.every((count) => count > 0)) return;
    throw new Error(
      `the checkers saw ${seen[0]} stores, ${seen[1]} thaws, ${seen[2]} acts of leaders, ${seen[3]} takes of addresses, ${seen[4]} events`,
    );
  }
}

/** Records with data: an empty one may be there or not. */
function copyOf(tdb: Tdb): string {
  const records: string[] = [];
  for (const [key, { data }] of readContent(tdb)) {
    if (data !== undefined && data.length > 0)
      records.push(`${key}=${Buffer.from(data).toString("hex")}`);
  }
  return records.sort().join(" ");
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
