/**
 * Read-only copies on both ends: the data master lends one to a node that asks, and the node that asked
 * keeps it (docs/database.md, "Read-only copies"). Taking them back is revoke.ts.
 *
 * Invariants:
 * 1. A delegate is written down, and the record marked, before the copy leaves.
 * 2. A copy is kept only if it is newer than what is here, and never as if this node were data master.
 * 3. An answer that waits for its chain stays behind what came before it for that chain, and ahead of
 *    what comes later: so a copy that was taken back is not stored afterwards.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import {
  CALL_FLAGS,
  DB_FLAGS,
  FETCH_WITH_HEADER_FUNC,
  RECORD_FLAGS,
} from "../../wire/constants.ts";
import type { PacketView } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import { buildReplyCall, type ReplyCall, replyCallOf } from "../../wire/packets.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import type { PendingCall, PendingCalls } from "./pending_calls.ts";
import type { RecordPacket } from "./record_packet.ts";
import { lmasterOf, passedOnProblem, type Replies, recordError } from "./replies.ts";

export interface ReadonlyCallParts {
  readonly host: DatabaseHost;
  readonly replies: Replies;
  readonly pending: PendingCalls;
}

/** RSNs between a copy and the record while it has copies: room for the update that takes it back. */
const COPY_RSN_BELOW = 2;
const FIRST_COPY_RSN_RISE = 3;
/** Others have something of it from now on: who deletes it must delete their copies, too. */
const LENT_FLAGS = RECORD_FLAGS.RO_HAVE_DELEGATIONS | RECORD_FLAGS.MIGRATED_WITH_DATA;
const COPY_FLAGS = RECORD_FLAGS.RO_HAVE_READONLY | RECORD_FLAGS.MIGRATED_WITH_DATA;

export class ReadonlyCalls {
  readonly #parts: ReadonlyCallParts;
  readonly #host: DatabaseHost;
  readonly #header = new RecordHeader();

  constructor(parts: ReadonlyCallParts) {
    this.#parts = parts;
    this.#host = parts.host;
  }

  /** Whether a call of a node may be answered with a copy. */
  wantsCopy({ database, packet }: RecordPacket): boolean {
    return (
      (packet.u32(REQ_CALL_AT.FLAGS) & CALL_FLAGS.WANT_READONLY) !== 0 &&
      packet.u32(REQ_CALL_AT.CALLID) === FETCH_WITH_HEADER_FUNC &&
      (database.flags & DB_FLAGS.READONLY) !== 0
    );
  }

  /** Lends a copy of the record that was just read. False: a lock was busy, nothing was done. */
  lend(call: RecordPacket, lmaster: number): boolean {
    const { database, packet, key, hash } = call;
    const host = this.#host;
    const { records, delegations, statistics } = database;
    const { header, data } = records;
    if (!host.nodeConnected(packet.srcnode) || delegations === undefined) {
      // It would be lost on the way, and its delegate could not be asked to give it back.
      host.log.warning(
        `Not lending a record of database "${database.name}" to node ${packet.srcnode}, which is not connected`,
      );
      return true;
    }
    const tooLong = passedOnProblem(database.name, key.length, data.length);
    if (tooLong !== undefined) {
      this.#parts.replies.errorToNode(packet.srcnode, packet.reqid, tooLong);
      return true;
    }
    const tracked = delegations.add(key, packet.srcnode);
    if (!tracked.ok) {
      const message = recordError("write down a delegate of", database.name, tracked.error);
      this.#parts.replies.errorToNode(packet.srcnode, packet.reqid, message);
      return true;
    }
    if ((header.flags & RECORD_FLAGS.RO_HAVE_DELEGATIONS) === 0) {
      header.addToRsn(FIRST_COPY_RSN_RISE);
      header.flags = (header.flags | LENT_FLAGS) >>> 0;
      const stored = records.store(hash, key, header, data, lmaster);
      if (!stored.ok) {
        if (stored.error.code === "busy") return false;
        const message = recordError("lend", database.name, stored.error);
        this.#parts.replies.errorToNode(packet.srcnode, packet.reqid, message);
        return true;
      }
    }
    this.#sendCopy(call);
    host.statistics.total_ro_delegations += 1;
    statistics.delegations += 1;
    return true;
  }

  #sendCopy({ database, packet }: RecordPacket): void {
    const { header, data } = database.records;
    const copy = this.#header;
    const flags = header.flags & ~RECORD_FLAGS.RO_HAVE_DELEGATIONS;
    const { rsnHi, rsnLo, dmaster } = header;
    copy.set(rsnHi, rsnLo, dmaster, (flags | RECORD_FLAGS.RO_HAVE_READONLY) >>> 0);
    copy.addToRsn(-COPY_RSN_BELOW);
    const value = new Uint8Array(LTDB_HEADER_BYTES + data.length);
    copy.writeTo(value);
    value.set(data, LTDB_HEADER_BYTES);
    const to = {
      generation: database.generation,
      destnode: packet.srcnode,
      srcnode: this.#host.pnn,
      reqid: packet.reqid,
    };
    this.#host.sendToNode(packet.srcnode, buildReplyCall(to, { status: 0, data: value }));
  }

  // --- the node that asked

  /** A node has answered a call; a copy is kept before the client hears of it. */
  answered(pending: PendingCall, packet: PacketView): void {
    const reply = replyCallOf(packet);
    if (!this.#isCopy(pending, reply)) {
      this.#parts.pending.finish(pending, reply.status, reply.data);
      return;
    }
    const { database } = pending;
    const key = keyOf(pending);
    const hash = jenkinsHash(key);
    const chain = database.tdb.chainOf(key, hash);
    const locked = database.gate.enter(chain);
    if (locked === "granted") {
      const handled = this.#keep(pending, hash, key, reply);
      database.gate.leave(chain);
      if (handled) return;
    } else if (locked !== "busy") {
      this.#parts.pending.finish(pending, reply.status, reply.data);
      return;
    }
    this.#keepLater(database, chain, hash, packet.copy());
  }

  #isCopy(pending: PendingCall, { status, data }: ReplyCall): boolean {
    if (!pending.wantsReadonly || status !== 0 || data.length < LTDB_HEADER_BYTES) return false;
    const header = this.#header;
    header.readFrom(data);
    return (
      (header.flags & RECORD_FLAGS.RO_HAVE_READONLY) !== 0 && header.dmaster !== this.#host.pnn
    );
  }

  #keepLater(database: Database, chain: number, hash: number, packet: PacketView): void {
    const { reqid } = packet;
    const since = database.generation;
    const { pending: calls } = this.#parts;
    database.gate.park(chain, {
      bytes: packet.length,
      clientId: 0,
      run: () => {
        // A recovery has sent the call again, under another id.
        const pending = calls.find(reqid);
        if (pending === undefined || database.generation !== since) return true;
        return this.#keep(pending, hash, keyOf(pending), replyCallOf(packet));
      },
      drop: (reason) => {
        const pending = calls.find(reqid);
        if (pending !== undefined) calls.finishWithError(pending, reason);
      },
    });
  }

  /** With the chain locked. False: a lock was busy, nothing was done. */
  #keep(pending: PendingCall, hash: number, key: Uint8Array, { status, data }: ReplyCall): boolean {
    const { database } = pending;
    const { records } = database;
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(hash, key, lmaster);
    if (error?.code === "busy") return false;
    const copy = this.#header;
    copy.readFrom(data);
    if (error === undefined && copy.isNewerThan(records.header)) {
      copy.flags = (copy.flags & COPY_FLAGS) >>> 0;
      const content = data.subarray(LTDB_HEADER_BYTES);
      const stored = records.store(hash, key, copy, content, lmaster);
      if (!stored.ok && stored.error.code === "busy") return false;
      // The client has what it wants all the same; without the copy it asks again next time.
      if (!stored.ok) this.#host.log.error(recordError("keep", database.name, stored.error));
    }
    this.#parts.pending.finish(pending, status, data);
    return true;
  }
}

function keyOf({ packet }: PendingCall): Uint8Array {
  return packet.slice(REQ_CALL_AT.KEY, packet.u32(REQ_CALL_AT.KEY_LENGTH));
}
