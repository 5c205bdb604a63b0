/**
 * The one table of controls: number, request, reply, and since which Samba version a peer knows it.
 * Dispatch, client calls, fuzzing, tests and documentation are generated from it.
 *
 * `request` decodes exactly (CTDB compares sizes exactly); `reply` is what `data` holds when the
 * status is a success. Obsolete numbers answer −1 and have no row (docs/protocol.md, "Controls").
 */
import {
  type AnyCodec,
  countedString,
  f64Codec,
  i32Codec,
  nothing,
  restBytes,
  stringZ,
  struct,
  u32Codec,
  u64Codec,
} from "./codec.ts";
import * as s from "./structs.ts";

export interface Control<Request extends AnyCodec, Reply extends AnyCodec> {
  readonly opcode: number;
  readonly request: Request;
  readonly reply: Reply;
  /** First Samba release whose ctdbd has it, as in keepalives: major << 16 | minor. */
  readonly since: number;
}

const SAMBA_4_17 = (4 << 16) | 17;
const SAMBA_4_20 = (4 << 16) | 20;
const SAMBA_4_25 = (4 << 16) | 25;

function row<Request extends AnyCodec, Reply extends AnyCodec>(
  opcode: number,
  request: Request,
  reply: Reply,
  since = SAMBA_4_17,
): Control<Request, Reply> {
  return { opcode, request, reply, since };
}

export const tunableName = struct({ name: countedString });

export const CONTROLS = {
  PROCESS_EXISTS: row(0, i32Codec, nothing),
  STATISTICS: row(1, nothing, s.statistics),
  PING: row(3, nothing, restBytes),
  GETDBPATH: row(4, u32Codec, stringZ),
  GETVNNMAP: row(5, nothing, s.vnnMap),
  SETVNNMAP: row(6, s.vnnMap, nothing),
  GET_DEBUG: row(7, nothing, i32Codec),
  SET_DEBUG: row(8, i32Codec, nothing),
  GET_DBMAP: row(9, nothing, s.dbIdMap),
  GET_RECMODE: row(15, nothing, nothing),
  SET_RECMODE: row(16, u32Codec, nothing),
  STATISTICS_RESET: row(17, nothing, nothing),
  DB_ATTACH: row(18, stringZ, u32Codec),
  TRAVERSE_START: row(20, s.traverseStart, nothing),
  TRAVERSE_ALL: row(21, s.traverseAll, nothing),
  TRAVERSE_DATA: row(22, s.recData, nothing),
  REGISTER_SRVID: row(23, nothing, nothing),
  DEREGISTER_SRVID: row(24, nothing, nothing),
  GET_DBNAME: row(25, u32Codec, stringZ),
  ENABLE_SEQNUM: row(26, u32Codec, nothing),
  UPDATE_SEQNUM: row(27, u32Codec, nothing),
  DUMP_MEMORY: row(29, nothing, restBytes),
  GET_PID: row(30, nothing, nothing),
  FREEZE: row(33, nothing, nothing),
  GET_PNN: row(35, nothing, nothing),
  SHUTDOWN: row(36, nothing, nothing),
  TCP_CLIENT: row(44, s.connection, nothing),
  TCP_ADD: row(45, s.connection, nothing),
  TCP_REMOVE: row(46, s.connection, nothing),
  STARTUP: row(47, nothing, nothing),
  SET_TUNABLE: row(48, s.tunableValue, nothing),
  GET_TUNABLE: row(49, tunableName, u32Codec),
  LIST_TUNABLES: row(50, nothing, countedString),
  MODIFY_FLAGS: row(52, s.flagChange, nothing),
  GET_ALL_TUNABLES: row(53, nothing, s.tunableList),
  GET_TCP_TICKLE_LIST: row(55, s.sockAddr, s.tickleList),
  SET_TCP_TICKLE_LIST: row(56, s.tickleList, nothing),
  DB_ATTACH_PERSISTENT: row(61, stringZ, u32Codec),
  UPDATE_RECORD: row(63, s.recBuffer, nothing),
  SEND_GRATUITOUS_ARP: row(64, s.addrInfo, nothing),
  WIPE_DATABASE: row(67, s.transDb, nothing),
  UPTIME: row(69, nothing, s.uptime),
  START_RECOVERY: row(70, nothing, nothing),
  END_RECOVERY: row(71, nothing, nothing),
  RELOAD_NODES_FILE: row(72, nothing, nothing),
  TRY_DELETE_RECORDS: row(74, restBytes, restBytes),
  ADD_PUBLIC_IP: row(77, s.addrInfo, nothing),
  DEL_PUBLIC_IP: row(78, s.addrInfo, nothing),
  GET_CAPABILITIES: row(80, nothing, u32Codec),
  START_PERSISTENT_UPDATE: row(81, nothing, nothing),
  CANCEL_PERSISTENT_UPDATE: row(82, nothing, nothing),
  RECD_PING: row(87, nothing, nothing),
  RELEASE_IP: row(88, s.publicIp, nothing),
  TAKEOVER_IP: row(89, s.publicIp, nothing),
  GET_PUBLIC_IPS: row(90, nothing, s.publicIpList),
  GET_NODEMAP: row(91, nothing, s.nodeMap),
  TRAVERSE_KILL: row(97, s.traverseStart, nothing),
  RECD_RECLOCK_LATENCY: row(98, f64Codec, nothing),
  GET_RECLOCK_FILE: row(99, nothing, restBytes),
  STOP_NODE: row(101, nothing, nothing),
  CONTINUE_NODE: row(102, nothing, nothing),
  SET_LMASTERROLE: row(104, u32Codec, nothing),
  SET_RECMASTERROLE: row(105, u32Codec, nothing),
  SET_BAN_STATE: row(109, s.banState, nothing),
  GET_BAN_STATE: row(110, nothing, s.banState),
  REGISTER_NOTIFY: row(114, s.notifyData, nothing),
  DEREGISTER_NOTIFY: row(115, u64Codec, nothing),
  TRANS3_COMMIT: row(119, s.recBuffer, nothing),
  GET_DB_SEQNUM: row(120, s.paddedDbId, u64Codec),
  DB_SET_HEALTHY: row(121, u32Codec, nothing),
  DB_GET_HEALTH: row(122, u32Codec, restBytes),
  GET_PUBLIC_IP_INFO: row(123, s.sockAddr, s.publicIpInfo),
  GET_IFACES: row(124, nothing, s.ifaceList),
  SET_IFACE_LINK_STATE: row(125, s.iface, nothing),
  TCP_ADD_DELAYED_UPDATE: row(126, s.connection, nothing),
  GET_STAT_HISTORY: row(127, nothing, s.statisticsHistory),
  SCHEDULE_FOR_DELETION: row(128, s.keyData, nothing),
  SET_DB_READONLY: row(129, u32Codec, nothing),
  TRAVERSE_START_EXT: row(131, s.traverseStartExt, nothing),
  GET_DB_STATISTICS: row(132, u32Codec, s.dbStatistics),
  SET_DB_STICKY: row(133, u32Codec, nothing),
  RELOAD_PUBLIC_IPS: row(134, nothing, nothing),
  TRAVERSE_ALL_EXT: row(135, s.traverseAllExt, nothing),
  IPREALLOCATED: row(137, nothing, nothing),
  GET_RUNSTATE: row(138, nothing, u32Codec),
  DB_DETACH: row(139, u32Codec, nothing),
  GET_NODES_FILE: row(140, nothing, s.nodeMap),
  DB_FREEZE: row(141, u32Codec, nothing),
  DB_THAW: row(142, u32Codec, nothing),
  DB_TRANSACTION_START: row(143, s.transDb, nothing),
  DB_TRANSACTION_COMMIT: row(144, s.transDb, nothing),
  DB_TRANSACTION_CANCEL: row(145, u32Codec, nothing),
  DB_PULL: row(146, s.pullDbExt, u32Codec),
  DB_PUSH_START: row(147, s.pullDbExt, nothing),
  DB_PUSH_CONFIRM: row(148, u32Codec, u32Codec),
  DB_OPEN_FLAGS: row(149, u32Codec, i32Codec),
  DB_ATTACH_REPLICATED: row(150, stringZ, u32Codec),
  CHECK_PID_SRVID: row(151, s.pidSrvid, nothing),
  TUNNEL_REGISTER: row(152, nothing, nothing),
  TUNNEL_DEREGISTER: row(153, nothing, nothing),
  VACUUM_FETCH: row(154, restBytes, nothing),
  DB_VACUUM: row(155, s.dbVacuum, nothing),
  ECHO_DATA: row(156, s.echoData, s.echoData),
  DISABLE_NODE: row(157, nothing, nothing),
  ENABLE_NODE: row(158, nothing, nothing),
  TCP_CLIENT_DISCONNECTED: row(159, s.connection, nothing, SAMBA_4_20),
  TCP_CLIENT_PASSED: row(160, s.connection, nothing, SAMBA_4_20),
  START_IPREALLOCATE: row(161, nothing, nothing, SAMBA_4_20),
  PUSH_RECORD: row(162, s.pushRecord, nothing, SAMBA_4_25),
} as const;

export type ControlName = keyof typeof CONTROLS;
export type ControlRequestOf<N extends ControlName> = ReturnType<
  (typeof CONTROLS)[N]["request"]["decode"]
>;
export type ControlReplyOf<N extends ControlName> = ReturnType<
  (typeof CONTROLS)[N]["reply"]["decode"]
>;

export const CONTROL_NAMES = Object.keys(CONTROLS) as ControlName[];

const nameByOpcode = new Map(CONTROL_NAMES.map((name) => [CONTROLS[name].opcode, name]));

/** undefined for obsolete and unknown numbers. */
export function controlName(opcode: number): ControlName | undefined {
  return nameByOpcode.get(opcode);
}

export const CONTROL_NOREPLY = 1;
/** Opcode-specific flags in the upper half of the flags word. */
/**
 * Of GET_DB_SEQNUM, among our nodes: the answer is not the sequence number but RECOVERY_COUNT_HIGH and
 * how many recoveries the content has come through. A node that does not know the flag answers
 * the number.
 */
export const SEQNUM_RECOVERIES = 0x00040000;
export const RECOVERY_COUNT_HIGH = 0x7265636f;
/**
 * Of GET_DB_SEQNUM, among our nodes: asks for disk space for a commit, of so many records (upper half of the
 * srvid) and bytes (lower half). A node that does not know the flag answers the number.
 */
export const SEQNUM_RESERVE = 0x00080000;
/** Status of that answer when there is none (ENOSPC); negative in that of the TRANS3_COMMIT. */
export const NO_SPACE = 28;
/**
 * Of PING, among our nodes: the answer carries how many bytes wait for the listener of the srvid that is most
 * behind (u32). A node that does not know the flag answers without data.
 */
export const PING_BACKLOG = 0x00100000;
/**
 * Of PING, from our tool to our node: the answer carries what the node has last heard of the others
 * (nodeKnowledge). A node that does not know the flag answers without data.
 */
export const PING_KNOWLEDGE = 0x00200000;
export const ATTACH_RECOVERY = 0x00020000;
