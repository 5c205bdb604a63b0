/**
 * Disks of nodes that fill and fail, each for a while. Apart from the other faults, with random numbers of
 * its own: a run without it goes as it did before.
 */
import type { SimCluster } from "./cluster.ts";
import type { Trouble } from "./disk_trouble.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

const TROUBLE_MAX_SEC = 60;
const ROOM_BYTES = [0, 4096, 65_536];
const FAIL_CHANCES = [0.02, 0.3, 1];
const DIRECTORIES = ["/", "/volatile/", "/persistent/"];

/** Mean time between two of them in ms, in runs of which that is the point and in others. */
const INTERVAL_MS = { often: [8_000, 40_000], sometimes: [40_000, 200_000] } as const;

export class DiskFaults {
  count = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #process: SimProcess;
  readonly #meanIntervalMs: number;
  #active = true;

  constructor(cluster: SimCluster, random: SeededRandom, howOften: keyof typeof INTERVAL_MS) {
    this.#cluster = cluster;
    this.#random = random;
    this.#process = cluster.newProcess("disk faults");
    const [low, high] = INTERVAL_MS[howOften];
    this.#meanIntervalMs = random.between(low, high);
  }

  start(): void {
    const delayMs = this.#random.between(0.2, 1.8) * this.#meanIntervalMs;
    this.#process.timers.after(delayMs, () => {
      if (!this.#active) return;
      this.#strike(this.#random.pick(this.#cluster.nodes));
      this.start();
    });
  }

  healAll(): void {
    this.#active = false;
    for (const { disk } of this.#cluster.nodes) disk.trouble.end();
  }

  #strike(node: SimNode): void {
    this.count += 1;
    const trouble = this.#trouble();
    const { below, roomBytes, failChance } = trouble;
    const what = failChance > 0 ? `fails (chance ${failChance})` : `is full (${roomBytes} bytes)`;
    this.#cluster.note(`fault: disk of node ${node.pnn} ${what}, below ${below}`);
    node.disk.trouble.begin(trouble);
    const endMs = this.#random.between(1, TROUBLE_MAX_SEC) * 1000;
    this.#process.timers.after(endMs, () => {
      if (!this.#active || !node.disk.trouble.isOf(trouble)) return;
      this.#cluster.note(`disk of node ${node.pnn} is sound, with room`);
      node.disk.trouble.end();
      // A daemon that could not start is started again.
      node.start();
    });
  }

  #trouble(): Trouble {
    const below = this.#random.pick(DIRECTORIES);
    return this.#random.chance(0.5)
      ? { below, roomBytes: this.#random.pick(ROOM_BYTES), failChance: 0 }
      : { below, roomBytes: Number.POSITIVE_INFINITY, failChance: this.#random.pick(FAIL_CHANCES) };
  }
}
