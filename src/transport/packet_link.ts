/**
 * Packets over one byte stream: frames what comes in, queues and writes what goes out.
 *
 * Invariants:
 * 1. At most SLICE_PACKETS_MAX packets or SLICE_BYTES_MAX bytes are handed out in one turn; the rest comes
 *    in a later turn, and meanwhile the stream is not read.
 * 2. While `hold` is in force no packet is handed out, and at most one more chunk is taken in.
 * 3. Whole packets that arrived before the end of the stream are handed out before `onClosed`, unless
 *    the link is held.
 * 4. `onClosed` comes once: after the peer closed, an error, or a packet that cannot be framed; never
 *    after our own `close()`, and never inside `send()`.
 */
import type { Stream, StreamHandlers } from "../platform/types/network.ts";
import type { Timers } from "../platform/types/time.ts";
import { type PacketView, paddedLength } from "../wire/packet.ts";
import { type FramerMode, PacketFramer } from "./framer.ts";
import { SLICE_BYTES_MAX, SLICE_PACKETS_MAX, WRITTEN_AT_ONCE_BYTES_MIN } from "./limits.ts";
import { OutputQueue } from "./output_queue.ts";
import type { Flushable, Turns } from "./turns.ts";

export interface PacketLinkOwner {
  /** The view is valid during the call only. */
  onPacket(packet: PacketView): void;
  /** `malformed`: the reason is a packet that is not one, rather than the end of the stream. */
  onClosed(reason: string, malformed: boolean): void;
  /** The queue was written down below `relievedBytes` after it had been above `congestedBytes`. */
  onRelieved(): void;
}

export interface PacketLinkOptions {
  /** Names the turns of this link in the trace. */
  readonly name: string;
  readonly mode: FramerMode;
  readonly congestedBytes: number;
  readonly relievedBytes: number;
  /** Of packets that come; the default is the limit of all. */
  readonly packetBytesMax?: number;
}

export class PacketLink implements Flushable {
  readonly #stream: Stream;
  readonly #owner: PacketLinkOwner;
  readonly #options: PacketLinkOptions;
  readonly #turns: Turns;
  readonly #timers: Timers;
  readonly #framer: PacketFramer;
  readonly #output: OutputQueue;
  readonly #write: (bytes: Uint8Array) => number;
  /** Handlers to give to the stream. */
  readonly handlers: StreamHandlers;

  #state: "open" | "failed" | "closed" = "open";
  #holds = 0;
  #paused = false;
  #sliceWaits = false;
  #flushPlanned = false;
  /** The stream took less than it was given: it says when there is room again. */
  #streamFull = false;
  #congested = false;
  /** Why the stream has ended; packets that arrived before are still handed out. */
  #ended: string | undefined;

  constructor(stream: Stream, turns: Turns, owner: PacketLinkOwner, options: PacketLinkOptions) {
    this.#stream = stream;
    this.#owner = owner;
    this.#options = options;
    this.#turns = turns;
    this.#timers = turns.timers(options.name);
    this.#framer = new PacketFramer(options.mode, options.packetBytesMax);
    // Packets of the event daemon are as long as they are (docs/protocol.md, "Event protocol").
    this.#output = new OutputQueue(options.mode !== "event");
    this.#write = (bytes) => stream.write(bytes);
    const { name } = options;
    const onData = (chunk: Uint8Array): void => this.#onData(chunk);
    this.handlers = {
      onData: (chunk) => turns.run(name, onData, chunk),
      onDrain: () => turns.run(name, () => this.#onDrain()),
      onClose: (reason) => turns.run(name, () => this.#onClose(reason?.message)),
    };
  }

  get queuedBytes(): number {
    return this.#output.bytes;
  }
  get queuedPackets(): number {
    return this.#output.packets;
  }
  /** Bytes of input that are kept. */
  get bufferedBytes(): number {
    return this.#framer.bufferBytes;
  }
  /** More waits than the peer should let wait. */
  get congested(): boolean {
    return this.#congested;
  }
  get open(): boolean {
    return this.#state === "open";
  }

  /** Copies the packet into the queue; it is written at the end of the turn. A large one is written now. */
  send(packet: PacketView): void {
    if (this.#state !== "open") return;
    if (packet.length >= WRITTEN_AT_ONCE_BYTES_MIN && this.#writeAtOnce(packet)) return;
    this.#output.push(packet);
    if (this.#output.bytes > this.#options.congestedBytes) this.#congested = true;
    if (this.#flushPlanned || this.#streamFull) return;
    this.#flushPlanned = true;
    this.#turns.flushAtEnd(this);
  }

  /**
   * What the stream takes need not be copied. False: other bytes wait before it, or it needs padding.
   */
  #writeAtOnce(packet: PacketView): boolean {
    const isWhole = this.#options.mode === "event" || paddedLength(packet.length) === packet.length;
    if (!isWhole || this.#streamFull || !this.#output.empty) return false;
    const bytes = packet.bytes();
    const taken = this.#write(bytes);
    if (taken === bytes.length) return true;
    this.#streamFull = true;
    this.#output.pushRest(bytes.subarray(taken));
    if (this.#output.bytes > this.#options.congestedBytes) this.#congested = true;
    return true;
  }

  flush(): void {
    this.#flushPlanned = false;
    if (this.#state !== "open" || this.#streamFull) return;
    this.#streamFull = !this.#output.flush(this.#write);
    if (this.#congested && this.#output.bytes <= this.#options.relievedBytes) {
      this.#congested = false;
      this.#owner.onRelieved();
    }
  }

  /** Stops handing out packets until `release` was called as often. */
  hold(): void {
    this.#holds += 1;
    this.#setReading();
  }

  release(): void {
    if (this.#holds > 0) this.#holds -= 1;
    if (this.#holds === 0) this.#planSlice();
  }

  close(): void {
    if (this.#state === "closed") return;
    // What was sent in this turn still goes out, as far as the stream takes it.
    if (this.#state === "open" && !this.#streamFull) this.#output.flush(this.#write);
    this.#state = "closed";
    this.#output.clear();
    this.#stream.close();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#framer.push(chunk);
    if (this.#holds > 0 || this.#sliceWaits) this.#framer.hold();
    else this.#slice();
  }

  #onClose(reason = "closed by the peer"): void {
    if (this.#framer.hasMore && this.#holds === 0) this.#ended = reason;
    else this.#fail(reason, false);
  }

  #onDrain(): void {
    this.#streamFull = false;
    this.flush();
  }

  /** Hands out packets until there are none, the slice is used up, or somebody holds us. */
  #slice(): void {
    let packets = 0;
    let bytes = 0;
    while (packets < SLICE_PACKETS_MAX && bytes < SLICE_BYTES_MAX) {
      const packet = this.#framer.next();
      if (packet === undefined) break;
      packets += 1;
      bytes += packet.length;
      this.#owner.onPacket(packet);
      if (this.#state !== "open") return;
      if (this.#holds > 0) break;
    }
    if (this.#framer.error !== undefined) {
      this.#fail(this.#framer.error, true);
      return;
    }
    this.#framer.hold();
    if (this.#ended !== undefined && (this.#holds > 0 || !this.#framer.hasMore)) {
      this.#fail(this.#ended, false);
      return;
    }
    this.#planSlice();
    this.#setReading();
  }

  #planSlice(): void {
    if (this.#sliceWaits || this.#holds > 0 || this.#state !== "open") return;
    if (!this.#framer.hasMore) {
      this.#setReading();
      return;
    }
    this.#sliceWaits = true;
    this.#timers.soon(() => {
      this.#sliceWaits = false;
      if (this.#state === "open" && this.#holds === 0) this.#slice();
    });
  }

  #setReading(): void {
    const pause = this.#holds > 0 || this.#sliceWaits;
    if (pause === this.#paused || this.#state !== "open") return;
    this.#paused = pause;
    if (pause) this.#stream.pause();
    else this.#stream.resume();
  }

  #fail(reason: string, malformed: boolean): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#owner.onClosed(reason, malformed);
    this.close();
  }
}
