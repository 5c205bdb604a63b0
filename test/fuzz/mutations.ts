/**
 * Changes to a valid input that find what decoders get wrong: words that look like lengths and counts,
 * ends in the wrong place, parts of other inputs, and single bits.
 */
import type { SeededRandom } from "./seeded_random.ts";

/** A changed copy; `other` is a second valid input to take parts from. */
export function mutate(random: SeededRandom, input: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes: Uint8Array = input.slice();
  const changes = 1 + random.below(3);
  for (let i = 0; i < changes; i++) bytes = random.pick(MUTATIONS)(random, bytes, other);
  return bytes;
}

type Mutation = (random: SeededRandom, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  changeLength,
  changeLength,
  changeLength,
  truncate,
  extend,
  splice,
  flipBits,
];

const WORDS = [
  0, 1, 3, 31, 32, 0x7ffffff8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff,
] as const;

/** Words that could be a length or a count come first: small ones, not zero. */
function changeLength(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let attempt = 0; attempt < 6; attempt++) {
    at = random.below(Math.floor(bytes.length / 4)) * 4;
    const word = view.getUint32(at, true);
    if (word > 0 && word <= bytes.length) break;
  }
  const word = view.getUint32(at, true);
  const changed = random.pick([word + 1, word - 1, word + 8, word * 2, random.pick(WORDS)]);
  view.setUint32(at, changed, true);
  return bytes;
}

function truncate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, random.below(bytes.length + 1));
}

function extend(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const more = random.bytes(1 + random.below(16));
  return Buffer.concat([bytes, random.chance(0.5) ? more : more.fill(0)]);
}

function splice(random: SeededRandom, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const head = bytes.subarray(0, random.below(bytes.length + 1));
  return Buffer.concat([head, other.subarray(random.below(other.length + 1))]);
}

function flipBits(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}
