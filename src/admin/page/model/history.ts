/** Rates of the last documents, for curves: bounded, and forgotten of databases that are gone. */
import type { ClusterDocument } from "./documents.ts";
import { RATE_DATABASES_MAX, RATE_SAMPLES_MAX } from "./limits.ts";

export class RateHistory {
  #samples = new Map<string, readonly number[]>();

  add({ databases }: ClusterDocument): void {
    const kept = databases.slice(0, RATE_DATABASES_MAX);
    this.#samples = new Map(
      kept.map(({ id, callsPerSecond }) => {
        const before = this.#samples.get(id) ?? [];
        return [id, [...before, callsPerSecond ?? 0].slice(-RATE_SAMPLES_MAX)];
      }),
    );
  }

  of(id: string): readonly number[] {
    return this.#samples.get(id) ?? [];
  }
}

/** The points of a polyline in a box; a straight line at the bottom when nothing happens. */
export function curvePoints(samples: readonly number[], width: number, height: number): string {
  const most = Math.max(...samples, 1e-9);
  const step = width / Math.max(RATE_SAMPLES_MAX - 1, 1);
  const left = width - step * (samples.length - 1);
  return samples
    .map((value, i) => {
      const x = left + i * step;
      const y = height - 1 - (value / most) * (height - 2);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}
