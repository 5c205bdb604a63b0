/**
 * What goes wrong in a simulated run: crashes and restarts, pauses, partitions, resets, a lost cluster
 * lock. How often is drawn from the seed, so that runs differ in character (swarm testing).
 */
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

type Fault = "crash" | "pause" | "partition" | "one-way partition" | "reset" | "lose lock" | "stop";

const FAULTS: readonly Fault[] = [
  "crash",
  "pause",
  "partition",
  "one-way partition",
  "reset",
  "lose lock",
  "stop",
];

export class Faults {
  count = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #weights: ReadonlyMap<Fault, number>;
  readonly #meanIntervalMs: number;
  readonly #process: SimProcess;
  #active = true;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = cluster.random.fork();
    this.#process = cluster.newProcess("faults");
    this.#meanIntervalMs = this.#random.between(20_000, 120_000);
    // Each kind is left out of about a third of the runs.
    this.#weights = new Map(
      FAULTS.map((fault) => [fault, this.#random.chance(0.35) ? 0 : this.#random.fraction()]),
    );
  }

  start(): void {
    this.#plan();
  }

  /** No further faults; everything is repaired: what follows must settle. */
  healAll(): void {
    this.#active = false;
    this.#cluster.network.healAll();
    for (const node of this.#cluster.nodes) {
      node.resume();
      node.start();
    }
  }

  #plan(): void {
    const delayMs = this.#random.between(0.2, 1.8) * this.#meanIntervalMs;
    this.#process.timers.after(delayMs, () => {
      if (!this.#active) return;
      this.#strike();
      this.#plan();
    });
  }

  #strike(): void {
    const total = [...this.#weights.values()].reduce((sum, weight) => sum + weight, 0);
    if (total === 0) return;
    let left = this.#random.fraction() * total;
    for (const [fault, weight] of this.#weights) {
      left -= weight;
      if (left > 0) continue;
      this.count += 1;
      this.#make(fault, this.#random.pick(this.#cluster.nodes));
      return;
    }
  }

  #make(fault: Fault, node: SimNode): void {
    this.#cluster.note(`fault: ${fault} (node ${node.pnn})`);
    switch (fault) {
      case "crash":
        node.crash();
        return this.#later(0.1, 40, () => node.start());
      case "pause":
        node.pause();
        return this.#later(0.1, 40, () => node.resume());
      case "partition":
        this.#cut(true);
        return this.#later(1, 60, () => this.#cluster.network.healAll());
      case "one-way partition":
        this.#cut(false);
        return this.#later(1, 60, () => this.#cluster.network.healAll());
      case "reset": {
        const other = this.#random.pick(this.#cluster.nodes);
        if (other !== node) this.#cluster.network.reset(node.host, other.host);
        return;
      }
      case "lose lock":
        this.#cluster.lockService?.revoke();
        return;
      case "stop":
        node.requestStop();
        return this.#later(1, 40, () => node.requestContinue());
    }
  }

  /** Two random sides, neither empty. */
  #cut(bothWays: boolean): void {
    const { nodes, network } = this.#cluster;
    const side = nodes.map(() => this.#random.chance(0.5));
    const odd = this.#random.below(nodes.length);
    if (side.every((value) => value === side[0])) side[odd] = !side[odd];
    for (const [i, from] of nodes.entries()) {
      for (const [j, to] of nodes.entries()) {
        if (side[i] === side[j]) continue;
        if (bothWays || side[i] === true) network.cut(from.host, to.host);
      }
    }
  }

  #later(minSec: number, maxSec: number, repair: () => void): void {
    this.#process.timers.after(this.#random.between(minSec, maxSec) * 1000, () => {
      if (this.#active) repair();
    });
  }
}
