/**
 * Somebody at the `ctdb` tool of a simulated cluster: stops and continues nodes, bans, disables,
 * takes roles away, forces recoveries. Like faults, each kind is left out of some runs, and
 * `healAll` undoes everything.
 */
import { CAPABILITIES, NODE_FLAGS, RECOVERY_ACTIVE } from "../../src/wire/constants.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import type { SeededRandom } from "./random.ts";
import type { SimProcess } from "./scheduler.ts";

const ACTIONS = ["stop", "ban", "disable", "lmaster role", "leader role", "recover"] as const;
/** After the first time, of which the last must come before the cluster is given up. */
const RESTORED_AGAIN_MS: readonly number[] = [5000, 30_000, 100_000];

type Action = (typeof ACTIONS)[number];

export class Operator {
  count = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #process: SimProcess;
  readonly #actions: readonly Action[];
  readonly #meanIntervalMs: number;
  #active = true;
  /** Nothing is repaired any more: somebody else is at work. */
  #ended = false;

  constructor(cluster: SimCluster, random = cluster.random.fork()) {
    this.#cluster = cluster;
    this.#random = random;
    this.#process = cluster.newProcess("operator");
    this.#meanIntervalMs = this.#random.between(30_000, 200_000);
    this.#actions = ACTIONS.filter(() => this.#random.chance(0.6));
  }

  start(): void {
    const delayMs = this.#random.between(0.2, 1.8) * this.#meanIntervalMs;
    this.#process.timers.after(delayMs, () => {
      if (!this.#active || this.#actions.length === 0) return;
      this.count += 1;
      this.#act(this.#random.pick(this.#actions), this.#random.pick(this.#cluster.nodes));
      this.start();
    });
  }

  /** Again after a while: what was asked of a node that was paused happens only when it runs again. */
  healAll(): void {
    if (!this.#active) return;
    this.#active = false;
    this.#restoreAll();
    for (const delayMs of RESTORED_AGAIN_MS) {
      this.#process.timers.after(delayMs, () => {
        if (!this.#ended) this.#restoreAll();
      });
    }
  }

  end(): void {
    this.#ended = true;
  }

  #restoreAll(): void {
    for (const node of this.#cluster.nodes) {
      const flags = node.daemon?.node?.nodes.own.flags ?? 0;
      if ((flags & NODE_FLAGS.STOPPED) !== 0) void node.request("CONTINUE_NODE", undefined);
      if ((flags & NODE_FLAGS.BANNED) !== 0) this.#setBan(node, 0);
      if ((flags & NODE_FLAGS.PERMANENTLY_DISABLED) !== 0) {
        this.#enable(node);
      }
      const capabilities = node.daemon?.node?.state.capabilities ?? 0;
      if ((capabilities & CAPABILITIES.LMASTER) === 0) void node.request("SET_LMASTERROLE", 1);
      if ((capabilities & CAPABILITIES.RECMASTER) === 0) void node.request("SET_RECMASTERROLE", 1);
    }
  }

  #act(action: Action, node: SimNode): void {
    this.#cluster.note(`operator: ${action} (node ${node.pnn})`);
    switch (action) {
      case "stop":
        void node.request("STOP_NODE", undefined);
        this.#later(1, 40, () => void node.request("CONTINUE_NODE", undefined));
        return;
      case "ban": {
        this.#setBan(node, 1 + this.#random.below(60));
        if (this.#random.chance(0.5)) this.#later(1, 40, () => this.#setBan(node, 0));
        return;
      }
      case "disable":
        void node.request("DISABLE_NODE", undefined).then(() => node.askForTakeoverRun());
        this.#later(1, 40, () => this.#enable(node));
        return;
      case "lmaster role":
        void node.request("SET_LMASTERROLE", 0);
        this.#later(1, 60, () => void node.request("SET_LMASTERROLE", 1));
        return;
      case "leader role":
        void node.request("SET_RECMASTERROLE", 0);
        this.#later(1, 60, () => void node.request("SET_RECMASTERROLE", 1));
        return;
      case "recover":
        void node.request("SET_RECMODE", RECOVERY_ACTIVE);
    }
  }

  #enable(node: SimNode): void {
    void node.request("ENABLE_NODE", undefined).then(() => node.askForTakeoverRun());
  }

  #setBan(node: SimNode, time: number): void {
    void node.request("SET_BAN_STATE", { pnn: node.pnn, time });
  }

  #later(minSec: number, maxSec: number, action: () => void): void {
    this.#process.timers.after(this.#random.between(minSec, maxSec) * 1000, () => {
      if (this.#active) action();
    });
  }
}
