/**
 * What every part of a node looks at: which nodes there are, the vnn map, and how far this node has
 * come.
 *
 * Invariant: a recovery that is asked for while one runs follows it, unless what was seen is over with
 * the generation of that moment.
 */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import { type FlagsCause, NodeTable } from "../membership/node_table.ts";
import { StandingReasons } from "../membership/standing_reasons.ts";
import { VnnMap } from "../membership/vnn_map.ts";
import { CAPABILITIES } from "../wire/constants.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import type { Actors } from "./journal/actors.ts";
import { NodeState } from "./lifecycle/node_state.ts";

export interface CoreListener {
  /** What somebody waits for may have happened: a recovery ended or we came further. */
  progressed(): void;
  recoveryModeChanged(active: boolean): void;
}

/** Where what happens is written down, and by whom it was caused. */
export interface CoreRecords {
  readonly journal: Journal;
  readonly actors: Actors;
}

export class NodeCore {
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly log: Logger;
  readonly journal: Journal;
  readonly actors: Actors;
  readonly reasons: StandingReasons;
  readonly #d: DaemonDependencies;
  /** Asked for while a recovery ran, with the generation of that moment. */
  #wantedRecovery: { readonly generation: number; readonly reason: string } | undefined;

  constructor(
    dependencies: DaemonDependencies,
    ownPnn: number,
    { journal, actors }: CoreRecords,
    listener: CoreListener,
  ) {
    this.#d = dependencies;
    this.journal = journal;
    this.actors = actors;
    this.log = dependencies.log;
    this.reasons = new StandingReasons(dependencies.clock);
    this.nodes = new NodeTable(ownPnn, dependencies.nodes, (change) => {
      journal.record({ kind: "flags", ...change });
      this.reasons.changed(change);
    });
    this.#setFirstFlags({ reason: "the configuration says so", by: actors.own });
    this.vnnMap = new VnnMap(this.nodes.configured(), this.nodes.ownPnn);
    this.state = this.#newState(listener);
  }

  tunable(name: string): number {
    return this.#d.tunables.get(name) ?? 0;
  }

  /**
   * While a recovery runs it may come too late for that one, which has thawed databases already: then
   * another follows.
   */
  forceRecovery(reason: string): void {
    if (this.state.recovering) {
      this.#wantedRecovery = { generation: this.vnnMap.generation, reason };
      return;
    }
    this.log.error(`Recovery mode set to ACTIVE: ${reason}`);
    this.state.setRecovering(true, reason);
  }

  #recoverAgain(): void {
    const wanted = this.#wantedRecovery;
    this.#wantedRecovery = undefined;
    // What was seen in an earlier generation is over with this one.
    if (wanted?.generation === this.vnnMap.generation) this.forceRecovery(wanted.reason);
  }

  #setFirstFlags(cause: FlagsCause): void {
    const { legacy } = this.#d.config;
    const started = { ...cause, cause: "start" } as const;
    if (legacy.startAsDisabled) {
      this.log.error("This node is configured to start in DISABLED state");
      this.nodes.setOwnFlag("PERMANENTLY_DISABLED", started);
    }
    if (legacy.startAsStopped) {
      this.log.error("This node is configured to start in STOPPED state");
      this.nodes.setOwnFlag("STOPPED", started);
    }
  }

  #newState({ progressed, recoveryModeChanged }: CoreListener): NodeState {
    const { config, clock, log, runstateChanged } = this.#d;
    let capabilities = CAPABILITIES.PARALLEL_RECOVERY | CAPABILITIES.FRAGMENTED_CONTROLS;
    if (config.cluster.leaderCapability) capabilities |= CAPABILITIES.RECMASTER;
    if (config.legacy.lmasterCapability) capabilities |= CAPABILITIES.LMASTER;
    return new NodeState(clock, log, capabilities, {
      recoveryModeChanged: (active, reason) => {
        const { generation } = this.vnnMap;
        this.journal.record({ kind: "recovery_mode", active, generation, reason });
        this.reasons.recoveryModeChanged(active ? reason : undefined);
        recoveryModeChanged(active);
        if (active) return;
        progressed();
        this.#recoverAgain();
      },
      runstateChanged: (runstate) => {
        runstateChanged?.(runstate);
        this.journal.record({ kind: "runstate", runstate });
        if (runstate !== "INIT" && runstate !== "SHUTDOWN") progressed();
      },
    });
  }
}
