/**
 * Cuts a node off at the worst moment of a commit: some of the others have it then, and some have not. The others go on
 * without it, and write another commit under the same sequence number; then it comes back.
 */
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

const CHANCE = 0.1;
/** A commit of three nodes takes about so long. */
const WITHIN_MS = 25;
const OUTAGE_MAX_MS = 60_000;

export class CommitFaults {
  count = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  #active = false;
  #cutOff: { readonly node: SimNode; readonly database: string } | undefined;
  readonly #process: SimProcess;

  constructor(cluster: SimCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
    this.#process = cluster.newProcess("commit faults");
  }

  start(): void {
    this.#active = true;
  }

  /** The network is for others to heal. */
  stop(): void {
    this.#active = false;
  }

  /** A client of this node commits. */
  commitBegins(node: SimNode, database: string): void {
    if (!this.#active || this.#cutOff !== undefined || !this.#random.chance(CHANCE)) return;
    const cutOff = { node, database };
    this.#cutOff = cutOff;
    const { timers } = this.#process;
    timers.after(this.#random.between(0, WITHIN_MS), () => {
      if (!this.#active || this.#cutOff !== cutOff) return;
      this.count += 1;
      this.#cluster.note(`fault: isolate in a commit (node ${node.pnn})`);
      this.#cluster.isolate(node);
    });
    timers.after(OUTAGE_MAX_MS, () => {
      if (this.#cutOff === cutOff) this.#comesBack();
    });
  }

  committed(node: SimNode, database: string): void {
    if (this.#cutOff?.database === database && this.#cutOff.node !== node) this.#comesBack();
  }

  #comesBack(): void {
    this.#cutOff = undefined;
    this.#cluster.network.healAll();
  }
}
