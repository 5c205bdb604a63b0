/**
 * The TCP links to all other nodes (docs/protocol.md, "Node links"). Each pair of nodes has two
 * connections: the one that we make is for sending only, the one that we accept for receiving only.
 *
 * Invariants:
 * 1. `onConnected` comes when both connections of a node are up, `onLost` when it was connected and one of
 *    them ended; they alternate for each node.
 * 2. When one connection of a node ends, the other is closed too, and connecting begins anew: both
 *    sides then agree about which packets are lost.
 * 3. A connection from an address that is no node's, or a second one while the first is active, is closed.
 * 4. Attempts to one node are at least CONNECT_INTERVAL_MS apart, or ANSWER_INTERVAL_MS where the node has just
 *    connected to us: one that comes and goes all the time costs no more than that.
 * 5. A node that is kept out is not connected before `admit`; attempts to it are KEPT_OUT_INTERVAL_MS apart.
 */
import type { Logger } from "../base/log.ts";
import type { Network, Stream, StreamHandlers, StreamServer } from "../platform/types/network.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import { CTDB_PORT } from "../wire/constants.ts";
import type { PacketView } from "../wire/packet.ts";
import { acceptNotices } from "./accept_notices.ts";
import {
  ANSWER_INTERVAL_MS,
  CONNECT_INTERVAL_MS,
  CONNECT_TIMEOUT_MS,
  KEPT_OUT_INTERVAL_MS,
  KEPT_OUT_LINGER_MS,
  KEPT_OUT_RETRY_MS,
  NODE_QUEUE_BYTES_MAX,
  NODE_QUEUE_CONGESTED_BYTES,
  NODE_QUEUE_RELIEVED_BYTES,
  REFUSED_WITHIN_MS,
} from "./limits.ts";
import { PacketLink } from "./packet_link.ts";
import type { Turns } from "./turns.ts";

export interface NodeLinksOwner {
  /** The view is valid during the call only; `pnn` is the node at the other end of the link. */
  onPacket(packet: PacketView, pnn: number): void;
  onConnected(pnn: number): void;
  onLost(pnn: number, reason: string): void;
  /** The connection for sending is up: what is sent now is the first that the node hears on it. */
  onOutgoing(pnn: number): void;
  /** The node has made a connection; nothing came on it yet. */
  onIncoming(pnn: number): void;
  /** Both connections of a node that is kept out are up: `admit` it, or keep it out. */
  onProbation(pnn: number): void;
  /** So many connections in a row were closed by the node as soon as they were made. */
  onRefused(pnn: number, times: number): void;
  /** A packet that cannot be framed came from this node; its link is restarted. */
  onMalformed(pnn: number, reason: string): void;
}

export interface NodeLinksDependencies {
  readonly network: Network;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly log: Logger;
  readonly owner: NodeLinksOwner;
}

/** One that waits until a link has room again. */
export interface Holdable {
  hold(): void;
  release(): void;
}

interface Peer {
  readonly pnn: number;
  readonly address: string;
  outgoing: PacketLink | undefined;
  incoming: PacketLink | undefined;
  connected: boolean;
  /** The next attempt, or the one under way; or the end of the connections of a node that is kept out. */
  connecting: Timer | undefined;
  attempted: boolean;
  lastAttemptMs: number;
  keptOut: boolean;
  /** Outgoing connections in a row that were closed at once. */
  refusals: number;
  outgoingSinceMs: number;
  readonly waiting: Set<Holdable>;
}

const NOTHING: StreamHandlers = { onData() {}, onDrain() {}, onClose() {} };

export class NodeLinks {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #owner: NodeLinksOwner;
  readonly #peers = new Map<number, Peer>();
  #ownAddress = "";
  #server: StreamServer | undefined;
  #started = false;

  constructor(dependencies: NodeLinksDependencies) {
    this.#network = dependencies.network;
    this.#clock = dependencies.clock;
    this.#turns = dependencies.turns;
    this.#timers = dependencies.turns.timers("node-connect");
    this.#log = dependencies.log;
    this.#owner = dependencies.owner;
  }

  /** Listens on our node address; connections are refused until `start`. */
  listen(address: string) {
    const server = this.#network.listenTcp(
      address,
      CTDB_PORT,
      (stream) => this.#accept(stream),
      acceptNotices(this.#log, "nodes"),
    );
    if (server.ok) {
      this.#server = server.value;
      this.#ownAddress = address;
    }
    return server;
  }

  /** Connects to these nodes and accepts their connections from now on. */
  start(peers: readonly { readonly pnn: number; readonly address: string }[]): void {
    this.#started = true;
    for (const { pnn, address } of peers) this.add(pnn, address);
  }

  add(pnn: number, address: string): void {
    this.remove(pnn, "the nodes file changed");
    const peer: Peer = {
      pnn,
      address,
      outgoing: undefined,
      incoming: undefined,
      connected: false,
      connecting: undefined,
      attempted: false,
      lastAttemptMs: 0,
      keptOut: false,
      refusals: 0,
      outgoingSinceMs: 0,
      waiting: new Set(),
    };
    this.#peers.set(pnn, peer);
    this.#planConnect(peer);
  }

  remove(pnn: number, reason: string): void {
    const peer = this.#peers.get(pnn);
    if (peer === undefined) return;
    this.#peers.delete(pnn);
    this.#drop(peer, reason);
  }

  /** Queues a packet; dropped when there is no outgoing connection, as the original does. */
  send(pnn: number, packet: PacketView): boolean {
    const peer = this.#peers.get(pnn);
    const link = peer?.outgoing;
    if (peer === undefined || link === undefined) return false;
    link.send(packet);
    if (link.queuedBytes > NODE_QUEUE_BYTES_MAX) {
      this.restart(pnn, `${link.queuedBytes} bytes wait to be sent, the node takes nothing`);
    }
    return true;
  }

  /** Has `source` wait when the node does not keep up; it is released when the queue is short again. */
  holdWhileCongested(pnn: number, source: Holdable): void {
    const peer = this.#peers.get(pnn);
    if (peer === undefined || peer.outgoing?.congested !== true || peer.waiting.has(source)) return;
    peer.waiting.add(source);
    source.hold();
  }

  queuedBytes(pnn: number): number {
    return this.#peers.get(pnn)?.outgoing?.queuedBytes ?? 0;
  }

  /** Closes both connections of a node and begins anew. */
  restart(pnn: number, reason: string): void {
    const peer = this.#peers.get(pnn);
    if (peer === undefined) return;
    this.#drop(peer, reason);
    this.#planConnect(peer);
  }

  /**
   * The node counts as lost until it is admitted. Its connections end a little later, and without one of ours not
   * before that is up: by them it is to find out the same about us.
   */
  keepOut(pnn: number, reason: string): void {
    const peer = this.#peers.get(pnn);
    if (peer === undefined) return;
    peer.keptOut = true;
    this.#becomeLost(peer, reason);
    if (peer.outgoing === undefined) return;
    peer.connecting ??= this.#timers.after(KEPT_OUT_LINGER_MS, () => this.restart(pnn, reason));
  }

  admit(pnn: number): void {
    const peer = this.#peers.get(pnn);
    if (peer === undefined || !peer.keptOut) return;
    peer.keptOut = false;
    if (peer.outgoing !== undefined) {
      peer.connecting?.cancel();
      peer.connecting = undefined;
    }
    this.#checkConnected(peer);
  }

  /** Connects to a node that is kept out sooner than its interval says. */
  retry(pnn: number): void {
    const peer = this.#peers.get(pnn);
    if (peer?.keptOut === true) this.#planConnect(peer, KEPT_OUT_RETRY_MS);
  }

  /** Closes everything; nothing is reported any more. */
  close(): void {
    this.#started = false;
    this.#server?.close();
    this.#server = undefined;
    for (const peer of this.#peers.values()) {
      peer.connected = false;
      this.#drop(peer, "shutting down");
    }
    this.#peers.clear();
  }

  #drop(peer: Peer, reason: string): void {
    peer.connecting?.cancel();
    peer.connecting = undefined;
    peer.outgoing?.close();
    peer.incoming?.close();
    peer.outgoing = undefined;
    peer.incoming = undefined;
    for (const source of peer.waiting) source.release();
    peer.waiting.clear();
    this.#becomeLost(peer, reason);
  }

  #becomeLost(peer: Peer, reason: string): void {
    if (!peer.connected) return;
    peer.connected = false;
    this.#owner.onLost(peer.pnn, reason);
  }

  #planConnect(
    peer: Peer,
    intervalMs = peer.keptOut ? KEPT_OUT_INTERVAL_MS : CONNECT_INTERVAL_MS,
  ): void {
    if (this.#peers.get(peer.pnn) !== peer || peer.outgoing !== undefined) return;
    peer.connecting?.cancel();
    const sinceMs = this.#clock.monotonicMs() - peer.lastAttemptMs;
    const delayMs = peer.attempted ? Math.max(0, intervalMs - sinceMs) : 0;
    peer.connecting = this.#timers.after(delayMs, () => this.#connect(peer));
  }

  #connect(peer: Peer): void {
    peer.attempted = true;
    peer.lastAttemptMs = this.#clock.monotonicMs();
    peer.connecting = this.#network.connectTcp(
      {
        address: peer.address,
        port: CTDB_PORT,
        localAddress: this.#ownAddress,
        timeoutMs: CONNECT_TIMEOUT_MS,
      },
      (outcome) =>
        this.#turns.run("node-connect", () => {
          peer.connecting = undefined;
          if (!outcome.ok) {
            this.#log.debug(`Cannot connect to node ${peer.pnn}: ${outcome.error.message}`);
            this.#countRefusals(peer, 0);
            this.#planConnect(peer);
            return undefined;
          }
          return this.#outgoingUp(peer, outcome.value);
        }),
    );
  }

  #outgoingUp(peer: Peer, stream: Stream): StreamHandlers {
    const link = this.#link(peer, stream, () => {
      this.restart(peer.pnn, "data came on the connection that is for sending only");
    });
    peer.outgoing = link;
    peer.outgoingSinceMs = this.#clock.monotonicMs();
    this.#owner.onOutgoing(peer.pnn);
    this.#checkConnected(peer);
    return link.handlers;
  }

  #accept(stream: Stream): StreamHandlers {
    return this.#turns.run("node-accept", () => {
      const from = stream.remoteAddress ?? "an unknown address";
      const peer = this.#peerOf(stream.remoteAddress);
      if (peer === undefined) {
        const text = this.#started ? "no node has this address" : "not started yet";
        this.#log.error(`Refused connection from ${from}: ${text}`);
        stream.close();
        return NOTHING;
      }
      if (peer.incoming !== undefined) {
        this.#log.error(`Refused connection from ${from}: node ${peer.pnn} has one already`);
        stream.close();
        return NOTHING;
      }
      const link = this.#link(peer, stream, (packet) => this.#owner.onPacket(packet, peer.pnn));
      peer.incoming = link;
      this.#owner.onIncoming(peer.pnn);
      this.#checkConnected(peer);
      // It is up: no need to wait for our next attempt's turn, if none is under way yet.
      if (peer.outgoing === undefined && this.#attemptIsDue(peer)) this.#planConnectNow(peer);
      return link.handlers;
    });
  }

  #attemptIsDue(peer: Peer): boolean {
    if (peer.keptOut) return false;
    return this.#clock.monotonicMs() - peer.lastAttemptMs >= ANSWER_INTERVAL_MS;
  }

  #planConnectNow(peer: Peer): void {
    peer.connecting?.cancel();
    peer.connecting = this.#timers.after(0, () => this.#connect(peer));
  }

  #peerOf(address: string | undefined): Peer | undefined {
    if (!this.#started || address === undefined) return undefined;
    const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
    for (const peer of this.#peers.values()) if (peer.address === plain) return peer;
    return undefined;
  }

  #link(peer: Peer, stream: Stream, onPacket: (packet: PacketView) => void): PacketLink {
    return new PacketLink(
      stream,
      this.#turns,
      {
        onPacket,
        onClosed: (reason, malformed) => {
          if (malformed) this.#owner.onMalformed(peer.pnn, reason);
          if (this.#wasRefused(peer)) this.#countRefusals(peer, peer.refusals + 1);
          this.restart(peer.pnn, reason);
        },
        onRelieved: () => {
          const waiting = [...peer.waiting];
          peer.waiting.clear();
          for (const source of waiting) source.release();
        },
      },
      {
        name: "node-packets",
        mode: "node",
        congestedBytes: NODE_QUEUE_CONGESTED_BYTES,
        relievedBytes: NODE_QUEUE_RELIEVED_BYTES,
      },
    );
  }

  /** A node closes at once what comes from an address that is not in its nodes file. */
  #wasRefused(peer: Peer): boolean {
    if (peer.outgoing === undefined || peer.incoming !== undefined) return false;
    return this.#clock.monotonicMs() - peer.outgoingSinceMs < REFUSED_WITHIN_MS;
  }

  #countRefusals(peer: Peer, times: number): void {
    if (peer.refusals === times) return;
    peer.refusals = times;
    this.#owner.onRefused(peer.pnn, times);
  }

  #checkConnected(peer: Peer): void {
    if (peer.connected || peer.outgoing === undefined || peer.incoming === undefined) return;
    this.#countRefusals(peer, 0);
    if (peer.keptOut) {
      this.#owner.onProbation(peer.pnn);
      return;
    }
    peer.connected = true;
    this.#owner.onConnected(peer.pnn);
  }
}
