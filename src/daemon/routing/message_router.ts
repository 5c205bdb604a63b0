/**
 * REQ_MESSAGE: from a client or a node to those who listen, here and elsewhere.
 *
 * Invariant: messages of one sender to one listener arrive in the order in which they were sent, also
 * when some were sent to this node and some were broadcast.
 */
import type { U64 } from "../../base/u64.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import { CURRENT_NODE, type PacketView } from "../../wire/packet.ts";
import { REQ_MESSAGE_AT } from "../../wire/packets/layouts.ts";
import { buildReqMessage } from "../../wire/packets/message.ts";
import type { LeaderCache } from "./leader_cache.ts";
import type { NodeOutput } from "./node_output.ts";
import type { MessageSink, SrvidRegistry } from "./srvid_registry.ts";

export class MessageRouter {
  readonly #ownPnn: number;
  readonly #vnnMap: VnnMap;
  readonly #output: NodeOutput;
  readonly #registry: SrvidRegistry;
  readonly #leaderCache: LeaderCache;

  constructor(
    ownPnn: number,
    vnnMap: VnnMap,
    output: NodeOutput,
    registry: SrvidRegistry,
    leaderCache: LeaderCache,
  ) {
    this.#ownPnn = ownPnn;
    this.#vnnMap = vnnMap;
    this.#output = output;
    this.#registry = registry;
    this.#leaderCache = leaderCache;
  }

  /** The packet's body was checked. Its header is changed in place. */
  fromClient(packet: PacketView): void {
    packet.srcnode = this.#ownPnn;
    packet.generation = this.#vnnMap.generation;
    packet.reqid = 0;
    this.#route(packet.destnode, packet);
  }

  fromNode(packet: PacketView): void {
    this.#deliver(packet);
  }

  /** A message of this daemon. Listeners on this node hear it in a later turn. */
  send(destination: number, srvid: U64, data: Uint8Array): void {
    const header = {
      generation: this.#vnnMap.generation,
      destnode: destination,
      srcnode: this.#ownPnn,
      reqid: 0,
    };
    const packet = buildReqMessage(header, { srvid, data });
    this.#output.sendTo(destination === CURRENT_NODE ? this.#ownPnn : destination, packet);
    packet.free();
  }

  /** Bytes that wait on the way to the listeners of a srvid at a node. */
  queuedBytes(pnn: number, { hi, lo }: U64): number {
    const onTheWay = this.#output.queuedBytes(pnn);
    return pnn === this.#ownPnn ? onTheWay + this.#registry.backlogBytes(hi, lo) : onTheWay;
  }

  /** How many listen to a srvid here; those that want all messages do not count. */
  listeners({ hi, lo }: U64): number {
    return this.#registry.find(hi, lo).length;
  }

  /** A handler of this daemon, and how much it was given that it has not worked off; the result removes it. */
  listen(
    srvid: U64,
    handler: (data: Uint8Array, srcnode: number) => void,
    backlogBytes: () => number = () => 0,
  ): () => void {
    const sink: MessageSink = {
      deliver: (packet) => {
        const data = packet.slice(REQ_MESSAGE_AT.DATA, packet.u32(REQ_MESSAGE_AT.DATA_LENGTH));
        handler(data, packet.srcnode);
      },
      get backlogBytes() {
        return backlogBytes();
      },
    };
    this.#registry.add(srvid.hi, srvid.lo, sink);
    return () => this.#registry.remove(srvid.hi, srvid.lo, sink);
  }

  #route(destination: number, packet: PacketView): void {
    if (destination === CURRENT_NODE || destination === this.#ownPnn) {
      this.#deliver(packet);
      return;
    }
    const targets = this.#output.broadcastTargets(destination);
    if (targets === undefined) {
      this.#output.send(destination, packet);
      return;
    }
    // The others first: what this node does with it may take a while.
    let own = false;
    for (const pnn of targets) {
      if (pnn === this.#ownPnn) own = true;
      else this.#output.send(pnn, packet);
    }
    if (own) this.#deliver(packet);
  }

  #deliver(packet: PacketView): void {
    packet.destnode = this.#ownPnn;
    const hi = packet.u32(REQ_MESSAGE_AT.SRVID + 4);
    const lo = packet.u32(REQ_MESSAGE_AT.SRVID);
    this.#leaderCache.see(hi, lo, packet);
    this.#registry.deliver(hi, lo, packet);
  }
}
