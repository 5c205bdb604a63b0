/**
 * What goes wrong around public addresses: event scripts that fail, hang or are slow, and cables that are pulled, each
 * for a while. Apart from the other faults, with random numbers of its own.
 */
import type { EventName } from "../../src/wire/events.ts";
import type { SimCluster } from "./cluster.ts";
import type { ScriptTrouble } from "./event_scripts.ts";
import { PUBLIC_INTERFACES } from "./host_addresses.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

const TROUBLE_MAX_SEC = 60;
const UNPLUGGED_MAX_SEC = 60;
const INTERVAL_MS = [20_000, 150_000] as const;

/** What fails together. Without init, setup and shutdown: a node that does not start tells nothing. */
const EVENTS: readonly (readonly EventName[])[] = [
  ["monitor"],
  ["takeip"],
  ["releaseip"],
  ["takeip", "releaseip", "updateip"],
  ["startipreallocate", "ipreallocated"],
  ["startrecovery", "recovered"],
  ["startup"],
];
const WHAT: readonly ScriptTrouble["what"][] = ["fail", "hang", "slow"];

export class AddressFaults {
  count = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #process: SimProcess;
  readonly #meanIntervalMs: number;
  readonly #scriptsChance: number;
  #active = true;

  constructor(cluster: SimCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
    this.#process = cluster.newProcess("address faults");
    this.#meanIntervalMs = random.between(...INTERVAL_MS);
    this.#scriptsChance = random.pick([0, 0.5, 0.8]);
  }

  start(): void {
    const delayMs = this.#random.between(0.2, 1.8) * this.#meanIntervalMs;
    this.#process.timers.after(delayMs, () => {
      if (!this.#active) return;
      this.count += 1;
      const node = this.#random.pick(this.#cluster.nodes);
      if (this.#random.chance(this.#scriptsChance)) this.#troubleScripts(node);
      else this.#pullCable(node);
      this.start();
    });
  }

  healAll(): void {
    this.#active = false;
    for (const { scripts, host } of this.#cluster.nodes) {
      scripts.trouble = undefined;
      for (const name of PUBLIC_INTERFACES) host.publicAddresses.setLink(name, true);
    }
  }

  #troubleScripts({ pnn, scripts }: SimNode): void {
    const trouble = { what: this.#random.pick(WHAT), events: this.#random.pick(EVENTS) };
    this.#cluster.note(
      `fault: scripts of node ${pnn} ${trouble.what}: ${trouble.events.join(" ")}`,
    );
    scripts.trouble = trouble;
    this.#process.timers.after(this.#random.between(1, TROUBLE_MAX_SEC) * 1000, () => {
      if (!this.#active || scripts.trouble !== trouble) return;
      this.#cluster.note(`scripts of node ${pnn} work`);
      scripts.trouble = undefined;
    });
  }

  #pullCable({ pnn, host }: SimNode): void {
    const name = this.#random.pick(PUBLIC_INTERFACES);
    this.#cluster.note(`fault: cable of node ${pnn} pulled, ${name}`);
    host.publicAddresses.setLink(name, false);
    this.#process.timers.after(this.#random.between(1, UNPLUGGED_MAX_SEC) * 1000, () => {
      if (this.#active) host.publicAddresses.setLink(name, true);
    });
  }
}
