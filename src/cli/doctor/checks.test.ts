import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ok } from "../../base/result.ts";
import { TUNABLES } from "../../config/tunables.ts";
import type { ConfigProblem, CtdbConfig, CtdbPaths } from "../../config/types.ts";
import { decodeExact } from "../../wire/codec.ts";
import { CAPABILITIES, NODE_FLAGS } from "../../wire/constants.ts";
import { statistics } from "../../wire/structs/statistics.ts";
import { CHECKS } from "./checks.ts";
import type { ClusterFacts, DaemonFacts, Facts, LocalFacts, NodeFacts } from "./facts.ts";
import { nothingOf } from "./gather_cluster.ts";
import type { FileFacts, FileSystemFacts, ProcessFacts } from "./machine.ts";

// --- a healthy cluster of two nodes

const FILE: FileFacts = { kind: "file", mode: 0o600, uid: 0, size: 4096, identity: "1:1" };
const SCRIPT: FileFacts = { ...FILE, mode: 0o755 };
const DIRECTORY: FileFacts = { ...FILE, kind: "directory", mode: 0o755 };
const GIB = 2 ** 30;
const DISK: FileSystemFacts = {
  type: "ext4",
  isLocal: true,
  totalBytes: 100 * GIB,
  freeBytes: 50 * GIB,
  totalInodes: 1000,
  freeInodes: 900,
};
const CLUSTER_DISK: FileSystemFacts = { ...DISK, type: "gfs2", isLocal: false };
const LOCK = "/clusterfs/lock";
const ADDRESSES = ["10.0.0.1", "10.0.0.2"];
const PUBLIC = ["192.0.2.1", "192.0.2.2"];

const PATHS = {
  testMode: false,
  etcDirectory: "/etc/ctdb",
  pidFile: "/run/ctdb/ctdbd.pid",
} as CtdbPaths;
const CONFIG = {
  cluster: { clusterLock: LOCK, nodeAddress: undefined },
  database: { volatileDirectory: "/var/lib/ctdb/volatile" },
  failover: { disabled: false },
  legacy: { realtimeScheduling: true },
} as unknown as CtdbConfig;

const PUBLIC_ADDRESSES: LocalFacts["publicAddresses"] = ok(
  PUBLIC.map((address) => ({
    address: { family: "ipv4" as const, address, port: 0, scope: 0 },
    prefixLength: 24,
    interfaces: ["eth1"],
  })),
);

const LOCAL: LocalFacts = {
  uid: 0,
  paths: PATHS,
  problems: [],
  scriptProblems: [],
  realtimeIsWanted: false,
  config: CONFIG,
  tunableProblems: [],
  nodesSource: { kind: "file", path: "/etc/ctdb/nodes" },
  nodesChangeLeft: undefined,
  nodes: ok(ADDRESSES.map((address, pnn) => ({ pnn, address, deleted: false }))),
  publicAddresses: PUBLIC_ADDRESSES,
  missingInterfaces: [],
  interfaces: [
    { name: "lo", up: true, addresses: [{ address: "127.0.0.1", prefixLength: 8 }] },
    { name: "eth0", up: true, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
    { name: "eth1", up: true, addresses: [{ address: "192.0.2.1", prefixLength: 24 }] },
  ],
  directories: [
    {
      purpose: "persistent databases",
      path: "/var/lib/ctdb/persistent",
      found: DIRECTORY,
      writable: true,
      fileSystem: DISK,
    },
  ],
  databases: [
    { path: "/var/lib/ctdb/persistent/s.tdb.0", found: FILE, isTdb: true, setAside: false },
  ],
  lock: {
    setting: LOCK,
    path: LOCK,
    directory: DIRECTORY,
    writable: true,
    fileSystem: CLUSTER_DISK,
    helper: "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper",
    helperFound: SCRIPT,
  },
  scripts: [{ path: "/etc/ctdb/events/legacy/10.interface.script", isLink: true, found: SCRIPT }],
  notifications: [{ path: "/etc/ctdb/notify.sh", isLink: false, found: SCRIPT }],
  log: { path: "/var/log/ctdb/log.ctdb", lastLines: [], recentProblems: [] },
  sambaIsClustered: true,
  sambaVersion: 0x40011,
  announcedVersion: undefined,
  tlsFiles: [
    {
      path: "/etc/ctdb/tls/node.key",
      isKey: true,
      mode: 0o600,
      problem: undefined,
      certificates: [],
    },
    {
      path: "/etc/ctdb/tls/node.crt",
      isKey: false,
      mode: 0o644,
      problem: undefined,
      certificates: [{ serial: "4A", daysLeft: 90 }],
    },
  ],
};

const process = (pid: number, parent: number, name: string, state = "S"): ProcessFacts => ({
  pid,
  parent,
  name,
  state,
  isRealtime: false,
});
const CTDBD = process(100, 1, "ctdbd");
const RECOVERD = process(101, 100, "ctdb-recoverd");
const HELPER = process(102, 101, "ctdb_mutex_fcnt");

const DAEMON: DaemonFacts = {
  socket: "/run/ctdb/ctdbd.socket",
  socketFile: { ...FILE, kind: "socket", mode: 0o700 },
  filePid: 100,
  problem: undefined,
  pid: 100,
  process: CTDBD,
  family: [CTDBD, RECOVERD, HELPER],
  executable: { path: "/usr/sbin/ctdbd", replaced: false, file: SCRIPT },
  toolFile: SCRIPT,
  openFilesMax: 1048576,
  eventDaemonProblem: "",
  failures: [],
  reach: [],
};

const NODE_MAP = ADDRESSES.map((address, pnn) => ({
  pnn,
  flags: 0,
  addr: { family: "ipv4" as const, address, port: 4379, scope: 0 },
}));
const [NO_STATISTICS] = [decodeExact(statistics, new Uint8Array(statistics.minSize))];
if (!NO_STATISTICS?.ok) throw new Error("statistics without content can be decoded");
const STATISTICS = NO_STATISTICS.value;

const NODES: readonly NodeFacts[] = ADDRESSES.map((address, pnn) => ({
  pnn,
  address,
  flags: 0,
  state: "answers",
  clockOffsetMs: 3,
  upSec: 1000,
  recoveryActive: false,
  runstate: 5,
  nodeMap: NODE_MAP,
  nodesFile: NODE_MAP,
  tunables: TUNABLES.map(({ defaultValue }) => defaultValue),
  lock: LOCK,
  options: new Map(),
  publicIps: PUBLIC.map((ip, host) => ({ address: ip, pnn: host })),
  interfaces: [{ name: "eth1", up: true }],
  capabilities: CAPABILITIES.PARALLEL_RECOVERY | CAPABILITIES.FRAGMENTED_CONTROLS,
  statistics: STATISTICS,
  health: undefined,
  unhealthyDatabases: [],
}));

const CLUSTER: ClusterFacts = {
  own: 0,
  nodes: NODES,
  leader: 0,
  knowledge: {
    leader: 0,
    leader_age: 0,
    heard: [0, 0],
    problems: [],
    versions: [0x40019, 0x40019],
    missing_links: [],
  },
};

const HEALTHY: Facts = { local: LOCAL, daemon: DAEMON, cluster: CLUSTER };

// --- what is planted in it

const local = (change: Partial<LocalFacts>): Facts => ({
  ...HEALTHY,
  local: { ...LOCAL, ...change },
});
const daemon = (change: Partial<DaemonFacts>): Facts => ({
  ...HEALTHY,
  daemon: { ...DAEMON, ...change },
});
const cluster = (change: Partial<ClusterFacts>): Facts => ({
  ...HEALTHY,
  cluster: { ...CLUSTER, ...change },
});
/** Of the other node. */
const node = (change: Partial<NodeFacts>): Facts =>
  cluster({ nodes: NODES.map((each) => (each.pnn === 1 ? { ...each, ...change } : each)) });
const everyNode = (change: Partial<NodeFacts>): Facts =>
  cluster({ nodes: NODES.map((each) => ({ ...each, ...change })) });
const directory = (change: Partial<LocalFacts["directories"][number]>): Facts =>
  local({ directories: LOCAL.directories.map((each) => ({ ...each, ...change })) });
const tlsFile = (change: Partial<LocalFacts["tlsFiles"][number]>): Facts =>
  local({ tlsFiles: LOCAL.tlsFiles.map((each) => ({ ...each, ...change })) });
const disk = (change: Partial<FileSystemFacts>): Facts =>
  directory({ fileSystem: { ...DISK, ...change } });
const database = (change: Partial<LocalFacts["databases"][number]>): Facts =>
  local({ databases: LOCAL.databases.map((each) => ({ ...each, ...change })) });
const lock = (change: Partial<NonNullable<LocalFacts["lock"]>>): Facts =>
  local({ lock: { ...(LOCAL.lock as NonNullable<LocalFacts["lock"]>), ...change } });
const config = (section: Partial<CtdbConfig["cluster"]>): LocalFacts["config"] => ({
  ...CONFIG,
  cluster: { ...CONFIG.cluster, ...section },
});
const problem = (severity: ConfigProblem["severity"]) => ({
  file: "/etc/ctdb/f",
  line: 3,
  reason: "expected something else",
  severity,
});
const reach = (how: DaemonFacts["reach"][number]["reach"]): Facts =>
  daemon({ reach: [{ pnn: 1, address: "10.0.0.2", reach: how }] });
const wrong = (severity: ConfigProblem["severity"]) =>
  ({ ok: false, error: [problem(severity)] }) as const;
const otherMap = NODE_MAP.toReversed().map((entry, pnn) => ({ ...entry, pnn }));
const script = (found: FileFacts | undefined, name = "10.interface.script") => [
  { path: `/etc/ctdb/events/legacy/${name}`, isLink: true, found },
];
const publicOn = (pnn: number) => PUBLIC.map((address) => ({ address, pnn }));

/** By the check that must find it; others may, too. */
const PLANTED: Readonly<Record<string, readonly Facts[]>> = {
  "configuration-invalid": [local({ problems: [problem("error")] })],
  "configuration-unknown": [
    local({ problems: [problem("warning")] }),
    local({ problems: [problem("unknown")] }),
  ],
  "script-options-wrong": [local({ scriptProblems: [problem("error")] })],
  "tunables-invalid": [local({ tunableProblems: [problem("error")] })],
  "nodes-file-missing": [local({ nodes: "there is no file" })],
  "nodes-file-invalid": [local({ nodes: wrong("error") })],
  "nodes-change-unfinished": [local({ nodesChangeLeft: "/etc/ctdb/nodes.new" })],
  "own-address-missing": [
    local({ interfaces: [] }),
    local({ config: config({ nodeAddress: "10.0.0.9" }) }),
  ],
  "public-addresses-invalid": [local({ publicAddresses: wrong("error") })],
  "public-interface-missing": [local({ missingInterfaces: ["eth7"] })],
  "public-address-is-node-address": [
    local({ nodes: ok([{ pnn: 0, address: "192.0.2.1", deleted: false }]) }),
  ],
  "node-address-on-public-interface": [local({ config: config({ nodeAddress: "192.0.2.1" }) })],
  "cluster-lock-unset": [local({ config: config({ clusterLock: undefined }) })],
  "samba-not-clustered": [local({ sambaIsClustered: false })],
  "directory-unusable": [
    directory({ found: undefined }),
    directory({ found: FILE }),
    directory({ writable: false }),
  ],
  "directory-open-to-others": [
    directory({ found: { ...DIRECTORY, mode: 0o777 } }),
    directory({ found: { ...DIRECTORY, uid: 1000 } }),
  ],
  "tls-files-unusable": [tlsFile({ problem: "ENOENT" })],
  "tls-key-open-to-others": [tlsFile({ mode: 0o640 })],
  "certificate-ended": [tlsFile({ certificates: [{ serial: "4A", daysLeft: -0.5 }] })],
  "certificate-ends-soon": [tlsFile({ certificates: [{ serial: "4A", daysLeft: 29.5 }] })],
  "databases-on-tmpfs": [disk({ type: "tmpfs" })],
  "disk-full": [disk({ freeBytes: 1024 }), disk({ freeInodes: 0 })],
  "disk-nearly-full": [disk({ freeBytes: GIB / 2 }), disk({ freeInodes: 5 })],
  "database-file-damaged": [database({ isTdb: false })],
  "database-set-aside": [database({ setAside: true })],
  "database-file-permissions": [
    database({ found: { ...FILE, mode: 0o644 } }),
    database({ path: "/var/lib/ctdb/volatile/locking.tdb.0", found: { ...FILE, mode: 0o666 } }),
    database({ found: { ...FILE, uid: 1000 } }),
  ],
  "cluster-lock-unusable": [lock({ directory: undefined }), lock({ writable: false })],
  "cluster-lock-on-local-disk": [lock({ fileSystem: DISK })],
  "cluster-lock-helper-missing": [lock({ helperFound: undefined }), lock({ helperFound: FILE })],
  "event-scripts-none": [local({ scripts: [] }), local({ scripts: script(FILE) })],
  "interface-script-disabled": [local({ scripts: script(SCRIPT, "50.samba.script") })],
  "event-script-dangling": [local({ scripts: script(undefined) })],
  "event-script-disabled": [local({ scripts: script(FILE) })],
  "notification-script-disabled": [local({ notifications: script(FILE, "notify.sh") })],
  "log-of-failures": [
    local({ log: { ...LOCAL.log, recentProblems: new Array(20).fill("Failed to do it") } }),
  ],
  "daemon-not-running": [
    daemon({ problem: { kind: "nobody", reason: "ENOENT" }, pid: undefined, process: undefined }),
  ],
  "daemon-silent": [
    daemon({ problem: { kind: "silent", reason: "no answer" }, pid: undefined }),
    daemon({ problem: { kind: "nobody", reason: "ECONNREFUSED" }, pid: undefined }),
  ],
  "pid-file-stale": [
    daemon({ filePid: 99 }),
    daemon({ filePid: undefined }),
    daemon({
      problem: { kind: "nobody", reason: "ENOENT" },
      pid: undefined,
      process: process(100, 1, "bash"),
    }),
  ],
  "socket-open-to-others": [daemon({ socketFile: { ...FILE, kind: "socket", mode: 0o777 } })],
  "executable-replaced": [
    daemon({ executable: { path: "/usr/sbin/ctdbd", replaced: true, file: SCRIPT } }),
    daemon({ toolFile: { ...SCRIPT, size: 5000, identity: "1:2" } }),
  ],
  "open-files-few": [daemon({ openFilesMax: 1024 })],
  "realtime-not-possible": [local({ realtimeIsWanted: true })],
  "recovery-daemon-dead": [
    daemon({ family: [CTDBD] }),
    daemon({ family: [CTDBD, { ...RECOVERD, state: "T" }] }),
  ],
  "event-daemon-dead": [daemon({ eventDaemonProblem: "it has not answered" })],
  "cluster-lock-helper-dead": [
    daemon({ family: [CTDBD, RECOVERD] }),
    daemon({ family: [CTDBD, RECOVERD, { ...HELPER, state: "Z" }] }),
  ],
  "node-behind-firewall": [reach("timeout")],
  "node-daemon-down": [reach("refused")],
  "node-unreachable": [reach("unreachable")],
  "node-one-way": [reach("open")],
  "node-silent": [node({ state: "silent" })],
  "node-disconnected": [node({ flags: NODE_FLAGS.DISCONNECTED })],
  "node-banned": [node({ flags: NODE_FLAGS.BANNED })],
  "node-unhealthy": [node({ flags: NODE_FLAGS.UNHEALTHY })],
  "node-disabled": [node({ flags: NODE_FLAGS.PERMANENTLY_DISABLED })],
  "node-stopped": [node({ flags: NODE_FLAGS.STOPPED })],
  "node-not-running": [node({ runstate: 3 })],
  "nodes-file-not-loaded": [node({ nodesFile: otherMap })],
  "nodes-files-differ": [node({ nodesFile: otherMap })],
  "connections-asymmetric": [
    node({ nodeMap: NODE_MAP.map((each) => (each.pnn === 0 ? { ...each, flags: 1 } : each)) }),
  ],
  "cluster-locks-differ": [node({ lock: "/elsewhere/lock" }), node({ lock: "" })],
  "cluster-lock-not-loaded": [everyNode({ lock: "/elsewhere/lock" })],
  "tunables-differ": [node({ tunables: TUNABLES.map(() => 7) })],
  "options-differ": [node({ options: new Map([["[cluster] leader timeout", "9"]]) })],
  "clocks-differ": [node({ clockOffsetMs: 5000 }), node({ clockOffsetMs: -5000 })],
  "peer-old": [
    node({ capabilities: CAPABILITIES.RECMASTER }),
    cluster({
      knowledge: {
        leader: 0,
        leader_age: 0,
        heard: [],
        problems: [],
        versions: [0x40019, 0x40011],
        missing_links: [],
      },
    }),
  ],
  "stock-node-refused": [
    local({ announcedVersion: 0x40019 }),
    local({ sambaVersion: 0x40010 }),
    local({ sambaVersion: 0x4001a }),
  ],
  "leader-missing": [cluster({ leader: undefined })],
  "recovery-active": [node({ recoveryActive: true })],
  "recoveries-frequent": [everyNode({ statistics: { ...STATISTICS, num_recoveries: 30 } })],
  "locks-slow": [
    node({
      statistics: {
        ...STATISTICS,
        locks: { ...STATISTICS.locks, latency: { num: 1, min: 11, max: 11, total: 11 } },
      },
    }),
  ],
  "records-bouncing": [node({ statistics: { ...STATISTICS, max_hop_count: 200 } })],
  "database-corrupt": [
    node({
      unhealthyDatabases: [{ name: "secrets.tdb", reason: "ERROR - Backup of corrupted TDB" }],
    }),
  ],
  "address-unassigned": [everyNode({ publicIps: publicOn(0xffffffff) })],
  "address-on-two-nodes": [node({ publicIps: publicOn(1) })],
  "addresses-on-one-node": [everyNode({ publicIps: publicOn(0) })],
  "address-not-on-interface": [everyNode({ publicIps: publicOn(0) })],
  "public-addresses-differ": [node({ publicIps: [] })],
  "interface-down": [node({ interfaces: [{ name: "eth1", up: false }] })],
};

const found = (facts: Facts) => CHECKS.filter((check) => check.find(facts).length > 0);
const idsOf = (facts: Facts) => found(facts).map(({ id }) => id);

test("A healthy cluster has no finding", () => {
  expect(CHECKS.flatMap((check) => check.find(HEALTHY))).toEqual([]);
});

test("Every check finds what is planted for it", () => {
  expect(Object.keys(PLANTED).sort()).toEqual(CHECKS.map(({ id }) => id).sort());
  const missed = Object.entries(PLANTED).flatMap(([id, cases]) =>
    cases.flatMap((facts, index) => (idsOf(facts).includes(id) ? [] : [`${id} ${index}`])),
  );
  expect(missed).toEqual([]);
});

test("Volatile databases that smbd opened may be read by others", () => {
  const path = "/var/lib/ctdb/volatile/locking.tdb.0";
  expect(idsOf(database({ path, found: { ...FILE, mode: 0o644 } }))).toEqual([]);
});

test("Nothing is concluded from what is not known", () => {
  const {
    pnn: _pnn,
    address: _address,
    flags: _flags,
    ...unknown
  } = nothingOf(NODE_MAP[1] as (typeof NODE_MAP)[number]);
  const facts = node(unknown);
  expect(
    idsOf({ ...facts, cluster: { ...(facts.cluster as ClusterFacts), knowledge: undefined } }),
  ).toEqual(["address-unassigned"]);
  const without = daemon({
    process: undefined,
    pid: undefined,
    problem: { kind: "nobody", reason: "ENOENT" },
    executable: undefined,
    openFilesMax: undefined,
    filePid: undefined,
    family: [],
  });
  expect(idsOf({ ...without, cluster: undefined })).toEqual(["daemon-not-running"]);
});

test("A node that does not run tells why from the end of its log, and nodes that do not answer why they are out", () => {
  const problems = [{ pnn: 1, text: "its nodes list is another one" }];
  const gone = node({ flags: NODE_FLAGS.DISCONNECTED }).cluster as ClusterFacts;
  const facts = {
    local: { ...LOCAL, log: { ...LOCAL.log, lastLines: ["Cannot bind"] } },
    daemon: {
      ...DAEMON,
      problem: { kind: "nobody" as const, reason: "ENOENT" },
      process: undefined,
    },
    cluster: {
      ...gone,
      knowledge: { ...(CLUSTER.knowledge as NonNullable<ClusterFacts["knowledge"]>), problems },
    },
  };
  const said = found(facts).flatMap((check) => check.find(facts));
  expect(said).toContain("ctdbd does not run; the log ends with: Cannot bind");
  expect(said).toContain('Node 1, "10.0.0.2", is not connected: its nodes list is another one');
});

test("docs/operations.md has every check, and no other", () => {
  const text = readFileSync(join(import.meta.dir, "../../../docs/operations.md"), "utf8");
  const section = text.split("\n## ").find((part) => part.startsWith("ctdb doctor\n")) ?? "";
  const rows = [...section.matchAll(/^\| `([a-z-]+)` \| (\w+) \| (.*) \|$/gm)];
  expect(rows.map(([, id, severity, examines]) => [id, severity, examines])).toEqual(
    CHECKS.map(({ id, severity, examines }) => [id, severity, examines]),
  );
});
