/**
 * One stream of server-sent events.
 *
 * Invariants:
 * 1. What waits for a reader is bounded: one that is slower than what happens gets a last event that says so, and its
 *    stream ends. It may come back with its Last-Event-ID, and misses nothing.
 * 2. Of events that replace each other only the newest waits.
 * 3. Events of the past are read from the journal as the reader takes them, never all at once.
 */
import { textBytes } from "../../base/byte_text.ts";
import { REPLAY_EVENTS, STREAM_BYTES_MAX } from "../limits.ts";

export interface PastEvents {
  /** The next after that id, as they are sent; fewer than asked for: there are no more. */
  after(id: number, count: number): readonly { readonly id: number; readonly bytes: Uint8Array }[];
}

interface Waiting {
  readonly bytes: Uint8Array;
  /** Of events that replace each other. */
  readonly topic: string | undefined;
}

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #past: PastEvents | undefined;
  readonly #onEnd: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Sends what comes next to the reader that waits for it. */
  #wanted: (() => void) | undefined;
  /** The id of the last event of the past that was sent; undefined: what happens now comes at once. */
  #replayed: number | undefined;
  #state: "open" | "ending" | "ended" = "open";
  /** Looks since the reader has taken something. */
  #idleLooks = 0;

  constructor(past: PastEvents | undefined, replayAfter: number | undefined, onEnd: () => void) {
    this.#past = past;
    this.#replayed = past === undefined ? undefined : replayAfter;
    this.#onEnd = onEnd;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#end(),
      },
      { highWaterMark: 0 },
    );
  }

  get isReplaying(): boolean {
    return this.#replayed !== undefined;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** `topic`: takes the place of what waits with the same one. */
  push(bytes: Uint8Array, topic?: string): void {
    if (this.#state !== "open") return;
    const replaced = topic && this.#waiting.findIndex((each) => each.topic === topic);
    if (typeof replaced === "number" && replaced >= 0) {
      const [old] = this.#waiting.splice(replaced, 1);
      this.#waitingBytes -= old?.bytes.length ?? 0;
    }
    this.#waiting.push({ bytes, topic });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > STREAM_BYTES_MAX) this.finish(DROPPED);
    else this.#flow();
  }

  /** Only where nothing else waits. True: the reader takes nothing any more, for so many looks. */
  beat(bytes: Uint8Array, looksMax: number): boolean {
    this.#idleLooks += 1;
    if (this.#waiting.length === 0) this.push(bytes);
    return this.#waiting.length > 0 && this.#idleLooks > looksMax;
  }

  /** The last event; what waits is given up. */
  finish(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#waiting = [{ bytes, topic: undefined }];
    this.#waitingBytes = bytes.length;
    this.#replayed = undefined;
    this.#flow();
  }

  /** Without a word. */
  abort(reason: string): void {
    if (this.#state === "ended") return;
    this.#end();
    try {
      this.#controller?.error(new Error(reason));
    } catch {
      // It was closed by the other side at the same time.
    }
  }

  #pull(): Promise<void> | undefined {
    this.#idleLooks = 0;
    if (this.#sendNext()) return undefined;
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }

  #flow(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || !this.#sendNext()) return;
    this.#wanted = undefined;
    wanted();
  }

  #sendNext(): boolean {
    if (this.#waiting.length === 0 && this.#replayed !== undefined) this.#replay();
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    this.#waitingBytes -= next.bytes.length;
    this.#controller?.enqueue(next.bytes);
    if (this.#state === "ending") {
      this.#end();
      this.#controller?.close();
    }
    return true;
  }

  #replay(): void {
    const events = this.#past?.after(this.#replayed ?? 0, REPLAY_EVENTS) ?? [];
    for (const { id, bytes } of events) {
      this.#waiting.push({ bytes, topic: undefined });
      this.#waitingBytes += bytes.length;
      this.#replayed = id;
    }
    if (events.length < REPLAY_EVENTS) this.#replayed = undefined;
  }

  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#waiting = [];
    this.#waitingBytes = 0;
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
    this.#onEnd();
  }
}

const DROPPED = eventBytes("dropped", '{"reason":"the reader is too slow"}');

/** `data` without line ends, as JSON has none. */
export function eventBytes(event: string, data: string, id?: number): Uint8Array {
  const first = id === undefined ? "" : `id: ${id}\n`;
  return textBytes(`${first}event: ${event}\ndata: ${data}\n\n`);
}
