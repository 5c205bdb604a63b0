/**
 * The one table of controls: everything that is known of one stands in its row. Dispatch, client calls,
 * fuzzing, tests and documentation are generated from it.
 *
 * `request` decodes exactly (CTDB compares sizes exactly) unless the row says otherwise; `reply` is what
 * `data` holds when the status is a success. Obsolete numbers answer −1 and have no row (docs/protocol.md, "Controls").
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

interface ControlTraits {
  /** First Samba release whose ctdbd has it, as in keepalives: major << 16 | minor. */
  readonly since: number;
  /**
   * What the original makes of the data (docs/controls_4.17.md): it wants what the request takes and no more,
   * or reads that and ignores what follows, or does not look at it.
   */
  readonly data: "exact" | "surplus ignored" | "ignored";
  /** A status above 0 is the answer, not a failure. */
  readonly statusIsAnswer: boolean;
  /** Where the request names a database by its id, for those that wait while it is being attached. */
  readonly database: "request" | "db_id" | "nowhere";
  /** A node that is kept out may ask it, too: it is how two nodes find out whether they mean the same. */
  readonly outsiders: boolean;
}

export interface Control<Request extends AnyCodec, Reply extends AnyCodec> extends ControlTraits {
  readonly opcode: number;
  readonly request: Request;
  readonly reply: Reply;
}

const SAMBA_4_17 = (4 << 16) | 17;
const SAMBA_4_20 = (4 << 16) | 20;
const SAMBA_4_25 = (4 << 16) | 25;

const USUAL: ControlTraits = {
  since: SAMBA_4_17,
  data: "exact",
  statusIsAnswer: false,
  database: "nowhere",
  outsiders: false,
};
const IGNORES_DATA = { data: "ignored" } as const;
const IGNORES_SURPLUS = { data: "surplus ignored" } as const;
const STATUS_IS_ANSWER = { statusIsAnswer: true } as const;
/** The whole request is the id of a database. */
const OF_DATABASE = { database: "request" } as const;
const NAMES_DATABASE = { database: "db_id" } as const;
const ALSO_FOR_OUTSIDERS = { outsiders: true } as const;
const SINCE_4_20 = { since: SAMBA_4_20 } as const;
const SINCE_4_25 = { since: SAMBA_4_25 } as const;

function row<Request extends AnyCodec, Reply extends AnyCodec>(
  opcode: number,
  request: Request,
  reply: Reply,
  first?: Partial<ControlTraits>,
  second?: Partial<ControlTraits>,
  third?: Partial<ControlTraits>,
): Control<Request, Reply> {
  return { opcode, request, reply, ...USUAL, ...first, ...second, ...third };
}

export const tunableName = struct({ name: countedString });

export const CONTROLS = {
  PROCESS_EXISTS: row(0, i32Codec, nothing),
  STATISTICS: row(1, nothing, s.statistics),
  PING: row(3, nothing, restBytes, STATUS_IS_ANSWER),
  GETDBPATH: row(4, u32Codec, stringZ, OF_DATABASE),
  GETVNNMAP: row(5, nothing, s.vnnMap),
  SETVNNMAP: row(6, s.vnnMap, nothing),
  GET_DEBUG: row(7, nothing, i32Codec),
  SET_DEBUG: row(8, i32Codec, nothing),
  GET_DBMAP: row(9, nothing, s.dbIdMap),
  GET_RECMODE: row(15, nothing, nothing, IGNORES_DATA, STATUS_IS_ANSWER),
  SET_RECMODE: row(16, u32Codec, nothing),
  STATISTICS_RESET: row(17, nothing, nothing),
  DB_ATTACH: row(18, stringZ, u32Codec, IGNORES_SURPLUS),
  TRAVERSE_START: row(20, s.traverseStart, nothing, NAMES_DATABASE),
  TRAVERSE_ALL: row(21, s.traverseAll, nothing, NAMES_DATABASE),
  TRAVERSE_DATA: row(22, s.recData, nothing),
  REGISTER_SRVID: row(23, nothing, nothing, IGNORES_DATA),
  DEREGISTER_SRVID: row(24, nothing, nothing, IGNORES_DATA),
  GET_DBNAME: row(25, u32Codec, stringZ, OF_DATABASE),
  ENABLE_SEQNUM: row(26, u32Codec, nothing, OF_DATABASE),
  UPDATE_SEQNUM: row(27, u32Codec, nothing, OF_DATABASE),
  DUMP_MEMORY: row(29, nothing, restBytes),
  GET_PID: row(30, nothing, nothing, IGNORES_DATA, STATUS_IS_ANSWER),
  FREEZE: row(33, nothing, nothing),
  GET_PNN: row(35, nothing, nothing, IGNORES_DATA, STATUS_IS_ANSWER),
  SHUTDOWN: row(36, nothing, nothing, IGNORES_DATA),
  TCP_CLIENT: row(44, s.connection, nothing),
  TCP_ADD: row(45, s.connection, nothing),
  TCP_REMOVE: row(46, s.connection, nothing),
  STARTUP: row(47, nothing, nothing),
  SET_TUNABLE: row(48, s.tunableValue, nothing, IGNORES_SURPLUS),
  GET_TUNABLE: row(49, tunableName, u32Codec, IGNORES_SURPLUS),
  LIST_TUNABLES: row(50, nothing, countedString, IGNORES_DATA),
  MODIFY_FLAGS: row(52, s.flagChange, nothing),
  GET_ALL_TUNABLES: row(53, nothing, s.tunableList),
  GET_TCP_TICKLE_LIST: row(55, s.sockAddr, s.tickleList),
  SET_TCP_TICKLE_LIST: row(56, s.tickleList, nothing, IGNORES_SURPLUS),
  DB_ATTACH_PERSISTENT: row(61, stringZ, u32Codec, IGNORES_SURPLUS),
  UPDATE_RECORD: row(63, s.recBuffer, nothing, IGNORES_SURPLUS, NAMES_DATABASE),
  SEND_GRATUITOUS_ARP: row(64, s.addrInfo, nothing),
  WIPE_DATABASE: row(67, s.transDb, nothing, NAMES_DATABASE),
  UPTIME: row(69, nothing, s.uptime, IGNORES_DATA),
  START_RECOVERY: row(70, nothing, nothing, IGNORES_DATA),
  END_RECOVERY: row(71, nothing, nothing, IGNORES_DATA),
  RELOAD_NODES_FILE: row(72, nothing, nothing),
  TRY_DELETE_RECORDS: row(74, restBytes, restBytes, IGNORES_SURPLUS),
  ADD_PUBLIC_IP: row(77, s.addrInfo, nothing),
  DEL_PUBLIC_IP: row(78, s.addrInfo, nothing),
  GET_CAPABILITIES: row(80, nothing, u32Codec, IGNORES_DATA),
  START_PERSISTENT_UPDATE: row(81, nothing, nothing, IGNORES_DATA),
  CANCEL_PERSISTENT_UPDATE: row(82, nothing, nothing, IGNORES_DATA),
  RECD_PING: row(87, nothing, nothing),
  RELEASE_IP: row(88, s.publicIp, nothing),
  TAKEOVER_IP: row(89, s.publicIp, nothing),
  GET_PUBLIC_IPS: row(90, nothing, s.publicIpList),
  GET_NODEMAP: row(91, nothing, s.nodeMap, ALSO_FOR_OUTSIDERS),
  TRAVERSE_KILL: row(97, s.traverseStart, nothing, NAMES_DATABASE),
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
  TRANS3_COMMIT: row(119, s.recBuffer, nothing, IGNORES_SURPLUS, NAMES_DATABASE),
  GET_DB_SEQNUM: row(120, s.paddedDbId, u64Codec, NAMES_DATABASE),
  DB_SET_HEALTHY: row(121, u32Codec, nothing, OF_DATABASE),
  DB_GET_HEALTH: row(122, u32Codec, restBytes, OF_DATABASE),
  GET_PUBLIC_IP_INFO: row(123, s.sockAddr, s.publicIpInfo),
  GET_IFACES: row(124, nothing, s.ifaceList),
  SET_IFACE_LINK_STATE: row(125, s.iface, nothing),
  TCP_ADD_DELAYED_UPDATE: row(126, s.connection, nothing),
  GET_STAT_HISTORY: row(127, nothing, s.statisticsHistory),
  SCHEDULE_FOR_DELETION: row(128, s.keyData, nothing, NAMES_DATABASE),
  SET_DB_READONLY: row(129, u32Codec, nothing, OF_DATABASE),
  TRAVERSE_START_EXT: row(131, s.traverseStartExt, nothing, NAMES_DATABASE),
  GET_DB_STATISTICS: row(132, u32Codec, s.dbStatistics, OF_DATABASE),
  SET_DB_STICKY: row(133, u32Codec, nothing, OF_DATABASE),
  RELOAD_PUBLIC_IPS: row(134, nothing, nothing),
  TRAVERSE_ALL_EXT: row(135, s.traverseAllExt, nothing, NAMES_DATABASE),
  IPREALLOCATED: row(137, nothing, nothing),
  GET_RUNSTATE: row(138, nothing, u32Codec),
  DB_DETACH: row(139, u32Codec, nothing, OF_DATABASE),
  GET_NODES_FILE: row(140, nothing, s.nodeMap),
  DB_FREEZE: row(141, u32Codec, nothing, OF_DATABASE),
  DB_THAW: row(142, u32Codec, nothing, OF_DATABASE),
  DB_TRANSACTION_START: row(143, s.transDb, nothing, NAMES_DATABASE),
  DB_TRANSACTION_COMMIT: row(144, s.transDb, nothing, NAMES_DATABASE),
  DB_TRANSACTION_CANCEL: row(145, u32Codec, nothing, OF_DATABASE),
  DB_PULL: row(146, s.pullDbExt, u32Codec, NAMES_DATABASE),
  DB_PUSH_START: row(147, s.pullDbExt, nothing, NAMES_DATABASE),
  DB_PUSH_CONFIRM: row(148, u32Codec, u32Codec, OF_DATABASE),
  DB_OPEN_FLAGS: row(149, u32Codec, i32Codec, OF_DATABASE),
  DB_ATTACH_REPLICATED: row(150, stringZ, u32Codec, IGNORES_SURPLUS),
  CHECK_PID_SRVID: row(151, s.pidSrvid, nothing),
  TUNNEL_REGISTER: row(152, nothing, nothing, IGNORES_DATA),
  TUNNEL_DEREGISTER: row(153, nothing, nothing, IGNORES_DATA),
  VACUUM_FETCH: row(154, restBytes, nothing, IGNORES_SURPLUS),
  DB_VACUUM: row(155, s.dbVacuum, nothing, NAMES_DATABASE),
  ECHO_DATA: row(156, s.echoData, s.echoData, IGNORES_SURPLUS),
  DISABLE_NODE: row(157, nothing, nothing),
  ENABLE_NODE: row(158, nothing, nothing),
  TCP_CLIENT_DISCONNECTED: row(159, s.connection, nothing, SINCE_4_20),
  TCP_CLIENT_PASSED: row(160, s.connection, nothing, SINCE_4_20),
  START_IPREALLOCATE: row(161, nothing, nothing, SINCE_4_20),
  PUSH_RECORD: row(162, s.pushRecord, nothing, IGNORES_SURPLUS, NAMES_DATABASE, SINCE_4_25),
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
/**
 * Of PING, from our tool to our nodes: the answer carries why the node's own scripts call it unhealthy
 * (nodeHealth). A node that does not know the flag answers without data.
 */
export const PING_HEALTH = 0x00400000;
/**
 * Of PING, from our tool to our nodes: the node reads its configuration again, and the answer carries what came of
 * that (reloadReport). A node that does not know the flag answers without data.
 */
export const PING_RELOAD = 0x00800000;
/**
 * Of PING, from our tool to our nodes: the answer carries how long turns of the event loop took (nodeTurns). A node
 * that does not know the flag answers without data.
 */
export const PING_TURNS = 0x01000000;
/**
 * Of PING, among our nodes: the answer carries how many clients listen to the srvid (u32). A node that does not know the
 * flag answers without data.
 */
export const PING_LISTENERS = 0x02000000;
/**
 * Of PING, from our tool to our nodes: the answer carries since when and why nodes have the flags that they have, as this
 * node knows, and why it recovers (nodeStanding). A node that does not know the flag answers without data.
 */
export const PING_STANDING = 0x04000000;
/**
 * Of PING, from a leader of ours to our nodes: the answer carries the generation of the last recovery in which the
 * node's records counted (u32), INVALID_GENERATION for none. A node that does not know the flag answers without data.
 */
export const PING_GENERATION = 0x08000000;
/**
 * Of PING, from our tool to our nodes: the answer carries the options that the node runs with where they are not the
 * defaults (runningOptions). A node that does not know the flag answers without data.
 */
export const PING_OPTIONS = 0x10000000;
/**
 * Of DB_TRANSACTION_START, from a leader of ours: the srvid's low half is the generation of the last recovery in
 * which the records of any of those that take part counted. The volatile records of a node that counted in it count,
 * also when it was inactive since. A node that does not know the flag takes its own for worth nothing then.
 */
export const TRANSACTION_UNBROKEN = 0x00080000;
/** Of GET_PUBLIC_IPS: addresses that the node could host now. */
export const PUBLIC_IPS_ONLY_AVAILABLE = 0x00010000;
export const ATTACH_RECOVERY = 0x00020000;
