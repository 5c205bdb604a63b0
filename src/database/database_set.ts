/**
 * All databases of this node: the one object of this folder that the daemon talks to. It makes the
 * parts, hands packets and controls to them, and tells them what happens around.
 *
 * What must not happen here: waiting, touching the system except through the host, or deciding about
 * membership. Facts and rules: docs/database.md.
 */
import { assert } from "../base/assert.ts";
import { done, err, type Result } from "../base/result.ts";
import {
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  failure,
  joinHandlers,
  SUCCESS,
} from "../control/control_request.ts";
import { encode, u32Codec } from "../wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import { CONTROLS } from "../wire/controls.ts";
import { STANDING_DATABASES_MAX } from "../wire/limits.ts";
import type { DatabaseFacts } from "../wire/node_facts.ts";
import { BROADCAST_CONNECTED, INVALID_GENERATION, type PacketView } from "../wire/packet.ts";
import { AGE_MS_MAX, DATABASE_STANDINGS, type DatabasesStanding } from "../wire/structs/cluster.ts";
import { type AttachOutcome, AttachTable, persistentNames } from "./attach/attach.ts";
import { AttachControl } from "./attach/attach_control.ts";
import { waitingForAttach } from "./attach/attach_wait.ts";
import { PersistentHealth } from "./attach/persistent_health.ts";
import { ClientCalls } from "./calls/client_calls.ts";
import { FetchCollapse } from "./calls/fetch_collapse.ts";
import { NodeCalls } from "./calls/node_calls.ts";
import { PendingCalls } from "./calls/pending_calls.ts";
import { Replies } from "./calls/replies.ts";
import type { Database } from "./database.ts";
import { DatabaseControls } from "./database_controls.ts";
import { databaseFacts } from "./database_facts.ts";
import type { DatabaseHost } from "./host.ts";
import type { Freeze } from "./recovery/freeze_state.ts";
import { RecoveryControls, unknownDatabase } from "./recovery/recovery_controls.ts";
import { PushRecord } from "./transactions/push_record.ts";
import { TransactionCommits } from "./transactions/transaction_commit.ts";
import { UpdateRecord } from "./transactions/update_record.ts";
import { Traverses } from "./traverse/traverses.ts";
import { WORTHLESS } from "./vacuum/holders.ts";
import { VacuumSchedule } from "./vacuum/schedule.ts";
import { VacuumControls } from "./vacuum/vacuum_controls.ts";

export class DatabaseSet {
  readonly controls: ControlHandlers;
  readonly #host: DatabaseHost;
  readonly #byId = new Map<number, Database>();
  readonly #health: PersistentHealth;
  readonly #attachTable: AttachTable;
  readonly #attachControl: AttachControl;
  readonly #pending: PendingCalls;
  readonly #collapse: FetchCollapse;
  readonly #clientCalls: ClientCalls;
  readonly #nodeCalls: NodeCalls;
  readonly #traverses: Traverses;
  readonly #updateRecord: UpdateRecord;
  readonly #pushRecord: PushRecord;
  readonly #commits: TransactionCommits;
  readonly #vacuum: VacuumSchedule;

  constructor(host: DatabaseHost) {
    this.#host = host;
    const findDatabase = (dbId: number) => this.#byId.get(dbId);
    const replies = new Replies(host);
    const collapse = new FetchCollapse(host, ({ clientId, packet, startedMs }) =>
      this.#clientCalls.route(clientId, packet, startedMs),
    );
    const pending = new PendingCalls(host, replies, collapse);
    const calls = { host, replies, pending, collapse, findDatabase };
    this.#pending = pending;
    this.#collapse = collapse;
    this.#clientCalls = new ClientCalls(calls);
    this.#commits = new TransactionCommits(host, findDatabase);
    const isCommitting = (dbId: number) => this.#commits.isCommitting(dbId);
    this.#health = new PersistentHealth(host);
    const vacuum = new VacuumSchedule(host, pending);
    this.#vacuum = vacuum;
    this.#attachTable = new AttachTable(host, this.#health, this.#byId, (database) =>
      vacuum.attached(database),
    );
    this.#nodeCalls = new NodeCalls({ ...calls, isCommitting, attaching: this.#attachTable });
    this.#attachControl = new AttachControl(host, this.#attachTable, this.#byId);
    this.#traverses = new Traverses(host, this.#byId);
    this.#updateRecord = new UpdateRecord(host, findDatabase);
    this.#pushRecord = new PushRecord(host, findDatabase);
    const health = this.#health;
    const thawed = (database: Database) => this.#thawed(database);
    this.controls = waitingForAttach(
      this.#attachTable,
      joinHandlers([
        this.#attachControl.controls,
        this.#traverses.controls,
        new DatabaseControls({ host, health, byId: this.#byId }).controls,
        new RecoveryControls({ host, health, findDatabase, thawed }).controls,
        new VacuumControls({ host, schedule: vacuum, findDatabase }).controls,
        this.#ownControls(),
      ]),
    );
  }

  #ownControls(): ControlHandlers {
    return {
      DB_DETACH: (dbId, from) => this.#detach(dbId, from),
      UPDATE_RECORD: (request, from, later) => this.#updateRecord.handle(request, from, later),
      PUSH_RECORD: (request, _from, later) => this.#pushRecord.handle(request, later),
      TRANS3_COMMIT: (request, from, later) => this.#commits.handle(request, from, later),
    };
  }

  // --- start and end

  /** Attaches the persistent databases of this node; `finished` gets the first failure. */
  attachExisting(finished: (outcome: Result<void>) => void): void {
    this.#health.open((opened) => {
      if (!opened.ok) return finished(opened);
      const files = this.#host.files.list(this.#host.directories.persistent);
      if (!files.ok) return finished(err(files.error.message));
      this.#attachNext(persistentNames(files.value, this.#host.pnn), finished);
    });
  }

  #attachNext(names: readonly string[], finished: (outcome: Result<void>) => void): void {
    const [name, ...rest] = names;
    if (name === undefined) {
      finished(done);
      return;
    }
    const next = (): void => this.#host.timers.soon(() => this.#attachNext(rest, finished));
    const attached = (outcome: AttachOutcome): void => {
      const cleared = this.#health.clearedReason;
      if (!outcome.ok) finished(outcome);
      else if (cleared === undefined) next();
      else {
        outcome.value.unhealthyReason = cleared;
        this.#health.set(name, cleared, (problem) => {
          if (problem !== undefined) this.#host.log.error(problem);
          next();
        });
      }
    };
    this.#attachTable.attach(name, DB_FLAGS.PERSISTENT, attached, "endless");
  }

  close(): void {
    this.#traverses.close();
    this.#commits.close();
    this.#vacuum.stop();
    this.#attachControl.close();
    this.#attachTable.close();
    for (const database of this.#byId.values()) this.#release(database, "the daemon ends");
    this.#byId.clear();
    this.#health.close();
  }

  /** Stops everything on it and closes its file. */
  #release(database: Database, reason: string): void {
    database.detached = true;
    this.#vacuum.detached(database);
    database.sequence.stop();
    database.push?.end();
    database.revokes.close(reason);
    database.sticky.close(reason);
    database.waiting.dropReady(reason);
    database.delegations?.close();
    database.freeze.release();
    database.gate.end(reason);
    database.updates.close(reason);
    database.tdb.close();
  }

  #detach(dbId: number, from: ControlRequest): ControlReply {
    const database = this.#byId.get(dbId);
    if (database === undefined) {
      if (from.clientId === 0) this.#attachControl.detached(dbId);
      return unknownDatabase(dbId);
    }
    if (this.#host.tunable("AllowClientDBAttach") === 1) {
      return failure(
        `DB detach from database ${database.name} denied. Clients are allowed access to databases (AllowClientDBAttach == 1)`,
      );
    }
    if (database.kind !== "volatile") {
      return failure(`Detaching non-volatile database ${database.name} denied`);
    }
    if (this.#host.recovering()) return failure("DB detach denied while in recovery");
    if (from.clientId !== 0) {
      const data = encode(u32Codec, dbId);
      this.#host.broadcastControl(BROADCAST_CONNECTED, CONTROLS.DB_DETACH.opcode, 0, data);
      return SUCCESS;
    }
    if (database.freeze.transaction === "committing") {
      return failure(`DB detach of ${database.name} denied while a commit runs`);
    }
    this.#byId.delete(dbId);
    this.#traverses.detached(database);
    const reason = `database "${database.name}" was detached`;
    this.#pending.refuseAll(database, reason);
    this.#release(database, reason);
    this.#host.journal.record({ kind: "database_detached", name: database.name, id: dbId });
    this.#host.log.notice(`Detached from database '${database.name}'`);
    return SUCCESS;
  }

  // --- packets

  /** REQ_CALL of a local client; its body is as long as it says. */
  clientCall(clientId: number, packet: PacketView): void {
    this.#clientCalls.handle(clientId, packet);
  }

  /**
   * Packets about records from a node, ourselves included: of the current generation while this node is not
   * banned, and with a body as long as they say.
   */
  nodePacket(packet: PacketView): void {
    this.#nodeCalls.handle(packet);
  }

  // --- freeze and thaw of everything

  freezeAll(finished: (outcome: Result<void>) => void): void {
    const databases = [...this.#byId.values()];
    let waiting = databases.length;
    let problem: string | undefined;
    if (waiting === 0) {
      finished(done);
      return;
    }
    for (const database of databases) {
      database.freeze.freeze((reply) => {
        if (reply.status !== 0) problem ??= reply.error ?? "freezing failed";
        waiting -= 1;
        if (waiting === 0) finished(problem === undefined ? done : err(problem));
      });
    }
  }

  /** This node is out of the cluster: what it has is worth nothing to the others from now on. */
  freezeForInactive(finished: (outcome: Result<void>) => void): void {
    for (const database of this.#byId.values()) {
      if (database.kind === "volatile") database.invalidRecords = true;
    }
    this.freezeAll(finished);
  }

  /** Databases that a commit keeps frozen stay so; the next recovery thaws them. */
  thawAll(): void {
    for (const database of this.#byId.values()) {
      const refused = database.freeze.thaw();
      if (refused !== undefined) this.#host.log.error(refused);
      else this.#thawed(database);
    }
  }

  allFrozen(): boolean {
    for (const { freeze } of this.#byId.values()) if (freeze.state !== "frozen") return false;
    return true;
  }

  #thawed(database: Database): void {
    database.revokes.thawed();
    const count = this.#pending.resend(database);
    if (count === 0) return;
    this.#host.log.notice(
      `Resent calls for database=${database.name}, generation=${database.generation}, count=${count}`,
    );
  }

  recovering(): DatabasesStanding {
    const nowMs = this.#host.clock.monotonicMs();
    const frozen = [...this.#byId.values()]
      .filter(({ freeze }) => freeze.state !== "thawed")
      .sort((one, other) => one.freeze.sinceMs - other.freeze.sinceMs);
    return {
      databases: this.#byId.size,
      ready: this.#byId.size - frozen.length,
      recovering: frozen.slice(0, STANDING_DATABASES_MAX).map((database) => ({
        name: database.name,
        doing: DATABASE_STANDINGS.indexOf(standingOf(database.freeze)),
        age_ms: Math.min(Math.floor(nowMs - database.freeze.sinceMs), AGE_MS_MAX),
        records: database.recoveryRecords >>> 0,
      })),
    };
  }

  /** A database that has not been through the recovery of this generation, if there is one. */
  databaseOfOtherGeneration(generation: number): string | undefined {
    for (const database of this.#byId.values()) {
      if (database.generation !== generation) return database.name;
    }
    return undefined;
  }

  hasInvalidRecords(): boolean {
    for (const { invalidRecords } of this.#byId.values()) if (invalidRecords) return true;
    return false;
  }

  invalidateGenerations(): void {
    for (const database of this.#byId.values()) database.generation = INVALID_GENERATION;
  }

  unhealthyReason(): string | undefined {
    for (const { name, unhealthyReason } of this.#byId.values()) {
      if (unhealthyReason !== undefined) return `persistent db '${name}': ${unhealthyReason}`;
    }
    return undefined;
  }

  // --- what happens around

  /** Databases of which it was committing something. */
  clientGone(clientId: number): readonly string[] {
    this.#attachControl.dropClient(clientId);
    for (const database of this.#byId.values()) {
      database.gate.dropClient(clientId);
      this.#clientCalls.clientGone(database, clientId);
    }
    this.#pending.cancelClient(clientId);
    this.#traverses.dropClient(clientId);
    return this.#commits.clientGone(clientId);
  }

  /**
   * What was on its way to or from the node may be lost, and with it records between two data masters
   * and calls that nobody will answer. Only a recovery finds them, also when the link comes back at once.
   */
  nodeLost(pnn: number): void {
    this.#traverses.nodeLost(pnn);
    this.#vacuum.nodeLost(pnn);
    // Without the lmaster role it is not in the map, but it has records.
    const wasActive = (this.#host.nodeFlags(pnn) & WORTHLESS) === 0;
    const tookPart = wasActive || this.#host.vnnMap().includes(pnn);
    const hasRecords = [...this.#byId.values()].some(({ kind }) => kind === "volatile");
    if (!tookPart || !hasRecords || this.#isInactive()) return;
    this.#host.forceRecovery("packets about records may be lost, with the link to a node");
  }

  #isInactive(): boolean {
    return (this.#host.nodeFlags(this.#host.pnn) & NODE_FLAGS_INACTIVE) !== 0;
  }

  /** Recovery mode became NORMAL, or the runstate rose: attaches that waited go on. */
  recovered(): void {
    this.#attachControl.resume();
  }

  recoveryEnded(): void {
    this.#commits.recoveryEnded();
    this.#attachControl.resume();
  }

  resetStatistics(): void {
    for (const { statistics, hotKeys } of this.#byId.values()) {
      statistics.reset();
      hotKeys.reset();
    }
  }

  // --- for reports and checkers

  get pendingCalls(): number {
    return this.#pending.size;
  }
  /** Packets about records that broke the protocol and were dropped. */
  get refusedPackets(): number {
    return this.#nodeCalls.refused;
  }
  databases(): IterableIterator<Database> {
    return this.#byId.values();
  }
  databaseNames(): readonly string[] {
    return [...this.#byId.values()].map(({ name }) => name);
  }
  databaseByName(name: string): Database | undefined {
    for (const database of this.#byId.values()) if (database.name === name) return database;
    return undefined;
  }

  /** For metrics: of at most `count` databases. */
  facts(count: number): readonly DatabaseFacts[] {
    return [...this.#byId.values()].slice(0, count).map(databaseFacts);
  }

  callFacts() {
    return { pending: this.#pending.size, collapsed: this.#collapse.waiting };
  }

  /** For the memory report: one item each, with what waits for the vacuum. */
  memoryItems() {
    return [...this.#byId.values()].map(({ name, kind, deleteQueue, fetchQueue, statistics }) => ({
      name,
      bytes: 0,
      children:
        kind !== "volatile"
          ? []
          : [
              { name: `delete queue: ${deleteQueue.size}`, bytes: deleteQueue.memoryBytes },
              { name: `fetch queue: ${fetchQueue.size}`, bytes: fetchQueue.memoryBytes },
              { name: statistics.vacuum.describe(), bytes: 0 },
            ],
    }));
  }

  /** Bytes held for requests that wait. */
  memoryBytes(): number {
    let bytes = 0;
    for (const { gate, waiting } of this.#byId.values()) bytes += gate.parkedBytes + waiting.bytes;
    assert(bytes >= 0, "parked bytes are counted both ways");
    return bytes;
  }
}

function standingOf({ state, transaction }: Freeze): (typeof DATABASE_STANDINGS)[number] {
  if (transaction === "committing") return "committing";
  if (transaction === "started") return "in transaction";
  return state === "freezing" ? "freezing" : "frozen";
}
