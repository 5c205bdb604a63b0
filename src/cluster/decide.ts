/**
 * The checks of the main loop as two pure functions: what is known, in; what to do about it, out.
 * Recoverd carries the actions out in the same step, after it made sure that nothing changed
 * since the snapshot was begun (docs/recovery.md, "Main loop").
 *
 * Order matters: the first violation that needs a recovery ends the checks.
 */
import {
  CAPABILITIES,
  NODE_FLAGS,
  NODE_FLAGS_HOSTS_NOTHING,
  NODE_FLAGS_INACTIVE,
  RECOVERY_NORMAL,
} from "../wire/constants.ts";
import type { NodeAndFlags, VnnMap } from "../wire/structs/cluster.ts";
import {
  activeNodes,
  flagsOf,
  isOddOne,
  type LocalSnapshot,
  type RemoteSnapshot,
} from "./snapshot.ts";

export type Action =
  | { readonly do: "ban"; readonly pnn: number; readonly credits: number }
  /** We are stopped or banned: set recovery mode ACTIVE (when it is not) and freeze (once). */
  | { readonly do: "lock_databases"; readonly setMode: boolean }
  | { readonly do: "yield"; readonly reason: string }
  /** `moves`: whether it may host addresses was not known until now. */
  | { readonly do: "push_flags"; readonly stale: StaleFlags; readonly moves: boolean }
  | { readonly do: "blame"; readonly pnn: number; readonly reason: string }
  | { readonly do: "elect"; readonly reason: string }
  | ({ readonly do: "recover" } & WantedRecovery)
  | { readonly do: "takeover_run" };

export interface WantedRecovery {
  readonly reason: string;
  /** Our node map with the flags that the nodes report of themselves. */
  readonly nodes: readonly NodeAndFlags[];
  /** What some of them must know before. */
  readonly stale: readonly StaleFlags[];
}

/** Flags of a node as it says itself, and which nodes take it to have others. */
export interface StaleFlags {
  readonly pnn: number;
  readonly flags: number;
  readonly at: readonly number[];
}

export interface LocalMemory {
  readonly pnn: number;
  readonly leading: boolean;
  /** Nodes at the limit of ban credits. */
  readonly bansDue: readonly { readonly pnn: number; readonly credits: number }[];
}

/** What every node does about its own state; `goOn`: the leader may look at the others. */
export function decideLocal(
  local: LocalSnapshot,
  memory: LocalMemory,
): { readonly actions: readonly Action[]; readonly active: boolean; readonly goOn: boolean } {
  const actions: Action[] = memory.bansDue.map((due) => ({ do: "ban" as const, ...due }));
  const selfBan = memory.bansDue.some(({ pnn }) => pnn === memory.pnn);
  const flags = flagsOf(local.nodes, memory.pnn) ?? NODE_FLAGS.DELETED;
  const active = (flags & NODE_FLAGS_INACTIVE) === 0;
  if (!active) {
    if (memory.leading) actions.push({ do: "yield", reason: "this node is inactive" });
    actions.push({ do: "lock_databases", setMode: local.recoveryMode === RECOVERY_NORMAL });
    return { actions, active, goOn: false };
  }
  const capable = (local.capabilities & CAPABILITIES.RECMASTER) !== 0;
  if (memory.leading && !capable) {
    actions.push({ do: "yield", reason: "this node has lost the capability to lead" });
  }
  const odd = isOddOne(local);
  if (memory.leading && odd) {
    const reason = `it keeps out more nodes (${local.keptOut.join(", ")}) than it is connected to`;
    actions.push({ do: "yield", reason });
  }
  return { actions, active, goOn: memory.leading && capable && !odd && !selfBan };
}

export interface ClusterMemory {
  readonly pnn: number;
  /** Why a recovery is needed that did not succeed, or was not begun. */
  readonly recoveryNeeded: string | undefined;
  readonly recoveriesDisabled: boolean;
  readonly takeoverRunsDisabled: boolean;
  /** Somebody asked for a takeover run, or the last one failed. */
  readonly takeoverRunWanted: boolean;
  /** Somebody whose link to this node is about to come back (links_to_come.ts), in words. */
  readonly linksAwaited: string | undefined;
  /** Somebody who may have public addresses though this node has lost it (lost_nodes.ts), in words. */
  readonly lostAwaited: string | undefined;
  /** undefined without a cluster lock. */
  readonly lockHeld: boolean | undefined;
}

/** What the leader does about the cluster. `problem`: why the checks could not be made. */
export function decideCluster(
  local: LocalSnapshot,
  remote: RemoteSnapshot,
  memory: ClusterMemory,
): ClusterDecision {
  const checks = new ClusterChecks(local, remote, memory);
  checks.run();
  return { actions: checks.actions, problem: checks.problem };
}

export interface ClusterDecision {
  readonly actions: readonly Action[];
  readonly problem: string | undefined;
}

class ClusterChecks {
  readonly actions: Action[] = [];
  problem: string | undefined;
  readonly #local: LocalSnapshot;
  readonly #remote: RemoteSnapshot;
  readonly #memory: ClusterMemory;
  /** Our node map with the flags that the nodes report of themselves. */
  #nodes: readonly NodeAndFlags[];
  readonly #stale: StaleFlags[] = [];

  constructor(local: LocalSnapshot, remote: RemoteSnapshot, memory: ClusterMemory) {
    this.#local = local;
    this.#remote = remote;
    this.#memory = memory;
    this.#nodes = local.nodes;
  }

  run(): void {
    if (!this.#answersComplete()) return;
    this.#fixFlags();
    if (this.#memory.recoveryNeeded !== undefined) {
      this.#recover(this.#memory.recoveryNeeded);
      return;
    }
    if (!this.#modesNormal()) return;
    if (this.#memory.lockHeld === false) {
      // Not a fault of this node: the lock can be lost at any time.
      this.actions.push({ do: "elect", reason: "this node leads without the cluster lock" });
      return;
    }
    if (!this.#memory.recoveriesDisabled) {
      const reason = this.#nodeMapProblem() ?? this.#vnnMapProblem();
      if (reason !== undefined) {
        this.#recover(reason);
        return;
      }
      if (this.problem !== undefined) return;
    }
    const { takeoverRunWanted, takeoverRunsDisabled, lostAwaited } = this.#memory;
    if (!takeoverRunWanted || takeoverRunsDisabled) return;
    if (lostAwaited === undefined) this.actions.push({ do: "takeover_run" });
    else this.problem = `A takeover run is to be made, but ${lostAwaited}`;
  }

  #recover(reason: string): void {
    const { linksAwaited } = this.#memory;
    if (linksAwaited === undefined)
      this.actions.push({ do: "recover", reason, nodes: this.#nodes, stale: this.#stale });
    else this.problem = `A recovery is needed (${reason}), but ${linksAwaited}`;
  }

  /** The reason, which is what the recovery is for, too. */
  #blame(pnn: number, reason: string): string {
    this.actions.push({ do: "blame", pnn, reason });
    return reason;
  }

  /** Node maps of all connected nodes and capabilities of all active ones are needed for everything. */
  #answersComplete(): boolean {
    for (const { pnn, flags } of this.#nodes) {
      if ((flags & NODE_FLAGS.DISCONNECTED) !== 0 || pnn === this.#memory.pnn) continue;
      if (!this.#remote.nodeMaps.has(pnn)) {
        this.problem ??= `Cannot read the node map of node ${pnn}`;
        this.#blame(pnn, "it does not tell its node map");
      }
      const active = (flags & NODE_FLAGS_INACTIVE) === 0;
      if (active && !this.#remote.capabilities.has(pnn)) {
        this.problem ??= `Cannot read the capabilities of node ${pnn}`;
      }
    }
    return this.problem === undefined;
  }

  /** A node knows its own flags best; every node must have the same flags for every other. */
  #fixFlags(): void {
    const { nodeMaps } = this.#remote;
    this.#nodes = this.#nodes.map((node) => {
      const itself = nodeMaps.get(node.pnn);
      const flags = itself === undefined ? undefined : flagsOf(itself, node.pnn);
      if (flags === undefined) return node;
      const kept = node.flags & NODE_FLAGS.DISCONNECTED;
      return { ...node, flags: kept | (flags & ~NODE_FLAGS.DISCONNECTED) };
    });
    for (const [place, { pnn, flags }] of this.#nodes.entries()) {
      if ((flags & NODE_FLAGS.DISCONNECTED) !== 0) continue;
      const before = this.#local.nodes[place]?.flags ?? 0;
      const at = before === flags ? [] : [this.#memory.pnn];
      for (const [viewer, map] of nodeMaps) {
        const seen = flagsOf(map, pnn);
        // Who is connected to whom is each node's own observation.
        const differs = seen !== undefined && differBeyondConnection(seen, flags);
        if (viewer !== pnn && differs) at.push(viewer);
      }
      if (at.length === 0) continue;
      const stale = { pnn, flags, at };
      this.#stale.push(stale);
      const moves = ((before ^ flags) & NODE_FLAGS_HOSTS_NOTHING) !== 0;
      this.actions.push({ do: "push_flags", stale, moves });
    }
  }

  #modesNormal(): boolean {
    const active = activeNodes(this.#nodes);
    for (const pnn of active) {
      const mode = this.#remote.recoveryModes.get(pnn);
      if (mode !== undefined && mode !== RECOVERY_NORMAL) {
        this.#recover(`node ${pnn} is in recovery mode`);
        return false;
      }
    }
    const silent = active.find((pnn) => !this.#remote.recoveryModes.has(pnn));
    if (silent === undefined) return true;
    this.problem = `Cannot read the recovery mode of node ${silent}`;
    return false;
  }

  /** All nodes must agree on the number and order of the nodes. */
  #nodeMapProblem(): string | undefined {
    for (const pnn of activeNodes(this.#nodes)) {
      const map = this.#remote.nodeMaps.get(pnn);
      if (map === undefined) continue;
      if (map.length !== this.#nodes.length) {
        const known = `node ${pnn} knows ${map.length} nodes, this node ${this.#nodes.length}`;
        return this.#blame(pnn, known);
      }
      const at = map.findIndex((node, i) => node.pnn !== this.#nodes[i]?.pnn);
      if (at >= 0) {
        const theirs = `node ${pnn} has node ${map[at]?.pnn} in place ${at}`;
        return this.#blame(pnn, `${theirs}, this node ${this.#nodes[at]?.pnn}`);
      }
    }
    return undefined;
  }

  /** The vnn map must hold the active lmasters and be the same everywhere. */
  #vnnMapProblem(): string | undefined {
    const own = this.#local.vnnMap;
    const active = activeNodes(this.#nodes);
    const lmasters = active.filter(
      (pnn) => ((this.#remote.capabilities.get(pnn) ?? 0) & CAPABILITIES.LMASTER) !== 0,
    );
    // With no lmaster at all, a recovery makes the leader the only one: that is no violation.
    const expected = lmasters.length === 0 ? [this.#memory.pnn] : lmasters;
    if (own.map.length !== expected.length) {
      const wanted = `expected the ${expected.length} active lmasters`;
      return this.#blame(this.#memory.pnn, `the vnn map has ${own.map.length} nodes, ${wanted}`);
    }
    const absent = expected.find((pnn) => !own.map.includes(pnn));
    if (absent !== undefined) {
      return this.#blame(absent, `active lmaster ${absent} is not in the vnn map`);
    }
    for (const pnn of active) {
      if (pnn === this.#memory.pnn) continue;
      const map = this.#remote.vnnMaps.get(pnn);
      if (map === undefined) {
        this.problem = `Cannot read the vnn map of node ${pnn}`;
        return undefined;
      }
      const difference = vnnMapDifference(map, own);
      if (difference === undefined) continue;
      return this.#blame(pnn, `node ${pnn} has another ${difference}`);
    }
    return undefined;
  }
}

function differBeyondConnection(a: number, b: number): boolean {
  return ((a ^ b) & ~NODE_FLAGS.DISCONNECTED) !== 0;
}

function vnnMapDifference(theirs: VnnMap, ours: VnnMap): string | undefined {
  if (theirs.generation !== ours.generation) {
    return `generation: ${theirs.generation}, this node ${ours.generation}`;
  }
  const same =
    theirs.map.length === ours.map.length && theirs.map.every((pnn, i) => pnn === ours.map[i]);
  return same ? undefined : `vnn map: ${theirs.map.join(", ")}; this node ${ours.map.join(", ")}`;
}
