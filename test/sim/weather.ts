/**
 * A run in every weather: storms in which everything goes wrong at once, each followed by a healed world. From 60 s
 * after the healing on, until the next storm, the cluster has converged: one leader, generation, vnn map, flags and
 * recovery mode, every public address in its place, and the clients of every node get their locks. When it has not, the
 * violation says who waits for what (`explain.ts`).
 *
 * Its random numbers are its own, so that it shifts nothing in other runs.
 */
import { AddressFaults } from "./address_faults.ts";
import { SimCluster } from "./cluster.ts";
import { ConnectionClient } from "./connection_client.ts";
import { DiskFaults } from "./disk_faults.ts";
import {
  copiesAreEqual,
  drained,
  filesAreSound,
  journalsAreWhole,
  sawEnough,
} from "./end_checks.ts";
import { explain } from "./explain.ts";
import { Faults } from "./faults.ts";
import { Operator } from "./operator.ts";
import { SeededRandom } from "./random.ts";
import { LOOK_MS, RestWatch } from "./rest_watch.ts";
import { unsettled } from "./settled.ts";
import type { RunOptions, RunResult } from "./simulate.ts";
import { InvariantViolation } from "./violation.ts";
import { WEATHER_FAULTS } from "./weather_faults.ts";
import { Workload } from "./workload.ts";

const WEATHER_STREAM = 7;
/** More of the small ones: a run of eight nodes costs as much as four of three. */
const NODES: readonly number[] = [3, 3, 3, 4, 4, 5, 6, 7, 8];
const PUBLIC_ADDRESSES = 4;
const START_LIMIT_MS = 120_000;
const STORM_MS = [50_000, 150_000] as const;
/** After the healing of everything, until all is as it should be. */
const CONVERGE_MS = 60_000;
/** When each client is asked to count a record up: not yet in the worst of it, and in time. */
const CLIENTS_ASKED_MS = 35_000;
/** From the healing to the next storm: for the last of it the cluster must stay converged. */
const SUNSHINE_MS = [70_000, 90_000] as const;
/** Mean time between two faults of a kind of trouble. */
const FAULT_INTERVAL_MS = [3_000, 25_000] as const;
const LEAST_PAUSE_MS = 700;
const LOG_LINES = 150;

/** One kind of trouble of one storm. */
interface Trouble {
  readonly count: number;
  start(): void;
  healAll(): void;
  end?(): void;
}

export class WeatherRun {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #cluster: SimCluster;
  readonly #workload: Workload;
  readonly #rest: RestWatch;
  readonly #connectionClients: readonly ConnectionClient[];
  #faults = 0;
  #settleMs = 0;

  constructor({ seed, onLogLine }: RunOptions) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed, WEATHER_STREAM);
    this.#cluster = new SimCluster({
      ...character(seed, this.#random.fork()),
      ...(onLogLine === undefined ? {} : { onLogLine }),
    });
    this.#workload = new Workload(this.#cluster, undefined, LEAST_PAUSE_MS);
    this.#rest = new RestWatch(this.#cluster, this.#workload);
    const random = this.#random.fork();
    this.#connectionClients = this.#cluster.nodes.map(
      (node) => new ConnectionClient(this.#cluster, node, random.fork()),
    );
  }

  all(virtualMs: number): void {
    const { scheduler } = this.#cluster;
    this.#cluster.startAll();
    this.#workload.start();
    for (const client of this.#connectionClients) client.start();
    this.#rest.until("start", START_LIMIT_MS);
    do this.#storm(virtualMs);
    while (virtualMs - scheduler.nowMs >= STORM_MS[0] + SUNSHINE_MS[0]);
    for (const reader of this.#cluster.readers) reader.calmDown();
    this.#workload.stop();
    drained(this.#cluster, this.#workload);
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
      log: violation === undefined ? [] : cluster.logLines.slice(-LOG_LINES),
      virtualMs: cluster.scheduler.nowMs,
      turns: cluster.scheduler.turns,
      faults: this.#faults,
      recoveries: cluster.recoveries,
      increments: this.#workload.increments,
      reads: this.#workload.counters.readsChecked,
      vacuumed: cluster.records.deletesSeen,
      transactions: this.#workload.transactions,
      settleMs: this.#settleMs,
    };
  }

  /** One storm and the sunshine after it. */
  #storm(virtualMs: number): void {
    const cluster = this.#cluster;
    const { scheduler } = cluster;
    const random = this.#random.fork();
    const kinds: readonly Trouble[] = [
      new Faults(cluster, this.#workload.transactionClients, {
        random: random.fork(),
        table: WEATHER_FAULTS,
        intervalMs: FAULT_INTERVAL_MS,
      }),
      new Operator(cluster, random.fork()),
      new DiskFaults(cluster, random.fork(), "often"),
      new AddressFaults(cluster, random.fork()),
    ];
    cluster.note("a storm begins");
    for (const kind of kinds) kind.start();
    const sunshineMs = random.between(...SUNSHINE_MS);
    const stormMs = Math.max(
      STORM_MS[0],
      Math.min(virtualMs - sunshineMs - scheduler.nowMs, random.between(...STORM_MS)),
    );
    const endMs = scheduler.nowMs + stormMs;
    while (scheduler.nowMs < endMs) {
      this.#rest.step(Math.min(endMs, scheduler.nowMs + LOOK_MS));
    }
    cluster.note("everything is healed");
    for (const kind of kinds) kind.healAll();
    for (const kind of kinds) this.#faults += kind.count;
    this.#sunshine(sunshineMs);
    for (const kind of kinds) kind.end?.();
  }

  #sunshine(durationMs: number): void {
    const { scheduler } = this.#cluster;
    const healedMs = scheduler.nowMs;
    let convergedMs: number | undefined;
    let asked: (() => readonly string[]) | undefined;
    while (scheduler.nowMs < healedMs + durationMs) {
      this.#rest.step(scheduler.nowMs + LOOK_MS);
      const sinceMs = scheduler.nowMs - healedMs;
      if (sinceMs >= CLIENTS_ASKED_MS) asked ??= this.#askClients();
      const problems = this.#problems(sinceMs >= CONVERGE_MS ? (asked?.() ?? []) : []);
      convergedMs = problems.length > 0 ? undefined : (convergedMs ?? sinceMs);
      if (problems.length > 0 && sinceMs >= CONVERGE_MS) this.#late(sinceMs, problems);
    }
    this.#settleMs = Math.max(this.#settleMs, convergedMs ?? 0);
  }

  /** Each client is to count a record up; says which have not. */
  #askClients(): () => readonly string[] {
    const asked = this.#workload.clients.map((client) => {
      const before = client.increments;
      client.incrementNow();
      return { client, before };
    });
    return () =>
      asked
        .filter(({ client, before }) => client.increments === before)
        .map(({ client }) => `a client of node ${client.node.pnn} cannot count a record up`);
  }

  #problems(more: readonly string[]): readonly string[] {
    const cluster = this.#cluster;
    if (more.length === 0 && cluster.settled() && cluster.addresses.misplaced().length === 0) {
      return [];
    }
    return [...unsettled(cluster.nodes), ...cluster.addresses.misplaced(), ...more];
  }

  #late(sinceMs: number, problems: readonly string[]): never {
    throw new InvariantViolation(
      [
        `the cluster is not in order ${Math.round(sinceMs / 1000)} s after everything was healed: ${problems.join("; ")}`,
        ...explain(this.#cluster),
      ].join("\n    "),
    );
  }
}

/**
 * The character of a run. Tunables are those of clusters that want to be back soon: a ban of 300 s or a script that may
 * hang for 30 s is what somebody has asked for, and nothing that the product should cut short.
 */
function character(
  seed: number,
  random: SeededRandom,
): ConstructorParameters<typeof SimCluster>[0] {
  const delayMinMs = random.chance(0.3) ? random.between(0.05, 20) : random.between(0.05, 1);
  return {
    seed,
    nodes: random.pick(NODES),
    publicAddresses: PUBLIC_ADDRESSES,
    journals: true,
    partiallyOnline: random.chance(0.5),
    clusterLock: random.chance(0.6),
    tunables: {
      DatabaseHashSize: random.pick([3, 13, 13, 101]),
      RecoveryBanPeriod: random.pick([5, 10, 20]),
      RerecoveryTimeout: random.pick([2, 10]),
      RecoverInterval: random.pick([1, 2, 3, 4]),
      RecoverTimeout: random.pick([5, 10, 30]),
      EventScriptTimeout: random.pick([5, 10]),
      KeepaliveInterval: random.pick([1, 2, 5, 5]),
      VacuumInterval: random.pick([5, 10, 10]),
      RecoveryDropAllIPs: random.pick([10, 30, 120]),
      IPAllocAlgorithm: random.pick([2, 2, 1, 0]),
      HopcountMakeSticky: random.pick([1, 2, 50]),
    },
    conditions: {
      delayMinMs,
      delayMaxMs: delayMinMs + random.between(1, random.chance(0.3) ? 50 : 15),
      splitChance: random.chance(0.5) ? 0.02 : 0.2,
    },
  };
}
