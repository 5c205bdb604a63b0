/**
 * The structs that controls and messages carry (docs/protocol.md, "Structs"): each layout once, as a
 * codec; the TypeScript type follows from it. Field names are the wire's.
 */
import { err, ok, type Result } from "../base/result.ts";
import {
  boolCodec,
  type Codec,
  counted,
  countedBytes,
  countedString,
  countedStringOrNone,
  f64Codec,
  fixedString,
  i32Codec,
  pad,
  type Reader,
  struct,
  type TypeOf,
  tuple,
  u8Codec,
  u16Codec,
  u32Codec,
  u64Codec,
  type Writer,
} from "./codec.ts";

export const timeval: Codec<{ readonly sec: number; readonly usec: number }> = {
  minSize: 16,
  encode(writer, value) {
    writer.i64(value.sec);
    writer.i64(value.usec);
  },
  decode(reader) {
    return { sec: reader.i64(), usec: reader.i64() };
  },
};

// --- addresses ---------------------------------------------------------------------------------

/**
 * Address and port of a node, client or public address. `family` is "none" for all zeros (an address
 * that is not set); others than IPv4 and IPv6 do not decode.
 */
export interface SockAddr {
  readonly family: "none" | "ipv4" | "ipv6";
  /** Canonical text without port: "10.0.0.1", "fe80::1". Empty for "none". */
  readonly address: string;
  readonly port: number;
  /** IPv6 scope id, else 0. */
  readonly scope: number;
}

export const NO_ADDRESS: SockAddr = { family: "none", address: "", port: 0, scope: 0 };

const AF_INET = 2;
const AF_INET6 = 10;

export const sockAddr: Codec<SockAddr> = {
  minSize: 28,
  encode(writer, value) {
    if (value.family === "none") return writer.zeros(28);
    writer.u16(value.family === "ipv4" ? AF_INET : AF_INET6);
    writer.u16be(value.port);
    const bytes = addressBytes(value.address);
    if (value.family === "ipv4") {
      writer.bytes(bytes);
      writer.zeros(20);
    } else {
      writer.u32(0);
      writer.bytes(bytes);
      writer.u32(value.scope);
    }
  },
  decode(reader) {
    if (!reader.need(28, "socket address")) return NO_ADDRESS;
    const end = reader.at + 28;
    const family = reader.u16();
    const port = reader.u16be();
    if (family === AF_INET) {
      const address = `${reader.u8()}.${reader.u8()}.${reader.u8()}.${reader.u8()}`;
      reader.at = end;
      return { family: "ipv4", address, port, scope: 0 };
    }
    if (family === AF_INET6) {
      reader.skip(4);
      const address = ipv6Text(reader.take(16, "address"));
      return { family: "ipv6", address, port, scope: reader.u32() };
    }
    reader.at = end;
    if (family !== 0) reader.fail(`address family ${family} is neither IPv4 nor IPv6`);
    return NO_ADDRESS;
  },
};

/**
 * Parses "10.0.0.1" or "fe80::1"; the reason when it is neither. The one parser of addresses that people
 * write, with the forms of the original, so that a file means the same to every tool: what inet_pton takes, an IPv6
 * address also in brackets, and an IPv4-mapped one, which must end in dotted form, is the IPv4 address.
 */
export function parseAddress(text: string, port = 0): Result<SockAddr> {
  const bracketed = text.startsWith("[") && text.endsWith("]") && text.includes(":");
  const bare = bracketed ? text.slice(1, -1) : text;
  const v6 = parseIpv6(bare);
  if (v6 !== undefined && !isIpv4Mapped(v6)) {
    return ok({ family: "ipv6", address: ipv6Text(v6), port, scope: 0 });
  }
  const v4 = parseIpv4(v6 === undefined ? text : bare.slice(bare.lastIndexOf(":") + 1));
  if (v4 !== undefined) return ok({ family: "ipv4", address: v4.join("."), port, scope: 0 });
  return err(`expected an IP address, got "${text}"`);
}

/** The 4 or 16 bytes of an address in canonical text. */
export function addressBytes(address: string): Uint8Array {
  return parseIpv4(address) ?? parseIpv6(address) ?? new Uint8Array(16);
}

const DOT = 46;
const ZERO = 48;

/** Character by character: each node's address is written each time when somebody asks for the nodes. */
function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || part === 3) return undefined;
      bytes[part] = value;
      part += 1;
      value = 0;
      digits = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    // As inet_pton: other parsers read a leading zero as octal.
    if (digits > 0 && value === 0) return undefined;
    value = value * 10 + digit;
    digits += 1;
    if (value > 255) return undefined;
  }
  if (digits === 0 || part !== 3) return undefined;
  bytes[3] = value;
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return undefined;
  let tail = text;
  let v4: Uint8Array | undefined;
  const dotted = text.lastIndexOf(":") + 1;
  if (text.includes(".")) {
    v4 = parseIpv4(text.slice(dotted));
    if (v4 === undefined) return undefined;
    tail = `${text.slice(0, dotted)}0:0`;
  }
  const halves = tail.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) =>
    half === undefined || half === "" ? [] : half.split(":");
  const head = groups(halves[0]);
  const rest = groups(halves[1]);
  const missing = 8 - head.length - rest.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<string>(Math.max(missing, 0)).fill("0"), ...rest];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  });
  if (v4 !== undefined) bytes.set(v4, 12);
  return bytes;
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  return (
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  );
}

/** The text of inet_ntop: RFC 5952, IPv4-mapped and IPv4-compatible addresses end in dotted form. */
function ipv6Text(bytes: Uint8Array): string {
  if (isIpv4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join(".")}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  );
  if (groups.slice(0, 6).every((g) => g === "0") && groups[6] !== "0") {
    return `::${bytes.subarray(12).join(".")}`;
  }
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === "0") end++;
    if (end - i > best.length) best = { start: i, length: end - i };
  }
  if (best.start < 0) return groups.join(":");
  const head = groups.slice(0, best.start).join(":");
  return `${head}::${groups.slice(best.start + best.length).join(":")}`;
}

/** A TCP connection. In TCP_* controls and tickle lists `src` is the remote client. */
export const connection = struct({ src: sockAddr, dst: sockAddr });

export const tickleList = struct({
  addr: sockAddr,
  connections: counted(connection, "connections"),
});

/** An empty interface name is sent as length 0 (DEL_PUBLIC_IP). */
export const addrInfo = struct({ addr: sockAddr, mask: u32Codec, iface: countedStringOrNone });

export const publicIp = struct({ pnn: u32Codec, addr: sockAddr });
export const publicIpList = counted(publicIp, "public addresses");

export const iface = struct({ name: fixedString(18), link_state: u16Codec, references: u32Codec });
export const ifaceList = counted(iface, "interfaces");

const publicIpInfoHead = struct({ ip: publicIp, active_idx: u32Codec });
export const publicIpInfo = struct({ head: publicIpInfoHead, ifaces: ifaceList });

// --- cluster -----------------------------------------------------------------------------------

export const nodeAndFlags = struct({ pnn: u32Codec, flags: u32Codec, addr: sockAddr });
export type NodeAndFlags = TypeOf<typeof nodeAndFlags>;
export const nodeMap = counted(nodeAndFlags, "nodes");
/** Why a node is kept out: a sentence for people. */
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
  problems: peerProblems,
});
export type NodeKnowledge = TypeOf<typeof nodeKnowledge>;

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

export const dbId = struct({ db_id: u32Codec, flags: u8Codec, _0: pad(3) });
export const dbIdMap = counted(dbId, "databases");

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

export const serverId = struct({
  pid: u64Codec,
  task: u32Codec,
  vnn: u32Codec,
  unique: u64Codec,
});
export type ServerId = TypeOf<typeof serverId>;

export const gLock = struct({ type: u32Codec, _0: pad(4), server_id: serverId });
export type GLock = TypeOf<typeof gLock>;

/** g_lock entries fill the record: there is no count. */
export const gLockList: Codec<readonly GLock[]> = {
  minSize: 0,
  encode(writer, values) {
    for (const value of values) gLock.encode(writer, value);
  },
  decode(reader) {
    const values: GLock[] = [];
    while (reader.remaining > 0 && !reader.failed) values.push(gLock.decode(reader));
    return values;
  },
};

// --- tunables ----------------------------------------------------------------------------------

export const tunableValue = struct({ value: u32Codec, name: countedString });
export const TUNABLE_COUNT = 62;
export const tunableList = tuple(u32Codec, TUNABLE_COUNT);

// --- records -----------------------------------------------------------------------------------

export const LTDB_HEADER_BYTES = 24;

/** The 24 bytes in front of every value in a CTDB database. */
export const ltdbHeader = struct({
  rsn: u64Codec,
  dmaster: u32Codec,
  reserved1: u32Codec,
  flags: u32Codec,
  _0: pad(4),
});
export type LtdbHeader = TypeOf<typeof ltdbHeader>;

/**
 * One record of a rec_buffer or of a traverse. `data` includes the ltdb header where the user of the
 * buffer says so. Key and data are views of the decoded bytes.
 */
export interface RecData {
  readonly reqid: number;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

export const REC_DATA_HEAD_BYTES = 16;

export const recData: Codec<RecData> = {
  minSize: REC_DATA_HEAD_BYTES,
  encode(writer, value) {
    writer.u32(REC_DATA_HEAD_BYTES + value.key.length + value.data.length);
    writer.u32(value.reqid);
    writer.u32(value.key.length);
    writer.u32(value.data.length);
    writer.bytes(value.key);
    writer.bytes(value.data);
  },
  decode(reader) {
    const length = reader.u32();
    const reqid = reader.u32();
    const keyLength = reader.u32();
    const dataLength = reader.u32();
    if (!reader.failed && length !== REC_DATA_HEAD_BYTES + keyLength + dataLength) {
      reader.fail(
        `record length ${length} is not ${REC_DATA_HEAD_BYTES}+${keyLength}+${dataLength}`,
      );
    }
    return { reqid, key: reader.take(keyLength, "key"), data: reader.take(dataLength, "data") };
  },
};

/** Records of one database, packed without alignment. */
export const recBuffer: Codec<{ readonly db_id: number; readonly records: readonly RecData[] }> = {
  minSize: 8,
  encode(writer, value) {
    writer.u32(value.db_id);
    recDataList.encode(writer, value.records);
  },
  decode(reader) {
    return { db_id: reader.u32(), records: recDataList.decode(reader) };
  },
};
const recDataList = counted(recData, "records");
export type RecBuffer = TypeOf<typeof recBuffer>;

/** SCHEDULE_FOR_DELETION. */
export const keyData = struct({
  db_id: u32Codec,
  _0: pad(4),
  header: ltdbHeader,
  key: countedBytes,
});

/** PUSH_RECORD (upstream 4.25). */
export const pushRecord = struct({
  generation: u32Codec,
  db_id: u32Codec,
  header: ltdbHeader,
  key: countedBytes,
  data: countedBytes,
});

// --- databases and recovery --------------------------------------------------------------------

/** db_id and generation of a database transaction; also WIPE_DATABASE. */
export const transDb = struct({ db_id: u32Codec, tid: u32Codec });
export const pullDbExt = struct({ db_id: u32Codec, lmaster: u32Codec, srvid: u64Codec });
export const traverseStart = struct({ db_id: u32Codec, reqid: u32Codec, srvid: u64Codec });
export const traverseAll = struct({
  db_id: u32Codec,
  reqid: u32Codec,
  pnn: u32Codec,
  client_reqid: u32Codec,
  srvid: u64Codec,
});
export const traverseStartExt = struct({
  db_id: u32Codec,
  reqid: u32Codec,
  srvid: u64Codec,
  with_empty_records: boolCodec,
  _0: pad(7),
});
export const traverseAllExt = struct({
  db_id: u32Codec,
  reqid: u32Codec,
  pnn: u32Codec,
  client_reqid: u32Codec,
  srvid: u64Codec,
  with_empty_records: boolCodec,
  _0: pad(7),
});
/** GET_DB_SEQNUM: a u32 in 8 bytes. */
export const paddedDbId = struct({ db_id: u32Codec, _0: pad(4) });
/** DB_VACUUM: packed, 5 bytes. */
export const dbVacuum = struct({ db_id: u32Codec, full_vacuum_run: boolCodec });

// --- clients -----------------------------------------------------------------------------------

export const notifyData = struct({ srvid: u64Codec, data: countedBytes });
/** Packed, 12 bytes. */
export const pidSrvid = struct({ pid: i32Codec, srvid: u64Codec });
export const echoData = struct({ timeout: u32Codec, data: countedBytes });

// --- statistics --------------------------------------------------------------------------------

export const MAX_COUNT_BUCKETS = 16;
export const MAX_HOT_KEYS = 10;
export const MAX_STAT_HISTORY = 100;

export const latencyCounter = struct({
  num: i32Codec,
  _0: pad(4),
  min: f64Codec,
  max: f64Codec,
  total: f64Codec,
});
export type LatencyCounter = TypeOf<typeof latencyCounter>;

const buckets = tuple(u32Codec, MAX_COUNT_BUCKETS);

const lockStatistics = struct({
  num_calls: u32Codec,
  num_current: u32Codec,
  num_pending: u32Codec,
  num_failed: u32Codec,
  latency: latencyCounter,
  buckets,
});

export const statistics = struct({
  num_clients: u32Codec,
  frozen: u32Codec,
  recovering: u32Codec,
  client_packets_sent: u32Codec,
  client_packets_recv: u32Codec,
  node_packets_sent: u32Codec,
  node_packets_recv: u32Codec,
  keepalive_packets_sent: u32Codec,
  keepalive_packets_recv: u32Codec,
  node: struct({
    req_call: u32Codec,
    reply_call: u32Codec,
    req_dmaster: u32Codec,
    reply_dmaster: u32Codec,
    reply_error: u32Codec,
    req_message: u32Codec,
    req_control: u32Codec,
    reply_control: u32Codec,
    req_tunnel: u32Codec,
  }),
  client: struct({
    req_call: u32Codec,
    req_message: u32Codec,
    req_control: u32Codec,
    req_tunnel: u32Codec,
  }),
  timeouts: struct({ call: u32Codec, control: u32Codec, traverse: u32Codec }),
  _0: pad(4),
  reclock: struct({ ctdbd: latencyCounter, recd: latencyCounter }),
  locks: lockStatistics,
  total_calls: u32Codec,
  pending_calls: u32Codec,
  childwrite_calls: u32Codec,
  pending_childwrite_calls: u32Codec,
  memory_used: u32Codec,
  __last_counter: u32Codec,
  max_hop_count: u32Codec,
  hop_count_bucket: buckets,
  _1: pad(4),
  call_latency: latencyCounter,
  childwrite_latency: latencyCounter,
  num_recoveries: u32Codec,
  _2: pad(4),
  statistics_start_time: timeval,
  statistics_current_time: timeval,
  total_ro_delegations: u32Codec,
  total_ro_revokes: u32Codec,
});
export type Statistics = TypeOf<typeof statistics>;

/** Always 100 entries on the wire; the first `num` are valid. */
export const statisticsHistory = struct({
  num: u32Codec,
  _0: pad(4),
  entries: tuple(statistics, MAX_STAT_HISTORY),
});

const hotKeyHead = struct({ count: u32Codec, _0: pad(4), pointer: u64Codec, size: u64Codec });
const dbStatisticsFixed = struct({
  locks: lockStatistics,
  vacuum_latency: latencyCounter,
  db_ro_delegations: u32Codec,
  db_ro_revokes: u32Codec,
  hop_count_bucket: buckets,
  num_hot_keys: u32Codec,
  _0: pad(4),
  hot_keys: tuple(hotKeyHead, MAX_HOT_KEYS),
});

type DbStatisticsFixed = TypeOf<typeof dbStatisticsFixed>;
export type DbStatistics = Omit<DbStatisticsFixed, "num_hot_keys" | "hot_keys"> & {
  readonly hot_keys: readonly { readonly count: number; readonly key: Uint8Array }[];
};

/** The fixed part, then the bytes of the hot keys one after another. */
export const dbStatistics: Codec<DbStatistics> = {
  minSize: dbStatisticsFixed.minSize,
  encode(writer: Writer, value: DbStatistics) {
    const heads = Array.from({ length: MAX_HOT_KEYS }, (_, i) => ({
      count: value.hot_keys[i]?.count ?? 0,
      pointer: { hi: 0, lo: 0 },
      size: { hi: 0, lo: value.hot_keys[i]?.key.length ?? 0 },
    }));
    dbStatisticsFixed.encode(writer, { ...value, num_hot_keys: MAX_HOT_KEYS, hot_keys: heads });
    for (const hot of value.hot_keys.slice(0, MAX_HOT_KEYS)) writer.bytes(hot.key);
  },
  decode(reader: Reader) {
    const { num_hot_keys, hot_keys, ...rest } = dbStatisticsFixed.decode(reader);
    if (!reader.failed && num_hot_keys > MAX_HOT_KEYS) {
      reader.fail(`${num_hot_keys} hot keys, at most ${MAX_HOT_KEYS} are allowed`);
    }
    const keys = hot_keys.slice(0, num_hot_keys).map((head) => ({
      count: head.count,
      key: reader.take(head.size.hi > 0 ? 0xffffffff : head.size.lo, "hot key"),
    }));
    return { ...rest, hot_keys: keys };
  },
};
