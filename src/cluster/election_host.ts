/** How an election reaches the other nodes, and what it is told of this one. */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Random, Timers } from "../platform/types/time.ts";
import type { ElectionMessage } from "../wire/structs/cluster.ts";

export interface ElectionHost {
  readonly pnn: number;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly journal: Journal;
  nowMs(): number;
  readonly leaderTimeoutMs: number;
  /** ElectionTimeout, or the short one of a test cluster's first election. */
  electionTimeoutMs(): number;
  /** Active and with the capability, as far as is known now. */
  canLead(): boolean;
  /** Our message; one that tries to lose when this node cannot lead. */
  electionMessage(): ElectionMessage;
  /** LEADER to all connected nodes. */
  sendLeader(pnn: number): void;
  /** ELECTION to all nodes. */
  sendElection(message: ElectionMessage): void;
  /** Sets the recovery mode of active nodes to ACTIVE, without waiting for answers. */
  stopTraffic(): void;
  /** The leader changed, or an election began or ended. */
  changed(): void;
  lockTaken(latencyMs: number): void;
  /** This node held the cluster lock, and does not any more. */
  lockLost(): void;
}
