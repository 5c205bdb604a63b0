/** A cluster, and rounds of nemeses on it (round.ts); for the test and for the program. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "../../sim/random.ts";
import { PROJECT } from "../../support/source_tree.ts";
import { type NetnsCluster, withNetnsCluster } from "../cluster.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { eventsOf } from "./node_journals.ts";
import { playRound, type RoundResult } from "./round.ts";
import { giveSmallDisks, World } from "./world.ts";

export interface NemesisOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly nodes: number;
  /** Kinds of faults; undefined: all, in an order by chance. */
  readonly only: readonly string[] | undefined;
  /** From the first round on the helper of the cluster lock tells every node that asks that it has the lock. */
  readonly lockLies?: boolean;
  /** No further round begins after so long. */
  readonly forMs?: number;
  onRound(number: number, result: RoundResult): void;
}

/** Faster than the defaults: a round is to take seconds. */
const TUNABLES = {
  KeepaliveInterval: 1,
  KeepaliveLimit: 3,
  MonitorInterval: 4,
  EventScriptTimeout: 10,
  RecoveryBanPeriod: 8,
  RecoverTimeout: 12,
  RerecoveryTimeout: 3,
  ControlTimeout: 12,
  TakeoverTimeout: 8,
};
const LYING_HELPER = join(import.meta.dir, "lying_lock.sh");
const APPLIANCE_CONF = "[admin]\n\tenabled = yes\n";

/** Rounds until one goes wrong. Gives all results; the logs and journals of a bad one are kept. */
export async function playNemesis(options: NemesisOptions): Promise<readonly RoundResult[]> {
  const { seed, nodes } = options;
  const kept = keptDirectory(seed);
  const cluster = {
    ...({ hosts: nodes, kind: "ours", publicAddresses: nodes + 1, tunables: TUNABLES } as const),
    applianceConf: () => APPLIANCE_CONF,
    lockCanHang: true,
    prepare: giveSmallDisks,
    ...(options.lockLies === true
      ? { clusterLock: (file: string) => `!${LYING_HELPER} ${file}` }
      : {}),
  };
  return await withNetnsCluster(cluster, (running) => playRounds(running, options, kept));
}

async function playRounds(
  cluster: NetnsCluster,
  options: NemesisOptions,
  kept: string,
): Promise<readonly RoundResult[]> {
  const random = new SeededRandom(options.seed);
  const world = await World.start(cluster, random, kept);
  const results: RoundResult[] = [];
  if (options.lockLies === true) writeFileSync(`${cluster.lockFile}.lies`, "");
  try {
    const untilMs = Date.now() + (options.forMs ?? Number.POSITIVE_INFINITY);
    let kinds: readonly Fault[] = [];
    while (results.length < options.rounds && Date.now() < untilMs) {
      if (kinds.length === 0) kinds = shuffled(chosen(options.only), random);
      const [fault, ...rest] = kinds as readonly [Fault, ...Fault[]];
      kinds = rest;
      const result = await playRound(world, fault);
      results.push(result);
      options.onRound(results.length, result);
      if (result.wrong.length === 0) continue;
      writeFileSync(join(kept, "clients.txt"), world.workload.states());
      writeFileSync(join(kept, "logs.txt"), cluster.logs());
      writeFileSync(join(kept, "events.json"), JSON.stringify(eventsOf(cluster, 0), undefined, 1));
      appendFileSync(join(kept, "wrong.txt"), `${JSON.stringify(result, undefined, 1)}\n`);
      break;
    }
    if (world.workload.complaints !== "") process.stdout.write(world.workload.complaints);
    return results;
  } finally {
    await world.end();
  }
}

function chosen(only: readonly string[] | undefined): readonly Fault[] {
  if (only === undefined) return FAULTS;
  return only.map((kind) => {
    const fault = FAULTS.find((each) => each.kind === kind);
    if (fault !== undefined) return fault;
    throw new Error(
      `unknown fault "${kind}": expected one of ${FAULTS.map((each) => each.kind).join(", ")}`,
    );
  });
}

function shuffled(faults: readonly Fault[], random: SeededRandom): readonly Fault[] {
  const left = [...faults];
  const order: Fault[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}

function keptDirectory(seed: number): string {
  const path = join(PROJECT, "node_modules/.cache/nemesis", String(seed));
  mkdirSync(path, { recursive: true });
  return path;
}
