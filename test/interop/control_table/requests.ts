/**
 * A well-formed request for every control, in the state of a healthy node with one volatile and one
 * persistent database, and how to undo what some of them do. Each value goes through the codecs of the
 * table of controls.
 */
import { type U64, u64, u64Add } from "../../../src/base/u64.ts";
import { type Codec, encode } from "../../../src/wire/codec.ts";
import { CONTROLS, type ControlName, type ControlRequestOf } from "../../../src/wire/controls.ts";
import { recBuffer } from "../../../src/wire/structs/records.ts";
import type { SockAddr } from "../../../src/wire/structs/socket_address.ts";

/** What requests refer to. */
export interface Situation {
  readonly pid: number;
  readonly volatileDb: number;
  readonly persistentDb: number;
  readonly generation: number;
}

export interface SampleRequest {
  readonly data: Uint8Array;
  /** The node needs a while to be healthy again after it. */
  readonly disturbs: boolean;
  /** Controls that take it back. */
  readonly undo: readonly { readonly name: ControlName; readonly data: Uint8Array }[];
}

const SRVID = u64(0xae000000, 0x1234);
const ADDRESS: SockAddr = { family: "ipv4", address: "10.99.99.1", port: 0, scope: 0 };
const CLIENT: SockAddr = { family: "ipv4", address: "10.99.98.1", port: 50_000, scope: 0 };
const SERVER: SockAddr = { ...ADDRESS, port: 445 };
const CONNECTION = { src: CLIENT, dst: SERVER };

type Requests = { readonly [N in ControlName]?: ControlRequestOf<N> };

/** Requests of controls that have any. */
function requests(situation: Situation): Requests {
  const { pid, volatileDb, persistentDb, generation } = situation;
  const db = { db_id: volatileDb, tid: generation };
  const noRecords = { db_id: volatileDb, records: [] };
  const noRecordBytes = encode(recBuffer, noRecords);
  const key = new Uint8Array([1, 2, 3, 4]);
  const header = { rsn: u64(0, 1), dmaster: 0, reserved1: 0, flags: 0 };
  const addrInfo = { addr: ADDRESS, mask: 24, iface: "lo" };
  const publicIp = { pnn: 0, addr: ADDRESS };
  const stream = { db_id: volatileDb, lmaster: 0, srvid: SRVID };
  const traverse = { db_id: volatileDb, reqid: 7, srvid: SRVID };
  const traverseAll = { ...traverse, pnn: 0, client_reqid: 1 };
  return {
    PROCESS_EXISTS: pid,
    GETDBPATH: volatileDb,
    SETVNNMAP: { generation, map: [0] },
    SET_DEBUG: 5,
    SET_RECMODE: 0,
    DB_ATTACH: "control_table.tdb",
    TRAVERSE_START: traverse,
    TRAVERSE_ALL: traverseAll,
    TRAVERSE_DATA: { reqid: 99, key, data: key },
    GET_DBNAME: volatileDb,
    ENABLE_SEQNUM: volatileDb,
    UPDATE_SEQNUM: volatileDb,
    TCP_CLIENT: CONNECTION,
    TCP_ADD: CONNECTION,
    TCP_REMOVE: CONNECTION,
    SET_TUNABLE: { value: 15, name: "MonitorInterval" },
    GET_TUNABLE: { name: "monitorinterval" },
    MODIFY_FLAGS: { pnn: 0, new_flags: 0, old_flags: 0 },
    GET_TCP_TICKLE_LIST: ADDRESS,
    SET_TCP_TICKLE_LIST: { addr: ADDRESS, connections: [CONNECTION] },
    DB_ATTACH_PERSISTENT: "control_table_persistent.tdb",
    UPDATE_RECORD: noRecords,
    SEND_GRATUITOUS_ARP: addrInfo,
    WIPE_DATABASE: db,
    TRY_DELETE_RECORDS: noRecordBytes,
    ADD_PUBLIC_IP: addrInfo,
    DEL_PUBLIC_IP: { ...addrInfo, mask: 0, iface: "" },
    RELEASE_IP: { ...publicIp, pnn: 1 },
    TAKEOVER_IP: publicIp,
    TRAVERSE_KILL: traverse,
    RECD_RECLOCK_LATENCY: 0.001,
    SET_LMASTERROLE: 1,
    SET_RECMASTERROLE: 1,
    SET_BAN_STATE: { pnn: 0, time: 0 },
    REGISTER_NOTIFY: { srvid: SRVID, data: key },
    DEREGISTER_NOTIFY: SRVID,
    TRANS3_COMMIT: { db_id: persistentDb, records: [] },
    GET_DB_SEQNUM: { db_id: persistentDb },
    DB_SET_HEALTHY: persistentDb,
    DB_GET_HEALTH: persistentDb,
    GET_PUBLIC_IP_INFO: ADDRESS,
    SET_IFACE_LINK_STATE: { name: "lo", link_state: 1, references: 0 },
    TCP_ADD_DELAYED_UPDATE: CONNECTION,
    SCHEDULE_FOR_DELETION: { db_id: volatileDb, header, key },
    SET_DB_READONLY: volatileDb,
    TRAVERSE_START_EXT: { ...traverse, with_empty_records: true },
    GET_DB_STATISTICS: volatileDb,
    SET_DB_STICKY: volatileDb,
    TRAVERSE_ALL_EXT: { ...traverseAll, with_empty_records: true },
    DB_DETACH: volatileDb,
    DB_FREEZE: volatileDb,
    DB_THAW: volatileDb,
    DB_TRANSACTION_START: db,
    DB_TRANSACTION_COMMIT: db,
    DB_TRANSACTION_CANCEL: volatileDb,
    DB_PULL: stream,
    DB_PUSH_START: stream,
    DB_PUSH_CONFIRM: volatileDb,
    DB_OPEN_FLAGS: volatileDb,
    DB_ATTACH_REPLICATED: "control_table_replicated.tdb",
    CHECK_PID_SRVID: { pid, srvid: SRVID },
    VACUUM_FETCH: noRecordBytes,
    DB_VACUUM: { db_id: volatileDb, full_vacuum_run: false },
    ECHO_DATA: { timeout: 0, data: key },
    TCP_CLIENT_DISCONNECTED: CONNECTION,
    TCP_CLIENT_PASSED: CONNECTION,
    PUSH_RECORD: { generation, db_id: volatileDb, header, key, data: key },
  };
}

/** These leave the node in another state for a while. */
const DISTURBING: ReadonlySet<ControlName> = new Set([
  "SETVNNMAP",
  "SET_RECMODE",
  "FREEZE",
  "SHUTDOWN",
  "STARTUP",
  "START_RECOVERY",
  "END_RECOVERY",
  "RELOAD_NODES_FILE",
  "STOP_NODE",
  "CONTINUE_NODE",
  "SET_BAN_STATE",
  "DISABLE_NODE",
  "ENABLE_NODE",
  "DB_FREEZE",
  "DB_THAW",
  "DB_TRANSACTION_START",
  "DB_TRANSACTION_COMMIT",
  "DB_TRANSACTION_CANCEL",
  "WIPE_DATABASE",
  "DB_DETACH",
  "MODIFY_FLAGS",
  "TRANS3_COMMIT",
  "UPDATE_RECORD",
]);

const UNDO: Partial<Record<ControlName, readonly ControlName[]>> = {
  STOP_NODE: ["CONTINUE_NODE"],
  DISABLE_NODE: ["ENABLE_NODE"],
  DB_FREEZE: ["DB_THAW"],
  ADD_PUBLIC_IP: ["DEL_PUBLIC_IP"],
};

export function sampleRequest(name: ControlName, situation: Situation): SampleRequest {
  const all = requests(situation);
  const encodeFor = (other: ControlName) =>
    encode(CONTROLS[other].request as Codec<unknown>, all[other] as unknown);
  return {
    data: encodeFor(name),
    disturbs: DISTURBING.has(name),
    undo: (UNDO[name] ?? []).map((other) => ({ name: other, data: encodeFor(other) })),
  };
}

/** The srvid field, for controls that use it; another one for each variant of a request. */
export function sampleSrvid(variant: number): U64 {
  return u64Add(SRVID, variant);
}
