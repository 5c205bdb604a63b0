/**
 * A REQ_CALL of a local client on its way through this node, with what is asked of it again and again.
 * ClientCalls uses one object for call after call: whoever keeps a call for later keeps a copy.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { CALL_FLAGS, DB_FLAGS } from "../../wire/constants.ts";
import type { PacketView } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import type { Database } from "../database.ts";

export class ClientCall {
  database: Database;
  clientId: number;
  packet: PacketView;
  key: Uint8Array;
  /** Of the key. */
  hash: number;
  startedMs: number;

  constructor(database: Database, clientId: number, packet: PacketView, startedMs: number) {
    this.database = database;
    this.clientId = clientId;
    this.packet = packet;
    this.key = keyOf(packet);
    this.hash = jenkinsHash(this.key);
    this.startedMs = startedMs;
  }

  /** From now on it is another call. */
  become(database: Database, clientId: number, packet: PacketView, startedMs: number): void {
    this.database = database;
    this.clientId = clientId;
    this.packet = packet;
    this.key = keyOf(packet);
    this.hash = jenkinsHash(this.key);
    this.startedMs = startedMs;
  }

  /** With its own bytes. */
  copy(): ClientCall {
    return new ClientCall(this.database, this.clientId, this.packet.copy(), this.startedMs);
  }

  get reqid(): number {
    return this.packet.reqid;
  }
  get callid(): number {
    return this.packet.u32(REQ_CALL_AT.CALLID);
  }
  /** Without a tracking database here the record itself is fetched. */
  get flags(): number {
    const flags = this.packet.u32(REQ_CALL_AT.FLAGS);
    if ((this.database.flags & DB_FLAGS.READONLY) !== 0) return flags;
    return (flags & ~CALL_FLAGS.WANT_READONLY) >>> 0;
  }
  get wantsReadonly(): boolean {
    return (this.flags & CALL_FLAGS.WANT_READONLY) !== 0;
  }
  get calldata(): Uint8Array {
    const at = REQ_CALL_AT.KEY + this.key.length;
    return this.packet.slice(at, this.packet.u32(REQ_CALL_AT.DATA_LENGTH));
  }
}

function keyOf(packet: PacketView): Uint8Array {
  return packet.slice(REQ_CALL_AT.KEY, packet.u32(REQ_CALL_AT.KEY_LENGTH));
}
