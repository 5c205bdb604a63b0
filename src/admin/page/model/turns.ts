/** Turns of the event loop of a node, as bars: how long the daemon did not listen to anybody. */
import type { TurnFacts } from "./documents.ts";
import type { Level } from "./flags.ts";
import { durationText } from "./time.ts";

export interface TurnBar {
  readonly text: string;
  readonly count: number;
  /** Of the picture: the logarithm of the count, for one long turn is to be seen beside a million short ones. */
  readonly share: number;
  readonly level: Level;
}

/** From here on somebody notices; from there on other nodes do. */
const NOTICED_MS = 100;
const MISSED_MS = 1000;

export function turnBars({ buckets }: TurnFacts): readonly TurnBar[] {
  const most = Math.max(...buckets.map(({ count }) => Math.log1p(count)), 1);
  return buckets.map(({ leMs, count }, i) => {
    const fromMs = buckets[i - 1]?.leMs ?? 0;
    return {
      text: leMs === null ? `> ${durationText(fromMs)}` : `≤ ${durationText(leMs)}`,
      count,
      share: Math.log1p(count) / most,
      level: count === 0 ? "good" : turnLevel(fromMs),
    };
  });
}

/** Of a turn that took at least that long. */
export function turnLevel(durationMs: number): Level {
  if (durationMs >= MISSED_MS) return "critical";
  return durationMs >= NOTICED_MS ? "warning" : "good";
}
