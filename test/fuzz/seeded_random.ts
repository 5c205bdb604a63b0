/**
 * Reproducible random numbers for generators and fuzzers: the same seed gives the same run on every
 * machine. Not for anything that must be unpredictable.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** Uniform in 0..0xFFFFFFFF (Chris Doty-Humphrey's sfc32). */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in 0..limit-1. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x100000000) * limit);
  }

  /** Uniform in low..high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.u32() < probability * 0x100000000;
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.u32();
    return bytes;
  }
}

/** The seed of a test run: from the environment to repeat one, otherwise new each time. */
export function testSeed(): number {
  const given = process.env["CTDB_TEST_SEED"];
  return given === undefined ? Math.floor(Math.random() * 0x100000000) : Number(given) >>> 0;
}

/** Runs the property and adds to a failure how to repeat it. */
export function withSeed(property: (random: SeededRandom, seed: number) => void): void {
  const seed = testSeed();
  try {
    property(new SeededRandom(seed), seed);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`with CTDB_TEST_SEED=${seed}: ${reason}`, { cause });
  }
}
