/**
 * Fetches the events of this node's ctdbd and keeps them (docs/journal.md).
 *
 *     connecting ──▶ asking ── batch: kept ──▶ asking (which acknowledges) …
 *         ▲            │  └─── batch: cannot be kept ──▶ waiting ── KEEP_AGAIN_MS ──▶ asking (for the same)
 *         └─ the connection ends, RECONNECT_MS later
 *
 * Invariants:
 * 1. Nothing is acknowledged that the store does not have for good.
 * 2. Silence is asked into every ASK_AGAIN_MS: a request or a batch may be lost, and asking twice costs nothing.
 * 3. Listeners hear of an event once, after it is kept.
 */
import type { Logger } from "../../base/log.ts";
import type { Result } from "../../base/result.ts";
import type { U64 } from "../../base/u64.ts";
import type { ClientFailure, CtdbClient } from "../../client/types.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { SRVID } from "../../wire/constants.ts";
import { decodeBatch, encodeRead } from "../../wire/journal_messages.ts";
import { ASK_AGAIN_MS, KEEP_AGAIN_MS, RECONNECT_MS } from "../limits.ts";
import type { JournalStore, KeptEvent } from "../types.ts";

type ReaderClient = Pick<
  CtdbClient,
  "pnn" | "registerSrvid" | "sendMessage" | "onDisconnect" | "close"
>;

export interface JournalReaderParts {
  /** A connection of its own to this node's ctdbd. */
  readonly connect: () => Promise<Result<ReaderClient, ClientFailure>>;
  readonly store: Pick<JournalStore, "position" | "keep">;
  readonly timers: Timers;
  readonly log: Logger;
  /** Where batches go: OUR_ANSWERS with low bits that no other process of this node has. */
  readonly reader: U64;
}

type ReaderState = "connecting" | "asking" | "waiting" | "closed";
export type EventsListener = (events: readonly KeptEvent[]) => void;

export class JournalReader {
  readonly #d: JournalReaderParts;
  readonly #listeners = new Set<EventsListener>();
  #state: ReaderState = "connecting";
  #client: ReaderClient | undefined;
  #timer: Timer | undefined;
  /** Why nothing is kept now; undefined while all is well. */
  #problem: string | undefined = "not connected yet";

  constructor(parts: JournalReaderParts) {
    this.#d = parts;
    void this.#connect();
  }

  /** Why nothing is kept now, for a person; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  onEvents(listener: EventsListener): { remove(): void } {
    this.#listeners.add(listener);
    return { remove: () => this.#listeners.delete(listener) };
  }

  close(): void {
    this.#state = "closed";
    this.#timer?.cancel();
    this.#client?.close();
    this.#client = undefined;
  }

  async #connect(): Promise<void> {
    const connected = await this.#d.connect();
    if (!connected.ok) {
      this.#reconnect(connected.error.reason);
      return;
    }
    const client = connected.value;
    if (this.#isClosed()) {
      client.close();
      return;
    }
    this.#client = client;
    client.onDisconnect((reason) => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#reconnect(reason);
    });
    const registered = await client.registerSrvid(this.#d.reader, (data, srcnode) => {
      if (this.#client === client && srcnode === client.pnn) this.#receive(data);
    });
    if (this.#client !== client) return;
    if (!registered.ok) {
      this.#client = undefined;
      client.close();
      this.#reconnect(registered.error.reason);
      return;
    }
    this.#ask();
  }

  #reconnect(reason: string): void {
    if (this.#isClosed()) return;
    this.#state = "connecting";
    this.#setProblem(`Not connected to ctdbd: ${reason}`);
    this.#after(RECONNECT_MS, () => void this.#connect());
  }

  /** Acknowledges what is kept, and asks for what follows. */
  #ask(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#state = "asking";
    const { ring, kept } = this.#d.store.position();
    const read = encodeRead({ reader: this.#d.reader, ring, kept });
    client.sendMessage(client.pnn, SRVID.JOURNAL_READ, read);
    this.#after(ASK_AGAIN_MS, () => this.#ask());
  }

  #receive(data: Uint8Array): void {
    // What comes while we wait for a disk was asked for before; it comes again.
    if (this.#state !== "asking") return;
    const batch = decodeBatch(data);
    if (!batch.ok) {
      this.#setProblem(`ctdbd sent events that are none: ${batch.error}`);
      return;
    }
    const kept = this.#d.store.keep(batch.value);
    if (!kept.ok) {
      this.#setProblem(kept.error);
      this.#state = "waiting";
      this.#after(KEEP_AGAIN_MS, () => this.#ask());
      return;
    }
    this.#setProblem(undefined);
    this.#ask();
    if (kept.value.length === 0) return;
    for (const listener of [...this.#listeners]) listener(kept.value);
  }

  /** A problem is logged when it is new, and when it is over. */
  #setProblem(problem: string | undefined): void {
    if (problem === this.#problem) return;
    if (problem !== undefined) this.#d.log.warning(problem);
    else if (this.#problem !== undefined) this.#d.log.notice("Events are kept");
    this.#problem = problem;
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #after(delayMs: number, action: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#d.timers.after(delayMs, action);
  }
}
