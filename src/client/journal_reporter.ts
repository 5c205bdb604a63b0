/**
 * Events of a child of ctdbd on their way to it: those of one turn travel together. What is recorded while there is no
 * connection, or more than fits, is dropped: ctdbd's end is told by ctdbd's own events.
 */
import type { Journal, JournalEvent, JournalProcess } from "../base/journal_event.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import { SRVID } from "../wire/constants.ts";
import { encodeReport, type JournalReport } from "../wire/journal_messages.ts";
import type { CtdbClient } from "./types.ts";

/** Of one turn. */
const EVENTS_MAX = 1024;

export class JournalReporter implements Journal {
  readonly #client: Pick<CtdbClient, "pnn" | "sendMessage" | "connected">;
  readonly #process: JournalProcess;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #entries: JournalReport["entries"][number][] = [];

  constructor(
    client: Pick<CtdbClient, "pnn" | "sendMessage" | "connected">,
    process: JournalProcess,
    clock: Clock,
    timers: Timers,
  ) {
    this.#client = client;
    this.#process = process;
    this.#clock = clock;
    this.#timers = timers;
  }

  record(event: JournalEvent): void {
    if (this.#entries.length >= EVENTS_MAX) return;
    if (this.#entries.length === 0) this.#timers.soon(() => this.flush());
    const { sec, usec } = this.#clock.wallTime();
    const monotonicMs = this.#clock.monotonicMs();
    this.#entries.push({
      time_us: sec * 1_000_000 + usec,
      monotonic_ms: monotonicMs,
      event: { ...event },
    });
  }

  /** Before the end of the process: nothing is sent after it. */
  flush(): void {
    const entries = this.#entries;
    this.#entries = [];
    if (entries.length === 0 || !this.#client.connected) return;
    const report = { process: this.#process, entries };
    this.#client.sendMessage(this.#client.pnn, SRVID.JOURNAL_REPORT, encodeReport(report));
  }
}
