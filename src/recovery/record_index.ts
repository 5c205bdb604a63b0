/**
 * Hash → place of a record in the slabs. Open addressing with linear probing, split by the top
 * bits of the hash into shards that grow on their own: growing one costs well under a millisecond
 * however many records there are.
 *
 * Invariants:
 * 1. A slot number stays valid until the next insert.
 * 2. Entries are never removed; they are moved to another place of the same key.
 */

const SHARD_BITS = 8;
/** Slots of the first table, before there are shards: small databases need no more. */
const FIRST_SLOTS = 16;
/** hash, slab + 1 (0: free), offset. */
const WORDS = 3;

interface Shard {
  words: Uint32Array;
  mask: number;
  used: number;
}

export class RecordIndex {
  readonly #shards: (Shard | undefined)[] = new Array<undefined>(1 << SHARD_BITS).fill(undefined);
  size = 0;
  /** The shard that the slots of the last `first()` belong to. */
  #current: Shard = newShard();

  /** First slot with this hash, −1 when there is none. */
  first(hash: number): number {
    const shard = this.#shards[hash >>> (32 - SHARD_BITS)];
    if (shard === undefined) return -1;
    this.#current = shard;
    return scan(shard, hash, hash & shard.mask);
  }

  /** The next slot with the same hash. */
  next(slot: number, hash: number): number {
    const shard = this.#current;
    return scan(shard, hash, (slot + 1) & shard.mask);
  }

  slabOf(slot: number): number {
    return (this.#current.words[slot * WORDS + 1] as number) - 1;
  }

  offsetOf(slot: number): number {
    return this.#current.words[slot * WORDS + 2] as number;
  }

  move(slot: number, slab: number, offset: number): void {
    this.#current.words[slot * WORDS + 1] = slab + 1;
    this.#current.words[slot * WORDS + 2] = offset;
  }

  insert(hash: number, slab: number, offset: number): void {
    const at = hash >>> (32 - SHARD_BITS);
    const shard = this.#shards[at] ?? newShard();
    this.#shards[at] = shard;
    if ((shard.used + 1) * 3 > (shard.mask + 1) * 2) grow(shard);
    put(shard.words, shard.mask, hash, slab + 1, offset);
    shard.used += 1;
    this.size += 1;
  }
}

function newShard(): Shard {
  return { words: new Uint32Array(FIRST_SLOTS * WORDS), mask: FIRST_SLOTS - 1, used: 0 };
}

function scan(shard: Shard, hash: number, from: number): number {
  const { words, mask } = shard;
  for (let slot = from; ; slot = (slot + 1) & mask) {
    const at = slot * WORDS;
    if (words[at + 1] === 0) return -1;
    if (words[at] === hash) return slot;
  }
}

function put(words: Uint32Array, mask: number, hash: number, slab: number, offset: number): void {
  let slot = hash & mask;
  while (words[slot * WORDS + 1] !== 0) slot = (slot + 1) & mask;
  words[slot * WORDS] = hash;
  words[slot * WORDS + 1] = slab;
  words[slot * WORDS + 2] = offset;
}

function grow(shard: Shard): void {
  const mask = shard.mask * 2 + 1;
  const words = new Uint32Array((mask + 1) * WORDS);
  const old = shard.words;
  for (let at = 0; at < old.length; at += WORDS) {
    const slab = old[at + 1] as number;
    if (slab !== 0) put(words, mask, old[at] as number, slab, old[at + 2] as number);
  }
  shard.words = words;
  shard.mask = mask;
}
