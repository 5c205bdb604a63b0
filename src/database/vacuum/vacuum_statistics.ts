/**
 * What the vacuum of one database has done. Of this only the durations of runs have a place on the
 * wire (GET_DB_STATISTICS); the rest is shown by `ctdb dumpmemory`.
 */
export interface VacuumCounts {
  /** Empty records that a full walk found. */
  found: number;
  /** Records that others offered and that came here. */
  fetched: number;
  /** Records that their lmasters were told of. */
  offered: number;
  deleted: number;
  /** Copies that another node did not delete. */
  refused: number;
  /** Left for a later run: held, refused, or a node did not answer. */
  kept: number;
  /** In use again, or no longer ours: nothing to do. */
  skipped: number;
  repacks: number;
}

export function newVacuumCounts(): VacuumCounts {
  return {
    found: 0,
    fetched: 0,
    offered: 0,
    deleted: 0,
    refused: 0,
    kept: 0,
    skipped: 0,
    repacks: 0,
  };
}

export class VacuumStatistics {
  readonly total = newVacuumCounts();
  runs = 0;
  fullRuns = 0;
  failedRuns = 0;
  totalMs = 0;
  lastMs = 0;
  lastDeleted = 0;

  ended(counts: VacuumCounts, how: { full: boolean; ok: boolean; durationMs: number }): void {
    for (const name of Object.keys(counts) as (keyof VacuumCounts)[]) {
      this.total[name] += counts[name];
    }
    this.runs += 1;
    if (how.full) this.fullRuns += 1;
    if (!how.ok) this.failedRuns += 1;
    this.totalMs += how.durationMs;
    this.lastMs = how.durationMs;
    this.lastDeleted = counts.deleted;
  }

  /** Records that went per second of work. */
  get deletedPerSecond(): number {
    return this.totalMs === 0 ? 0 : (this.total.deleted * 1000) / this.totalMs;
  }

  /** One line for people. */
  describe(): string {
    const { deleted, kept, repacks } = this.total;
    const seconds = (ms: number): string => (ms / 1000).toFixed(3);
    return (
      `vacuum: ${this.runs} runs (${this.fullRuns} full, ${this.failedRuns} failed), ` +
      `${deleted} records deleted (${Math.round(this.deletedPerSecond)}/s), ${kept} kept, ` +
      `${repacks} repacks, last run ${this.lastDeleted} records in ${seconds(this.lastMs)} s`
    );
  }
}
