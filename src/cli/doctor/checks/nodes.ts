/** Checks of the nodes: who is what, and whether all mean the same. */
import { hasErrors } from "../../../config/problems.ts";
import { TUNABLES } from "../../../config/tunables.ts";
import { versionFor } from "../../../membership/announced_version.ts";
import { CAPABILITIES, NODE_FLAGS } from "../../../wire/constants.ts";
import type { NodeAndFlags } from "../../../wire/structs/cluster.ts";
import { problemsIn } from "../../node_knowledge.ts";
import { peerFailureText } from "../../unhealthy.ts";
import { type Check, cluster, type Severity, when } from "../check.ts";
import type { ClusterFacts, Facts, NodeFacts } from "../facts.ts";
import { CLOCK_OFFSET_MS_MAX, HOPS_MAX, LOCK_WAIT_SEC_MAX, RECOVERIES_MAX } from "../limits.ts";

const RUNNING = 5;

export const NODE_CHECKS: readonly Check[] = [
  cluster(
    {
      id: "node-silent",
      severity: "error",
      examines: "that every connected node answers",
      why: "its ctdbd hangs: what waits for its records waits, until it counts as dead",
      remedy: "look at ctdbd on that node: is it stopped, does it wait for a disk?",
    },
    ({ nodes }) =>
      nodes
        .filter(({ state }) => state === "silent")
        .map(({ pnn, address }) => `Node ${pnn}, "${address}", is connected and does not answer`),
  ),
  stateCheck(
    "node-disconnected",
    "error",
    NODE_FLAGS.DISCONNECTED,
    "not connected",
    "its addresses and records are served by the others, and one more failure may be too many",
    "see the other findings about this node, and its log",
  ),
  stateCheck(
    "node-banned",
    "error",
    NODE_FLAGS.BANNED,
    "banned",
    "it failed too often in recoveries, and takes part in nothing until the ban ends",
    "look in its log for what failed and mend that; then: ctdb unban",
  ),
  cluster(
    {
      id: "node-unhealthy",
      severity: "error",
      examines: "that every node is healthy",
      why: "it hosts no public addresses; clients of others notice nothing, unless too few are left",
      remedy:
        'mend what the script complains about; "ctdb scriptstatus" on that node has its whole output',
    },
    (known, facts) =>
      known.nodes
        .filter(({ flags }) => isOnlyUnhealthy(flags))
        .map((node) => `Node ${node.pnn} is unhealthy${reasonOf(node, known, facts)}`),
  ),
  stateCheck(
    "node-disabled",
    "warning",
    NODE_FLAGS.PERMANENTLY_DISABLED,
    "disabled",
    "an administrator took it out: it hosts no public addresses",
    "when its maintenance is over: ctdb enable",
  ),
  stateCheck(
    "node-stopped",
    "warning",
    NODE_FLAGS.STOPPED,
    "stopped",
    "an administrator stopped it: it takes part in nothing",
    "when its maintenance is over: ctdb continue",
  ),
  cluster(
    {
      id: "node-not-running",
      severity: "warning",
      examines: "that no node is still starting",
      why: "until its first recovery and its startup event are over, it serves nobody",
      remedy: "wait, or look in its log for what it waits for",
    },
    ({ nodes }) =>
      nodes
        .filter(({ runstate }) => runstate !== undefined && runstate < RUNNING)
        .map(({ pnn }) => `Node ${pnn} is still starting`),
  ),
  cluster(
    {
      id: "nodes-file-not-loaded",
      severity: "error",
      examines: "that running nodes know the same nodes as their nodes lists",
      why: "the next restart makes another cluster than the one that runs",
      remedy: "when the lists are right on all nodes: ctdb reloadnodes",
    },
    ({ nodes }) =>
      nodes
        .filter(
          ({ nodesFile, nodeMap }) =>
            nodesFile !== undefined &&
            nodeMap !== undefined &&
            listOf(nodesFile) !== listOf(nodeMap),
        )
        .map(
          ({ pnn, nodesFile, nodeMap }) =>
            `The nodes list of node ${pnn} is ${listOf(nodesFile)}, and it runs with ${listOf(nodeMap)}`,
        ),
  ),
  differenceCheck(
    "nodes-files-differ",
    "error",
    "that the nodes lists of all nodes are the same",
    "nodes that count differently mean different nodes by the same number: they do not stay together",
    "copy the right list to all nodes, then: ctdb reloadnodes",
    "nodes list",
    ({ nodesFile }) => (nodesFile === undefined ? undefined : listOf(nodesFile)),
  ),
  cluster(
    {
      id: "connections-asymmetric",
      severity: "error",
      examines: "that nodes see each other in the same way",
      why: "some nodes count a node as dead that others work with: recoveries will follow each other",
      remedy: "look for a broken cable, a firewall, or a route between just these two nodes",
    },
    asymmetries,
  ),
  differenceCheck(
    "cluster-locks-differ",
    "error",
    "that all nodes have the same cluster lock",
    "locks that are not the same exclude nobody, and nodes with other settings ban themselves",
    'set "cluster lock" in ctdb.conf to the same on all nodes, and restart those where it was wrong',
    "cluster lock",
    ({ lock }) => lock,
  ),
  cluster(
    {
      id: "cluster-lock-not-loaded",
      severity: "warning",
      examines: "that the daemon uses the cluster lock of its ctdb.conf",
      why: "the next restart of this node uses another lock than the nodes that run",
      remedy: "set the same on all nodes and restart them, or take the change back",
    },
    (known, { local: { config, problems } }) => {
      const running = known.nodes.find(({ pnn }) => pnn === known.own)?.lock;
      const configured = config.cluster.clusterLock ?? "";
      return when(
        !hasErrors(problems) && running !== undefined && running !== configured,
        () => `ctdb.conf says "${configured}", and the daemon runs with "${running}"`,
      );
    },
  ),
  cluster(
    {
      id: "tunables-differ",
      severity: "warning",
      examines: "that all nodes have the same tunables",
      why: "nodes that follow different rules end in states that none of them was meant to be in",
      remedy:
        "make ctdb.tunables the same on all nodes, and set the running ones: ctdb setvar -n NODE NAME VALUE",
    },
    ({ nodes }) =>
      TUNABLES.flatMap(({ name, obsolete }, index) =>
        obsolete ? [] : difference(nodes, name, ({ tunables }) => numberText(tunables?.[index])),
      ),
  ),
  cluster(
    {
      id: "options-differ",
      severity: "warning",
      examines: "that all nodes run with the same options of ctdb.conf and ctdb-appliance.conf",
      why: "nodes that follow different rules end in states that none of them was meant to be in",
      remedy:
        "make the files the same on all nodes, then ctdb reload; ctdbd says which need a restart",
    },
    ({ nodes }) =>
      [...new Set(nodes.flatMap(({ options }) => [...(options?.keys() ?? [])]))]
        .filter((path) => !LOCK_OPTIONS.includes(path))
        .sort()
        .flatMap((path) =>
          difference(nodes, path, ({ options }) => options && (options.get(path) ?? DEFAULT_TEXT)),
        ),
  ),
  cluster(
    {
      id: "clocks-differ",
      severity: "warning",
      examines: `that clocks of nodes differ by less than ${CLOCK_OFFSET_MS_MAX / 1000} s from this one's`,
      why: "times of files jump with the node that a client uses, logs cannot be compared, tickets are refused",
      remedy: "run a time service (chrony, systemd-timesyncd) on all nodes",
    },
    ({ nodes }) =>
      nodes
        .filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs ?? 0) > CLOCK_OFFSET_MS_MAX)
        .map(({ pnn, clockOffsetMs = 0 }) => {
          const seconds = (Math.abs(clockOffsetMs) / 1000).toFixed(1);
          return `The clock of node ${pnn} is ${seconds} s ${clockOffsetMs > 0 ? "ahead" : "behind"}`;
        }),
  ),
  cluster(
    {
      id: "peer-old",
      severity: "warning",
      examines: "that all nodes announce the same release, and can do what recoveries need",
      why: "nodes of different releases are only meant to be together while a cluster is being upgraded",
      remedy:
        "end the replacement in one direction or the other, then set AllowMixedVersions back to 0 where it was set",
    },
    oldPeers,
  ),
  cluster(
    {
      id: "stock-node-refused",
      severity: "warning",
      examines:
        "that the ctdbd of this machine's own Samba could take part in the cluster (smbd --version)",
      why: "it ends itself when an older process announces another release: no node can go back to it",
      remedy:
        'remove "announced samba version" from ctdb-appliance.conf and restart ctdbd, or set AllowMixedVersions to 1 on all nodes, in ctdb.tunables, before a node goes back',
    },
    stockRefused,
  ),
  cluster(
    {
      id: "leader-missing",
      severity: "error",
      examines: "that there is a leader",
      why: "without leader there is no recovery and no failover",
      remedy:
        "can the cluster lock be had (cluster-lock-unusable)? Has a node the leader capability?",
    },
    ({ leader }) => when(leader === undefined, () => "No leader is heard"),
  ),
  cluster(
    {
      id: "recovery-active",
      severity: "warning",
      examines: "that no recovery is going on",
      why: "all databases are frozen until it ends; one that does not end stops the cluster",
      remedy: "ask again in a minute; if it goes on, look in the leader's log for what fails",
    },
    ({ nodes }) =>
      nodes
        .filter(({ recoveryActive, flags }) => recoveryActive === true && flags === 0)
        .map(({ pnn }) => `Node ${pnn} is in recovery`),
  ),
  cluster(
    {
      id: "recoveries-frequent",
      severity: "warning",
      examines: "how often recoveries happen",
      why: "clients stand still in each of them",
      remedy:
        "look in the leader's log for their reasons, often a network or a node that comes and goes",
    },
    (known) => frequentRecoveries(known),
  ),
  cluster(
    {
      id: "locks-slow",
      severity: "warning",
      examines: `that no node waited ${LOCK_WAIT_SEC_MAX} s for the lock of a record or database`,
      why: "a process held a lock while others needed it: clients stand still for so long",
      remedy:
        'set "lock debug script" in ctdb.conf, which tells who holds it; ctdb statisticsreset starts anew',
    },
    ({ nodes }) =>
      nodes
        .filter(({ statistics }) => (statistics?.locks.latency.max ?? 0) > LOCK_WAIT_SEC_MAX)
        .map(
          ({ pnn, statistics }) =>
            `Node ${pnn} has waited ${statistics?.locks.latency.max.toFixed(1)} s for a lock`,
        ),
  ),
  cluster(
    {
      id: "records-bouncing",
      severity: "note",
      examines: "how many nodes a request went through before it found its record",
      why: "a record that all nodes want goes to and fro between them, which is slow",
      remedy: "ctdb dbstatistics shows the keys; ctdb setdbsticky or setdbreadonly may help",
    },
    ({ nodes }) =>
      nodes
        .filter(({ statistics }) => (statistics?.max_hop_count ?? 0) >= HOPS_MAX)
        .map(
          ({ pnn, statistics }) =>
            `A request of node ${pnn} went over ${statistics?.max_hop_count} hops`,
        ),
  ),
  cluster(
    {
      id: "database-corrupt",
      severity: "error",
      examines: "the health of databases on every node",
      why: "persistent databases that are not healthy are refused to clients",
      remedy:
        "with a healthy copy on another node, restart that node; otherwise restore a backup: ctdb restoredb",
    },
    ({ nodes }) =>
      nodes.flatMap(({ pnn, unhealthyDatabases }) =>
        unhealthyDatabases.map(
          ({ name, reason }) => `The database "${name}" on node ${pnn} is not healthy: ${reason}`,
        ),
      ),
  ),
];

function stateCheck(
  id: string,
  severity: Severity,
  flag: number,
  state: string,
  why: string,
  remedy: string,
): Check {
  return cluster({ id, severity, examines: `that no node is ${state}`, why, remedy }, (known) =>
    known.nodes
      .filter(({ flags }) => (flags & flag) !== 0)
      .map(({ pnn, address }) => {
        const told = problemsIn(known.knowledge).find((problem) => problem.pnn === pnn)?.text;
        return `Node ${pnn}, "${address}", is ${state}${told === undefined ? "" : `: ${told}`}`;
      }),
  );
}

/** cluster-locks-differ tells of them. */
const LOCK_OPTIONS = ["[cluster] cluster lock", "[cluster] recovery lock"];
const DEFAULT_TEXT = "the default";

/** A setting that must be the same on all nodes that tell it. */
function differenceCheck(
  id: string,
  severity: Severity,
  examines: string,
  why: string,
  remedy: string,
  setting: string,
  of: (node: NodeFacts) => string | undefined,
): Check {
  return cluster({ id, severity, examines, why, remedy }, ({ nodes }) =>
    difference(nodes, setting, of),
  );
}

/** One sentence that names who has what. */
export function difference(
  nodes: readonly NodeFacts[],
  setting: string,
  of: (node: NodeFacts) => string | undefined,
): readonly string[] {
  const having = new Map<string, number[]>();
  for (const node of nodes) {
    const value = of(node);
    if (value !== undefined) having.set(value, [...(having.get(value) ?? []), node.pnn]);
  }
  return when(having.size > 1, () => {
    const parts = [...having].map(([value, pnns]) => {
      const who = `node${pnns.length > 1 ? "s" : ""} ${pnns.join(", ")}`;
      return `${value === "" ? "nothing" : `"${value}"`} on ${who}`;
    });
    return `${setting}: ${parts.join("; ")}`;
  });
}

function numberText(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function listOf(nodes: readonly NodeAndFlags[] = []): string {
  return nodes
    .map(({ addr, flags }) => ((flags & NODE_FLAGS.DELETED) === 0 ? addr.address : "#"))
    .join(" ");
}

function isOnlyUnhealthy(flags: number): boolean {
  const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.BANNED | NODE_FLAGS.STOPPED;
  return (flags & NODE_FLAGS.UNHEALTHY) !== 0 && (flags & gone) === 0;
}

function reasonOf(node: NodeFacts, { own }: ClusterFacts, { daemon }: Facts): string {
  const failures =
    node.pnn === own ? daemon.failures : (node.health?.failures.map(peerFailureText) ?? []);
  return failures.length === 0 ? "" : `: ${failures.join("; ")}`;
}

/** Of those that answer: what one has as connected and another not. */
function asymmetries({ nodes }: ClusterFacts): readonly string[] {
  return nodes.flatMap(({ pnn, address }) => {
    const views = nodes.flatMap(({ pnn: viewer, nodeMap }) => {
      const entry = nodeMap?.find((node) => node.pnn === pnn && node.addr.address === address);
      if (entry === undefined) return [];
      return [{ viewer, connected: (entry.flags & NODE_FLAGS.DISCONNECTED) === 0 }];
    });
    const blind = views.filter(({ connected }) => !connected).map(({ viewer }) => viewer);
    return when(blind.length > 0 && blind.length < views.length, () => {
      const seeing = views.filter(({ connected }) => connected).map(({ viewer }) => viewer);
      return `Node ${pnn} is connected for nodes ${seeing.join(", ")}, and not for ${blind.join(", ")}`;
    });
  });
}

function oldPeers({ nodes, own, knowledge }: ClusterFacts): readonly string[] {
  const needed = CAPABILITIES.PARALLEL_RECOVERY | CAPABILITIES.FRAGMENTED_CONTROLS;
  const versions = knowledge?.versions ?? [];
  const ours = versions[own] ?? 0;
  return nodes.flatMap(({ pnn, capabilities, state }) => {
    const theirs = versions[pnn] ?? 0;
    const differs = state === "answers" && theirs !== 0 && theirs !== ours;
    return [
      ...when(
        differs,
        () => `Node ${pnn} announces Samba ${release(theirs)}, and this node ${release(ours)}`,
      ),
      ...when(
        capabilities !== undefined && (capabilities & needed) !== needed,
        () => `Node ${pnn} is older than Samba 4.5: it cannot take databases in parts`,
      ),
    ];
  });
}

/** Said beforehand: when a node of the other release is there it is too late for one of the two. */
function stockRefused(
  { own, nodes, knowledge }: ClusterFacts,
  { local }: Facts,
): readonly string[] {
  const { announcedVersion, sambaVersion: samba } = local;
  const version = knowledge?.versions[own];
  if (version === undefined || samba === undefined) return [];
  const told = versionFor({ version, fixed: announcedVersion !== undefined }, samba);
  const isAllowed = nodes.every(({ tunables }) => tunables?.[ALLOW_MIXED_VERSIONS] === 1);
  return when(
    told !== samba && !isAllowed,
    () =>
      `A ctdbd of Samba ${release(samba)}, which this machine has, is told Samba ${release(told)}`,
  );
}

const ALLOW_MIXED_VERSIONS = TUNABLES.findIndex(({ name }) => name === "AllowMixedVersions");

function release(version: number): string {
  return `${version >>> 16}.${version & 0xffff}`;
}

const SEC_PER_HOUR = 3600;

function frequentRecoveries({ own, nodes }: ClusterFacts): readonly string[] {
  const statistics = nodes.find(({ pnn }) => pnn === own)?.statistics;
  if (statistics === undefined) return [];
  const {
    num_recoveries: count,
    statistics_start_time: start,
    statistics_current_time: now,
  } = statistics;
  const hours = Math.max(1, (now.sec - start.sec) / SEC_PER_HOUR);
  return when(
    count >= RECOVERIES_MAX && count / hours >= RECOVERIES_MAX,
    () => `${count} recoveries in ${hours.toFixed(1)} hours`,
  );
}
