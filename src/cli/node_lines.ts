/** The node list of `status` and `nodestatus` in its three forms; values in, text out. */
import { NODE_FLAGS } from "../wire/constants.ts";
import { machineRow } from "./format.ts";
import { FLAG_UNKNOWN, FLAG_WORDS, flagNames } from "./node_flags.ts";
import type { NodeFlagsFacts, ShownNodesFacts } from "./schemas/cluster.ts";

export interface ShownNode {
  readonly pnn: number;
  readonly address: string;
  /** With FLAG_UNKNOWN where the daemon cannot know yet. */
  readonly flags: number;
  /** An interface of the healthy node is down. */
  readonly partiallyOnline: boolean;
  readonly thisNode: boolean;
}

const COLUMNS = [
  "Node",
  "IP",
  "Disconnected",
  "Unknown",
  "Banned",
  "Disabled",
  "Unhealthy",
  "Stopped",
  "Inactive",
  "PartiallyOnline",
  "ThisNode",
] as const;

const INACTIVE_MASK = FLAG_WORDS.find(([word]) => word === "INACTIVE")?.[1] ?? 0;

/** Masks of the columns between IP and PartiallyOnline. */
const COLUMN_MASKS = [
  NODE_FLAGS.DISCONNECTED,
  FLAG_UNKNOWN,
  NODE_FLAGS.BANNED,
  NODE_FLAGS.PERMANENTLY_DISABLED,
  NODE_FLAGS.UNHEALTHY,
  NODE_FLAGS.STOPPED,
  INACTIVE_MASK,
] as const;

function isDeleted(node: { readonly flags: number }): boolean {
  return (node.flags & NODE_FLAGS.DELETED) !== 0;
}

export function machineNodes(nodes: readonly ShownNode[], separator: string): string {
  const rows = nodes
    .filter((node) => !isDeleted(node))
    .map((node) => [
      node.pnn,
      node.address,
      ...COLUMN_MASKS.map((mask) => ((node.flags & mask) !== 0 ? 1 : 0)),
      node.partiallyOnline ? 1 : 0,
      node.thisNode ? "Y" : "N",
    ]);
  return [COLUMNS, ...rows].map((row) => `${machineRow(separator, row)}\n`).join("");
}

export function textNodes(nodes: readonly ShownNode[], withCount: boolean): string {
  const deleted = nodes.filter(isDeleted).length;
  const including = deleted === 0 ? "" : ` (including ${deleted} deleted nodes)`;
  const count = withCount ? `Number of nodes:${nodes.length}${including}\n` : "";
  const lines = nodes
    .filter((node) => !isDeleted(node))
    .map((node) => {
      const state = node.partiallyOnline ? "PARTIALLYONLINE" : flagNames(node.flags);
      return `pnn:${node.pnn} ${node.address.padEnd(16)} ${state}${node.thisNode ? " (THIS NODE)" : ""}\n`;
    });
  return count + lines.join("");
}

export function jsonNodes(nodes: readonly ShownNode[]): ShownNodesFacts {
  const entries = nodes
    .filter((node) => !isDeleted(node))
    .map((node): [string, ShownNodesFacts["nodes"][string]] => {
      const flags = FLAG_WORDS.map(([word, mask]) => [
        word.toLowerCase(),
        (node.flags & mask) !== 0,
      ]);
      const shown = {
        pnn: node.pnn,
        address: node.address,
        partially_online: node.partiallyOnline,
        flags_raw: node.flags,
        flags_ok: node.flags === 0,
        flags: Object.fromEntries(flags) as NodeFlagsFacts,
        this_node: node.thisNode,
      };
      return [String(node.pnn), shown];
    });
  return {
    node_count: nodes.length,
    deleted_node_count: nodes.filter(isDeleted).length,
    nodes: Object.fromEntries(entries),
  };
}
