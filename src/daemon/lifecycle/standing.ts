/**
 * This node's own standing in the cluster: stopped, banned, disabled, and what follows.
 *
 * Invariants:
 * 1. A node that becomes inactive serves no call any more in the same turn: generation invalid, recovery
 *    mode ACTIVE, databases on their way to frozen, public addresses on their way elsewhere.
 * 2. A ban ends only when all databases are frozen; otherwise it is prolonged.
 * 3. What others sent to a banned node that a recovery had taken in is made good by another recovery.
 */
import type { Logger } from "../../base/log.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { BanState } from "../../wire/structs/cluster.ts";
import type { DatabasePart } from "../database_part.ts";
import type { NodeFreeze } from "./node_freeze.ts";
import type { NodeState } from "./node_state.ts";

export interface StandingDependencies {
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly database: DatabasePart;
  readonly freeze: NodeFreeze;
  readonly timers: Timers;
  readonly log: Logger;
  readonly tunable: (name: string) => number;
  /** What this node hosts has to go. */
  becameInactive(): void;
  forceRecovery(reason: string): void;
}

export class Standing {
  readonly #d: StandingDependencies;
  #ban: { readonly timeSec: number; readonly timer: Timer } | undefined;

  constructor(dependencies: StandingDependencies) {
    this.#d = dependencies;
  }

  stop(): void {
    this.#d.log.error("Stopping node");
    this.#d.nodes.setOwnFlag("STOPPED");
    this.#becomeInactive();
  }

  continue(): void {
    this.#d.log.error("Continue node");
    this.#d.nodes.clearOwnFlag("STOPPED");
  }

  disable(): void {
    this.#d.log.error("Disable node");
    this.#d.nodes.setOwnFlag("PERMANENTLY_DISABLED");
  }

  enable(): void {
    this.#d.log.error("Enable node");
    this.#d.nodes.clearOwnFlag("PERMANENTLY_DISABLED");
  }

  banState(): BanState {
    return { pnn: this.#d.nodes.ownPnn, time: this.#ban?.timeSec ?? 0 };
  }

  /** 0 seconds end a ban. */
  setBan(timeSec: number): void {
    const { nodes, log, tunable, timers } = this.#d;
    const wasBanned = this.#ban !== undefined;
    this.#ban?.timer.cancel();
    this.#ban = undefined;
    if (timeSec === 0) {
      log.error("Unbanning this node");
      this.#banEnded();
      return;
    }
    if (tunable("EnableBans") === 0) {
      log.error(`Bans are disabled - ignoring ban of node ${nodes.ownPnn}`);
      return;
    }
    log.error(`Banning this node for ${timeSec} seconds`);
    nodes.setOwnFlag("BANNED");
    this.#ban = { timeSec, timer: timers.after(timeSec * 1000, () => this.#banExpired()) };
    if (!wasBanned) this.#becomeInactive();
  }

  banOurselves(reason: string): void {
    this.#d.log.error(`Banning ourselves: ${reason}`);
    this.setBan(this.#d.tunable("RecoveryBanPeriod"));
  }

  close(): void {
    this.#ban?.timer.cancel();
    this.#ban = undefined;
  }

  #banExpired(): void {
    if (!this.#d.freeze.frozen) {
      this.banOurselves("the ban timed out, but not all databases are frozen yet");
      return;
    }
    this.#d.log.error("Banning timed out");
    this.#ban = undefined;
    this.#banEnded();
  }

  #banEnded(): void {
    const { nodes, vnnMap, forceRecovery } = this.#d;
    const wasBanned = (nodes.own.flags & NODE_FLAGS.BANNED) !== 0;
    nodes.clearOwnFlag("BANNED");
    if (!wasBanned || !vnnMap.valid) return;
    forceRecovery("packets about records were dropped while this node was banned");
  }

  #becomeInactive(): void {
    const { vnnMap, database, freeze, state, log } = this.#d;
    log.warning("Making node INACTIVE");
    vnnMap.invalidate();
    database.invalidateGenerations();
    if (!state.recovering) log.notice("Recovery mode set to ACTIVE");
    state.setRecovering(true);
    freeze.freeze((outcome) => {
      if (!outcome.ok)
        log.error(`Cannot freeze the databases of an inactive node: ${outcome.error}`);
    });
    this.#d.becameInactive();
  }
}
