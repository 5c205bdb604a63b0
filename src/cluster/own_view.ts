/** What the own ctdbd has told last: nodes, capabilities, tunables, and what follows from them for this node. */
import { TunableSet } from "../config/tunables.ts";
import { CAPABILITIES, NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { flagsOf, isOddOne, type LocalSnapshot } from "./snapshot.ts";

export class OwnView {
  readonly #pnn: number;
  #nodes: readonly NodeAndFlags[] = [];
  #capabilities = 0;
  #tunables = new TunableSet();
  #isOddOne = false;

  constructor(pnn: number) {
    this.#pnn = pnn;
  }

  /** True when flags, nodes or capabilities are others than before. */
  learn(local: LocalSnapshot): boolean {
    const changed =
      local.capabilities !== this.#capabilities || !sameNodes(local.nodes, this.#nodes);
    this.#nodes = local.nodes;
    this.#isOddOne = isOddOne(local);
    this.#capabilities = local.capabilities;
    this.#tunables = local.tunables;
    return changed;
  }

  get nodes(): readonly NodeAndFlags[] {
    return this.#nodes;
  }
  /** Nothing was learned yet, or this node takes part in nothing. */
  get isEmpty(): boolean {
    return this.#capabilities === 0;
  }
  /** Of this node; undefined when the node map does not have it. */
  get flags(): number | undefined {
    return flagsOf(this.#nodes, this.#pnn);
  }
  get active(): boolean {
    return ((this.flags ?? NODE_FLAGS.DELETED) & NODE_FLAGS_INACTIVE) === 0;
  }
  get canLead(): boolean {
    return this.active && !this.#isOddOne && (this.#capabilities & CAPABILITIES.RECMASTER) !== 0;
  }

  tunable(name: string): number {
    return this.#tunables.get(name) ?? 0;
  }
  get requestTimeoutMs(): number {
    return Math.max(this.tunable("RecoverTimeout"), 1) * 1000;
  }
}

function sameNodes(a: readonly NodeAndFlags[], b: readonly NodeAndFlags[]): boolean {
  return (
    a.length === b.length &&
    a.every((node, i) => b[i]?.pnn === node.pnn && b[i].flags === node.flags)
  );
}
