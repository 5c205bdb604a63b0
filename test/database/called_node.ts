/**
 * One node with one database: calls that clients and other nodes make of it, and what it stores, sends
 * and answers. The other nodes are there as far as the test speaks for them.
 */
import { u64 } from "../../src/base/u64.ts";
import { EMPTY, textBytes } from "../../src/wire/codec.ts";
import {
  CALL_FLAGS,
  FETCH_WITH_HEADER_FUNC,
  NULL_FUNC,
  RECORD_FLAGS,
} from "../../src/wire/constants.ts";
import { OPERATIONS, type PacketView } from "../../src/wire/packet.ts";
import {
  buildReplyDmaster,
  buildReqCall,
  buildReqDmaster,
  readReplyCall,
  readReplyError,
} from "../../src/wire/packets.ts";
import { must } from "../support/must.ts";
import { ControlCaller, FakeHost } from "./fake_host.ts";
import { nodePacketArrives } from "./fake_input.ts";
import type { MemoryTdb } from "./memory_tdb.ts";
import { recordIn, recordValue, type ShortRecord } from "./record_values.ts";

/** The key that everything is about unless the test names another. */
export const KEY = textBytes("key");
/** Of the node and of the packets that it takes. */
export const GENERATION = 77;

interface Call {
  readonly flags?: number;
  readonly callid?: number;
  readonly key?: Uint8Array;
}
interface CallOfClient extends Call {
  readonly clientId?: number;
}
interface CallOfNode extends Call {
  readonly generation?: number;
  readonly hopcount?: number;
}
/** A record on its way to a new data master. */
interface Passed {
  readonly dbId?: number;
  readonly rsn?: number;
  readonly data?: string;
  readonly recordFlags?: number;
  readonly generation?: number;
}

/** Node 0 of 0 to 3, all connected; `lmaster` has all keys. */
export function calledNode(lmaster: number) {
  const host = new FakeHost(0);
  host.map = [lmaster];
  for (const pnn of [0, 1, 2, 3]) host.flags.set(pnn, 0);
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  const tdb = database.tdb as MemoryTdb;
  const from = (srcnode: number, reqid: number, generation = GENERATION) => ({
    generation,
    destnode: 0,
    srcnode,
    reqid,
  });
  const call = ({
    flags = CALL_FLAGS.IMMEDIATE_MIGRATION,
    callid = NULL_FUNC,
    key = KEY,
  }: Call) => ({
    flags,
    db_id: dbId,
    callid,
    key,
    calldata: EMPTY,
  });
  const passed = ({ rsn = 9, data = "", recordFlags = 0, ...more }: Passed) => ({
    db_id: more.dbId ?? dbId,
    rsn: u64(0, rsn),
    key: KEY,
    data: textBytes(data),
    recordFlags,
  });
  const arrives = (packet: PacketView) => nodePacketArrives(host, caller.set, packet);
  return {
    host,
    caller,
    /** A packet of another node as the daemon lets it through. */
    arrives,
    dbId,
    database,
    tdb,
    /** The header of a packet of another node. */
    from,
    put: (rsn: number, dmaster: number, data: string, flags = 0, key = KEY) => {
      must(tdb.store(key, recordValue({ rsn, dmaster, flags, data })));
      tdb.stores = 0;
    },
    stored: (): ShortRecord | undefined => {
      const value = tdb.file.contents.get(Buffer.from(KEY).toString("latin1"))?.data;
      return value === undefined ? undefined : recordIn(value);
    },
    clientCall: (reqid: number, { clientId = 1, ...asked }: CallOfClient = {}) =>
      caller.set.clientCall(
        clientId,
        buildReqCall(from(0, reqid, 0), { ...call(asked), hopcount: 0 }),
      ),
    nodeCall: (srcnode: number, reqid: number, asked: CallOfNode = {}) => {
      const { generation, hopcount = 0 } = asked;
      arrives(buildReqCall(from(srcnode, reqid, generation), { ...call(asked), hopcount }));
    },
    /** Another node passes the record to this one as lmaster, for `dmaster`. */
    reqDmaster: (srcnode: number, reqid: number, dmaster: number, record: Passed = {}) =>
      arrives(
        buildReqDmaster(from(srcnode, reqid, record.generation), { ...passed(record), dmaster }),
      ),
    /** The record comes to this node as its new data master. */
    replyDmaster: (srcnode: number, reqid: number, record: Passed = {}) =>
      arrives(buildReplyDmaster(from(srcnode, reqid, record.generation), passed(record))),
    /** What was sent, answered and asked since the last look. */
    sent: () => host.toNodes.splice(0),
    answers: () => host.toClients.splice(0),
    asked: () => host.requests.splice(0),
  };
}

/** Flags of a record that others have copies of, and of such a copy. */
export const LENT = RECORD_FLAGS.RO_HAVE_DELEGATIONS | RECORD_FLAGS.MIGRATED_WITH_DATA;
export const COPY = RECORD_FLAGS.RO_HAVE_READONLY | RECORD_FLAGS.MIGRATED_WITH_DATA;
/** How to ask for a copy. */
export const READ = { flags: CALL_FLAGS.WANT_READONLY, callid: FETCH_WITH_HEADER_FUNC } as const;

/** A called node whose database lends copies. */
export function lendingNode(lmaster: number): ReturnType<typeof calledNode> {
  const node = calledNode(lmaster);
  const { status, error } = node.caller.now("SET_DB_READONLY", node.dbId);
  if (status !== 0) throw new Error(error);
  node.host.controlsSent.length = 0;
  return node;
}

/** The element that the test counts on. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index} of ${list.length}`);
  return value;
}

export function callAnswer(packet: PacketView) {
  if (packet.operation !== OPERATIONS.REPLY_CALL) throw new Error("no REPLY_CALL");
  const { status, data } = must(readReplyCall(packet));
  return { reqid: packet.reqid, status, data: Buffer.from(data) };
}

export function errorAnswer(packet: PacketView) {
  if (packet.operation !== OPERATIONS.REPLY_ERROR) throw new Error("no REPLY_ERROR");
  return { reqid: packet.reqid, ...must(readReplyError(packet)) };
}
