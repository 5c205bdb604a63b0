/**
 * Packs a TDB: copies the live records aside, empties the file and puts them back, in one transaction
 * and in slices.
 *
 * Records wait in a few large blocks of bytes, not as objects.
 */
import type { Slice, SlicedBody } from "../sliced.ts";
import type { SlicedWork, Tdb } from "../types.ts";

const BLOCK_BYTES = 1 << 20;
const FIRST_BLOCK_BYTES = 1 << 14;
const COMMIT_STEP_MS = 3;
const ITEMS_PER_LOOK = 64;
const LENGTHS_BYTES = 8;

export function* repackTdb(slice: Slice, tdb: Tdb): SlicedBody<void> {
  const started = tdb.startTransaction();
  if (!started.ok) return started;
  const aside = new RecordStack();
  yield "more";
  for (
    let chain = tdb.nextUsedChain(0);
    chain < tdb.hashSize;
    chain = tdb.nextUsedChain(chain + 1)
  ) {
    const copied = tdb.visitChain(chain, (key, data) => {
      aside.push(key, data);
      return true;
    });
    if (!copied.ok) return copied;
    if (slice.spent()) yield "more";
  }
  yield "more";
  const wiped = tdb.wipe();
  if (!wiped.ok) return wiped;
  yield "more";
  for (let items = 1; ; items++) {
    const record = aside.next();
    if (record === undefined) break;
    const stored = tdb.store(record.key, record.data, "insert");
    // A key that damage had put into its chain twice: lookups found the first, which is in already.
    if (!stored.ok && stored.error.code !== "exists") return stored;
    if (items % ITEMS_PER_LOOK === 0 && slice.spent()) yield "more";
  }
  const commit: SlicedWork<void> = tdb.commit();
  for (;;) {
    const outcome = commit.step(COMMIT_STEP_MS);
    if (outcome !== undefined) return outcome;
    yield commit.waiting === true ? "wait" : "more";
  }
}

class RecordStack {
  readonly #blocks: Uint8Array[] = [];
  #used = 0;
  #readBlock = 0;
  #readAt = 0;
  #ends: number[] = [];

  push(key: Uint8Array, data: Uint8Array): void {
    const bytes = LENGTHS_BYTES + key.length + data.length;
    let block = this.#blocks.at(-1);
    if (block === undefined || this.#used + bytes > block.length) {
      const size = block === undefined ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
      block = new Uint8Array(Math.max(size, bytes));
      if (this.#blocks.length > 0) this.#ends.push(this.#used);
      this.#blocks.push(block);
      this.#used = 0;
    }
    const lengths = new DataView(block.buffer, this.#used, LENGTHS_BYTES);
    lengths.setUint32(0, key.length);
    lengths.setUint32(4, data.length);
    block.set(key, this.#used + LENGTHS_BYTES);
    block.set(data, this.#used + LENGTHS_BYTES + key.length);
    this.#used += bytes;
  }

  next(): { key: Uint8Array; data: Uint8Array } | undefined {
    const block = this.#blocks[this.#readBlock];
    if (block === undefined) return undefined;
    const end = this.#ends[this.#readBlock] ?? this.#used;
    if (this.#readAt >= end) {
      this.#readBlock += 1;
      this.#readAt = 0;
      return this.next();
    }
    const lengths = new DataView(block.buffer, this.#readAt, LENGTHS_BYTES);
    const keyAt = this.#readAt + LENGTHS_BYTES;
    const dataAt = keyAt + lengths.getUint32(0);
    this.#readAt = dataAt + lengths.getUint32(4);
    return { key: block.subarray(keyAt, dataAt), data: block.subarray(dataAt, this.#readAt) };
  }
}
