/** Documents of commands about nodes as a cluster. */
import * as v from "valibot";
import { address, count, type Facts, pnn, u32 } from "./facts.ts";

export const listnodesFacts = v.strictObject({
  /** Of the nodes file; those that are deleted in it are left out. */
  nodes: v.array(v.strictObject({ pnn, address })),
});

const nodeFlags = v.strictObject({
  disconnected: v.boolean(),
  unknown: v.boolean(),
  disabled: v.boolean(),
  banned: v.boolean(),
  unhealthy: v.boolean(),
  deleted: v.boolean(),
  stopped: v.boolean(),
  inactive: v.boolean(),
});
export type NodeFlagsFacts = Facts<typeof nodeFlags>;

/** A node as `status` and `nodestatus` show it, by its pnn. */
const shownNode = v.strictObject({
  pnn,
  address,
  /** An interface of the healthy node is down. */
  partially_online: v.boolean(),
  flags_raw: u32,
  flags_ok: v.boolean(),
  flags: nodeFlags,
  this_node: v.boolean(),
});

const shownNodes = v.strictObject({
  node_count: count,
  deleted_node_count: count,
  nodes: v.record(v.string(), shownNode),
});
export type ShownNodesFacts = Facts<typeof shownNodes>;

export const nodestatusFacts = v.strictObject({ node: pnn, ...shownNodes.entries });

/** The original tool's: it has no version. */
export const statusDocument = v.strictObject({
  node_status: shownNodes,
  vnn_status: v.strictObject({
    generation: v.nullable(u32),
    size: count,
    vnn_map: v.array(v.strictObject({ hash: count, lmaster: pnn })),
  }),
  recovery_mode: v.picklist(["NORMAL", "RECOVERY"]),
  recovery_mode_raw: u32,
  leader: pnn,
  /** With -v, by pnn. */
  unhealthy: v.exactOptional(
    v.record(v.string(), v.strictObject({ reasons: v.array(v.string()) })),
  ),
});

/** The original tool's: it has no version. */
export const versionDocument = v.strictObject({ version: v.string() });

export const leaderFacts = v.strictObject({
  node: pnn,
  /** null: there is none, or it is not known. */
  leader: v.nullable(pnn),
});

export const getreclockFacts = v.strictObject({
  node: pnn,
  /** As it is configured; null: there is none. */
  cluster_lock: v.nullable(v.string()),
});

export const reloadnodesFacts = v.strictObject({
  node: pnn,
  /** What the nodes file changed; without an entry nothing was reloaded. */
  changes: v.array(v.strictObject({ pnn, change: v.picklist(["new", "deleted", "undeleted"]) })),
});

/** `ctdb node add`, `remove` and `repair`. */
export const nodeChangeFacts = v.strictObject({
  node: pnn,
  action: v.picklist(["add", "remove", "repair"]),
  dry_run: v.boolean(),
  /** The nodes whose file this is about, and what it is called here. */
  nodes: v.array(pnn),
  file: v.string(),
  /** Lines of the file, from 1; null: there is no such line. */
  lines: v.array(
    v.strictObject({
      line: count,
      before: v.nullable(v.string()),
      after: v.nullable(v.string()),
    }),
  ),
  /** What changes of the running cluster. */
  changes: v.array(v.strictObject({ pnn, change: v.picklist(["new", "deleted", "undeleted"]) })),
  /** Of `repair`, what single nodes have to do with their files. */
  repairs: v.array(v.strictObject({ node: pnn, repair: v.picklist(["install", "drop", "copy"]) })),
  /** All nodes have read their files. */
  reloaded: v.boolean(),
});

export const drainFacts = v.strictObject({
  node: pnn,
  /** false: the node was disabled already. */
  changed: v.boolean(),
  /** SMB clients that were asked to move, and those that had not gone in time; null: nobody could be asked. */
  clients_asked: v.nullable(count),
  clients_left: v.nullable(count),
});
