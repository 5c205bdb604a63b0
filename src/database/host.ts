/**
 * What database/ needs from the node it lives in. The daemon implements it; tests use a small fake.
 */
import type { CrashPoints } from "../base/crash_points.ts";
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Result } from "../base/result.ts";
import type { TracedTurns } from "../base/trace.ts";
import type { U64 } from "../base/u64.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import type { LockWaiter, TdbOpener } from "../tdb/types.ts";
import type { ControlName } from "../wire/controls.ts";
import type { PacketView } from "../wire/packet.ts";
import type { Statistics } from "../wire/structs/statistics.ts";
import type { SliceTurns } from "./slice_turns.ts";

/** Counters of ctdb_statistics that the database part moves. Mutable twin of the wire struct. */
export type MutableStatistics = { -readonly [K in keyof Statistics]: Mutable<Statistics[K]> };
type Mutable<T> = T extends readonly number[]
  ? number[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;

/** What is wrong with a database, for those who count. */
export type DatabaseProblem =
  | "damaged"
  | "locked"
  | "lock owner died"
  | "records"
  | "record size"
  | "size"
  | "short values"
  | "vacuum";

/** Answer to a control that this node sent. */
export type ControlAnswered = Result<{ readonly status: number; readonly data: Uint8Array }>;

export interface DatabaseDirectories {
  readonly volatile: string;
  readonly persistent: string;
  readonly state: string;
}

/** What few controls have besides their data. */
export interface ControlDetails {
  readonly srvid: U64;
  readonly flags: number;
}

export interface DatabaseHost {
  readonly pnn: number;
  readonly directories: DatabaseDirectories;
  /** `[database] tdb mutexes`. */
  readonly tdbMutexes: boolean;
  readonly tdbs: TdbOpener;
  readonly lockWaiter: LockWaiter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly files: FileSystem;
  readonly log: Logger;
  readonly journal: Journal;
  readonly trace: TracedTurns;
  readonly slices: SliceTurns;
  readonly statistics: MutableStatistics;
  /** For tests that end the process in the middle of a commit. */
  readonly crashPoints?: CrashPoints | undefined;

  /** Current value of a tunable by its canonical name ("DatabaseMaxDead"). */
  tunable(name: string): number;

  // --- cluster state, always read at the moment of the decision
  /** Generation of the vnn_map; INVALID_GENERATION before the first recovery. */
  generation(): number;
  /** This node's records counted last in that recovery, and all who took part in it take part in the present one. */
  countedWithAll(generation: number): boolean;
  /** The transaction of a recovery was committed here. */
  recoveryCommitted(): void;
  vnnMap(): readonly number[];
  recovering(): boolean;
  /** Flags of a node as we know them, own included; DELETED for unknown pnns. */
  nodeFlags(pnn: number): number;
  nodeConnected(pnn: number): boolean;
  /** All configured pnns that are not INACTIVE, own included. */
  activeNodes(): readonly number[];
  /** All that are not deleted. */
  nodes(): readonly number[];
  runstateBefore(state: "STARTUP" | "RUNNING"): boolean;

  /**
   * Says in the log, and in the journal, what is wrong with a database. Of the same problem of the same database the
   * journal hears now and then only.
   */
  databaseWarning(name: string, problem: DatabaseProblem, text: string): void;

  /** Sets our recovery mode ACTIVE, so that the leader runs a recovery. */
  forceRecovery(reason: string): void;

  // --- packets. What is sent is copied before the call returns: its bytes may be used again.
  /**
   * To a node; to ourselves it loops through the input queue (never inside the call), where its generation is looked
   * at as that of any packet.
   */
  sendToNode(pnn: number, packet: PacketView): void;
  /** To a local client; dropped when the client has gone. */
  sendToClient(clientId: number, packet: PacketView): void;
  /** A NOREPLY control to a node or a broadcast pnn (DB_ATTACH, DB_DETACH, UPDATE_SEQNUM …). */
  broadcastControl(destination: number, opcode: number, srvidLow: number, data: Uint8Array): void;
  /**
   * A control to one node (ourselves too) that is answered. `finished` runs once, in a later turn:
   * with a status ≥ 0 and data, or with the reason: refused, the node is lost, or no answer in time.
   */
  requestControl(
    pnn: number,
    name: ControlName,
    data: Uint8Array,
    timeoutMs: number,
    finished: (outcome: ControlAnswered) => void,
    more?: ControlDetails,
  ): void;
  /**
   * Bytes that wait on the way to those who listen to the srvid at a node: on our link to it, or, at
   * our own node, for the local client that is most behind. Who sends much looks here first.
   */
  queuedBytes(pnn: number, srvid: { hi: number; lo: number }): number;
  /** REQ_MESSAGE to a srvid; to this node it arrives in a later turn. */
  sendMessage(destination: number, srvid: { hi: number; lo: number }, data: Uint8Array): void;
  /** Runs `action` in a later turn, when the messages to this node have arrived that were sent until now. */
  afterMessages(action: () => void): void;
  /**
   * Local handler of a srvid (DB_PUSH_START); the result removes it. Whoever sends to it may ask how many bytes it
   * has been given that it has not worked off.
   */
  onMessage(
    srvid: { hi: number; lo: number },
    handler: (data: Uint8Array, srcnode: number) => void,
    backlogBytes: () => number,
  ): () => void;

  /** An unused request id for a call of ours. */
  newReqid(): number;
  /** Name of the program of a process or thread, for reports. */
  processName(pid: number): string | undefined;
}
