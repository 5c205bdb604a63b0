/**
 * The way of packets to nodes, our own included: special destinations, loopback, and who must wait
 * when a node does not keep up.
 *
 * Invariants:
 * 1. A packet to ourselves is handled in a later turn, never inside the call that sent it; in their order, and in
 *    one turn no more than a link hands out.
 * 2. While packets of a client are handled, `source` is that client: it is held when a link that it
 *    fills is congested.
 */
import type { MutableStatistics } from "../../database/host.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { Timers } from "../../platform/types/time.ts";
import { SLICE_BYTES_MAX, SLICE_PACKETS_MAX } from "../../transport/limits.ts";
import type { NodeLinks } from "../../transport/node_links.ts";
import type { Holdable } from "../../transport/node_peer.ts";
import {
  BROADCAST_ACTIVE,
  BROADCAST_ALL,
  BROADCAST_CONNECTED,
  PacketView,
} from "../../wire/packet.ts";

/**
 * Small packets to ourselves lie in blocks. Each by itself would become an object outside of the heap as soon as
 * somebody looks at a part of it, and a traverse sends 100 000 of them: the collector needed 8 ms at a time.
 */
const BLOCK_BYTES = 64 * 1024;
const IN_BLOCK_BYTES_MAX = 4 * 1024;

export class NodeOutput {
  readonly #nodes: NodeTable;
  readonly #links: NodeLinks;
  readonly #timers: Timers;
  readonly #statistics: MutableStatistics;
  readonly #loopback: (packet: PacketView) => void;
  /** Packets to ourselves, and between them what shall run when those before it were handled. */
  #looping: (PacketView | (() => void))[] = [];
  #loopingBytes = 0;
  #block = new Uint8Array(0);
  #blockEnd = 0;
  #loopPlanned = false;
  #closed = false;
  /** The client whose packet is being handled. */
  source: Holdable | undefined;

  constructor(
    nodes: NodeTable,
    links: NodeLinks,
    timers: Timers,
    statistics: MutableStatistics,
    loopback: (packet: PacketView) => void,
  ) {
    this.#nodes = nodes;
    this.#links = links;
    this.#timers = timers;
    this.#statistics = statistics;
    this.#loopback = loopback;
  }

  /** pnns of a broadcast destination; undefined when it is not one. */
  broadcastTargets(destination: number): readonly number[] | undefined {
    switch (destination) {
      case BROADCAST_ALL:
        return this.#nodes.configured();
      case BROADCAST_ACTIVE:
        return this.#nodes.active();
      case BROADCAST_CONNECTED:
        return this.#nodes.connectedNodes();
      default:
        return undefined;
    }
  }

  /** To one node; destnode is set. Dropped when the node does not exist or is not connected. */
  send(pnn: number, packet: PacketView): void {
    this.#statistics.node_packets_sent += 1;
    packet.destnode = pnn;
    if (pnn === this.#nodes.ownPnn) {
      this.#loop(packet);
      return;
    }
    this.#links.send(pnn, packet);
    if (this.source !== undefined) this.#links.holdWhileCongested(pnn, this.source);
  }

  /** To a node or a broadcast destination. */
  sendTo(destination: number, packet: PacketView): void {
    const targets = this.broadcastTargets(destination);
    if (targets === undefined) {
      this.send(destination, packet);
      return;
    }
    for (const pnn of targets) this.send(pnn, packet);
  }

  /** Bytes that wait on the way to a node; to this one: for the next turn. */
  queuedBytes(pnn: number): number {
    return pnn === this.#nodes.ownPnn ? this.#loopingBytes : this.#links.queuedBytes(pnn);
  }

  close(): void {
    this.#closed = true;
    this.#looping = [];
    this.#loopingBytes = 0;
  }

  /** Runs `action` in a later turn, when what was sent to this node until now has been handled. */
  afterLooped(action: () => void): void {
    if (this.#closed) return;
    this.#looping.push(action);
    this.#planLoop();
  }

  #loop(packet: PacketView): void {
    if (this.#closed) return;
    this.#looping.push(packet.length > IN_BLOCK_BYTES_MAX ? packet.copy() : this.#kept(packet));
    this.#loopingBytes += packet.length;
    this.#planLoop();
  }

  /** A block is not used again: what of it is still looked at stays. */
  #kept(packet: PacketView): PacketView {
    const { length } = packet;
    if (this.#blockEnd + length > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#blockEnd = 0;
    }
    packet.copyTo(this.#block, this.#blockEnd);
    const kept = new PacketView();
    kept.moveTo(this.#block, this.#blockEnd, length);
    this.#blockEnd += length;
    return kept;
  }

  #planLoop(): void {
    if (this.#loopPlanned) return;
    this.#loopPlanned = true;
    this.#timers.soon(() => this.#handleLooped());
  }

  #handleLooped(): void {
    const looping = this.#looping;
    this.#looping = [];
    this.#loopPlanned = false;
    let bytes = 0;
    let handled = 0;
    while (handled < looping.length && handled < SLICE_PACKETS_MAX && bytes < SLICE_BYTES_MAX) {
      const looped = looping[handled] as PacketView | (() => void);
      handled += 1;
      if (typeof looped === "function") {
        looped();
      } else {
        bytes += looped.length;
        this.#loopingBytes -= looped.length;
        this.#loopback(looped);
        looped.free();
      }
      if (this.#closed) return;
    }
    if (handled === looping.length) return;
    this.#looping = [...looping.slice(handled), ...this.#looping];
    if (this.#loopPlanned) return;
    this.#loopPlanned = true;
    this.#timers.nextTurn(() => this.#handleLooped());
  }
}
