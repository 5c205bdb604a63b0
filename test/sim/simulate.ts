/**
 * One simulated run: trouble for a while, then a healed world in which the cluster must come back to rest.
 */
import { assert } from "../../src/base/assert.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { SimCluster } from "./cluster.ts";
import { Faults } from "./faults.ts";
import { InvariantViolation } from "./record_checker.ts";
import { Workload } from "./workload.ts";

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly virtualMs: number;
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
}

const START_LIMIT_MS = 120_000;
/** Bans last 300 s; everything else is over sooner. */
const SETTLE_LIMIT_MS = 450_000;

export function simulate(options: RunOptions): RunResult {
  const cluster = new SimCluster({
    seed: options.seed,
    nodes: options.nodes,
    clusterLock: options.seed % 2 === 1,
    ...(options.onLogLine === undefined ? {} : { onLogLine: options.onLogLine }),
  });
  const workload = new Workload(cluster);
  const faults = new Faults(cluster);
  let violation: string | undefined;
  try {
    cluster.startAll();
    workload.start();
    if (!cluster.scheduler.runUntil(() => cluster.settled(), START_LIMIT_MS)) {
      throw new InvariantViolation(`the cluster did not start within ${START_LIMIT_MS} ms`);
    }
    faults.start();
    cluster.scheduler.run(options.virtualMs);
    faults.healAll();
    for (const node of cluster.nodes) {
      const flags = node.daemon?.node?.nodes.own.flags ?? 0;
      if ((flags & NODE_FLAGS.STOPPED) !== 0) node.requestContinue();
    }
    if (!cluster.scheduler.runUntil(() => cluster.settled(), SETTLE_LIMIT_MS)) {
      throw new InvariantViolation(`the cluster did not settle after everything was healed`);
    }
    checkProgress(cluster, workload);
  } catch (error) {
    violation = error instanceof InvariantViolation ? error.message : String((error as Error).stack);
  }
  return {
    seed: options.seed,
    violation,
    log: violation === undefined ? [] : cluster.logLines.slice(-80),
    virtualMs: cluster.scheduler.nowMs,
    turns: cluster.scheduler.turns,
    faults: faults.count,
    recoveries: cluster.recoveries,
    increments: workload.increments,
  };
}

/** Once settled, every client gets its locks again. */
function checkProgress(cluster: SimCluster, workload: Workload): void {
  const before = workload.increments;
  cluster.scheduler.run(cluster.scheduler.nowMs + 30_000);
  if (workload.increments <= before) {
    throw new InvariantViolation("no client made progress in 30 s after the cluster settled");
  }
  assert(cluster.records.storesSeen > 0, "the record checker sees stores");
}
