/**
 * The nodes of the cluster as this ctdbd sees them: addresses from the nodes file, flags from the
 * leader (MODIFY_FLAGS), connections from our own links.
 *
 * Invariants:
 * 1. Our own flags change through `setOwnFlag` and `clearOwnFlag` only: other nodes ask us for them.
 * 2. DISCONNECTED of another node follows our own links and nothing else.
 * 3. An entry's pnn is its line in the nodes file; a deleted line keeps its entry.
 * 4. Flags change in here only, as flag_transitions.ts allows, and each change is told with its cause, which who changes
 *    them must give.
 */
import { assert } from "../base/assert.ts";
import type { JournalActor } from "../base/journal_event.ts";
import type { ConfiguredNode } from "../config/types.ts";
import { CTDB_PORT, NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { NO_ADDRESS, parseAddress, type SockAddr } from "../wire/structs/socket_address.ts";

import { allowedFlags, type FlagCause } from "./flag_transitions.ts";

export interface NodeEntry {
  readonly pnn: number;
  /** Empty for deleted nodes. */
  readonly address: string;
  /** The address as nodes tell it each other, which they do all the time. */
  readonly wireAddress: SockAddr;
  readonly flags: number;
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

type MutableEntry = { -readonly [K in keyof NodeEntry]: NodeEntry[K] };

/** Why flags change, in plain words, and who wants it. */
export interface FlagsCause {
  readonly reason: string;
  readonly by: JournalActor;
}

export interface FlagsChanged extends FlagsCause {
  readonly target: number;
  readonly before: number;
  readonly after: number;
}

export type OwnFlag = "UNHEALTHY" | "PERMANENTLY_DISABLED" | "BANNED" | "STOPPED";

export class NodeTable {
  readonly ownPnn: number;
  readonly #changed: (change: FlagsChanged) => void;
  #refusals = 0;
  #entries: MutableEntry[];

  /** `changed` is told of changes; what flags are at first is none. */
  constructor(
    ownPnn: number,
    nodes: readonly ConfiguredNode[],
    changed: (change: FlagsChanged) => void,
  ) {
    this.ownPnn = ownPnn;
    this.#changed = changed;
    this.#entries = nodes.map(newEntry);
    const own = this.#own;
    assert((own.flags & NODE_FLAGS.DELETED) === 0, "our own line of the nodes file is not deleted");
    own.flags &= ~NODE_FLAGS.DISCONNECTED;
  }

  /** How often somebody wanted to change flags who may not, or flags that nobody may change. */
  get refusals(): number {
    return this.#refusals;
  }
  noteRefusal(): void {
    this.#refusals += 1;
  }

  get size(): number {
    return this.#entries.length;
  }
  get own(): NodeEntry {
    return this.#own;
  }
  get #own(): MutableEntry {
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

  setOwnFlag(flag: OwnFlag, cause: FlagsCause & { readonly cause: FlagCause }): void {
    this.#changeBy(cause.cause, this.#own, this.own.flags | NODE_FLAGS[flag], cause);
  }
  clearOwnFlag(flag: OwnFlag, cause: FlagsCause & { readonly cause: FlagCause }): void {
    this.#changeBy(cause.cause, this.#own, this.own.flags & ~NODE_FLAGS[flag], cause);
  }

  /** True when it was not connected before. */
  markConnected(pnn: number, reason: string): boolean {
    const entry = this.#entries[pnn];
    if (entry === undefined || (entry.flags & NODE_FLAGS.DISCONNECTED) === 0) return false;
    entry.silentTicks = 0;
    entry.heardSinceMs = undefined;
    entry.received = 0;
    const flags = entry.flags & ~NODE_FLAGS.DISCONNECTED;
    this.#changeBy("link up", entry, flags, this.#seen(reason));
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
  markDisconnected(pnn: number, reason: string): boolean {
    const entry = this.#entries[pnn];
    if (entry === undefined || (entry.flags & NODE_FLAGS.DISCONNECTED) !== 0) return false;
    entry.silentTicks = 0;
    entry.received = 0;
    const flags = entry.flags | NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY;
    this.#changeBy("link lost", entry, flags, this.#seen(reason));
    return true;
  }

  /**
   * Flags of another node, as somebody who may says. The result is the flags before, and those that nobody may say: they
   * stay as they are. DISCONNECTED is always in what is said, as its sender sees it, and means nothing.
   */
  modifyFlags(
    pnn: number,
    newFlags: number,
    cause: FlagsCause,
  ): { readonly before: number; readonly refused: number } {
    const entry = this.#entries[pnn];
    assert(entry !== undefined && pnn !== this.ownPnn, "flags of another node that exists");
    const before = entry.flags;
    const seen = NODE_FLAGS.DISCONNECTED;
    const wanted = (before & seen) | (newFlags & ~seen);
    const { flags, refused } = allowedFlags("told", "others", before, wanted);
    if (refused !== 0) this.noteRefusal();
    this.#change(entry, flags, cause);
    return { before, refused };
  }

  /** Takes a new nodes file; entries with an unchanged address stay as they are. */
  reload(
    nodes: readonly ConfiguredNode[],
    cause: FlagsCause,
  ): {
    readonly added: readonly NodeEntry[];
    readonly removed: readonly NodeEntry[];
  } {
    const before = this.#entries;
    this.#entries = nodes.map((node) => {
      const old = before[node.pnn];
      return old !== undefined && sameNode(old, node) ? old : newEntry(node);
    });
    const after = this.#entries;
    for (const { pnn, flags } of after) {
      const flagsBefore = before[pnn]?.flags ?? flags;
      if (flags === flagsBefore) continue;
      this.#expectAllowed("nodes file", pnn, flagsBefore, flags);
      this.#tell(pnn, flagsBefore, flags, cause);
    }
    const live = (entry: NodeEntry) => (entry.flags & NODE_FLAGS.DELETED) === 0;
    return {
      added: after.filter((entry) => live(entry) && before[entry.pnn] !== entry),
      removed: before.filter((entry) => live(entry) && after[entry.pnn] !== entry),
    };
  }

  toWire(): NodeAndFlags[] {
    return this.#entries.map(({ pnn, flags, wireAddress }) => ({ pnn, flags, addr: wireAddress }));
  }

  /** By what this process does itself: a change that is not in the table is a fault of ours. */
  #changeBy(what: FlagCause, entry: MutableEntry, flags: number, cause: FlagsCause): void {
    this.#expectAllowed(what, entry.pnn, entry.flags, flags);
    this.#change(entry, flags, cause);
  }

  #expectAllowed(what: FlagCause, pnn: number, before: number, after: number): void {
    const of = pnn === this.ownPnn ? "itself" : "others";
    const { refused } = allowedFlags(what, of, before, after);
    assert(refused === 0, `"${what}" changes only flags that the table of transitions lets it`);
  }

  #change(entry: MutableEntry, flags: number, cause: FlagsCause): void {
    const before = entry.flags;
    entry.flags = flags;
    if (flags !== before) this.#tell(entry.pnn, before, flags, cause);
  }

  #tell(target: number, before: number, after: number, { reason, by }: FlagsCause): void {
    this.#changed({ target, before, after, reason, by });
  }

  /** What this node has seen itself. */
  #seen(reason: string): FlagsCause {
    return { reason, by: { node: this.ownPnn } };
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

function newEntry(node: ConfiguredNode): MutableEntry {
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
