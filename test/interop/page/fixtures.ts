/**
 * Documents of a cluster of three nodes for the page, as the API makes them: fixtures.test.ts holds them against its schemas.
 * Times are counted back from a moment that the test gives.
 */
import type { ClusterDocument } from "../../../src/admin/cluster/document.ts";
import type { JournalEvent } from "../../../src/base/journal_event.ts";
import { TURN_BUCKETS_MS } from "../../../src/base/trace.ts";
import type { EventDocument, SourceDocument } from "../../../src/wire/journal_documents.ts";

export type PageCluster = ClusterDocument & {
  readonly schema_version: number;
  readonly actions: boolean;
};
type NodeDocument = ClusterDocument["nodes"][number];

export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

const NODES = [0, 1, 2];

function nodeDocument(node: number, flags: readonly string[], why: string | null): NodeDocument {
  return {
    node,
    address: `10.0.0.${node + 1}`,
    flags: [...flags],
    why,
    version: "0.1.0",
    own_journal: "kept",
  } as NodeDocument;
}

export function healthyCluster(nowMs: number): PageCluster {
  return {
    schema_version: 1,
    time: timeText(nowMs),
    node: 0,
    leader: 0,
    generation: 1_734_921_310,
    recovering: false,
    nodes: NODES.map((node) => nodeDocument(node, [], null)),
    views: NODES.map((by) => ({
      by,
      sees: NODES.map((node) => ({
        node,
        flags: [],
        connected: true,
        heard_ms: by === node ? null : 400 + 300 * node,
      })),
    })),
    addresses: NODES.flatMap((node) =>
      [0, 1].map((i) => ({
        address: `192.0.2.${10 + 2 * node + i}`,
        node,
        may_be_on: node === 0 && i === 1 ? [0, 2] : [0, 1, 2],
      })),
    ),
    databases: [
      database("locking.tdb", 0x7132c184, "volatile", 18_204, 312.4, 41.2, [
        { key_hex: "a1b2c3d4e5f60718293a4b5c6d7e8f90aabbccdd", count: 1840 },
        { key_hex: hexOf("share/accounts/ledger.db"), count: 322 },
      ]),
      database("brlock.tdb", 0x521b7544, "volatile", 412, 96, 4.5, []),
      database("smbXsrv_open_global.tdb", 0x477d2e20, "volatile", 2210, 58.2, 2.1, []),
      database("g_lock.tdb", 0x4d2a432b, "volatile", 3, 0.4, 0, []),
      database("secrets.tdb", 0x38575a13, "persistent", 21, 0, 0, []),
      database("registry.tdb", 0xf2a58948, "persistent", 198, 0.1, 0, []),
      database("ctdb.tdb", 0x66f71b8c, "replicated", 6, 0, 0, []),
    ],
    turns: NODES.map((node) => ({
      node,
      longest_ms: node === 1 ? 148 : 12.4 + node,
      buckets: [...TURN_BUCKETS_MS, null].map((le_ms, i) => ({
        le_ms,
        count: [918_204, 40_112, 3310, 204, 31, 6, 1, node === 1 ? 1 : 0][i] ?? 0,
      })),
    })),
    conditions: [],
    actions: false,
  };
}

function database(
  name: string,
  id: number,
  kind: "volatile" | "persistent" | "replicated",
  records: number,
  calls: number,
  migrations: number,
  hot: readonly { key_hex: string; count: number }[],
): ClusterDocument["databases"][number] {
  return {
    name,
    id: `0x${id.toString(16).padStart(8, "0")}`,
    kind,
    healthy: true,
    records,
    calls_per_second: calls,
    migrations_per_second: migrations,
    hot_keys: [...hot],
  };
}

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}

/** Node 2 is banned, the link between 0 and 1 goes one way, an address is nowhere. */
export function troubledCluster(nowMs: number): PageCluster {
  const healthy = healthyCluster(nowMs);
  const why =
    "banned for 300 s by node 0: recoveries failed 3 times while it was asked to freeze (script 49.winbind hung)";
  return {
    ...healthy,
    nodes: [
      nodeDocument(0, [], null),
      nodeDocument(1, ["UNHEALTHY"], 'event "monitor": 50.samba failed: "No space left on device"'),
      nodeDocument(2, ["BANNED"], why),
    ],
    views: [
      viewBy(0, { 1: ["UNHEALTHY"], 2: ["BANNED"] }, []),
      viewBy(1, { 1: ["UNHEALTHY"], 2: ["BANNED"] }, [0]),
      { by: 2, sees: null },
    ],
    addresses: healthy.addresses.map((each, i) => ({ ...each, node: i === 5 ? null : 0 })),
    databases: healthy.databases.map((each) =>
      each.name === "registry.tdb" ? { ...each, healthy: false } : each,
    ),
    turns: healthy.turns.map((each) =>
      each.node === 2
        ? {
            ...each,
            longest_ms: 4210,
            buckets: each.buckets.map(({ le_ms }) => ({ le_ms, count: le_ms === null ? 1 : 7 })),
          }
        : each,
    ),
    conditions: [
      {
        id: "address-unassigned",
        severity: "critical",
        text: "192.0.2.15 is on no node",
        advice:
          "No node that may have it is healthy: see why node 1 is unhealthy and node 2 is banned.",
      },
      {
        id: "connections-asymmetric",
        severity: "critical",
        text: "node 0 is connected with node 1, node 1 is not connected with node 0",
        advice: "Look at firewalls and routes between 10.0.0.1 and 10.0.0.2, TCP port 4379.",
      },
      {
        id: "addresses-on-one-node",
        severity: "warning",
        text: "all public addresses are on node 0",
        advice: "They spread again when another node is healthy.",
      },
    ],
  } as PageCluster;
}

function viewBy(
  by: number,
  flags: Readonly<Record<number, readonly string[]>>,
  lost: readonly number[],
): ClusterDocument["views"][number] {
  return {
    by,
    sees: NODES.map((node) => ({
      node,
      flags: [...(lost.includes(node) ? ["DISCONNECTED"] : []), ...(flags[node] ?? [])],
      connected: !lost.includes(node),
      heard_ms: by === node ? null : 900,
    })),
  } as ClusterDocument["views"][number];
}

export function withoutNode(cluster: PageCluster, killed: number): PageCluster {
  return {
    ...cluster,
    nodes: cluster.nodes.map((each) =>
      each.node === killed ? nodeDocument(killed, ["DISCONNECTED"], "not heard from") : each,
    ),
    views: cluster.views.map(({ by, sees }) => ({
      by,
      sees:
        by === killed
          ? null
          : (sees?.map((each) =>
              each.node === killed
                ? { ...each, flags: ["DISCONNECTED"], connected: false, heard_ms: null }
                : each,
            ) ?? null),
    })) as ClusterDocument["views"],
  };
}

/** Names that try to be markup, and one that is too long. */
export const HOSTILE =
  '"><img src=x onerror=document.title="broken"><script>document.title="broken"</script>';

export function hostileCluster(nowMs: number): PageCluster {
  const troubled = troubledCluster(nowMs);
  return {
    ...troubled,
    nodes: troubled.nodes.map((each) => ({
      ...each,
      address: HOSTILE,
      why: HOSTILE,
      version: HOSTILE,
    })),
    databases: troubled.databases.map((each, i) => ({ ...each, name: `${i}${HOSTILE}` })),
    addresses: troubled.addresses.map((each, i) => ({ ...each, address: `${i}${HOSTILE}` })),
    conditions: troubled.conditions.map((each) => ({
      ...each,
      text: HOSTILE,
      advice: HOSTILE,
      id: HOSTILE,
    })),
  };
}

/** A night: a link that breaks, a script that hangs, a recovery, a ban, and addresses that move. */
export function nightEvents(nowMs: number): readonly EventDocument[] {
  const actor = { node: 0, program: "ctdb_recovery_helper" } as const;
  const rows: readonly (readonly [
    secondsAgo: number,
    node: number,
    text: string,
    event: JournalEvent,
  ])[] = [
    [
      3400,
      0,
      "ctdbd 0.1.0 started",
      { kind: "process_started", process: "ctdbd", pid: 4711, version: "0.1.0" },
    ],
    [
      3390,
      1,
      "ctdbd 0.1.0 started",
      { kind: "process_started", process: "ctdbd", pid: 812, version: "0.1.0" },
    ],
    [
      3385,
      2,
      "ctdbd 0.1.0 started",
      { kind: "process_started", process: "ctdbd", pid: 901, version: "0.1.0" },
    ],
    [3380, 0, "connected with node 1", { kind: "link_up", peer: 1 }],
    [3379, 0, "connected with node 2", { kind: "link_up", peer: 2 }],
    [
      3372,
      0,
      "node 0 leads: it has the cluster lock",
      { kind: "leader", before: null, after: 0, reason: "it has the cluster lock" },
    ],
    [
      3371,
      0,
      "took the cluster lock in 12 ms",
      { kind: "lock_taken", lock: "/shared/ctdb.lock", duration_ms: 12 },
    ],
    [
      3370,
      0,
      "recovery of nodes 0, 1 and 2 began: the cluster has just formed",
      {
        kind: "recovery_started",
        generation: 1_734_921_309,
        reason: "the cluster has just formed",
        nodes: [0, 1, 2],
        culprit: null,
      },
    ],
    [
      3369,
      0,
      "recovery done in 610 ms",
      {
        kind: "recovery_ended",
        generation: 1_734_921_309,
        succeeded: true,
        reason: null,
        duration_ms: 610,
      },
    ],
    [
      3360,
      0,
      "192.0.2.10: nowhere → node 0: the node is healthy",
      {
        kind: "address_assigned",
        address: "192.0.2.10",
        from: null,
        to: 0,
        reason: "the node is healthy",
      },
    ],
    [
      3358,
      2,
      "192.0.2.15 is up on eth1",
      {
        kind: "address_taken",
        address: "192.0.2.15",
        interface: "eth1",
        duration_ms: 31,
        failure: null,
      },
    ],
    [
      2100,
      1,
      "RecoverTimeout: 30 → 60 by ctdb (5120)",
      {
        kind: "tunable",
        name: "RecoverTimeout",
        before: 30,
        after: 60,
        by: { node: 1, pid: 5120, program: "ctdb" },
      },
    ],
    [
      1210,
      2,
      "49.winbind hung in monitor and was ended after 30 s",
      {
        kind: "script_failed",
        event: "monitor",
        script: "49.winbind",
        result: -62,
        line: "winbindd not running",
        duration_ms: 30_000,
      },
    ],
    [
      1208,
      2,
      "the daemon did not listen for 4.2 s, most of it in vacuum",
      {
        kind: "long_turn",
        duration_ms: 4210,
        busy_ms: 4100,
        spans: [{ name: "vacuum", depth: 0, duration_ms: 4100 }],
      },
    ],
    [
      1200,
      0,
      "node 2 blamed with 1, has 3 of 3: it did not freeze",
      { kind: "blame", target: 2, credits: 1, total: 3, limit: 3, reason: "it did not freeze" },
    ],
    [
      1199,
      0,
      "recovery failed after 30 s: node 2 did not freeze",
      {
        kind: "recovery_ended",
        generation: 1_734_921_310,
        succeeded: false,
        reason: "node 2 did not freeze",
        duration_ms: 30_012,
      },
    ],
    [
      1198,
      0,
      "node 2 banned for 5 min by ctdb_recovery_helper: recoveries failed 3 times",
      { kind: "ban", target: 2, seconds: 300, reason: "recoveries failed 3 times", by: actor },
    ],
    [
      1197,
      2,
      "node 2: ok → banned by node 0",
      { kind: "flags", target: 2, before: 0, after: 8, reason: "node 0 says so", by: { node: 0 } },
    ],
    [
      1196,
      2,
      "192.0.2.15 is gone from eth1",
      {
        kind: "address_released",
        address: "192.0.2.15",
        interface: "eth1",
        duration_ms: 18,
        failure: null,
      },
    ],
    [
      1195,
      0,
      "192.0.2.14: node 2 → node 0: node 2 is banned",
      {
        kind: "address_assigned",
        address: "192.0.2.14",
        from: 2,
        to: 0,
        reason: "node 2 is banned",
      },
    ],
    [
      600,
      1,
      "50.samba failed in monitor with 1: No space left on device",
      {
        kind: "script_failed",
        event: "monitor",
        script: "50.samba",
        result: 1,
        line: "No space left on device",
        duration_ms: 220,
      },
    ],
    [
      599,
      1,
      "node 1: ok → unhealthy: the event monitor failed",
      {
        kind: "flags",
        target: 1,
        before: 0,
        after: 2,
        reason: "the event monitor failed",
        by: { node: 1 },
      },
    ],
    [
      598,
      0,
      "192.0.2.12: node 1 → node 0: node 1 is unhealthy",
      {
        kind: "address_assigned",
        address: "192.0.2.12",
        from: 1,
        to: 0,
        reason: "node 1 is unhealthy",
      },
    ],
    [
      120,
      1,
      "lost node 0: no answer to 5 keepalives",
      { kind: "link_down", peer: 0, reason: "no answer to 5 keepalives" },
    ],
  ];
  return rows.map(([secondsAgo, node, text, event], i) =>
    eventDocument(i + 1, node, nowMs - secondsAgo * 1000, text, event),
  );
}

export function eventDocument(
  id: number,
  node: number,
  ms: number,
  text: string,
  event: JournalEvent,
): EventDocument {
  const time = timeText(ms);
  return { id, node, time, common_time: time, process: "ctdbd", text, event: { ...event } };
}

export const ALL_SOURCES: readonly SourceDocument[] = NODES.map((node) => ({
  ...{ node, journal: "kept", reason: null, clock_ahead_ms: 0.2, clock_error_ms: 0.4 },
}));

/** One is silent, and one has a clock that is wrong. */
export const SOURCES: readonly SourceDocument[] = NODES.map((node) => ({
  node,
  journal: node === 2 ? "silent" : "kept",
  reason: node === 2 ? "no answer within 5 s" : null,
  clock_ahead_ms: node === 1 ? 1720 : 0,
  clock_error_ms: 0.4,
}));
