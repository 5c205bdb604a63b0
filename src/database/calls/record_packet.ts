/**
 * A packet of a node about one record, with what is asked of it again and again. NodeCalls uses one object
 * for packet after packet: whoever keeps one for later keeps a copy.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import type { PacketView } from "../../wire/packet.ts";
import { REPLY_DMASTER_AT, REQ_CALL_AT, REQ_DMASTER_AT } from "../../wire/packets/layouts.ts";
import type { Database } from "../database.ts";

/** Operations that name a database and a key. */
export type KeyedOperation = "REQ_CALL" | "REQ_DMASTER" | "REPLY_DMASTER";

const AT = {
  REQ_CALL: REQ_CALL_AT,
  REQ_DMASTER: REQ_DMASTER_AT,
  REPLY_DMASTER: REPLY_DMASTER_AT,
};

export function databaseIdOf(operation: KeyedOperation, packet: PacketView): number {
  return packet.u32(AT[operation].DB_ID);
}

function keyOf(operation: KeyedOperation, packet: PacketView): Uint8Array {
  const at = AT[operation];
  return packet.slice(at.KEY, packet.u32(at.KEY_LENGTH));
}

export class RecordPacket {
  operation: KeyedOperation;
  database: Database;
  packet: PacketView;
  key: Uint8Array;
  /** Of the key. */
  hash: number;

  constructor(operation: KeyedOperation, database: Database, packet: PacketView) {
    this.operation = operation;
    this.database = database;
    this.packet = packet;
    this.key = keyOf(operation, packet);
    this.hash = jenkinsHash(this.key);
  }

  /** From now on it is another packet. */
  become(operation: KeyedOperation, database: Database, packet: PacketView): void {
    this.operation = operation;
    this.database = database;
    this.packet = packet;
    this.key = keyOf(operation, packet);
    this.hash = jenkinsHash(this.key);
  }

  /** With its own bytes. */
  copy(): RecordPacket {
    return new RecordPacket(this.operation, this.database, this.packet.copy());
  }

  get srcnode(): number {
    return this.packet.srcnode;
  }
  get reqid(): number {
    return this.packet.reqid;
  }
  /** With two recoveries at a time the vnn map may be of another one than the database. */
  get isOfDatabase(): boolean {
    return this.packet.generation === this.database.generation;
  }
}
