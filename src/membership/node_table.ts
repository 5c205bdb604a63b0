/**
 * The nodes of the cluster as this ctdbd sees them: addresses from the nodes file, flags from the
 * leader (MODIFY_FLAGS), connections from our own links.
 *
 * Invariants:
 * 1. Our own flags change through `setOwnFlag` and `clearOwnFlag` only: other nodes ask us for them.
 * 2. DISCONNECTED of another node follows our own links and nothing else.
 * 3. An entry's pnn is its line in the nodes file; a deleted line keeps its entry.
 */
import { assert } from "../base/assert.ts";
import type { ConfiguredNode } from "../config/types.ts";
import { CTDB_PORT, NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { NO_ADDRESS, parseAddress, type SockAddr } from "../wire/structs/socket_address.ts";

export interface NodeEntry {
  readonly pnn: number;
  /** Empty for deleted nodes. */
  readonly address: string;
  /** The address as nodes tell it each other, which they do all the time. */
  readonly wireAddress: SockAddr;
  flags: number;
  /** Packets since the last keepalive tick. */
  received: number;
  /** Keepalive ticks in a row without a packet. */
  silentTicks: number;
  /** Begin of the last whole keepalive interval in which a packet came; undefined before there is one. */
  heardSinceMs: number | undefined;
  /** Samba version of the last keepalive on the present connection, 0 before. */
  version: number;
  /** Keepalives that it did not get because its version is not known. */
  keepalivesHeldBack: number;
}

export type OwnFlag = "UNHEALTHY" | "PERMANENTLY_DISABLED" | "BANNED" | "STOPPED";

export class NodeTable {
  readonly ownPnn: number;
  #entries: NodeEntry[];

  constructor(ownPnn: number, nodes: readonly ConfiguredNode[]) {
    this.ownPnn = ownPnn;
    this.#entries = nodes.map(newEntry);
    const own = this.own;
    assert((own.flags & NODE_FLAGS.DELETED) === 0, "our own line of the nodes file is not deleted");
    own.flags &= ~NODE_FLAGS.DISCONNECTED;
  }

  get size(): number {
    return this.#entries.length;
  }
  get own(): NodeEntry {
    const own = this.#entries[this.ownPnn];
    assert(own !== undefined, "our own pnn is in the table");
    return own;
  }
  get ownInactive(): boolean {
    return (this.own.flags & NODE_FLAGS_INACTIVE) !== 0;
  }

  entry(pnn: number): NodeEntry | undefined {
    return this.#entries[pnn];
  }
  entries(): readonly NodeEntry[] {
    return this.#entries;
  }
  /** DELETED for pnns that do not exist. */
  flags(pnn: number): number {
    return this.#entries[pnn]?.flags ?? NODE_FLAGS.DELETED;
  }
  connected(pnn: number): boolean {
    return (this.flags(pnn) & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) === 0;
  }
  exists(pnn: number): boolean {
    return this.#entries[pnn] !== undefined;
  }

  /** pnns of all nodes that are not deleted. */
  configured(): number[] {
    return this.#pnnsWithout(NODE_FLAGS.DELETED);
  }
  active(): number[] {
    return this.#pnnsWithout(NODE_FLAGS_INACTIVE);
  }
  connectedNodes(): number[] {
    return this.#pnnsWithout(NODE_FLAGS.DELETED | NODE_FLAGS.DISCONNECTED);
  }

  setOwnFlag(flag: OwnFlag): void {
    this.own.flags |= NODE_FLAGS[flag];
  }
  clearOwnFlag(flag: OwnFlag): void {
    this.own.flags &= ~NODE_FLAGS[flag];
  }

  /** True when it was not connected before. */
  markConnected(pnn: number): boolean {
    const entry = this.#entries[pnn];
    if (entry === undefined || (entry.flags & NODE_FLAGS.DISCONNECTED) === 0) return false;
    entry.flags &= ~NODE_FLAGS.DISCONNECTED;
    entry.silentTicks = 0;
    entry.heardSinceMs = undefined;
    entry.received = 0;
    return true;
  }

  /** A new process may be at the other end. */
  forgetVersion(pnn: number): void {
    const entry = this.#entries[pnn];
    if (entry === undefined) return;
    entry.version = 0;
    entry.keepalivesHeldBack = 0;
  }

  /** True when it was connected before. A lost node counts as unhealthy until it says otherwise. */
  markDisconnected(pnn: number): boolean {
    const entry = this.#entries[pnn];
    if (entry === undefined || (entry.flags & NODE_FLAGS.DISCONNECTED) !== 0) return false;
    entry.flags |= NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY;
    entry.silentTicks = 0;
    entry.received = 0;
    return true;
  }

  /** Flags of another node, as its leader says; the result is the flags before. */
  modifyFlags(pnn: number, newFlags: number): number {
    const entry = this.#entries[pnn];
    assert(entry !== undefined && pnn !== this.ownPnn, "flags of another node that exists");
    const before = entry.flags;
    const kept = NODE_FLAGS.DISCONNECTED;
    entry.flags = ((before & kept) | (newFlags & ~kept)) >>> 0;
    return before;
  }

  /** Takes a new nodes file; entries with an unchanged address stay as they are. */
  reload(nodes: readonly ConfiguredNode[]): {
    readonly added: readonly NodeEntry[];
    readonly removed: readonly NodeEntry[];
  } {
    const before = this.#entries;
    this.#entries = nodes.map((node) => {
      const old = before[node.pnn];
      return old !== undefined && sameNode(old, node) ? old : newEntry(node);
    });
    const after = this.#entries;
    const live = (entry: NodeEntry) => (entry.flags & NODE_FLAGS.DELETED) === 0;
    return {
      added: after.filter((entry) => live(entry) && before[entry.pnn] !== entry),
      removed: before.filter((entry) => live(entry) && after[entry.pnn] !== entry),
    };
  }

  toWire(): NodeAndFlags[] {
    return this.#entries.map(({ pnn, flags, wireAddress }) => ({ pnn, flags, addr: wireAddress }));
  }

  #pnnsWithout(flags: number): number[] {
    const pnns: number[] = [];
    for (const entry of this.#entries) if ((entry.flags & flags) === 0) pnns.push(entry.pnn);
    return pnns;
  }
}

/** A freshly parsed nodes file as GET_NODES_FILE answers it. */
export function nodesFileToWire(nodes: readonly ConfiguredNode[]): NodeAndFlags[] {
  return nodes.map((node) => ({
    pnn: node.pnn,
    flags: node.deleted ? NODE_FLAGS.DELETED : 0,
    addr: toWireAddress(node.deleted ? "" : node.address),
  }));
}

function newEntry(node: ConfiguredNode): NodeEntry {
  const flags =
    NODE_FLAGS.DISCONNECTED | (node.deleted ? NODE_FLAGS.DELETED : NODE_FLAGS.UNHEALTHY);
  const address = node.deleted ? "" : node.address;
  return {
    pnn: node.pnn,
    address,
    wireAddress: toWireAddress(address),
    flags,
    received: 0,
    silentTicks: 0,
    heardSinceMs: undefined,
    version: 0,
    keepalivesHeldBack: 0,
  };
}

function sameNode(entry: NodeEntry, node: ConfiguredNode): boolean {
  const deleted = (entry.flags & NODE_FLAGS.DELETED) !== 0;
  return deleted === node.deleted && (deleted || entry.address === node.address);
}

/** Deleted nodes are sent as 0.0.0.0. */
function toWireAddress(address: string): SockAddr {
  const parsed = parseAddress(address === "" ? "0.0.0.0" : address, CTDB_PORT);
  return parsed.ok ? parsed.value : NO_ADDRESS;
}
