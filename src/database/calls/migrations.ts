/**
 * The change of the data master in two steps: REQ_DMASTER from the old one to the lmaster, REPLY_DMASTER
 * from there to the new one (docs/database.md, "Migration"). All with the chain locked; false: a lock was
 * busy, nothing was done.
 *
 * Invariants:
 * 1. Only the lmaster handles REQ_DMASTER; only it sends REPLY_DMASTER, and only from it we take one.
 * 2. A node that gives a record away has stored the new data master before it sends anything.
 * 3. A claim that contradicts what the lmaster knows forces a recovery and changes nothing.
 * 4. A record that left its data master and cannot be received is not left with nobody: it goes back
 *    to the node that sent it (request id RETURNED), or a recovery is forced, which finds it there. A
 *    record goes back once; what cannot be received then either needs the recovery.
 */
import { type U64, u64 } from "../../base/u64.ts";
import { CALL_FLAGS, NODE_FLAGS, RECORD_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";
import {
  buildReplyDmaster,
  buildReqDmaster,
  type ReplyDmaster,
  type ReqDmaster,
  replyDmasterOf,
  reqDmasterOf,
} from "../../wire/packets.ts";
import type { DatabaseHost } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import type { NodeRefusals } from "./node_refusals.ts";
import type { PendingCalls } from "./pending_calls.ts";
import type { RecordPacket } from "./record_packet.ts";
import { lmasterOf, passedOnProblem, recordError } from "./replies.ts";

/** Of a record that goes back: no call has this id, so nobody waits for it. */
const RETURNED = 0;

export interface MigrationParts {
  readonly host: DatabaseHost;
  readonly pending: PendingCalls;
}

export class Migrations {
  readonly #host: DatabaseHost;
  readonly #pending: PendingCalls;
  readonly #refusals: NodeRefusals;
  readonly #header = new RecordHeader();
  /** Packets that broke the rules of the protocol. */
  refused = 0;

  constructor({ host, pending }: MigrationParts, refusals: NodeRefusals) {
    this.#host = host;
    this.#pending = pending;
    this.#refusals = refusals;
  }

  /** The asker becomes data master of the record that was just read. */
  giveAway(call: RecordPacket, lmaster: number): boolean {
    const { database, key, hash } = call;
    const { header } = database.records;
    const data = database.records.data;
    const { srcnode: requester, reqid } = call;
    const tooLong = passedOnProblem(database.name, key.length, data.length);
    if (tooLong !== undefined) {
      this.#refusals.send(call, tooLong);
      return true;
    }
    if (!this.#isPeer(requester)) return true;
    if (data.length !== 0) header.flags = (header.flags | RECORD_FLAGS.MIGRATED_WITH_DATA) >>> 0;
    if (lmaster === this.#host.pnn) {
      const outcome = this.#appoint(call, header, data, requester);
      if (outcome !== "busy" && outcome !== "appointed") {
        this.#refusals.send(call, outcome.problem);
      }
      return outcome !== "busy";
    }
    // It would be lost on the way. A recovery that comes has the call sent again.
    if (!this.#host.nodeConnected(lmaster)) {
      if (this.#host.recovering()) return true;
      const message = `Cannot give away a record of database "${database.name}": its lmaster, node ${lmaster}, is not connected to node ${this.#host.pnn}`;
      this.#refusals.send(call, message);
      return true;
    }
    const { flags } = header;
    header.dmaster = requester;
    const stored = database.records.store(hash, key, header, data, lmaster);
    if (!stored.ok) {
      if (stored.error.code === "busy") return false;
      this.#refusals.send(call, recordError("give away", database.name, stored.error));
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

  /** As lmaster: writes down the new data master and sends it the record; or nothing was done, and why. */
  #appoint(
    call: RecordPacket,
    header: RecordHeader,
    data: Uint8Array,
    newDmaster: number,
  ): "appointed" | "busy" | { readonly problem: string } {
    const { database, key, hash } = call;
    if (!this.#isPeer(newDmaster)) return cannotGive(call, newDmaster, ", which does not exist");
    // It would be lost on the way.
    if (!this.#host.nodeConnected(newDmaster)) {
      const why = `, which is not connected to node ${this.#host.pnn}`;
      return cannotGive(call, newDmaster, why);
    }
    header.dmaster = newDmaster;
    const stored = database.records.store(hash, key, header, data, this.#host.pnn);
    if (!stored.ok) {
      if (stored.error.code === "busy") return "busy";
      return cannotGive(call, newDmaster, `: ${stored.error.reason}`);
    }
    const { rsnHi, rsnLo, flags } = header;
    this.#reply(call, newDmaster, call.reqid, u64(rsnHi, rsnLo), flags, data);
    return "appointed";
  }

  #reply(
    { database, key }: RecordPacket,
    destnode: number,
    reqid: number,
    rsn: U64,
    recordFlags: number,
    data: Uint8Array,
  ): void {
    const body: ReplyDmaster = { db_id: database.dbId, rsn, key, data, recordFlags };
    const to = { generation: database.generation, destnode, srcnode: this.#host.pnn, reqid };
    this.#host.sendToNode(destnode, buildReplyDmaster(to, body));
  }

  reqDmaster(record: RecordPacket): boolean {
    const { database, packet, key, hash } = record;
    const body = reqDmasterOf(packet);
    const { pnn } = this.#host;
    const lmaster = lmasterOf(this.#host, hash);
    if (lmaster !== pnn) {
      this.refused += 1;
      const message = `node ${packet.srcnode} passes a record of database "${database.name}" on to node ${pnn}: the lmaster is node ${lmaster}`;
      this.#refusals.send(record, message);
      return true;
    }
    if (!this.#hasNoCopies(record, body.recordFlags)) return true;
    const error = database.records.read(hash, key, lmaster);
    if (error !== undefined) {
      if (error.code === "busy") return false;
      this.#refusals.send(record, recordError("read", database.name, error));
      return true;
    }
    if (!this.#isRightful(record, body)) return true;
    if (body.dmaster === pnn) {
      return this.#becomeDmaster(record, body, lmaster);
    }
    const header = this.#header;
    header.set(body.rsn.hi, body.rsn.lo, body.dmaster, body.recordFlags);
    const outcome = this.#appoint(record, header, body.data, body.dmaster);
    if (outcome === "busy") return false;
    if (outcome === "appointed") return true;
    if (this.#giveBack(record, body)) {
      this.#refusals.tell(record, outcome.problem);
    } else {
      this.#refusals.send(record, outcome.problem);
    }
    return true;
  }

  /**
   * As lmaster: the sender stays data master, as our copy, the record that was just read, says. False: we
   * have no copy, or the record came back already.
   */
  #giveBack(record: RecordPacket, body: ReplyDmaster): boolean {
    const { database, srcnode } = record;
    if (record.reqid === RETURNED || database.records.header.dmaster !== srcnode) return false;
    const { rsn, recordFlags, data } = body;
    this.#reply(record, srcnode, RETURNED, rsn, recordFlags, data);
    return true;
  }

  /** Only the data master may pass a record on; unless we know nothing of the record. */
  #isRightful({ database, packet }: RecordPacket, body: ReqDmaster): boolean {
    const { header } = database.records;
    if (header.isNewerThanRsn(body.rsn)) {
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

  replyDmaster(record: RecordPacket): boolean {
    const { database, packet, hash } = record;
    const body = replyDmasterOf(packet);
    const lmaster = lmasterOf(this.#host, hash);
    if (packet.srcnode !== lmaster) {
      this.refused += 1;
      const message = `node ${packet.srcnode} gives a record of database "${database.name}" to node ${this.#host.pnn}: the lmaster is node ${lmaster}`;
      this.#refusals.send(record, message);
      return true;
    }
    if (!this.#hasNoCopies(record, body.recordFlags)) return true;
    return this.#becomeDmaster(record, body, lmaster);
  }

  /** As new data master: the lmaster, which has just named this node, has the record in its file. */
  #passBack({ database, packet }: RecordPacket, body: ReplyDmaster): boolean {
    if (packet.reqid === RETURNED) return false;
    const { generation } = database;
    const destnode = packet.srcnode;
    const to = { generation, destnode, srcnode: this.#host.pnn, reqid: RETURNED };
    this.#host.sendToNode(destnode, buildReqDmaster(to, { ...body, dmaster: destnode }));
    return true;
  }

  /** A data master takes copies back before it gives a record away; only it knows who has them. */
  #hasNoCopies({ database, packet }: RecordPacket, recordFlags: number): boolean {
    if ((recordFlags & RECORD_FLAGS_RO) === 0) return true;
    this.refused += 1;
    this.#host.forceRecovery(
      `node ${packet.srcnode} passes on a record of database "${database.name}" with read-only copies (flags 0x${recordFlags.toString(16)})`,
    );
    return false;
  }

  #becomeDmaster(record: RecordPacket, body: ReplyDmaster, lmaster: number): boolean {
    const { database, packet, key, hash } = record;
    const { data } = body;
    const pending = this.#pending.findForKey(packet.reqid, database, key);
    const vacuum = pending !== undefined && (pending.flags & CALL_FLAGS.VACUUM_MIGRATION) !== 0;
    const flags = vacuum ? body.recordFlags | RECORD_FLAGS.VACUUM_MIGRATED : body.recordFlags;
    const header = this.#header;
    header.set(body.rsn.hi, body.rsn.lo, this.#host.pnn, flags >>> 0);
    const stored = database.records.store(hash, key, header, data, lmaster);
    if (!stored.ok) {
      if (stored.error.code === "busy") return false;
      const message = recordError("receive", database.name, stored.error);
      const goesBack =
        record.operation === "REQ_DMASTER"
          ? this.#giveBack(record, body)
          : this.#passBack(record, body);
      if (!goesBack) this.#host.forceRecovery(message);
      if (pending !== undefined) this.#pending.finishWithError(pending, message);
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
    this.#pending.finishWithRecord(pending, header, data);
    return true;
  }

  #isPeer(pnn: number): boolean {
    if ((this.#host.nodeFlags(pnn) & NODE_FLAGS.DELETED) === 0) return true;
    this.refused += 1;
    this.#host.log.error(`Dropping a request for node ${pnn}, which does not exist`);
    return false;
  }
}

function cannotGive({ database }: RecordPacket, pnn: number, why: string) {
  return { problem: `Cannot give a record of database "${database.name}" to node ${pnn}${why}` };
}
