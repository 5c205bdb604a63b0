/**
 * TRANS3_COMMIT: a client's transaction on a persistent or replicated database is written on all active
 * nodes, by an UPDATE_RECORD to each (docs/database.md, "Commits").
 *
 *     reserving ── a node has no room, is lost ──▶ refused
 *         │ all have room
 *         ▼
 *     committing ── all have written ──▶ answered 0
 *         │ a node refuses, is lost, or a recovery begins
 *         ▼
 *     left to the recovery ── END_RECOVERY ──▶ answered 2: look at the sequence number
 *
 * Invariants:
 * 1. 0 is answered only when every node that was asked has written, in the generation in which it was
 *    asked, and no recovery was seen meanwhile: a recovery may have taken the content of another node.
 * 2. One commit at a time of a database, and of a client.
 * 3. A commit that may be written on some nodes only ends in a recovery, whatever becomes of its client.
 * 4. Nothing is sent to be written before each node has said that it has disk space for it (of a stock
 *    node nobody knows): a full disk refuses the commit everywhere and costs nothing else.
 */
import { u64 } from "../../base/u64.ts";
import {
  type ControlReply,
  type ControlRequest,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import type { Timer } from "../../platform/types/time.ts";
import { encode } from "../../wire/codec.ts";
import { NO_SPACE, SEQNUM_RESERVE } from "../../wire/controls.ts";
import { paddedDbId } from "../../wire/structs/databases.ts";
import { type RecBuffer, recBuffer } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { ControlAnswered, DatabaseHost } from "../host.ts";
import { unknownDatabase } from "../recovery/recovery_controls.ts";
import { shortRecordProblem, updateRefusal } from "./update_record.ts";

/** Answers of a commit that neither succeeded nor was refused before it began. */
const TIMED_OUT = 1;
const ENDED_BY_RECOVERY = 2;

interface Commit {
  readonly database: Database;
  readonly clientId: number;
  readonly generation: number;
  readonly reply: ReplyLater;
  readonly records: Uint8Array;
  readonly nodes: readonly number[];
  /** Nodes may have written it. */
  sent: boolean;
  waitsFor: Set<number>;
  timer: Timer | undefined;
}

export class TransactionCommits {
  readonly #host: DatabaseHost;
  readonly #findDatabase: (dbId: number) => Database | undefined;
  readonly #commits = new Map<number, Commit>();

  constructor(host: DatabaseHost, findDatabase: (dbId: number) => Database | undefined) {
    this.#host = host;
    this.#findDatabase = findDatabase;
  }

  isCommitting(dbId: number): boolean {
    return this.#commits.size > 0 && this.#commits.has(dbId);
  }

  handle(request: RecBuffer, from: ControlRequest, later: ReplyLater): ControlReply | "later" {
    const database = this.#findDatabase(request.db_id);
    if (database === undefined) return unknownDatabase(request.db_id);
    // Every node would refuse such a record, and a recovery would have to find out why.
    const refused = this.#refusal(database, from.clientId) ?? shortRecordProblem(request.records);
    if (refused !== undefined) {
      return failure(`Cannot commit a transaction on database "${database.name}": ${refused}`);
    }
    this.#begin(database, from.clientId, request, later);
    return "later";
  }

  #refusal(database: Database, clientId: number): string | undefined {
    const refused = updateRefusal(this.#host, database);
    if (refused !== undefined) return refused;
    if (clientId === 0) return "it does not come from a client of this node";
    if (database.kind === "volatile") return "it is volatile";
    // It is part of the cluster for the leader, so for the next recovery as well: it must have the commit.
    const unreachable = this.#host.vnnMap().find((pnn) => !this.#host.nodeConnected(pnn));
    if (unreachable !== undefined) return `node ${unreachable} of the vnn map is not connected`;
    if (this.#commits.has(database.dbId)) return "another commit of it runs";
    for (const commit of this.#commits.values()) {
      if (commit.clientId !== clientId) continue;
      return `its client commits one of "${commit.database.name}" already`;
    }
    return undefined;
  }

  #begin(database: Database, clientId: number, request: RecBuffer, reply: ReplyLater): void {
    // What this node knows of another one's flags may be old: who is in the vnn map was in the recovery.
    const nodes = [...new Set([...this.#host.vnnMap(), ...this.#host.activeNodes()])].sort(
      (a, b) => a - b,
    );
    const commit: Commit = {
      database,
      clientId,
      generation: this.#host.generation(),
      reply,
      records: encode(recBuffer, request),
      nodes,
      sent: false,
      waitsFor: new Set(nodes),
      timer: undefined,
    };
    if (nodes.length === 0) {
      reply(failure(`Cannot commit a transaction on "${database.name}": no node is active`));
      return;
    }
    this.#commits.set(database.dbId, commit);
    const timeoutMs = this.#startTimer(commit);
    const asked = encode(paddedDbId, { db_id: database.dbId });
    const srvid = u64(request.records.length, commit.records.length);
    for (const pnn of nodes) {
      const answered = (outcome: ControlAnswered) => this.#roomAnswered(commit, pnn, outcome);
      const more = { srvid, flags: SEQNUM_RESERVE };
      this.#host.requestControl(pnn, "GET_DB_SEQNUM", asked, timeoutMs, answered, more);
    }
  }

  #roomAnswered(commit: Commit, pnn: number, outcome: ControlAnswered): void {
    if (this.#commits.get(commit.database.dbId) !== commit || this.#isOver(commit)) return;
    if (!outcome.ok) {
      this.#end(commit, failure(`node ${pnn} cannot take the transaction: ${outcome.error}`));
      return;
    }
    if (outcome.value.status === NO_SPACE) {
      const { name } = commit.database;
      const error = `Node ${pnn} has no disk space for a transaction on database "${name}"`;
      this.#host.log.error(error);
      this.#end(commit, failure(error, -NO_SPACE));
      return;
    }
    commit.waitsFor.delete(pnn);
    if (commit.waitsFor.size === 0) this.#send(commit);
  }

  #send(commit: Commit): void {
    const { nodes, records } = commit;
    commit.sent = true;
    commit.waitsFor = new Set(nodes);
    const timeoutMs = this.#host.tunable("ControlTimeout") * 1000;
    this.#host.crashPoints?.at("send-updates", "before");
    for (const pnn of nodes) {
      this.#host.requestControl(pnn, "UPDATE_RECORD", records, timeoutMs, (outcome) =>
        this.#answered(commit, pnn, outcome),
      );
    }
    // They leave with the end of this turn.
    if (this.#host.crashPoints !== undefined) {
      this.#host.timers.after(0, () => this.#host.crashPoints?.at("send-updates", "after"));
    }
  }

  #answered(commit: Commit, pnn: number, outcome: ControlAnswered): void {
    if (this.#commits.get(commit.database.dbId) !== commit) return;
    // What a node wrote before or during a recovery says nothing about what it has after it.
    if (this.#isOver(commit)) return;
    if (!outcome.ok || outcome.value.status !== 0) {
      const why = outcome.ok ? `status ${outcome.value.status}` : outcome.error;
      this.#leaveToRecovery(commit, `node ${pnn} did not write it: ${why}`);
      return;
    }
    commit.waitsFor.delete(pnn);
    if (commit.waitsFor.size > 0) return;
    this.#host.crashPoints?.at("answer-client", "before");
    this.#end(commit, SUCCESS);
    this.#host.crashPoints?.at("answer-client", "after");
  }

  /** A recovery runs, or has run, since the commit began. */
  #isOver(commit: Commit): boolean {
    return this.#host.recovering() || this.#host.generation() !== commit.generation;
  }

  #leaveToRecovery(commit: Commit, why: string): void {
    if (!commit.sent) return;
    this.#host.forceRecovery(`transaction on database "${commit.database.name}": ${why}`);
  }

  #startTimer(commit: Commit): number {
    const timeoutMs = this.#host.tunable("ControlTimeout") * 1000;
    commit.timer = this.#host.timers.after(timeoutMs, () => this.#timedOut(commit));
    return timeoutMs;
  }

  #timedOut(commit: Commit): void {
    if (this.#host.recovering()) {
      this.#startTimer(commit);
      return;
    }
    if (this.#isOver(commit)) {
      // Its END_RECOVERY never came.
      this.#endByRecovery(commit);
      return;
    }
    const nodes = [...commit.waitsFor].join(", ");
    this.#leaveToRecovery(commit, `no answer from nodes ${nodes} in time`);
    this.#end(commit, { status: TIMED_OUT, error: "the commit has timed out" });
  }

  #end(commit: Commit, reply: ControlReply): void {
    commit.timer?.cancel();
    this.#commits.delete(commit.database.dbId);
    commit.reply(reply);
  }

  // --- what happens around

  /** END_RECOVERY: every node has the same content now; the client finds out whether its own is in it. */
  recoveryEnded(): void {
    if (this.#host.recovering()) return;
    for (const commit of [...this.#commits.values()]) {
      // A recovery that ended before this commit began says nothing about it.
      if (this.#isOver(commit)) this.#endByRecovery(commit);
    }
  }

  #endByRecovery(commit: Commit): void {
    this.#end(commit, { status: ENDED_BY_RECOVERY, error: "the commit was ended by a recovery" });
  }

  /** Databases of which it was committing something. */
  clientGone(clientId: number): readonly string[] {
    const names: string[] = [];
    for (const commit of [...this.#commits.values()]) {
      if (commit.clientId !== clientId) continue;
      names.push(commit.database.name);
      this.#leaveToRecovery(commit, "its client has gone while it was committed");
      this.#end(commit, failure("the client has gone"));
    }
    return names;
  }

  close(): void {
    for (const commit of [...this.#commits.values()]) {
      this.#end(commit, failure("the daemon ends"));
    }
  }
}
