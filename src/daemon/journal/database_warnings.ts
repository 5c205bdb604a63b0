/** What is wrong with databases: each time in the log, and of each problem now and then in the journal. */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { DatabaseProblem } from "../../database/host.ts";
import type { Clock } from "../../platform/types/time.ts";
import { DATABASE_WARNING_INTERVAL_MS, DATABASE_WARNINGS_MAX } from "./limits.ts";

export class DatabaseWarnings {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #log: Logger;
  readonly #journal: Journal;
  /** When it was written down, by name and problem. */
  readonly #writtenMs = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonicMs">, log: Logger, journal: Journal) {
    this.#clock = clock;
    this.#log = log;
    this.#journal = journal;
  }

  warn(name: string, problem: DatabaseProblem, warning: string): void {
    if (problem === "damaged" || problem === "short values") this.#log.error(warning);
    else this.#log.warning(warning);
    const key = `${problem}\0${name}`;
    const nowMs = this.#clock.monotonicMs();
    const writtenMs = this.#writtenMs.get(key);
    if (writtenMs !== undefined && nowMs - writtenMs < DATABASE_WARNING_INTERVAL_MS) return;
    if (this.#writtenMs.size >= DATABASE_WARNINGS_MAX) this.#writtenMs.clear();
    this.#writtenMs.set(key, nowMs);
    this.#journal.record({ kind: "database_warning", name, warning });
  }
}
