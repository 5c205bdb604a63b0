/** What a number of simulated runs came to, in one line and one more for each that failed. */
export interface Totals {
  seeds: number;
  virtualMs: number;
  turns: number;
  faults: number;
  recoveries: number;
  /** Copies of records that were deleted from files. */
  vacuumed: number;
  seconds: number;
  cpuSeconds: number;
  /** The longest time after a healing until all was in order. */
  settleMs: number;
  /** The command that shows each of them again. */
  readonly failures: string[];
}

export function totalsText(totals: Totals): string {
  const { seeds, seconds, cpuSeconds, turns, faults, recoveries, vacuumed, failures } = totals;
  const virtualSeconds = Math.round(totals.virtualMs / 1000);
  const text =
    `${seeds} seeds, ${virtualSeconds} virtual seconds in ${seconds.toFixed(1)} s ` +
    `(${Math.round(virtualSeconds / seconds)} per second, ${Math.round(virtualSeconds / cpuSeconds)} per second of CPU), ` +
    `${turns} turns, ${faults} faults, ${recoveries} recoveries, ${vacuumed} deletions, ` +
    `settled after at most ${Math.round(totals.settleMs / 1000)} s, ${failures.length} failed`;
  return [text, ...failures].join("\n");
}

/** Of runs side by side. */
export function addTotals(all: readonly Totals[]): Totals {
  const sum = (pick: (totals: Totals) => number) =>
    all.reduce((total, totals) => total + pick(totals), 0);
  const most = (pick: (totals: Totals) => number) => Math.max(0, ...all.map(pick));
  return {
    seeds: sum(({ seeds }) => seeds),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    turns: sum(({ turns }) => turns),
    faults: sum(({ faults }) => faults),
    recoveries: sum(({ recoveries }) => recoveries),
    vacuumed: sum(({ vacuumed }) => vacuumed),
    seconds: most(({ seconds }) => seconds),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    settleMs: most(({ settleMs }) => settleMs),
    failures: all.flatMap(({ failures }) => failures),
  };
}
