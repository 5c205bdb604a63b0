/** Structs about nodes and the cluster: maps, elections, flags, bans (docs/protocol.md, "Structs"). */
import {
  type Codec,
  counted,
  countedString,
  i32Codec,
  pad,
  struct,
  type TypeOf,
  u32Codec,
  u64Codec,
} from "../codec.ts";
import { sockAddr } from "./socket_address.ts";
import { timeval } from "./time.ts";

export const nodeAndFlags = struct({ pnn: u32Codec, flags: u32Codec, addr: sockAddr });
export type NodeAndFlags = TypeOf<typeof nodeAndFlags>;
export const nodeMap = counted(nodeAndFlags, "nodes");
/** What is wrong with a node: a sentence for people. */
export const peerProblem = struct({ pnn: u32Codec, text: countedString });
export type PeerProblem = TypeOf<typeof peerProblem>;
export const peerProblems = counted(peerProblem, "problems of nodes");
/**
 * What a node has last heard of the others (PING_KNOWLEDGE). Times are ages in milliseconds; `heard` has one for
 * each pnn, an upper bound.
 */
export const nodeKnowledge = struct({
  /** UNKNOWN_PNN during an election. */
  leader: u32Codec,
  leader_age: u32Codec,
  heard: counted(u32Codec, "nodes"),
  /** Of nodes that this one keeps out, or that refuse it. */
  problems: peerProblems,
  /** Samba releases by pnn, as in keepalives: major << 16 | minor; 0 for what was not told yet. */
  versions: counted(u32Codec, "versions"),
  /** Of nodes that cannot reach each other, or this one, though others can. */
  missing_links: peerProblems,
});
export type NodeKnowledge = TypeOf<typeof nodeKnowledge>;

/** A script that made a monitor event fail. */
export const monitorFailure = struct({
  /** At most SCRIPT_NAME_BYTES_MAX. */
  script: countedString,
  /** Exit status, or a negative errno: −ETIMEDOUT when it hung. */
  result: i32Codec,
  /** DURATION_UNKNOWN for one that was given up. */
  duration_ms: u32Codec,
  /** What it said, one line of at most SCRIPT_LINE_BYTES_MAX; empty for nothing. */
  line: countedString,
});
export type MonitorFailure = TypeOf<typeof monitorFailure>;
export const DURATION_UNKNOWN = 0xffffffff;
/**
 * Why a node is unhealthy, as it knows itself (PING_HEALTH): at most HEALTH_BYTES_MAX. Without failures no script is
 * known to have failed; without monitor events none has ended since the start.
 */
export const nodeHealth = struct({
  /** HEALTH_MAGIC. */
  magic: u32Codec,
  monitor_events: u32Codec,
  failures: counted(monitorFailure, "failures of scripts"),
});
export type NodeHealth = TypeOf<typeof nodeHealth>;
export const HEALTH_MAGIC = 0x6865616c;

/** How long turns of a node's event loop took since its start (PING_TURNS). */
export const nodeTurns = struct({
  /** TURNS_MAGIC. */
  magic: u32Codec,
  longest_us: u32Codec,
  /** How many took less than each bound of TURN_BUCKETS_MS, and then those that took longer; modulo 2³². */
  buckets: counted(u32Codec, "buckets"),
});
export type NodeTurns = TypeOf<typeof nodeTurns>;
export const TURNS_MAGIC = 0x7475726e;

/** A flag of a node, since when it has it, and why. */
const flagReason = struct({
  pnn: u32Codec,
  flag: u32Codec,
  /** Milliseconds; at most AGE_MS_MAX. */
  age_ms: u32Codec,
  /** At most STANDING_REASON_BYTES_MAX. */
  reason: countedString,
});
export type FlagReason = TypeOf<typeof flagReason>;
/** What a recovery does to a database on one node. */
const databaseStanding = struct({
  name: countedString,
  /** A number of DATABASE_STANDINGS. */
  doing: u32Codec,
  /** Since it began to be frozen, in milliseconds; at most AGE_MS_MAX. */
  age_ms: u32Codec,
  /** Sent to the leader or taken from it since then; modulo 2³². */
  records: u32Codec,
});
export const DATABASE_STANDINGS = ["freezing", "frozen", "in transaction", "committing"] as const;

/** Why nodes are as they are, as one node knows (PING_STANDING). */
export const nodeStanding = struct({
  /** STANDING_MAGIC. */
  magic: u32Codec,
  flags: counted(flagReason, "reasons of flags"),
  /** Since when and why databases are frozen for a recovery; `reason` is empty when they are not. */
  recovery_age_ms: u32Codec,
  recovery_reason: countedString,
  /** All that it has, and those of them that are not frozen. */
  databases: u32Codec,
  ready: u32Codec,
  /** The others, at most STANDING_DATABASES_MAX, the one that was frozen first first. */
  recovering: counted(databaseStanding, "databases that are recovered"),
});
export type NodeStanding = TypeOf<typeof nodeStanding>;
export type DatabasesStanding = Pick<NodeStanding, "databases" | "ready" | "recovering">;
export const STANDING_MAGIC = 0x73746e64;
/** Options of configuration files that all nodes should have the same of (PING_OPTIONS). */
export const runningOptions = struct({
  /** OPTIONS_MAGIC. */
  magic: u32Codec,
  /** Those that are not the default; as `[cluster] leader timeout`, and as a file would say it. */
  options: counted(struct({ path: countedString, text: countedString }), "options"),
});
export const OPTIONS_MAGIC = 0x6f707473;
export const AGE_MS_MAX = 0xffffffff;

export const vnnMap: Codec<{ readonly generation: number; readonly map: readonly number[] }> = {
  minSize: 8,
  encode(writer, value) {
    writer.u32(value.generation);
    vnnMapEntries.encode(writer, value.map);
  },
  decode(reader) {
    return { generation: reader.u32(), map: vnnMapEntries.decode(reader) };
  },
};
const vnnMapEntries = counted(u32Codec, "vnn map entries");
export type VnnMap = TypeOf<typeof vnnMap>;

export const uptime = struct({
  current_time: timeval,
  ctdbd_start_time: timeval,
  last_recovery_started: timeval,
  last_recovery_finished: timeval,
});

export const electionMessage = struct({
  num_connected: u32Codec,
  _0: pad(4),
  priority_time: timeval,
  pnn: u32Codec,
  node_flags: u32Codec,
});
export type ElectionMessage = TypeOf<typeof electionMessage>;

export const srvidMessage = struct({ pnn: u32Codec, _0: pad(4), srvid: u64Codec });
export const disableMessage = struct({
  pnn: u32Codec,
  _0: pad(4),
  srvid: u64Codec,
  timeout: u32Codec,
  _1: pad(4),
});

export const flagChange = struct({ pnn: u32Codec, new_flags: u32Codec, old_flags: u32Codec });
export type FlagChange = TypeOf<typeof flagChange>;
export const banState = struct({ pnn: u32Codec, time: u32Codec });
export type BanState = TypeOf<typeof banState>;
