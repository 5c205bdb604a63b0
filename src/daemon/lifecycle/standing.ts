/**
 * This node's own standing in the cluster: stopped, banned, disabled, and what follows.
 *
 * Invariants:
 * 1. A node that becomes inactive serves no call any more in the same turn: generation invalid, recovery
 *    mode ACTIVE, databases on their way to frozen, public addresses on their way elsewhere.
 * 2. A ban ends only when all databases are frozen; otherwise it is prolonged.
 * 3. What others sent to a banned node that a recovery had taken in is made good by another recovery.
 * 4. Each change has a cause, which is in the journal.
 */
import type { Journal, JournalActor } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { NodeTable, OwnFlag } from "../../membership/node_table.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { BanState } from "../../wire/structs/cluster.ts";
import type { DatabasePart } from "../database_part.ts";
import type { Actors } from "../journal/actors.ts";
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
  readonly journal: Journal;
  readonly actors: Actors;
  readonly tunable: (name: string) => number;
  /** What this node hosts has to go. */
  becameInactive(): void;
  forceRecovery(reason: string): void;
}

export class Standing {
  readonly #d: StandingDependencies;
  /** Without a timer it is one by ourselves that lasts as long as its reason. */
  #ban: { readonly timeSec: number; readonly timer: Timer | undefined } | undefined;

  constructor(dependencies: StandingDependencies) {
    this.#d = dependencies;
  }

  stop(by: JournalActor): void {
    this.#d.log.error("Stopping node");
    this.#setFlag("STOPPED", true, by);
    this.#becomeInactive(`this node was stopped by ${this.#d.actors.text(by)}`);
  }

  continue(by: JournalActor): void {
    this.#d.log.error("Continue node");
    this.#setFlag("STOPPED", false, by);
  }

  disable(by: JournalActor): void {
    this.#d.log.error("Disable node");
    this.#setFlag("PERMANENTLY_DISABLED", true, by);
  }

  enable(by: JournalActor): void {
    this.#d.log.error("Enable node");
    this.#setFlag("PERMANENTLY_DISABLED", false, by);
  }

  banState(): BanState {
    return { pnn: this.#d.nodes.ownPnn, time: this.#ban?.timeSec ?? 0 };
  }

  /** 0 seconds end a ban. */
  setBan(timeSec: number, by: JournalActor): void {
    const reason = `asked for by ${this.#d.actors.text(by)}`;
    if (timeSec > 0) {
      this.#begin(timeSec, reason, by);
      return;
    }
    this.#forgetBan();
    this.#d.log.error("Unbanning this node");
    this.#banEnded("asked", by);
  }

  banOurselves(reason: string): void {
    const { log, tunable, actors } = this.#d;
    log.error(`Banning ourselves: ${reason}`);
    const timeSec = tunable("RecoveryBanPeriod");
    if (timeSec > 0) this.#begin(timeSec, reason, actors.own);
    else this.setBan(0, actors.own);
  }

  /** As a ban, until `comeBack`; false where this node may not be banned, or is not active. */
  standAside(reason: string): boolean {
    const { nodes, tunable, actors, log } = this.#d;
    const timeSec = tunable("RecoveryBanPeriod");
    if (tunable("EnableBans") === 0 || timeSec <= 0 || nodes.ownInactive) return false;
    log.error(`Standing aside: ${reason}`);
    this.#begin(timeSec, reason, actors.own, true);
    return true;
  }

  get standsAside(): boolean {
    return this.#ban !== undefined && this.#ban.timer === undefined;
  }

  /** False: it does not stand aside, or not all databases are frozen yet. */
  comeBack(): boolean {
    if (!this.standsAside || !this.#d.freeze.frozen) return false;
    this.#forgetBan();
    this.#d.log.error("No need to stand aside any more");
    this.#banEnded("expired", this.#d.actors.own);
    return true;
  }

  #begin(timeSec: number, reason: string, by: JournalActor, lasts = false): void {
    const { nodes, log, tunable, timers, journal } = this.#d;
    const wasBanned = this.#ban !== undefined;
    this.#forgetBan();
    if (tunable("EnableBans") === 0) {
      log.error(`Bans are disabled - ignoring ban of node ${nodes.ownPnn}`);
      return;
    }
    log.error(`Banning this node for ${timeSec} seconds`);
    journal.record({ kind: "ban", target: nodes.ownPnn, seconds: timeSec, reason, by });
    const why = `banned for ${timeSec} s: ${reason}`;
    nodes.setOwnFlag("BANNED", { cause: "ban", reason: why, by });
    const timer = lasts ? undefined : timers.after(timeSec * 1000, () => this.#banExpired());
    this.#ban = { timeSec, timer };
    if (!wasBanned) this.#becomeInactive(`this node was banned: ${reason}`);
  }

  #forgetBan(): void {
    this.#ban?.timer?.cancel();
    this.#ban = undefined;
  }

  close(): void {
    this.#forgetBan();
  }

  #banExpired(): void {
    if (!this.#d.freeze.frozen) {
      this.banOurselves("the ban timed out, but not all databases are frozen yet");
      return;
    }
    this.#d.log.error("Banning timed out");
    this.#ban = undefined;
    this.#banEnded("expired", this.#d.actors.own);
  }

  #banEnded(how: "expired" | "asked", by: JournalActor): void {
    const { nodes, vnnMap, forceRecovery, journal, actors } = this.#d;
    const wasBanned = (nodes.own.flags & NODE_FLAGS.BANNED) !== 0;
    if (wasBanned) journal.record({ kind: "unban", target: nodes.ownPnn, how, by });
    const reason = how === "expired" ? "its ban is over" : `unbanned by ${actors.text(by)}`;
    nodes.clearOwnFlag("BANNED", { cause: "ban ended", reason, by });
    if (!wasBanned || !vnnMap.valid) return;
    forceRecovery("packets about records were dropped while this node was banned");
  }

  #setFlag(flag: OwnFlag, set: boolean, by: JournalActor): void {
    const { nodes, actors } = this.#d;
    const reason = `asked for by ${actors.text(by)}`;
    const cause = { cause: "command", reason, by } as const;
    if (set) nodes.setOwnFlag(flag, cause);
    else nodes.clearOwnFlag(flag, cause);
  }

  #becomeInactive(reason: string): void {
    const { vnnMap, database, freeze, state, log } = this.#d;
    log.warning("Making node INACTIVE");
    vnnMap.invalidate();
    database.invalidateGenerations();
    if (!state.recovering) log.notice("Recovery mode set to ACTIVE");
    state.setRecovering(true, reason);
    freeze.freeze((outcome) => {
      if (!outcome.ok)
        log.error(`Cannot freeze the databases of an inactive node: ${outcome.error}`);
    });
    this.#d.becameInactive();
  }
}
