/** Bit flags, enumerations and srvids of the protocol (docs/protocol.md, "Flags" and "Srvids"). */
import { textBytes } from "../base/byte_text.ts";
import { type U64, u64 } from "../base/u64.ts";

export const NODE_FLAGS = {
  DISCONNECTED: 0x01,
  UNHEALTHY: 0x02,
  PERMANENTLY_DISABLED: 0x04,
  BANNED: 0x08,
  DELETED: 0x10,
  STOPPED: 0x20,
} as const;
export const NODE_FLAGS_INACTIVE =
  NODE_FLAGS.DELETED | NODE_FLAGS.DISCONNECTED | NODE_FLAGS.BANNED | NODE_FLAGS.STOPPED;
/** A node with any of these is given no public address. */
export const NODE_FLAGS_HOSTS_NOTHING =
  NODE_FLAGS_INACTIVE | NODE_FLAGS.UNHEALTHY | NODE_FLAGS.PERMANENTLY_DISABLED;

export const CAPABILITIES = {
  RECMASTER: 0x01,
  LMASTER: 0x02,
  PARALLEL_RECOVERY: 0x00010000,
  FRAGMENTED_CONTROLS: 0x00020000,
} as const;

export const DB_FLAGS = { PERSISTENT: 1, READONLY: 2, STICKY: 4, REPLICATED: 8 } as const;

export const RECORD_FLAGS = {
  PERSISTENT: 0x1,
  PERSISTENT_IN_PROGRESS: 0x2,
  MIGRATED_WITH_DATA: 0x00010000,
  VACUUM_MIGRATED: 0x00020000,
  AUTOMATIC: 0x00040000,
  RO_HAVE_DELEGATIONS: 0x01000000,
  RO_HAVE_READONLY: 0x02000000,
  RO_REVOKING_READONLY: 0x04000000,
  RO_REVOKE_COMPLETE: 0x08000000,
} as const;
/** Key of the number that transactions on a persistent or replicated database raise, with its NUL. */
export const SEQUENCE_KEY: Uint8Array = textBytes("__db_sequence_number__\0");

export const RECORD_FLAGS_RO = 0x0f000000;

export const CALL_FLAGS = {
  IMMEDIATE_MIGRATION: 1,
  VACUUM_MIGRATION: 2,
  WANT_READONLY: 4,
} as const;
export const NULL_FUNC = 0xff000001;
export const FETCH_FUNC = 0xff000002;
export const FETCH_WITH_HEADER_FUNC = 0xff000003;

export const RUNSTATES = [
  "UNKNOWN",
  "INIT",
  "SETUP",
  "FIRST_RECOVERY",
  "STARTUP",
  "RUNNING",
  "SHUTDOWN",
] as const;
export type Runstate = (typeof RUNSTATES)[number];

export const RECOVERY_NORMAL = 0;
export const RECOVERY_ACTIVE = 1;

export const CTDB_PORT = 4379;

function srvid(prefix: number): U64 {
  return u64(prefix * 0x10000, 0);
}

export const SRVID = {
  ALL: u64(0xffffffff, 0xffffffff),
  RECOVERY_PREFIX: srvid(0xf001),
  BANNING: srvid(0xf002),
  ELECTION: srvid(0xf100),
  LEADER: srvid(0xf101),
  RECONFIGURE: srvid(0xf200),
  RELEASE_IP: srvid(0xf300),
  TAKE_IP: srvid(0xf301),
  IPREALLOCATED: srvid(0xf302),
  START_IPREALLOCATE: srvid(0xf303),
  SET_NODE_FLAGS: srvid(0xf400),
  RECD_UPDATE_IP: srvid(0xf500),
  VACUUM_FETCH: srvid(0xf700),
  DETACH_DATABASE: srvid(0xf701),
  MEM_DUMP: srvid(0xf800),
  PUSH_NODE_FLAGS: srvid(0xf900),
  RELOAD_NODES: srvid(0xfa00),
  TAKEOVER_RUN: srvid(0xfb00),
  REBALANCE_NODE: srvid(0xfb01),
  DISABLE_TAKEOVER_RUNS: srvid(0xfb03),
  DISABLE_RECOVERIES: srvid(0xfb04),
  DISABLE_IP_CHECK: srvid(0xfc00),
  // Ours, among nodes and clients of our kind (docs/journal.md).
  JOURNAL_REPORT: srvid(0xdc00),
  JOURNAL_READ: srvid(0xdc01),
  NODE_FACTS: srvid(0xdc02),
  NODES_FILE: srvid(0xdc03),
  // Between ctdbds of ours (docs/recovery.md, "Links that are missing").
  LINKS_CHANGED: srvid(0xdc07),
  // Between helpers of the lock by majority and recovery daemons (docs/recovery.md).
  LOCK_LEASE: srvid(0xdc04),
  API_REQUEST: srvid(0xdc10),
  OUR_ANSWERS: srvid(0xdc20),
} as const;
