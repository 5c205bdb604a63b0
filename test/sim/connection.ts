/**
 * One simulated connection: two ends and the bytes between them. Delays, cuts and what listens
 * where are the network's; here is what a stream does with its bytes.
 *
 * Invariants:
 * 1. Bytes of one direction arrive in order, also across a cut that holds some of them back.
 * 2. An end that was closed gets nothing any more; its peer gets what was written before.
 */
import { assert } from "../../src/base/assert.ts";
import { SystemError } from "../../src/base/errors.ts";
import type { Stream, StreamHandlers } from "../../src/platform/types/network.ts";
import type { SimHost, SimNetwork } from "./network.ts";
import type { SimProcess } from "./scheduler.ts";

const IN_FLIGHT_BYTES_MAX = 1 << 20;

type Item = Uint8Array | "end";

/** One end of a connection. */
export class Endpoint implements Stream {
  readonly peer: Stream["peer"];
  readonly remoteAddress: string | undefined;
  readonly owner: SimProcess;
  readonly host: SimHost;
  readonly #link: Connection;
  handlers: StreamHandlers | undefined;
  open = true;
  reading = true;
  /** What arrived while this end was not read, or its handlers were not known yet. */
  arrived: Item[] = [];
  /** What a cut holds back. */
  blocked: Item[] = [];
  /** On its way to this end; it arrives in this order. */
  readonly inTransit: Item[] = [];
  inFlightBytes = 0;
  wantsDrain = false;
  lastArrivalMs = 0;
  readonly #deliver = (): void => this.deliver();
  /** What was sent first has come. One function for all that comes: a write makes no closure. */
  readonly arriveNext = (): void => this.#link.arriveNext(this);

  constructor(link: Connection, side: Side, remote: string | undefined, pid: number) {
    this.#link = link;
    this.owner = side.owner;
    this.host = side.host;
    this.remoteAddress = remote;
    this.peer = remote === undefined ? { pid, uid: 0 } : undefined;
  }

  write(bytes: Uint8Array): number {
    if (!this.open) return bytes.length;
    const taken = Math.min(IN_FLIGHT_BYTES_MAX - this.inFlightBytes, bytes.length);
    if (taken < bytes.length) this.wantsDrain = true;
    if (taken > 0) this.#link.send(this, bytes.slice(0, taken));
    return taken;
  }
  pause(): void {
    this.reading = false;
  }
  resume(): void {
    if (this.reading) return;
    this.reading = true;
    this.#link.network.scheduler.soon(this.owner, this.#deliver);
  }
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.#link.closedBy(this);
  }

  accept(item: Item): void {
    this.arrived.push(item);
    if (!this.owner.hold(this.#deliver)) this.deliver();
  }

  deliver(): void {
    while (this.open && this.reading && this.handlers !== undefined && this.arrived.length > 0) {
      const item = this.arrived.shift();
      if (item === "end") {
        this.open = false;
        this.#link.endSeen();
        this.handlers.onClose(undefined);
      } else if (item !== undefined) {
        this.handlers.onData(item);
        // Valid during the call only: whoever keeps a view reads nonsense.
        item.fill(0xdb);
      }
    }
  }

  drained(): void {
    if (!this.wantsDrain || !this.open || this.inFlightBytes >= IN_FLIGHT_BYTES_MAX / 2) return;
    this.wantsDrain = false;
    this.#link.network.scheduler.soon(this.owner, () => {
      if (this.open) this.handlers?.onDrain();
    });
  }

  /** The other side is gone without a word, or said so rudely. */
  reset(): void {
    if (!this.open) return;
    this.open = false;
    this.#link.network.scheduler.soon(this.owner, () =>
      this.handlers?.onClose(new SystemError("ECONNRESET", "read", this.remoteAddress ?? "")),
    );
  }
}

export interface Side {
  readonly host: SimHost;
  readonly owner: SimProcess;
}

export class Connection {
  readonly network: SimNetwork;
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** A unix socket: never cut, hardly delayed. */
  readonly local: boolean;
  /** What is sent is lost. */
  silent = false;

  constructor(
    network: SimNetwork,
    from: Side,
    to: Side,
    addresses: { readonly client: string; readonly server: string } | undefined,
  ) {
    this.network = network;
    this.local = addresses === undefined;
    this.client = new Endpoint(this, from, addresses?.server, network.pidOf(to.owner));
    this.server = new Endpoint(this, to, addresses?.client, network.pidOf(from.owner));
  }

  between(a: SimHost, b: SimHost): boolean {
    if (this.local) return false;
    const { client, server } = this;
    return (client.host === a && server.host === b) || (client.host === b && server.host === a);
  }

  send(sender: Endpoint, bytes: Uint8Array): void {
    const { random, conditions } = this.network;
    sender.inFlightBytes += bytes.length;
    let rest = bytes;
    while (rest.length > 1 && random.chance(conditions.splitChance)) {
      const count = 1 + random.below(rest.length - 1);
      this.#transmit(sender, rest.subarray(0, count));
      rest = rest.subarray(count);
    }
    this.#transmit(sender, rest);
  }

  closedBy(sender: Endpoint): void {
    this.network.ended(this);
    this.#transmit(sender, "end");
  }

  endSeen(): void {
    this.network.ended(this);
  }

  /** Both ends see a reset; bytes in flight are lost. */
  abort(): void {
    this.network.ended(this);
    this.client.reset();
    this.server.reset();
  }

  /** One host has forgotten its end; what the other sends is lost. */
  loseEnd(host: SimHost): void {
    this.network.ended(this);
    const end = this.client.host === host ? this.client : this.server;
    end.reset();
  }

  #transmit(sender: Endpoint, item: Item): void {
    const { network } = this;
    const receiver = sender === this.client ? this.server : this.client;
    const delayMs = this.local ? LOCAL_DELAY_MS : network.delayMs(sender.host, receiver.host);
    const atMs = Math.max(network.scheduler.nowMs + delayMs, receiver.lastArrivalMs);
    receiver.lastArrivalMs = atMs;
    receiver.inTransit.push(item);
    network.scheduler.at(network.kernel, atMs, receiver.arriveNext);
  }

  arriveNext(receiver: Endpoint): void {
    const item = receiver.inTransit.shift();
    assert(item !== undefined, "what arrives was sent");
    if (this.silent) return;
    const sender = receiver === this.client ? this.server : this.client;
    const isCut = !this.local && this.network.isCut(sender.host, receiver.host);
    if (isCut || receiver.blocked.length > 0) receiver.blocked.push(item);
    else this.#take(sender, receiver, item);
  }

  /** The cut is over: what it held back arrives. */
  unblock(): void {
    for (const receiver of [this.client, this.server]) {
      const sender = receiver === this.client ? this.server : this.client;
      if (this.network.isCut(sender.host, receiver.host)) continue;
      const items = receiver.blocked;
      receiver.blocked = [];
      for (const item of items) this.#take(sender, receiver, item);
    }
  }

  #take(sender: Endpoint, receiver: Endpoint, item: Item): void {
    if (item !== "end") {
      sender.inFlightBytes -= item.length;
      sender.drained();
    }
    if (receiver.open) receiver.accept(item);
  }
}

export const LOCAL_DELAY_MS = 0.03;
