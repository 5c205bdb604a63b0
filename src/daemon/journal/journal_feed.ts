/**
 * Events on their way out of ctdbd, and those of its children on their way in (docs/journal.md).
 *
 *     nobody ── JournalRead ──▶ waiting ── an event, BATCH_DELAY_MS later ──▶ sent ── JournalRead ──▶ waiting
 *
 * Invariants:
 * 1. One batch is under way at a time: the next follows the request that acknowledges it. A reader that asks again
 *    gets the same again.
 * 2. Only this node's clients are heard. There is one reader, the one that has asked last.
 */
import type { Logger } from "../../base/log.ts";
import type { U64 } from "../../base/u64.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import { SRVID } from "../../wire/constants.ts";
import {
  BATCH_BYTES,
  BATCH_EVENTS_MAX,
  decodeRead,
  decodeReport,
  encodeBatch,
  type JournalEntry,
} from "../../wire/journal_messages.ts";
import type { MessageRouter } from "../routing/message_router.ts";
import { boundedEntry } from "./bounded_event.ts";
import { isJournalProcess, type JournalRing } from "./journal_ring.ts";
import { BATCH_DELAY_MS } from "./limits.ts";

export interface JournalFeedParts {
  readonly ring: JournalRing;
  readonly messages: Pick<MessageRouter, "listen" | "send">;
  readonly timers: Timers;
  readonly ownPnn: number;
  readonly log: Logger;
}

export class JournalFeed {
  readonly #d: JournalFeedParts;
  readonly #removers: readonly (() => void)[];
  /** Who reads, and what it has not got yet. */
  #reader: { readonly srvid: U64; readonly from: number } | undefined;
  #timer: Timer | undefined;

  constructor(parts: JournalFeedParts) {
    this.#d = parts;
    const own = (handler: (data: Uint8Array) => void) => (data: Uint8Array, srcnode: number) => {
      if (srcnode === parts.ownPnn) handler(data);
    };
    this.#removers = [
      parts.messages.listen(
        SRVID.JOURNAL_READ,
        own((data) => this.#read(data)),
      ),
      parts.messages.listen(
        SRVID.JOURNAL_REPORT,
        own((data) => this.#report(data)),
      ),
    ];
  }

  close(): void {
    for (const remove of this.#removers) remove();
    this.#stopWaiting();
  }

  #read(data: Uint8Array): void {
    const { ring, log } = this.#d;
    const read = decodeRead(data);
    if (!read.ok) {
      log.warning(`Dropped a request for events: ${read.error}`);
      return;
    }
    const { reader, ring: name, kept } = read.value;
    const known = name === ring.name ? Math.min(kept, ring.last) : 0;
    ring.acknowledge(known);
    this.#stopWaiting();
    this.#reader = { srvid: reader, from: known + 1 };
    if (ring.size > 0) this.#send();
    else ring.whenRecorded(() => this.#plan());
  }

  #plan(): void {
    this.#timer = this.#d.timers.after(BATCH_DELAY_MS, () => this.#send());
  }

  #send(): void {
    const { ring, messages, ownPnn } = this.#d;
    const reader = this.#reader;
    this.#stopWaiting();
    if (reader === undefined) return;
    // What it waits for may be gone by now.
    const first = Math.max(reader.from, ring.first);
    const entries = withinBatch(ring.peek(first, BATCH_EVENTS_MAX).map(boundedEntry));
    const batch = { ring: ring.name, node: ownPnn, first, entries };
    messages.send(ownPnn, reader.srvid, encodeBatch(batch));
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#d.ring.whenRecorded(undefined);
  }

  #report(data: Uint8Array): void {
    const { ring, log } = this.#d;
    const report = decodeReport(data);
    if (!report.ok) {
      log.warning(`Dropped reported events: ${report.error}`);
      return;
    }
    const { process, entries } = report.value;
    if (!isJournalProcess(process)) {
      log.warning(`Dropped events of an unknown process "${process}"`);
      return;
    }
    const bytes = Math.ceil(data.length / Math.max(1, entries.length));
    for (const entry of entries) {
      // Who keeps it looks whether it is an event; here it only waits.
      ring.add({ ...entry, process } as unknown as JournalEntry, bytes);
    }
  }
}

function withinBatch(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  let bytes = 0;
  const fits = entries.findIndex((entry) => {
    bytes += JSON.stringify(entry).length;
    return bytes > BATCH_BYTES;
  });
  return fits < 0 ? entries : entries.slice(0, Math.max(1, fits));
}
