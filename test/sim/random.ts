/**
 * The only source of chance in a simulated world: sfc32, seeded from one number, so that a seed is
 * a whole run. `fork` gives an independent stream, so that drawing more in one place does not shift
 * what another place draws.
 */
import type { Random } from "../../src/platform/types/time.ts";

export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 12; i++) this.u32();
  }

  u32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    return result >>> 0;
  }

  fork(): SeededRandom {
    return new SeededRandom(this.u32(), this.u32());
  }

  /** Uniform in 0..1, never 1. */
  fraction(): number {
    return this.u32() / 0x100000000;
  }
  /** An integer in 0..count−1. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }
  /** A real number in low..high. */
  between(low: number, high: number): number {
    return low + (high - low) * this.fraction();
  }
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}
