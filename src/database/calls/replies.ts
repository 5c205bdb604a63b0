/** Answers to calls, and where a key's lmaster is: small things that both sides of a call need. */
import type { TdbError } from "../../tdb/types.ts";
import { EMPTY } from "../../wire/codec.ts";
import { FETCH_FUNC, FETCH_WITH_HEADER_FUNC, NULL_FUNC } from "../../wire/constants.ts";
import { PACKET_BYTES_MAX } from "../../wire/limits.ts";
import { REQ_DMASTER_AT } from "../../wire/packets/layouts.ts";
import { buildReplyCall, buildReplyError } from "../../wire/packets.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import { addLatency } from "../database_statistics.ts";
import type { DatabaseHost } from "../host.ts";
import type { RecordHeader } from "../record/record_header.ts";

const CALL_FAILED = -1;
/** What follows key and data of a record on its way. */
const RECORD_FLAGS_BYTES = 4;

/** The node that keeps track of who is data master; ourselves before there is a map. */
export function lmasterOf(host: DatabaseHost, keyHash: number): number {
  const map = host.vnnMap();
  if (map.length === 0) return host.pnn;
  return map[keyHash % map.length] as number;
}

export class Replies {
  readonly #host: DatabaseHost;

  constructor(host: DatabaseHost) {
    this.#host = host;
  }

  /** Result of a call whose record is here: nothing, the data, or header and data. */
  record(
    clientId: number,
    reqid: number,
    callid: number,
    header: RecordHeader,
    data: Uint8Array,
    startedMs: number,
  ): void {
    switch (callid) {
      case NULL_FUNC:
        this.call(clientId, reqid, 0, EMPTY, startedMs);
        return;
      case FETCH_FUNC:
        this.call(clientId, reqid, 0, data, startedMs);
        return;
      case FETCH_WITH_HEADER_FUNC: {
        const whole = new Uint8Array(LTDB_HEADER_BYTES + data.length);
        header.writeTo(whole);
        whole.set(data, LTDB_HEADER_BYTES);
        this.call(clientId, reqid, 0, whole, startedMs);
        return;
      }
      default:
        this.call(clientId, reqid, CALL_FAILED, EMPTY, startedMs);
        return;
    }
  }

  call(clientId: number, reqid: number, status: number, data: Uint8Array, startedMs: number): void {
    this.ended(startedMs);
    if (clientId === 0) return;
    this.#host.sendToClient(clientId, buildReplyCall(this.#header(0, reqid), { status, data }));
  }

  error(clientId: number, reqid: number, message: string, startedMs: number): void {
    this.ended(startedMs);
    this.#host.log.info(`Call of client ${clientId} failed: ${message}`);
    if (clientId === 0) return;
    const body = { status: CALL_FAILED, message };
    this.#host.sendToClient(clientId, buildReplyError(this.#header(0, reqid), body));
  }

  errorToNode(pnn: number, reqid: number, message: string): void {
    this.#host.log.warning(`Refusing request ${reqid} of node ${pnn}: ${message}`);
    const body = { status: CALL_FAILED, message };
    this.#host.sendToNode(pnn, buildReplyError(this.#header(pnn, reqid), body));
  }

  /** A call of a local client has its answer, or nobody wants one any more. */
  ended(startedMs: number): void {
    const statistics = this.#host.statistics;
    if (statistics.pending_calls > 0) statistics.pending_calls -= 1;
    addLatency(statistics.call_latency, this.#host.clock.monotonicMs() - startedMs);
  }

  #header(destnode: number, reqid: number) {
    return {
      generation: this.#host.generation(),
      destnode,
      srcnode: this.#host.pnn,
      reqid,
    };
  }
}

/** Text of a file error for whoever asked. */
export function recordError(doing: string, database: string, error: TdbError): string {
  return `Cannot ${doing} a record of database "${database}": ${error.reason}`;
}

/** Why no other node can have a record, or a copy of it: it is longer than a packet. */
export function passedOnProblem(
  database: string,
  keyBytes: number,
  dataBytes: number,
): string | undefined {
  const bytes = REQ_DMASTER_AT.KEY + keyBytes + dataBytes + RECORD_FLAGS_BYTES;
  if (bytes <= PACKET_BYTES_MAX) return undefined;
  return `Cannot pass on a record of database "${database}": it makes a packet of ${bytes} bytes, expected at most ${PACKET_BYTES_MAX}`;
}
