/**
 * One attached database: what it is, its file, and the state of the work on it. The parts that work on the
 * whole of it are seen as interfaces here; assembly.ts makes them.
 */
import type { ReplyLater } from "../control/control_request.ts";
import type { Tdb } from "../tdb/types.ts";
import { DB_FLAGS } from "../wire/constants.ts";
import type { RecBufferCursor } from "../wire/records/rec_buffer.ts";
import type { Delegations } from "./calls/delegations.ts";
import type { CollapsedFetch, CollapsedFetches } from "./calls/fetch_collapse.ts";
import type { Revokes } from "./calls/revoke_state.ts";
import { StickyRecords } from "./calls/sticky.ts";
import { WaitingCalls } from "./calls/waiting_calls.ts";
import { DatabaseStatistics } from "./database_statistics.ts";
import type { DatabaseHost } from "./host.ts";
import { ChainGate } from "./record/chain_gate.ts";
import { HotKeys } from "./record/hot_keys.ts";
import { KeyMap } from "./record/key_map.ts";
import { Records } from "./record/records.ts";
import type { Freeze } from "./recovery/freeze_state.ts";
import { SequenceNumbers } from "./transactions/sequence_numbers.ts";
import { DeleteQueue } from "./vacuum/delete_queue.ts";
import { FetchQueue } from "./vacuum/fetch_queue.ts";

export type DatabaseKind = "volatile" | "persistent" | "replicated";

export function kindOfFlags(flags: number): DatabaseKind {
  if ((flags & DB_FLAGS.PERSISTENT) !== 0) return "persistent";
  return (flags & DB_FLAGS.REPLICATED) !== 0 ? "replicated" : "volatile";
}

export interface DatabaseIdentity {
  readonly name: string;
  readonly dbId: number;
  readonly kind: DatabaseKind;
  readonly path: string;
}

/** Updates of a persistent or replicated database. */
export interface Updates {
  /** The caller has asked `updateRefusal`, and every record has a header. */
  add(records: RecBufferCursor, reply: ReplyLater): void;
  /** Nothing more is written; what waits is refused. */
  close(reason: string): void;
}

/** A recovery sends its records. */
export interface RunningPush {
  readonly ended: boolean;
  /** Answers when everything that has come is stored; ends the push. */
  confirm(reply: ReplyLater): void;
  /** Stops: thawed, replaced, or over. */
  end(): void;
}

/** Parts that work on the database as a whole. */
export interface DatabaseParts {
  readonly freeze: Freeze;
  readonly updates: Updates;
  readonly revokes: Revokes;
}

export class Database implements DatabaseIdentity {
  readonly name: string;
  readonly dbId: number;
  readonly kind: DatabaseKind;
  readonly path: string;
  readonly tdb: Tdb;
  /** DB_FLAGS: the kind, and READONLY and STICKY when they were asked for. */
  flags: number;
  /** Generation of the last recovery that this database took part in. */
  generation: number;
  /**
   * Generation of the recovery that wrote the content, or in which it was attached; also while the node is inactive.
   */
  contentGeneration: number;
  /** Content is worthless, because this node was out of the cluster (until a recovery commits). */
  invalidRecords = false;
  readonly #host: DatabaseHost;
  #unhealthyReason: string | undefined;

  readonly statistics = new DatabaseStatistics();
  readonly hotKeys = new HotKeys();
  readonly deleteQueue = new DeleteQueue();
  readonly fetchQueue = new FetchQueue();
  /** The run of the vacuum that works on it. */
  vacuum: { cancel(reason: string): void } | undefined;
  readonly records: Records;
  readonly gate: ChainGate;
  readonly freeze: Freeze;
  readonly sequence: SequenceNumbers;
  readonly updates: Updates;
  /** Calls that wait for a record that is here: for the end of a revoke or of a pindown. */
  readonly waiting: WaitingCalls;
  readonly revokes: Revokes;
  readonly sticky: StickyRecords;
  /** Who has read-only copies; with the flag READONLY. */
  delegations: Delegations | undefined;
  /** The node whose recovery began the last transaction: only that one pushes into it. */
  coordinator: number | undefined;
  /** The node that asked last to freeze it, until it thaws; undefined when this node did so itself. */
  frozenFor: number | undefined;
  push: RunningPush | undefined;
  /** Sent by pulls and stored by pushes since it was frozen last. */
  recoveryRecords = 0;
  /** The highest count of recoveries that a push has brought, whether it was committed here or not. */
  recoveriesTold: number | undefined;
  /** Remote fetches of this node by key: further calls for the same key wait behind them. */
  readonly collapsed: CollapsedFetches = new KeyMap<CollapsedFetch>();
  detached = false;

  /** `makeParts` gets an object whose parts are not there yet. */
  constructor(
    host: DatabaseHost,
    identity: DatabaseIdentity,
    flags: number,
    tdb: Tdb,
    makeParts: (database: Database) => DatabaseParts,
  ) {
    this.#host = host;
    this.name = identity.name;
    this.dbId = identity.dbId;
    this.kind = identity.kind;
    this.path = identity.path;
    this.tdb = tdb;
    this.flags = flags;
    this.generation = host.generation();
    this.contentGeneration = host.generation();
    this.records = new Records(tdb, identity.kind === "volatile", host.pnn, this.deleteQueue);
    this.gate = new ChainGate(host, tdb, identity.name, this.statistics.locks);
    this.sequence = new SequenceNumbers(host, tdb, identity.dbId);
    this.waiting = new WaitingCalls(host, identity.name);
    this.sticky = new StickyRecords(host, this.waiting);
    const parts = makeParts(this);
    this.freeze = parts.freeze;
    this.updates = parts.updates;
    this.revokes = parts.revokes;
  }

  /** Why a persistent database must not be used. */
  get unhealthyReason(): string | undefined {
    return this.#unhealthyReason;
  }
  set unhealthyReason(reason: string | undefined) {
    if (reason === this.#unhealthyReason) return;
    this.#unhealthyReason = reason;
    if (reason === undefined) return;
    this.#host.journal.record({ kind: "database_unhealthy", name: this.name, reason });
  }
}
