/**
 * Datagrams to a daemon of this machine: syslog's, or a service manager.
 *
 * Invariants:
 * 1. Sending never blocks. A socket that waits keeps a bounded queue while the daemon is busy and tries
 *    again; others drop, and the next datagram that fits is preceded by the count. Only the end of the
 *    process waits, for LAST_WAIT_MS at most.
 * 2. A daemon that is gone is looked for again with the next message. What it missed is counted, and told once it is
 *    back. Over UDP a message is lost without a word: the refusal of one is known when the next is sent, so the count is
 *    told with the first message after one that was not refused.
 */
import { textBytesUpTo } from "../../base/byte_text.ts";
import { POLL_FUNCTIONS, SOCKET_FUNCTIONS, STREAM_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, type NativeMemory, nativeMemory, openLibc } from "../libc/libc.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import type { SocketAddress } from "../libc/socket_address.ts";
import { SOCK_DGRAM } from "../libc/socket_types.ts";

const QUEUE_MAX = 1000;
const RETRY_MS = 50;
const RETRY_READING_MS = 2;
/** How long the end of a process waits for a busy daemon: for what is queued, and again for the last words. */
const LAST_WAIT_MS = 1000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const POLLOUT = 4;

export interface DatagramOptions {
  /** Where the daemon listens; undefined: nowhere that can be. */
  readonly address: SocketAddress | undefined;
  /** Longer datagrams are cut. */
  readonly bytesMax: number;
  /** What cannot be sent now is kept; otherwise it is dropped. */
  readonly waits: boolean;
  /** What is told of those that were dropped. */
  readonly droppedNotice: (count: number) => string;
}

export class DatagramSocket {
  readonly #sockets = openLibc(SOCKET_FUNCTIONS);
  readonly #streams = openLibc(STREAM_FUNCTIONS);
  readonly #options: DatagramOptions;
  readonly #buffer: NativeMemory;
  /** For small answers of the system. */
  readonly #waited = nativeMemory(8);
  readonly #queue: string[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;
  #descriptor = -1;
  #dropped = 0;

  constructor(options: DatagramOptions) {
    this.#options = options;
    this.#buffer = nativeMemory(options.bytesMax);
  }

  send(datagram: string): void {
    if (this.#queue.length > 0) {
      this.#enqueue(datagram);
      return;
    }
    const refused = this.#wasRefused();
    if (this.#dropped > 0 && !refused && this.#tellDropped() !== "sent") {
      this.#dropped += 1;
      return;
    }
    const outcome = this.#trySend(datagram);
    if (outcome === "sent") return;
    if (outcome === "busy" && this.#options.waits) this.#enqueue(datagram);
    else this.#dropped += 1;
  }

  /** Sends what waits, for the end of a process. */
  flush(): void {
    const endMs = performance.now() + LAST_WAIT_MS;
    let sent = 0;
    while (sent < this.#queue.length && this.#sendBefore(endMs, this.#queue[sent] as string)) {
      sent += 1;
    }
    this.#queue.splice(0, sent);
  }

  /** Sent when this returns, behind what waits, unless it is false: nobody takes it. */
  sendLast(datagram: string): boolean {
    this.flush();
    const endMs = performance.now() + LAST_WAIT_MS;
    if (this.#dropped > 0) this.#sendBefore(endMs, this.#options.droppedNotice(this.#dropped));
    return this.#sendBefore(endMs, datagram);
  }

  #sendBefore(endMs: number, datagram: string): boolean {
    for (;;) {
      const outcome = this.#trySend(datagram);
      if (outcome !== "busy") return outcome === "sent";
      const leftMs = Math.ceil(endMs - performance.now());
      if (leftMs <= 0) return false;
      const waited = this.#waited;
      waited.words[0] = this.#descriptor;
      waited.words[1] = POLLOUT;
      openLibc(POLL_FUNCTIONS).poll(waited.address, 1, leftMs);
    }
  }

  #enqueue(datagram: string): void {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(datagram);
    this.#retry ??= setTimeout(() => this.#sendQueue(), RETRY_MS);
  }

  #sendQueue(): void {
    this.#retry = undefined;
    let sent = 0;
    for (; sent < this.#queue.length; sent++) {
      const outcome = this.#trySend(this.#queue[sent] as string);
      if (outcome === "busy") break;
      if (outcome === "lost") this.#dropped += 1;
    }
    this.#queue.splice(0, sent);
    // One that reads takes more soon.
    const retryMs = sent > 0 ? RETRY_READING_MS : RETRY_MS;
    const isBusy = this.#queue.length > 0 || (this.#dropped > 0 && this.#tellDropped() === "busy");
    if (isBusy) this.#retry = setTimeout(() => this.#sendQueue(), retryMs);
  }

  #tellDropped(): "sent" | "busy" | "lost" {
    const outcome = this.#trySend(this.#options.droppedNotice(this.#dropped));
    if (outcome === "sent") this.#dropped = 0;
    return outcome;
  }

  /** UDP only: nobody had the last message, which is counted. The socket can be used again. */
  #wasRefused(): boolean {
    if (this.#descriptor === -1) return false;
    const { address } = this.#waited;
    if (this.#streams.recv(this.#descriptor, address, 1, MSG_DONTWAIT) >= 0) return false;
    if (errno() !== ERRNO.ECONNREFUSED) return false;
    this.#dropped += 1;
    return true;
  }

  #trySend(datagram: string): "sent" | "busy" | "lost" {
    // A daemon that was restarted has a new socket: one new try.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (this.#descriptor === -1 && !this.#connect()) return "lost";
      const bytes = textBytesUpTo(datagram, this.#buffer.bytes.length);
      this.#buffer.bytes.set(bytes);
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      if (this.#streams.send(this.#descriptor, this.#buffer.bytes, bytes.length, flags) >= 0) {
        return "sent";
      }
      if (errno() === ERRNO.EAGAIN) return "busy";
      closeDescriptor(this.#descriptor);
      this.#descriptor = -1;
    }
    return "lost";
  }

  #connect(): boolean {
    const { address } = this.#options;
    if (address === undefined) return false;
    const { family, memory } = address;
    const descriptor = this.#sockets.socket(family, SOCK_DGRAM, 0);
    if (descriptor === -1) return false;
    if (this.#sockets.connect(descriptor, memory.address, memory.bytes.length) !== 0) {
      closeDescriptor(descriptor);
      return false;
    }
    this.#descriptor = descriptor;
    return true;
  }
}
