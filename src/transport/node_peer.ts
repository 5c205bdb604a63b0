/**
 * Another node as our links see it: the connection that we make to it, for sending only, and the one that it
 * makes to us, for receiving only; and whether it is kept out.
 *
 *     lost ── both connections up ──▶ connected        kept out ── both connections up ──▶ on probation
 *       ▲                                 │               ▲                                   │     │
 *       └──────── one of them ends ───────┘               └── its time is over, or one ends ──┘     └─ admit ─▶ connected
 *
 * Invariants: those of node_links.ts, for one node.
 */
import type { Logger } from "../base/log.ts";
import type { Stream, StreamHandlers } from "../platform/types/network.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import type { PacketView } from "../wire/packet.ts";
import { ConnectAttempts } from "./connect_attempts.ts";
import {
  ANSWER_INTERVAL_MS,
  CONNECT_INTERVAL_MS,
  KEPT_OUT_INTERVAL_MS,
  KEPT_OUT_LINGER_MS,
  KEPT_OUT_RETRY_MS,
  NODE_QUEUE_BYTES_MAX,
  NODE_QUEUE_CONGESTED_BYTES,
  NODE_QUEUE_RELIEVED_BYTES,
  REFUSED_WITHIN_MS,
} from "./limits.ts";
import { LinkDamping } from "./link_damping.ts";
import type { NodeAddress, NodeTransport } from "./node_transport.ts";
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

/** One that waits until a link has room again. */
export interface Holdable {
  hold(): void;
  release(): void;
}

/** What the links of all nodes share. */
export interface PeerSurroundings {
  readonly transport: NodeTransport;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly timers: Timers;
  readonly log: Logger;
  readonly owner: NodeLinksOwner;
  readonly ownAddress: string;
}

export class NodePeer {
  readonly node: NodeAddress;
  readonly #s: PeerSurroundings;
  readonly #attempts: ConnectAttempts;
  readonly #waiting = new Set<Holdable>();
  readonly #damping = new LinkDamping();
  #outgoing: PacketLink | undefined;
  #incoming: PacketLink | undefined;
  #connected = false;
  #ended = false;
  #keptOut = false;
  /** Ends the connections of a node that is kept out. */
  #linger: Timer | undefined;
  /** Outgoing connections in a row that were closed at once. */
  #refusals = 0;
  #outgoingSinceMs = 0;

  constructor(node: NodeAddress, surroundings: PeerSurroundings) {
    this.node = node;
    this.#s = surroundings;
    this.#attempts = new ConnectAttempts(surroundings.clock, surroundings.timers, () =>
      this.#connect(),
    );
    this.#planConnect();
  }

  /** It has made its connection to us. */
  get hasIncoming(): boolean {
    return this.#incoming !== undefined;
  }

  get queuedBytes(): number {
    return this.#outgoing?.queuedBytes ?? 0;
  }

  /** Queues a packet; dropped when there is no outgoing connection, as the original does. */
  send(packet: PacketView): boolean {
    const link = this.#outgoing;
    if (link === undefined) return false;
    link.send(packet);
    if (link.queuedBytes > NODE_QUEUE_BYTES_MAX) {
      this.restart(`${link.queuedBytes} bytes wait to be sent, the node takes nothing`);
    }
    return true;
  }

  holdWhileCongested(source: Holdable): void {
    if (this.#outgoing?.congested !== true || this.#waiting.has(source)) return;
    this.#waiting.add(source);
    source.hold();
  }

  /** Closes both connections and begins anew. */
  restart(reason: string): void {
    if (this.#ended) return;
    this.#drop(reason);
    this.#planConnect();
  }

  /** Closes both connections for good. */
  end(reason: string): void {
    this.#ended = true;
    this.#drop(reason);
  }

  /** The same, and nothing is reported any more. */
  endSilently(): void {
    this.#connected = false;
    this.end("shutting down");
  }

  keepOut(reason: string): void {
    this.#keptOut = true;
    this.#becomeLost(reason);
    if (this.#outgoing === undefined) return;
    this.#linger ??= this.#s.timers.after(KEPT_OUT_LINGER_MS, () => this.restart(reason));
  }

  admit(): void {
    if (!this.#keptOut) return;
    this.#keptOut = false;
    this.#linger?.cancel();
    this.#linger = undefined;
    this.#checkConnected();
  }

  /** Sooner than the interval of a node that is kept out says. */
  retry(): void {
    if (this.#keptOut) this.#planConnect(KEPT_OUT_RETRY_MS);
  }

  /** The node has connected to us; `hasIncoming` was false. */
  accept(stream: Stream): StreamHandlers {
    const { owner } = this.#s;
    const { pnn } = this.node;
    const link = this.#link(stream, (packet) => owner.onPacket(packet, pnn));
    this.#incoming = link;
    owner.onIncoming(pnn);
    this.#checkConnected();
    // It is up: no need to wait for our next attempt's turn, if none is under way yet.
    if (this.#outgoing === undefined && !this.#keptOut && this.#heldMs === 0) {
      this.#attempts.hasten(ANSWER_INTERVAL_MS);
    }
    return link.handlers;
  }

  #drop(reason: string): void {
    this.#attempts.cancel();
    this.#linger?.cancel();
    this.#linger = undefined;
    this.#outgoing?.close();
    this.#incoming?.close();
    this.#outgoing = undefined;
    this.#incoming = undefined;
    for (const source of this.#waiting) source.release();
    this.#waiting.clear();
    this.#becomeLost(reason);
  }

  #becomeLost(reason: string): void {
    if (!this.#connected) return;
    this.#connected = false;
    const held = this.#damping.broke(this.#s.clock.monotonicMs());
    this.#s.owner.onLost(this.node.pnn, held === undefined ? reason : `${reason}; ${held}`);
  }

  /** How long a link that breaks all the time is left alone still. */
  get #heldMs(): number {
    return this.#damping.heldMs(this.#s.clock.monotonicMs());
  }

  #planConnect(intervalMs = this.#keptOut ? KEPT_OUT_INTERVAL_MS : CONNECT_INTERVAL_MS): void {
    if (this.#ended || this.#outgoing !== undefined) return;
    if (this.#heldMs > 0) this.#attempts.planIn(this.#heldMs);
    else this.#attempts.plan(intervalMs);
  }

  #connect(): Timer {
    const { transport, turns, log, ownAddress } = this.#s;
    return transport.connect(this.node, ownAddress, (outcome) =>
      turns.run("node-connect", () => {
        this.#attempts.ended();
        if (outcome.ok) return this.#outgoingUp(outcome.value);
        log.debug(`Cannot connect to node ${this.node.pnn}: ${outcome.error.message}`);
        this.#countRefusals(0);
        this.#planConnect();
        return undefined;
      }),
    );
  }

  #outgoingUp(stream: Stream): StreamHandlers {
    const link = this.#link(stream, () => {
      this.restart("data came on the connection that is for sending only");
    });
    this.#outgoing = link;
    this.#outgoingSinceMs = this.#s.clock.monotonicMs();
    this.#s.owner.onOutgoing(this.node.pnn);
    this.#checkConnected();
    return link.handlers;
  }

  #link(stream: Stream, onPacket: (packet: PacketView) => void): PacketLink {
    return new PacketLink(
      stream,
      this.#s.turns,
      {
        onPacket,
        onClosed: (reason, malformed) => {
          if (malformed) this.#s.owner.onMalformed(this.node.pnn, reason);
          if (this.#wasRefused()) this.#countRefusals(this.#refusals + 1);
          this.restart(reason);
        },
        onRelieved: () => {
          const waiting = [...this.#waiting];
          this.#waiting.clear();
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
  #wasRefused(): boolean {
    if (this.#outgoing === undefined || this.#incoming !== undefined) return false;
    return this.#s.clock.monotonicMs() - this.#outgoingSinceMs < REFUSED_WITHIN_MS;
  }

  #countRefusals(times: number): void {
    if (this.#refusals === times) return;
    this.#refusals = times;
    this.#s.owner.onRefused(this.node.pnn, times);
  }

  #checkConnected(): void {
    if (this.#connected || this.#outgoing === undefined || this.#incoming === undefined) return;
    this.#countRefusals(0);
    if (this.#keptOut) {
      this.#s.owner.onProbation(this.node.pnn);
      return;
    }
    this.#connected = true;
    this.#s.owner.onConnected(this.node.pnn);
  }
}
