/**
 * One attached database: its identity, its file, and the parts that work on it. The parts are made
 * here and owned here; what they do is in their own files.
 */
import type { Tdb } from "../tdb/types.ts";
import { DB_FLAGS } from "../wire/constants.ts";
import type { Delegations } from "./calls/delegations.ts";
import type { CollapsedFetch } from "./calls/fetch_collapse.ts";
import { Revokes } from "./calls/revoke.ts";
import { StickyRecords } from "./calls/sticky.ts";
import { WaitingCalls } from "./calls/waiting_calls.ts";
import { DatabaseStatistics } from "./database_statistics.ts";
import type { DatabaseHost } from "./host.ts";
import { ChainGate } from "./record/chain_gate.ts";
import { HotKeys } from "./record/hot_keys.ts";
import { KeyMap } from "./record/key_map.ts";
import { Records } from "./record/records.ts";
import { DatabaseFreeze } from "./recovery/freeze.ts";
import type { Push } from "./recovery/push.ts";
import { PersistentUpdates } from "./transactions/persistent_updates.ts";
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
  /** Content is worthless, because this node was out of the cluster (until a recovery commits). */
  invalidRecords = false;
  /** Why a persistent database must not be used. */
  unhealthyReason: string | undefined;

  readonly statistics = new DatabaseStatistics();
  readonly hotKeys = new HotKeys();
  readonly deleteQueue = new DeleteQueue();
  readonly fetchQueue = new FetchQueue();
  /** The run of the vacuum that works on it. */
  vacuum: { cancel(reason: string): void } | undefined;
  readonly records: Records;
  readonly gate: ChainGate;
  readonly freeze: DatabaseFreeze;
  readonly sequence: SequenceNumbers;
  /** Updates of a persistent or replicated database. */
  readonly updates: PersistentUpdates;
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
  /** A recovery sends its records. */
  push: Push | undefined;
  /** Remote fetches of this node by key: further calls for the same key wait behind them. */
  readonly collapsed = new KeyMap<CollapsedFetch>();
  detached = false;

  constructor(host: DatabaseHost, identity: DatabaseIdentity, flags: number, tdb: Tdb) {
    this.name = identity.name;
    this.dbId = identity.dbId;
    this.kind = identity.kind;
    this.path = identity.path;
    this.tdb = tdb;
    this.flags = flags;
    this.generation = host.generation();
    this.records = new Records(tdb, identity.kind === "volatile", host.pnn, this.deleteQueue);
    this.gate = new ChainGate(host, tdb, identity.name, this.statistics.locks);
    this.freeze = new DatabaseFreeze(host, this);
    this.sequence = new SequenceNumbers(host, this);
    this.updates = new PersistentUpdates(host, this);
    this.waiting = new WaitingCalls(host, identity.name);
    this.revokes = new Revokes(host, this, this.waiting);
    this.sticky = new StickyRecords(host, this.waiting);
  }
  dropWaitingClient(clientId: number): void {
    this.revokes.dropClient(clientId);
    this.sticky.dropClient(clientId);
    this.waiting.dropReadyOf(clientId);
  }

  /** A recovery has filled it: nobody has a copy of anything any more. */
  forgetDelegations(): string | undefined {
    const cleared = this.delegations?.clear();
    if (cleared === undefined || cleared.ok) return undefined;
    this.delegations?.close();
    this.delegations = undefined;
    this.flags &= ~DB_FLAGS.READONLY;
    return `Cannot empty the tracking database of "${this.name}", no read-only copies from now on: ${cleared.error.reason}`;
  }

  closeDelegations(reason: string): void {
    this.revokes.close(reason);
    this.sticky.close(reason);
    this.waiting.dropReady(reason);
    this.delegations?.close();
  }
}
