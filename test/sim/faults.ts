/**
 * What goes wrong in a simulated run. How often, and what, is drawn from the seed, so that runs
 * differ in character (swarm testing): each kind of fault is left out of about a third of the runs.
 *
 * Every fault repairs itself after a while; `healAll` repairs everything at once and ends the
 * trouble.
 */
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

const OUTAGE_MAX_SEC = 40;
const SLOW_MAX_MS = 4000;
const WAIT_FOR_RECOVERY_MAX_MS = 60_000;
/** After the start of a recovery, which takes about so long. */
const STRIKE_WITHIN_MS = 310;
const WALL_JUMP_MAX_MS = 3_600_000;

export type Fault = (faults: FaultTools, node: SimNode) => void;

/** What a kind of fault works with. */
export interface FaultTools {
  readonly clients: readonly { kill(): void }[];
  readonly cluster: SimCluster;
  readonly random: SeededRandom;
  /** After a random time, unless everything was healed before. */
  later(minSec: number, maxSec: number, repair: () => void): void;
  /** Soon, if everything was healed already. */
  afterHealing(repair: () => void): void;
}

/** A paused node ends when it goes on, which may be when all is repaired already. */
export function startWhenEnded({ afterHealing }: FaultTools, node: SimNode): void {
  node.process?.onDeath(() => afterHealing(() => node.start()));
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  crash: ({ later }, node) => {
    node.crash();
    later(0.1, OUTAGE_MAX_SEC, () => node.start());
  },
  "power loss": ({ later }, node) => {
    node.powerOff();
    later(0.5, OUTAGE_MAX_SEC, () => {
      node.powerOn();
      node.start();
    });
  },
  "restart storm": ({ cluster, random, later }) => {
    const count = 2 + random.below(4);
    for (let i = 0; i < count; i++) {
      const node = random.pick(cluster.nodes);
      later(0, 15, () => {
        node.crash();
        later(0.05, 3, () => node.start());
      });
    }
  },
  shutdown: (tools, node) => {
    startWhenEnded(tools, node);
    void node.request("SHUTDOWN", undefined);
    tools.later(1, OUTAGE_MAX_SEC, () => node.start());
  },
  pause: ({ later }, node) => {
    node.pause();
    later(0.1, OUTAGE_MAX_SEC, () => node.resume());
  },
  "pause recoverd": ({ later }, node) => {
    const process = node.recoverdProcess;
    process?.pause();
    later(0.5, OUTAGE_MAX_SEC, () => process?.resume());
  },
  "kill recoverd": (_tools, node) => node.recoverdProcess?.kill(),
  "pause helper": ({ cluster, later }, node) => {
    const process = helperOf(cluster, node);
    process?.pause();
    later(0.5, OUTAGE_MAX_SEC, () => process?.resume());
  },
  "kill helper": ({ cluster }, node) => helperOf(cluster, node)?.kill(),
  "kill client": ({ random, clients }) => {
    if (clients.length > 0) random.pick(clients).kill();
  },
  partition: ({ cluster, random, later }) => {
    cutSides(cluster, random, true);
    later(1, 60, () => cluster.network.healAll());
  },
  "one-way partition": ({ cluster, random, later }) => {
    cutSides(cluster, random, false);
    later(1, 60, () => cluster.network.healAll());
  },
  isolate: ({ cluster, later }, node) => {
    cluster.isolate(node);
    later(1, 60, () => cluster.network.healAll());
  },
  // Everybody is alone.
  shatter: ({ cluster, later }) => {
    for (const from of cluster.nodes) {
      for (const to of cluster.nodes) if (from !== to) cluster.network.cut(from.host, to.host);
    }
    later(1, 60, () => cluster.network.healAll());
  },
  // Links go one by one and come back in another order.
  "swizzle clog": ({ cluster, random, later }) => {
    for (const from of cluster.nodes) {
      for (const to of cluster.nodes) {
        if (from === to || random.chance(0.4)) continue;
        later(0, 10, () => {
          cluster.network.cut(from.host, to.host);
          later(0, 40, () => cluster.network.heal(from.host, to.host));
        });
      }
    }
  },
  "slow link": ({ cluster, random, later }, node) => {
    const other = random.pick(cluster.nodes);
    cluster.network.slow(node.host, other.host, random.between(100, SLOW_MAX_MS));
    later(2, 60, () => cluster.network.slow(node.host, other.host, 0));
  },
  reset: ({ cluster, random }, node) => {
    const other = random.pick(cluster.nodes);
    if (other !== node) cluster.network.reset(node.host, other.host);
  },
  "lose lock": ({ cluster }) => cluster.lockService?.revoke(),
  "lock out of reach": ({ cluster, later }) => {
    const { lockService } = cluster;
    if (lockService === undefined) return;
    lockService.down = true;
    later(1, 60, () => {
      lockService.down = false;
    });
  },
  "wall clock jump": ({ cluster, random }, node) => {
    cluster.transactions.clocksJumped = true;
    node.wallSkewMs = random.between(-WALL_JUMP_MAX_MS, WALL_JUMP_MAX_MS);
  },
};

/** What a run that is not like the others draws from. */
export interface FaultPlan {
  readonly random: SeededRandom;
  readonly table: Readonly<Record<string, Fault>>;
  /** Bounds of the mean time between two faults. */
  readonly intervalMs: readonly [number, number];
}

const PARTING = ["partition", "isolate", "shatter", "swizzle clog"];

export class Faults {
  count = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #weights: ReadonlyMap<string, number>;
  readonly #meanIntervalMs: number;
  readonly #process: SimProcess;
  /** Chance that a fault waits for a recovery. */
  readonly #inRecoveryChance: number;
  #active = true;
  /** Faults that wait for the next recovery. */
  #waiting: { readonly name: string; readonly endMs: number }[] = [];

  readonly #table: FaultPlan["table"];
  readonly #clients: readonly { kill(): void }[];

  constructor(cluster: SimCluster, clients: readonly { kill(): void }[], plan?: FaultPlan) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#table = plan?.table ?? FAULTS;
    this.#random = plan?.random ?? cluster.random.fork();
    this.#process = cluster.newProcess("faults");
    this.#meanIntervalMs = this.#random.between(...(plan?.intervalMs ?? [15_000, 120_000]));
    this.#inRecoveryChance = this.#random.chance(0.5) ? 0.5 : 0.1;
    cluster.onRecovery(() => this.#recoveryStarted());
    for (const node of cluster.nodes) node.wallSkewMs = this.#random.between(-5000, 5000);
    // In some runs the network alone is to blame: sides part and meet, each with its own leader.
    const partsOnly = this.#random.chance(0.3);
    if (partsOnly) this.#meanIntervalMs = this.#random.between(15_000, 45_000);
    this.#weights = new Map(
      Object.keys(this.#table).map((fault) => {
        const weight = this.#random.fraction();
        const leftOut = partsOnly ? !PARTING.includes(fault) : this.#random.chance(0.35);
        return [fault, leftOut ? 0 : weight];
      }),
    );
  }

  start(): void {
    const delayMs = this.#random.between(0.2, 1.8) * this.#meanIntervalMs;
    this.#process.timers.after(delayMs, () => {
      if (!this.#active) return;
      this.#strike();
      this.start();
    });
  }

  /** No further faults; everything is repaired: what follows must settle. */
  healAll(): void {
    this.#active = false;
    const { lockService, network, nodes } = this.#cluster;
    network.healAll();
    lockService?.healAll();
    for (const node of nodes) {
      for (const process of node.processes) process.resume();
      node.resume();
      node.powerOn();
      node.start();
    }
  }

  #strike(): void {
    const total = [...this.#weights.values()].reduce((sum, weight) => sum + weight, 0);
    if (total === 0) return;
    let left = this.#random.fraction() * total;
    for (const [name, weight] of this.#weights) {
      left -= weight;
      if (left > 0) continue;
      if (this.#random.chance(this.#inRecoveryChance)) this.#strikeInRecovery(name);
      else this.#make(name);
      return;
    }
  }

  #make(name: string): void {
    this.count += 1;
    const node = this.#random.pick(this.#cluster.nodes);
    this.#cluster.note(`fault: ${name} (node ${node.pnn})`);
    this.#table[name]?.(this.#tools, node);
  }

  /** Waits for the next recovery, and for a moment of it: that is when most is in the air. */
  #strikeInRecovery(name: string): void {
    const { nodes, nowMs } = this.#cluster;
    const recovering = nodes.some(({ helperProcess }) => helperProcess?.alive);
    if (recovering) this.#strikeSoon(name);
    else this.#waiting.push({ name, endMs: nowMs + WAIT_FOR_RECOVERY_MAX_MS });
  }

  #recoveryStarted(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { name, endMs } of waiting) {
      if (this.#active && this.#cluster.nowMs <= endMs) this.#strikeSoon(name);
    }
  }

  #strikeSoon(name: string): void {
    this.#process.timers.after(this.#random.between(0, STRIKE_WITHIN_MS), () => {
      if (this.#active) this.#make(name);
    });
  }

  get #tools(): FaultTools {
    return {
      cluster: this.#cluster,
      clients: this.#clients,
      random: this.#random,
      afterHealing: (repair) => {
        if (!this.#active) this.#process.timers.soon(repair);
      },
      later: (minSec, maxSec, repair) => {
        this.#process.timers.after(this.#random.between(minSec, maxSec) * 1000, () => {
          if (this.#active) repair();
        });
      },
    };
  }
}

/** There is one only during a recovery: whoever runs one now, else the node's own. */
function helperOf(cluster: SimCluster, node: SimNode): SimProcess | undefined {
  const running = cluster.nodes.find(({ helperProcess }) => helperProcess !== undefined);
  return running?.helperProcess ?? node.helperProcess;
}

/** Two random sides, neither empty. */
function cutSides(cluster: SimCluster, random: SeededRandom, bothWays: boolean): void {
  const { nodes, network } = cluster;
  const side = nodes.map(() => random.chance(0.5));
  const odd = random.below(nodes.length);
  if (side.every((value) => value === side[0])) side[odd] = !side[odd];
  for (const [i, from] of nodes.entries()) {
    for (const [j, to] of nodes.entries()) {
      if (side[i] === side[j]) continue;
      if (bothWays || side[i] === true) network.cut(from.host, to.host);
    }
  }
}
