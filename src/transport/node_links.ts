/**
 * The links to all other nodes (docs/protocol.md, "Node links"). Each pair of nodes has two connections: the
 * one that we make is for sending only, the one that we accept for receiving only.
 *
 * Invariants:
 * 1. `onConnected` comes when both connections of a node are up, `onLost` when it was connected and one of
 *    them ended; they alternate for each node.
 * 2. When one connection of a node ends, the other is closed too, and connecting begins anew: both
 *    sides then agree about which packets are lost.
 * 3. A connection that is of no node, or a second one while the first is active, is closed.
 * 4. Attempts to one node are at least CONNECT_INTERVAL_MS apart, or ANSWER_INTERVAL_MS where the node has just
 *    connected to us: one that comes and goes all the time costs no more than that.
 * 5. A node that is kept out is not connected before `admit`; attempts to it are KEPT_OUT_INTERVAL_MS apart.
 */
import type { Logger } from "../base/log.ts";
import type { StreamHandlers, StreamServer } from "../platform/types/network.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import type { PacketView } from "../wire/packet.ts";
import { acceptNotices } from "./accept_notices.ts";
import { type Holdable, type NodeLinksOwner, NodePeer } from "./node_peer.ts";
import type { IncomingStream, NodeAddress, NodeTransport } from "./node_transport.ts";
import type { Turns } from "./turns.ts";

export interface NodeLinksDependencies {
  readonly transport: NodeTransport;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly log: Logger;
  readonly owner: NodeLinksOwner;
}

const NOTHING: StreamHandlers = { onData() {}, onDrain() {}, onClose() {} };

export class NodeLinks {
  readonly #d: NodeLinksDependencies;
  readonly #timers: Timers;
  readonly #peers = new Map<number, NodePeer>();
  #ownAddress = "";
  #server: StreamServer | undefined;
  #started = false;

  constructor(dependencies: NodeLinksDependencies) {
    this.#d = dependencies;
    this.#timers = dependencies.turns.timers("node-connect");
  }

  /** Listens on our node address; connections are refused until `start`. */
  listen(address: string) {
    const server = this.#d.transport.listen(
      address,
      (incoming) => this.#accept(incoming),
      acceptNotices(this.#d.log, "nodes"),
    );
    if (server.ok) {
      this.#server = server.value;
      this.#ownAddress = address;
    }
    return server;
  }

  /** Connects to these nodes and accepts their connections from now on. */
  start(nodes: readonly NodeAddress[]): void {
    this.#started = true;
    for (const { pnn, address } of nodes) this.add(pnn, address);
  }

  add(pnn: number, address: string): void {
    this.remove(pnn, "the nodes file changed");
    const surroundings = { ...this.#d, timers: this.#timers, ownAddress: this.#ownAddress };
    this.#peers.set(pnn, new NodePeer({ pnn, address }, surroundings));
  }

  remove(pnn: number, reason: string): void {
    const peer = this.#peers.get(pnn);
    if (peer === undefined) return;
    this.#peers.delete(pnn);
    peer.end(reason);
  }

  /** Queues a packet; dropped when there is no outgoing connection, as the original does. */
  send(pnn: number, packet: PacketView): boolean {
    return this.#peers.get(pnn)?.send(packet) ?? false;
  }

  /** Has `source` wait when the node does not keep up; it is released when the queue is short again. */
  holdWhileCongested(pnn: number, source: Holdable): void {
    this.#peers.get(pnn)?.holdWhileCongested(source);
  }

  queuedBytes(pnn: number): number {
    return this.#peers.get(pnn)?.queuedBytes ?? 0;
  }

  /** Closes both connections of a node and begins anew. */
  restart(pnn: number, reason: string): void {
    this.#peers.get(pnn)?.restart(reason);
  }

  /**
   * The node counts as lost until it is admitted. Its connections end a little later, and without one of ours not
   * before that is up: by them it is to find out the same about us.
   */
  keepOut(pnn: number, reason: string): void {
    this.#peers.get(pnn)?.keepOut(reason);
  }

  admit(pnn: number): void {
    this.#peers.get(pnn)?.admit();
  }

  /** Connects to a node that is kept out sooner than its interval says. */
  retry(pnn: number): void {
    this.#peers.get(pnn)?.retry();
  }

  /** Closes everything; nothing is reported any more. */
  close(): void {
    this.#started = false;
    this.#server?.close();
    this.#server = undefined;
    for (const peer of this.#peers.values()) peer.endSilently();
    this.#peers.clear();
  }

  #accept(incoming: IncomingStream): StreamHandlers {
    return this.#d.turns.run("node-accept", () => {
      const peer = this.#peerOf(incoming);
      const problem = this.#refusal(peer);
      if (peer !== undefined && problem === undefined) return peer.accept(incoming.stream);
      this.#d.log.error(`Refused connection from ${incoming.from}: ${problem}`);
      incoming.stream.close();
      return NOTHING;
    });
  }

  #refusal(peer: NodePeer | undefined): string | undefined {
    if (!this.#started) return "not started yet";
    if (peer === undefined) return "no node has this address";
    return peer.hasIncoming ? `node ${peer.node.pnn} has one already` : undefined;
  }

  #peerOf(incoming: IncomingStream): NodePeer | undefined {
    for (const peer of this.#peers.values()) if (incoming.isOf(peer.node)) return peer;
    return undefined;
  }
}
