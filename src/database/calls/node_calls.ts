/**
 * Packets about records that come from nodes (our own included), and what becomes of a call: it is
 * served, waits, or goes on to the node that may know more (docs/database.md, "Migration").
 *
 * Invariants:
 * 1. Only packets of the generation of vnn map and database do anything. Whoever hands them in has looked at
 *    the map's (and that this node is not banned); a packet that waited is looked at again.
 * 2. A packet whose chain is locked by others waits for it with a copy of its bytes, and is looked at
 *    anew when its turn has come.
 * 3. A call that is not served here ends in an answer to the node that asked, or leaves for another, at
 *    most HOPS_MAX times.
 */
import type { TdbError } from "../../tdb/types.ts";
import { EMPTY } from "../../wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";
import { OPERATIONS, type PacketView } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import { replyErrorOf } from "../../wire/packets.ts";
import type { AttachWaits } from "../attach/attach.ts";
import type { Database } from "../database.ts";
import { hopBucket, increment } from "../database_statistics.ts";
import type { DatabaseHost } from "../host.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import { HOPS_MAX } from "./limits.ts";
import { Migrations } from "./migrations.ts";
import { NodeRefusals } from "./node_refusals.ts";
import type { PendingCalls } from "./pending_calls.ts";
import { ReadonlyCalls } from "./readonly_calls.ts";
import { databaseIdOf, type KeyedOperation, RecordPacket } from "./record_packet.ts";
import { lmasterOf, type Replies, recordError } from "./replies.ts";
import { Revoke } from "./revoke_state.ts";
import type { WaitingCall } from "./waiting_calls.ts";

export interface NodeCallParts {
  readonly host: DatabaseHost;
  readonly replies: Replies;
  readonly pending: PendingCalls;
  findDatabase(dbId: number): Database | undefined;
  readonly attaching: AttachWaits;
  /** A transaction on the database is being written on all nodes. */
  isCommitting(dbId: number): boolean;
}

export class NodeCalls {
  readonly #parts: NodeCallParts;
  readonly #host: DatabaseHost;
  readonly #readonly: ReadonlyCalls;
  readonly #migrations: Migrations;
  /** The object of the next packet. */
  #spare: RecordPacket | undefined;
  readonly refusals: NodeRefusals;

  constructor(parts: NodeCallParts) {
    this.#parts = parts;
    this.#host = parts.host;
    this.#readonly = new ReadonlyCalls(parts);
    this.refusals = new NodeRefusals(parts);
    this.#migrations = new Migrations(parts, this.refusals);
  }

  /** Packets that broke the rules of the protocol. */
  get refused(): number {
    return this.#migrations.refused;
  }

  /** A packet that has just come; its body and its generation were checked where it came in. */
  handle(packet: PacketView): void {
    switch (packet.operation) {
      case OPERATIONS.REQ_CALL:
        this.#keyed("REQ_CALL", packet);
        return;
      case OPERATIONS.REQ_DMASTER:
        this.#keyed("REQ_DMASTER", packet);
        return;
      case OPERATIONS.REPLY_DMASTER:
        this.#keyed("REPLY_DMASTER", packet);
        return;
      case OPERATIONS.REPLY_CALL:
        this.#replyCall(packet);
        return;
      case OPERATIONS.REPLY_ERROR:
        this.#replyError(packet);
        return;
    }
  }

  /** A packet that waited, as if it had just come: the world may have changed. */
  handleAgain(operation: KeyedOperation, packet: PacketView): void {
    if (this.#isOfThisGeneration(packet)) this.#keyed(operation, packet);
  }

  /** A sender stamps the generation of its database; it has to be the one of our vnn map. */
  #isOfThisGeneration(packet: PacketView): boolean {
    const own = this.#host.nodeFlags(this.#host.pnn);
    return (own & NODE_FLAGS.BANNED) === 0 && packet.generation === this.#host.generation();
  }

  #keyed(operation: KeyedOperation, packet: PacketView): void {
    const dbId = databaseIdOf(operation, packet);
    const database = this.#parts.findDatabase(dbId);
    if (database === undefined) {
      if (!this.#waitsForAttach(operation, packet, dbId)) {
        this.#unknownDatabase(operation, packet, dbId);
      }
      return;
    }
    // Taken away meanwhile, so that a packet within this one finds none.
    let record = this.#spare;
    this.#spare = undefined;
    if (record === undefined) record = new RecordPacket(operation, database, packet);
    else record.become(operation, database, packet);
    if (record.isOfDatabase) this.#inChain(record);
    this.#spare = record;
  }

  #inChain(record: RecordPacket): void {
    const { gate, tdb, name } = record.database;
    const chain = tdb.chainOf(record.key, record.hash);
    const locked = gate.enter(chain);
    if (locked === "granted") {
      const handled = this.#perform(record);
      gate.leave(chain);
      if (handled) return;
    } else if (locked !== "busy") {
      this.refusals.send(record, recordError("lock", name, locked));
      return;
    }
    gate.park(chain, new ParkedNodePacket(this, record.copy()));
  }

  #waitsForAttach(operation: KeyedOperation, packet: PacketView, dbId: number): boolean {
    const { attaching } = this.#parts;
    if (!attaching.isAttaching(dbId)) return false;
    const copy = packet.copy();
    return attaching.afterAttaching(dbId, copy.length, () => this.handleAgain(operation, copy));
  }

  /** A packet that waited: the world may have changed. */
  performLater(record: RecordPacket): boolean {
    if (!record.isOfDatabase || !this.#isOfThisGeneration(record.packet)) return true;
    return this.#perform(record);
  }

  /** With the chain locked. False: a lock was busy, nothing was done. */
  #perform(record: RecordPacket): boolean {
    switch (record.operation) {
      case "REQ_CALL":
        return this.#call(record);
      case "REQ_DMASTER":
        return this.#migrations.reqDmaster(record);
      case "REPLY_DMASTER":
        return this.#migrations.replyDmaster(record);
    }
  }

  // --- calls

  #call(call: RecordPacket): boolean {
    const { database, packet, key, hash } = call;
    const { records } = database;
    const { pnn } = this.#host;
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(hash, key, lmaster);
    if (error !== undefined) {
      if (error.code === "busy") return false;
      this.refusals.send(call, recordError("read", database.name, error));
      return true;
    }
    if (!records.found && (lmaster === pnn || database.kind === "persistent")) {
      const stored = records.store(hash, key, records.header, EMPTY, lmaster);
      if (!stored.ok) {
        if (stored.error.code === "busy") return false;
        this.refusals.send(call, recordError("create", database.name, stored.error));
        return true;
      }
    }
    if (packet.srcnode !== pnn && database.sticky.size > 0) {
      const pinned = database.sticky.pinned(hash, key);
      if (pinned !== undefined) {
        database.sticky.wait(pinned, new WaitingNodeCall(this, packet, false));
        return true;
      }
    }
    if (records.header.dmaster !== pnn) {
      this.#redirect(call, lmaster);
      return true;
    }
    if (packet.srcnode !== pnn && this.#parts.isCommitting(database.dbId)) {
      const message = `a transaction on database "${database.name}" is being committed`;
      this.refusals.send(call, message);
      return true;
    }
    const wantsCopy = this.#readonly.wantsCopy(call);
    const outcome = this.#copies(call, wantsCopy);
    if (outcome !== "free") return outcome === "done";
    if (wantsCopy && packet.srcnode !== pnn) {
      return this.#readonly.lend(call, lmaster);
    }
    this.#countHops(call);
    if (packet.srcnode !== pnn) {
      return this.#migrations.giveAway(call, lmaster);
    }
    const pending = this.#parts.pending.findForKey(packet.reqid, database, key);
    if (pending !== undefined) {
      this.#parts.pending.finishWithRecord(pending, records.header, records.data);
    }
    return true;
  }

  /** "free": no revoke holds the call back, and for who wants to write there are no copies. */
  #copies(call: RecordPacket, wantsCopy: boolean): "free" | "done" | "busy" {
    const { database, packet, key, hash } = call;
    const { revokes, records } = database;
    const isOwn = packet.srcnode === this.#host.pnn;
    // For a client of this node that wants to read, the record itself is here.
    if (wantsCopy && isOwn) return "free";
    const running = revokes.size > 0 ? revokes.find(hash, key) : undefined;
    let revoke: Revoke | "free" | TdbError = "free";
    if (running?.holdsBack(wantsCopy)) revoke = running;
    else if (!wantsCopy && (records.header.flags & RECORD_FLAGS_RO) !== 0) {
      revoke = revokes.begin(hash, key);
    }
    if (revoke === "free") return "free";
    if (revoke instanceof Revoke) {
      revokes.wait(revoke, new WaitingNodeCall(this, packet, wantsCopy));
      return "done";
    }
    if (revoke.code === "busy") return "busy";
    this.refusals.send(call, recordError("take back", database.name, revoke));
    return "done";
  }

  /** To the lmaster, or from there to the data master, as it came but for two fields. */
  #redirect(call: RecordPacket, lmaster: number): void {
    const { database, packet } = call;
    const { pnn } = this.#host;
    const { dmaster } = database.records.header;
    const destination = lmaster === pnn ? dmaster : lmaster;
    const hopcount = (packet.u32(REQ_CALL_AT.HOPCOUNT) + 1) >>> 0;
    if (hopcount > HOPS_MAX) {
      // The recovery that somebody waits for already ends that, and has the call sent again.
      if (this.#host.recovering()) return;
      const message = `a call for a record of database "${database.name}" went from node to node ${HOPS_MAX} times: node ${pnn} names node ${dmaster} as data master, the lmaster is node ${lmaster}`;
      this.#host.forceRecovery(message);
      this.refusals.send(call, message);
      return;
    }
    if (hopcount % 100 > 95) {
      this.#host.log.warning(
        `High hopcount ${hopcount} dbid:${database.name} reqid=${packet.reqid} src:${packet.srcnode} lmaster:${lmaster} dmaster:${dmaster} dst:${destination}`,
      );
    }
    packet.setU32(REQ_CALL_AT.HOPCOUNT, hopcount);
    packet.destnode = destination;
    this.#host.sendToNode(destination, packet);
  }

  #countHops({ database, packet, hash, key }: RecordPacket): void {
    const hopcount = packet.u32(REQ_CALL_AT.HOPCOUNT);
    if ((database.flags & DB_FLAGS.STICKY) !== 0) database.sticky.counted(hash, key, hopcount);
    const { statistics } = this.#host;
    if (hopcount > statistics.max_hop_count) statistics.max_hop_count = hopcount;
    const bucket = hopBucket(hopcount);
    increment(statistics.hop_count_bucket, bucket);
    increment(database.statistics.hopCountBuckets, bucket);
  }

  // --- answers

  #replyCall(packet: PacketView): void {
    const pending = this.#parts.pending.find(packet.reqid);
    if (pending !== undefined) this.#readonly.answered(pending, packet);
  }

  #replyError(packet: PacketView): void {
    const pending = this.#parts.pending.find(packet.reqid);
    if (pending === undefined) return;
    this.#parts.pending.finishWithError(pending, replyErrorOf(packet).message);
  }

  // --- refusals

  #unknownDatabase(operation: KeyedOperation, packet: PacketView, dbId: number): void {
    const id = `0x${dbId.toString(16).padStart(8, "0")}`;
    this.refusals.send({ operation, packet }, `Unknown database in request. db_id==${id}`);
  }
}

/** Waits for the end of a revoke or of a pindown; then it is a packet that has just come. */
class WaitingNodeCall implements WaitingCall {
  readonly bytes: number;
  readonly clientId = 0;
  readonly wantsReadonly: boolean;
  readonly #calls: NodeCalls;
  readonly #packet: PacketView;

  constructor(calls: NodeCalls, packet: PacketView, wantsReadonly: boolean) {
    this.bytes = packet.length;
    this.wantsReadonly = wantsReadonly;
    this.#calls = calls;
    this.#packet = packet.copy();
  }

  resume(): void {
    this.#calls.handleAgain("REQ_CALL", this.#packet);
  }
  drop(reason: string): void {
    this.#calls.refusals.send({ operation: "REQ_CALL", packet: this.#packet }, reason);
  }
}

class ParkedNodePacket implements ChainWork {
  readonly bytes: number;
  readonly clientId = 0;
  readonly carriesRecord: boolean;
  readonly #calls: NodeCalls;
  readonly #record: RecordPacket;

  /** The record packet is its own. */
  constructor(calls: NodeCalls, record: RecordPacket) {
    this.bytes = record.packet.length;
    this.carriesRecord = record.operation !== "REQ_CALL";
    this.#calls = calls;
    this.#record = record;
  }

  run(): boolean {
    return this.#calls.performLater(this.#record);
  }

  /** Of a database that is no more here nobody misses a record. */
  drop(reason: string): void {
    const { refusals } = this.#calls;
    if (this.#record.database.detached) refusals.tell(this.#record, reason);
    else refusals.send(this.#record, reason);
  }
}
