/**
 * How the work of a cluster grows with its nodes, as a table (docs/scale.md): packets between nodes, virtual time and
 * processor time of a start, of a second in peace, of a recovery and of the death of the leader (the election and the
 * recovery after it).
 */
import { parseArgs } from "node:util";
import { RECOVERY_ACTIVE, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";

const SEED = 1;
const STEP_MS = 50;
const LIMIT_MS = 120_000;
/** Longer than RerecoveryTimeout: afterwards the leader looks at everything again. */
const REST_MS = 15_000;
const PEACE_MS = 20_000;

interface Phase {
  readonly name: string;
  /** Sent from node to node. */
  readonly packets: number;
  readonly keepalives: number;
  readonly virtualMs: number;
  readonly processorMs: number;
}

class Growth {
  readonly #cluster: SimCluster;
  readonly phases: Phase[] = [];

  constructor(nodes: number) {
    const conditions = { delayMinMs: 0.1, delayMaxMs: 0.5, splitChance: 0 };
    this.#cluster = new SimCluster({ seed: SEED, nodes, clusterLock: false, conditions });
  }

  run(): readonly Phase[] {
    const { nodes } = this.#cluster;
    this.#phase("start", nodes, () => {
      this.#cluster.startAll();
      this.#until("it has started", () => this.#cluster.settled());
    });
    this.#pass(REST_MS);
    this.#phase("one second in peace", nodes, () => this.#pass(PEACE_MS), PEACE_MS / 1000);
    this.#phase("recovery", nodes, () => {
      const before = generationOf(nodes);
      void nodes[0]?.request("SET_RECMODE", RECOVERY_ACTIVE);
      this.#until("it has recovered", () => renewed(nodes, before) && this.#cluster.settled());
    });
    this.#pass(REST_MS);
    const leader = nodes.find(({ recoverd }) => recoverd?.election.leading === true);
    const others = nodes.filter((node) => node !== leader);
    const before = generationOf(others);
    this.#phase("death of the leader", others, () => {
      leader?.crash();
      this.#until("the others have recovered", () => renewed(others, before));
    });
    return this.phases;
  }

  #phase(name: string, nodes: readonly SimNode[], action: () => void, times = 1): void {
    const before = sent(nodes);
    const startMs = this.#cluster.nowMs;
    const startUsed = process.cpuUsage();
    action();
    const { user, system } = process.cpuUsage(startUsed);
    const after = sent(nodes);
    this.phases.push({
      name,
      packets: (after.packets - before.packets) / times,
      keepalives: (after.keepalives - before.keepalives) / times,
      virtualMs: (this.#cluster.nowMs - startMs) / times,
      processorMs: (user + system) / 1000 / times,
    });
  }

  #pass(ms: number): void {
    this.#cluster.scheduler.run(this.#cluster.nowMs + ms);
  }

  #until(what: string, condition: () => boolean): void {
    if (this.#cluster.scheduler.runUntil(condition, LIMIT_MS, STEP_MS)) return;
    throw new Error(`waited ${LIMIT_MS} virtual ms in vain until ${what}`);
  }
}

function sent(nodes: readonly SimNode[]): { packets: number; keepalives: number } {
  let packets = 0;
  let keepalives = 0;
  for (const { daemon } of nodes) {
    const statistics = daemon?.node?.statistics.current;
    packets += statistics?.node_packets_sent ?? 0;
    keepalives += statistics?.keepalive_packets_sent ?? 0;
  }
  return { packets, keepalives };
}

function generationOf(nodes: readonly SimNode[]): number | undefined {
  return nodes[0]?.daemon?.node?.vnnMap.generation;
}

/** All are out of recovery and in one generation that is another one. */
function renewed(nodes: readonly SimNode[], before: number | undefined): boolean {
  const generation = generationOf(nodes);
  return (
    generation !== before &&
    nodes.every(({ daemon }) => {
      const own = daemon?.node;
      return own?.state.recoveryMode === RECOVERY_NORMAL && own.vnnMap.generation === generation;
    })
  );
}

function line(nodes: number, { name, packets, keepalives, virtualMs, processorMs }: Phase): string {
  const numbers = [packets, packets / nodes, keepalives, virtualMs, processorMs];
  return `| ${nodes} | ${name} | ${numbers.map((value) => value.toFixed(0)).join(" | ")} |`;
}

const { positionals } = parseArgs({ allowPositionals: true });
const sizes = positionals.length > 0 ? positionals.map(Number) : [16, 32, 64, 128];
console.log("| nodes | what | packets | of each node | keepalives | virtual ms | processor ms |");
console.log("|---|---|---|---|---|---|---|");
for (const nodes of sizes) {
  for (const phase of new Growth(nodes).run()) console.log(line(nodes, phase));
}
