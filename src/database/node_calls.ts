/**
 * Packets about records that come from nodes (our own included): calls, and the change of the data
 * master in two steps, REQ_DMASTER to the lmaster and REPLY_DMASTER to the new data master
 * (docs/database.md, "Migration").
 *
 * Invariants:
 * 1. Only the lmaster handles REQ_DMASTER; only it sends REPLY_DMASTER, and only from it we take one.
 * 2. A node that gives a record away has stored the new data master before it sends anything.
 * 3. A claim that contradicts what the lmaster knows forces a recovery and changes nothing.
 */
import { jenkinsHash } from "../base/jenkins_hash.ts";
import { u64 } from "../base/u64.ts";
import type { TdbError } from "../tdb/types.ts";
import { EMPTY } from "../wire/codec.ts";
import {
  CALL_FLAGS,
  DB_FLAGS,
  NODE_FLAGS,
  RECORD_FLAGS,
  RECORD_FLAGS_RO,
} from "../wire/constants.ts";
import { OPERATIONS, type PacketView } from "../wire/packet.ts";
import {
  bodyProblem,
  LAYOUTS,
  REPLY_DMASTER_AT,
  REQ_CALL_AT,
  REQ_DMASTER_AT,
} from "../wire/packet_layouts.ts";
import {
  buildReplyDmaster,
  buildReqDmaster,
  type ReplyDmaster,
  type ReqDmaster,
  readReplyCall,
  readReplyDmaster,
  readReplyError,
  readReqDmaster,
} from "../wire/packets.ts";
import type { AfterAttaching } from "./attach.ts";
import type { ChainWork } from "./chain_gate.ts";
import type { Database } from "./database.ts";
import { hopBucket, increment } from "./database_statistics.ts";
import type { DatabaseHost } from "./host.ts";
import type { PendingCalls } from "./pending_calls.ts";
import { ReadonlyCalls } from "./readonly_calls.ts";
import { RecordHeader } from "./record_header.ts";
import { lmasterOf, type Replies, recordError } from "./replies.ts";
import { Revoke } from "./revoke.ts";
import type { WaitingCall } from "./waiting_calls.ts";

export interface NodeCallParts {
  readonly host: DatabaseHost;
  readonly replies: Replies;
  readonly pending: PendingCalls;
  findDatabase(dbId: number): Database | undefined;
  readonly afterAttaching: AfterAttaching;
  /** A transaction on the database is being written on all nodes. */
  isCommitting(dbId: number): boolean;
}

type Operation = "REQ_CALL" | "REQ_DMASTER" | "REPLY_DMASTER";

const DB_ID_AT = {
  REQ_CALL: REQ_CALL_AT.DB_ID,
  REQ_DMASTER: REQ_DMASTER_AT.DB_ID,
  REPLY_DMASTER: REPLY_DMASTER_AT.DB_ID,
};
const KEY_LENGTH_AT = {
  REQ_CALL: REQ_CALL_AT.KEY_LENGTH,
  REQ_DMASTER: REQ_DMASTER_AT.KEY_LENGTH,
  REPLY_DMASTER: REPLY_DMASTER_AT.KEY_LENGTH,
};
const KEY_AT = {
  REQ_CALL: REQ_CALL_AT.KEY,
  REQ_DMASTER: REQ_DMASTER_AT.KEY,
  REPLY_DMASTER: REPLY_DMASTER_AT.KEY,
};

export class NodeCalls {
  readonly #parts: NodeCallParts;
  readonly #host: DatabaseHost;
  readonly #readonly: ReadonlyCalls;
  readonly #header = new RecordHeader();
  /** Packets that were dropped because they belong to another generation. */
  otherGeneration = 0;
  /** Packets that broke the rules of the protocol. */
  refused = 0;

  constructor(parts: NodeCallParts) {
    this.#parts = parts;
    this.#host = parts.host;
    this.#readonly = new ReadonlyCalls(parts);
  }

  /** The reason when the packet is malformed; then nothing was done. */
  handle(packet: PacketView): string | undefined {
    switch (packet.operation) {
      case OPERATIONS.REQ_CALL:
        return this.#keyed("REQ_CALL", packet);
      case OPERATIONS.REQ_DMASTER:
        return this.#keyed("REQ_DMASTER", packet);
      case OPERATIONS.REPLY_DMASTER:
        return this.#keyed("REPLY_DMASTER", packet);
      case OPERATIONS.REPLY_CALL:
        return this.#replyCall(packet);
      case OPERATIONS.REPLY_ERROR:
        return this.#replyError(packet);
      default:
        return `operation ${packet.operation} is not about records`;
    }
  }

  /** A sender stamps the generation of its database; it has to be the one of our vnn map. */
  #isOfThisGeneration(packet: PacketView): boolean {
    const own = this.#host.nodeFlags(this.#host.pnn);
    if ((own & NODE_FLAGS.BANNED) === 0 && packet.generation === this.#host.generation()) {
      return true;
    }
    this.otherGeneration += 1;
    return false;
  }

  #keyed(operation: Operation, packet: PacketView): string | undefined {
    const problem = bodyProblem(packet, LAYOUTS[operation]);
    if (problem !== undefined) return problem;
    if (!this.#isOfThisGeneration(packet)) return undefined;
    const dbId = packet.u32(DB_ID_AT[operation]);
    const database = this.#parts.findDatabase(dbId);
    if (database === undefined) {
      const copy = packet.copy();
      if (!this.#parts.afterAttaching(dbId, () => this.#keyed(operation, copy))) {
        this.#unknownDatabase(operation, packet, dbId);
      }
      return undefined;
    }
    const key = packet.slice(KEY_AT[operation], packet.u32(KEY_LENGTH_AT[operation]));
    const chain = database.tdb.chainOf(key);
    const locked = database.gate.enter(chain);
    if (locked === "granted") {
      const handled = this.perform(operation, database, packet, key);
      database.gate.leave(chain);
      if (handled) return undefined;
    } else if (locked !== "busy") {
      this.fail(operation, packet, recordError("lock", database.name, locked));
      return undefined;
    }
    database.gate.park(chain, new ParkedNodePacket(this, operation, database, packet.copy()));
    return undefined;
  }

  /** A packet that waited: the world may have changed. */
  performLater(
    operation: Operation,
    database: Database,
    packet: PacketView,
    since: number,
  ): boolean {
    if (database.generation !== since || !this.#isOfThisGeneration(packet)) return true;
    const key = packet.slice(KEY_AT[operation], packet.u32(KEY_LENGTH_AT[operation]));
    return this.perform(operation, database, packet, key);
  }

  /** With the chain locked. False: a lock was busy, nothing was done. */
  perform(operation: Operation, database: Database, packet: PacketView, key: Uint8Array): boolean {
    switch (operation) {
      case "REQ_CALL":
        return this.#call(database, packet, key);
      case "REQ_DMASTER":
        return this.#reqDmaster(database, packet);
      case "REPLY_DMASTER":
        return this.#replyDmaster(database, packet);
    }
  }

  // --- calls

  #call(database: Database, packet: PacketView, key: Uint8Array): boolean {
    const { records } = database;
    const { pnn } = this.#host;
    const hash = jenkinsHash(key);
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(key, lmaster);
    if (error !== undefined) {
      if (error.code === "busy") return false;
      this.fail("REQ_CALL", packet, recordError("read", database.name, error));
      return true;
    }
    if (!records.found && (lmaster === pnn || database.kind === "persistent")) {
      const stored = records.store(hash, key, records.header, EMPTY, lmaster);
      if (!stored.ok && stored.error.code === "busy") return false;
    }
    if (packet.srcnode !== pnn && database.sticky.size > 0) {
      const pinned = database.sticky.pinned(hash, key);
      if (pinned !== undefined) {
        database.sticky.wait(pinned, new WaitingNodeCall(this, packet, false));
        return true;
      }
    }
    if (records.header.dmaster !== pnn) {
      this.#redirect(database, packet, lmaster);
      return true;
    }
    if (packet.srcnode !== pnn && this.#parts.isCommitting(database.dbId)) {
      const message = `a transaction on database "${database.name}" is being committed`;
      this.fail("REQ_CALL", packet, message);
      return true;
    }
    const wantsCopy = this.#readonly.wantsCopy(database, packet);
    const outcome = this.#copies(database, packet, key, hash, wantsCopy);
    if (outcome !== "free") return outcome === "done";
    if (wantsCopy && packet.srcnode !== pnn) {
      return this.#readonly.lend(database, packet, key, hash);
    }
    this.#countHops(database, packet.u32(REQ_CALL_AT.HOPCOUNT), hash, key);
    if (packet.srcnode !== pnn) return this.#giveAway(database, packet, key, hash, lmaster);
    const pending = this.#parts.pending.findForKey(packet.reqid, database, key);
    if (pending !== undefined) {
      this.#parts.pending.finishWithRecord(pending, records.header, records.data);
    }
    return true;
  }

  /** "free": no revoke holds the call back, and for who wants to write there are no copies. */
  #copies(
    database: Database,
    packet: PacketView,
    key: Uint8Array,
    hash: number,
    wantsCopy: boolean,
  ): "free" | "done" | "busy" {
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
    this.fail("REQ_CALL", packet, recordError("take back", database.name, revoke));
    return "done";
  }

  /** To the lmaster, or from there to the data master, as it came but for two fields. */
  #redirect(database: Database, packet: PacketView, lmaster: number): void {
    const { pnn } = this.#host;
    const { dmaster } = database.records.header;
    const destination = lmaster === pnn ? dmaster : lmaster;
    const hopcount = (packet.u32(REQ_CALL_AT.HOPCOUNT) + 1) >>> 0;
    if (hopcount % 100 > 95) {
      this.#host.log.warning(
        `High hopcount ${hopcount} dbid:${database.name} reqid=${packet.reqid} src:${packet.srcnode} lmaster:${lmaster} dmaster:${dmaster} dst:${destination}`,
      );
    }
    packet.setU32(REQ_CALL_AT.HOPCOUNT, hopcount);
    packet.destnode = destination;
    this.#host.sendToNode(destination, packet);
  }

  #countHops(database: Database, hopcount: number, hash: number, key: Uint8Array): void {
    if ((database.flags & DB_FLAGS.STICKY) !== 0) database.sticky.counted(hash, key, hopcount);
    const { statistics } = this.#host;
    if (hopcount > statistics.max_hop_count) statistics.max_hop_count = hopcount;
    const bucket = hopBucket(hopcount);
    increment(statistics.hop_count_bucket, bucket);
    increment(database.statistics.hopCountBuckets, bucket);
  }

  /** The asker becomes data master of the record that was just read. */
  #giveAway(
    database: Database,
    packet: PacketView,
    key: Uint8Array,
    hash: number,
    lmaster: number,
  ): boolean {
    const { header } = database.records;
    const data = database.records.data;
    const { srcnode: requester, reqid } = packet;
    if (!this.#isPeer(requester)) return true;
    if (data.length !== 0) header.flags = (header.flags | RECORD_FLAGS.MIGRATED_WITH_DATA) >>> 0;
    if (lmaster === this.#host.pnn) {
      return this.#appoint(database, header, key, data, hash, requester, reqid);
    }
    const { flags } = header;
    header.dmaster = requester;
    const stored = database.records.store(hash, key, header, data, lmaster);
    if (!stored.ok) {
      if (stored.error.code === "busy") return false;
      this.fail("REQ_CALL", packet, recordError("give away", database.name, stored.error));
      return true;
    }
    const body: ReqDmaster = {
      db_id: database.dbId,
      rsn: u64(header.rsnHi, header.rsnLo),
      dmaster: requester,
      key,
      data,
      recordFlags: flags,
    };
    const { generation } = database;
    const to = { generation, destnode: lmaster, srcnode: this.#host.pnn, reqid };
    this.#host.sendToNode(lmaster, buildReqDmaster(to, body));
    return true;
  }

  /** As lmaster: writes down the new data master and sends it the record. */
  #appoint(
    database: Database,
    header: RecordHeader,
    key: Uint8Array,
    data: Uint8Array,
    hash: number,
    newDmaster: number,
    reqid: number,
  ): boolean {
    if (!this.#host.nodeConnected(newDmaster)) {
      // It would be lost on the way. The asker's node is dead to us, so a recovery is near.
      this.#host.log.warning(
        `Not giving a record of database "${database.name}" to node ${newDmaster}, which is not connected`,
      );
      return true;
    }
    header.dmaster = newDmaster;
    const stored = database.records.store(hash, key, header, data, this.#host.pnn);
    if (!stored.ok) {
      if (stored.error.code === "busy") return false;
      const message = recordError("give away", database.name, stored.error);
      this.#parts.replies.errorToNode(newDmaster, reqid, message);
      return true;
    }
    const body: ReplyDmaster = {
      db_id: database.dbId,
      rsn: u64(header.rsnHi, header.rsnLo),
      key,
      data,
      recordFlags: header.flags,
    };
    const { generation } = database;
    const to = { generation, destnode: newDmaster, srcnode: this.#host.pnn, reqid };
    this.#host.sendToNode(newDmaster, buildReplyDmaster(to, body));
    return true;
  }

  // --- change of the data master

  #reqDmaster(database: Database, packet: PacketView): boolean {
    const read = readReqDmaster(packet);
    if (!read.ok) return true;
    const body = read.value;
    const { pnn } = this.#host;
    const hash = jenkinsHash(body.key);
    const lmaster = lmasterOf(this.#host, hash);
    if (lmaster !== pnn) {
      this.refused += 1;
      this.#host.log.error(
        `Dropping a dmaster request of node ${packet.srcnode} for database "${database.name}": the lmaster is node ${lmaster}`,
      );
      return true;
    }
    if (!this.#hasNoCopies(database, packet, body.recordFlags)) return true;
    const error = database.records.read(body.key, lmaster);
    if (error !== undefined) {
      if (error.code === "busy") return false;
      this.fail("REQ_DMASTER", packet, recordError("read", database.name, error));
      return true;
    }
    if (!this.#isRightful(database, packet, body)) return true;
    if (body.dmaster === pnn) {
      return this.#becomeDmaster(database, packet, body, hash, lmaster);
    }
    if (!this.#isPeer(body.dmaster)) return true;
    const header = this.#header;
    header.set(body.rsn.hi, body.rsn.lo, body.dmaster, body.recordFlags);
    const { key, data } = body;
    return this.#appoint(database, header, key, data, hash, body.dmaster, packet.reqid);
  }

  /** Only the data master may pass a record on; unless we know nothing of the record. */
  #isRightful(database: Database, packet: PacketView, body: ReqDmaster): boolean {
    const { header } = database.records;
    const isNewer =
      header.rsnHi > body.rsn.hi || (header.rsnHi === body.rsn.hi && header.rsnLo > body.rsn.lo);
    if (isNewer) {
      this.#host.log.warning(
        `Node ${packet.srcnode} passes on a record of database "${database.name}" that is older than ours`,
      );
    }
    if (header.dmaster === packet.srcnode) return true;
    const unknown = header.rsnHi === 0 && header.rsnLo === 0 && header.dmaster === this.#host.pnn;
    if (unknown) return true;
    this.refused += 1;
    this.#host.forceRecovery(
      `node ${packet.srcnode} passes on a record of database "${database.name}" whose data master is node ${header.dmaster}`,
    );
    return false;
  }

  #replyDmaster(database: Database, packet: PacketView): boolean {
    const read = readReplyDmaster(packet);
    if (!read.ok) return true;
    const hash = jenkinsHash(read.value.key);
    const lmaster = lmasterOf(this.#host, hash);
    if (packet.srcnode !== lmaster) {
      this.refused += 1;
      this.#host.log.error(
        `Dropping a dmaster reply of node ${packet.srcnode} for database "${database.name}": the lmaster is node ${lmaster}`,
      );
      return true;
    }
    if (!this.#hasNoCopies(database, packet, read.value.recordFlags)) return true;
    return this.#becomeDmaster(database, packet, read.value, hash, lmaster);
  }

  /** A data master takes copies back before it gives a record away; only it knows who has them. */
  #hasNoCopies(database: Database, packet: PacketView, recordFlags: number): boolean {
    if ((recordFlags & RECORD_FLAGS_RO) === 0) return true;
    this.refused += 1;
    this.#host.forceRecovery(
      `node ${packet.srcnode} passes on a record of database "${database.name}" with read-only copies (flags 0x${recordFlags.toString(16)})`,
    );
    return false;
  }

  #becomeDmaster(
    database: Database,
    packet: PacketView,
    body: ReplyDmaster,
    hash: number,
    lmaster: number,
  ): boolean {
    const { key, data } = body;
    const pending = this.#parts.pending.findForKey(packet.reqid, database, key);
    const vacuum = pending !== undefined && (pending.flags & CALL_FLAGS.VACUUM_MIGRATION) !== 0;
    const flags = vacuum ? body.recordFlags | RECORD_FLAGS.VACUUM_MIGRATED : body.recordFlags;
    const header = this.#header;
    header.set(body.rsn.hi, body.rsn.lo, this.#host.pnn, flags >>> 0);
    const stored = database.records.store(hash, key, header, data, lmaster);
    if (!stored.ok) {
      if (stored.error.code === "busy") return false;
      // The record is between two nodes now; a recovery finds it at its old place.
      const message = recordError("receive", database.name, stored.error);
      this.#host.forceRecovery(message);
      if (pending !== undefined) this.#parts.pending.finishWithError(pending, message);
      return true;
    }
    if (database.sticky.size > 0) database.sticky.arrived(hash, key);
    if (pending === undefined) {
      this.#host.log.info(
        `Became data master of a record of database "${database.name}" for request ${packet.reqid}, which nobody waits for`,
      );
      return true;
    }
    database.hotKeys.count(hash, key, this.#host.clock.monotonicMs());
    this.#parts.pending.finishWithRecord(pending, header, data);
    return true;
  }

  #isPeer(pnn: number): boolean {
    if ((this.#host.nodeFlags(pnn) & NODE_FLAGS.DELETED) === 0) return true;
    this.refused += 1;
    this.#host.log.error(`Dropping a request for node ${pnn}, which does not exist`);
    return false;
  }

  // --- answers

  #replyCall(packet: PacketView): string | undefined {
    const read = readReplyCall(packet);
    if (!read.ok) return read.error;
    if (!this.#isOfThisGeneration(packet)) return undefined;
    const pending = this.#parts.pending.find(packet.reqid);
    if (pending !== undefined) this.#readonly.answered(pending, packet, read.value);
    return undefined;
  }

  #replyError(packet: PacketView): string | undefined {
    const read = readReplyError(packet);
    if (!read.ok) return read.error;
    const pending = this.#parts.pending.find(packet.reqid);
    if (pending !== undefined) this.#parts.pending.finishWithError(pending, read.value.message);
    return undefined;
  }

  // --- refusals

  #unknownDatabase(operation: Operation, packet: PacketView, dbId: number): void {
    const id = `0x${dbId.toString(16).padStart(8, "0")}`;
    this.fail(operation, packet, `Unknown database in request. db_id==${id}`);
  }

  /** The node whose client waits is told; its request id is known to nobody else. */
  fail(operation: Operation, packet: PacketView, message: string): void {
    switch (operation) {
      case "REQ_CALL":
        this.#parts.replies.errorToNode(packet.srcnode, packet.reqid, message);
        return;
      case "REQ_DMASTER":
        this.#parts.replies.errorToNode(packet.u32(REQ_DMASTER_AT.DMASTER), packet.reqid, message);
        return;
      case "REPLY_DMASTER": {
        this.#host.log.error(message);
        const pending = this.#parts.pending.find(packet.reqid);
        if (pending !== undefined) this.#parts.pending.finishWithError(pending, message);
      }
    }
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
    this.#calls.handle(this.#packet);
  }
  drop(reason: string): void {
    this.#calls.fail("REQ_CALL", this.#packet, reason);
  }
}

class ParkedNodePacket implements ChainWork {
  readonly bytes: number;
  readonly clientId = 0;
  readonly #calls: NodeCalls;
  readonly #operation: Operation;
  readonly #database: Database;
  readonly #packet: PacketView;
  readonly #generation: number;

  constructor(calls: NodeCalls, operation: Operation, database: Database, packet: PacketView) {
    this.bytes = packet.length;
    this.#calls = calls;
    this.#operation = operation;
    this.#database = database;
    this.#packet = packet;
    this.#generation = database.generation;
  }

  run(): boolean {
    return this.#calls.performLater(
      this.#operation,
      this.#database,
      this.#packet,
      this.#generation,
    );
  }

  drop(reason: string): void {
    this.#calls.fail(this.#operation, this.#packet, reason);
  }
}
