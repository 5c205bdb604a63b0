/**
 * Records in their hash chains: find, insert, replace, kill, trim, walk. The caller holds the chain's
 * lock; where the freelist is needed the caller holds that too (`FreelistAccess`).
 *
 * Invariants:
 * 1. Nothing is written before every lock is there and space is allocated: a failure leaves the old
 *    record as it was.
 * 2. A new record is complete before the chain's head points to it.
 * 3. Damage is reported, not followed: unsound offsets, foreign magics, circular chains.
 *
 * Must not: lock (except through the access given), or know transactions.
 */
import { type TdbFailure, tdbFailure } from "../errors.ts";
import {
  chainHead,
  DEAD_MAGIC,
  FIRST_CHAIN_HEAD,
  LIVE_MAGIC,
  RECORD,
  RECORD_BYTES,
  TAILER_BYTES,
} from "../format/format.ts";
import type { VisitRecord } from "../types.ts";
import type { FreeSpace } from "./freelist.ts";
import { CycleGuard, type Space } from "./space.ts";

/** The freelist lock, and the locks by which traversers protect the record they look at. */
export interface FreelistAccess {
  /** True: locked, release it. */
  acquire(): boolean;
  release(): void;
  /** Somebody traverses and looks at this record: it must stay where it is. */
  isPinned(offset: number): boolean;
}

const CORRUPT = -1;
const NOTHING_FAILED = tdbFailure("corrupt", "nothing has failed");

export class RecordChains {
  readonly #space: Space;
  readonly #free: FreeSpace;
  readonly #freelist: FreelistAccess;
  readonly #guard = new CycleGuard();
  /** Dead records that the last `find()` passed. */
  #deadPassed = 0;
  maxDead: number;
  /** Why the last call answered CORRUPT. */
  failure: TdbFailure = NOTHING_FAILED;

  constructor(space: Space, free: FreeSpace, freelist: FreelistAccess, maxDead: number) {
    this.#space = space;
    this.#free = free;
    this.#freelist = freelist;
    this.maxDead = maxDead;
  }

  /** Offset of the live record with this key, 0 when there is none, or CORRUPT. */
  find(chain: number, hash: number, key: Uint8Array): number {
    const { pages } = this.#space;
    this.#guard.restart();
    this.#deadPassed = 0;
    let offset = pages.word(chainHead(chain));
    while (offset !== 0) {
      if (!this.#isSound(chain, offset)) return CORRUPT;
      if (pages.word(offset + RECORD.magic) !== LIVE_MAGIC) {
        this.#deadPassed += 1;
      } else if (
        pages.word(offset + RECORD.hash) === hash &&
        pages.word(offset + RECORD.keyLength) === key.length
      ) {
        if (!this.#contentIsSound(chain, offset)) return CORRUPT;
        if (pages.equal(offset + RECORD_BYTES, key)) return offset;
      }
      offset = pages.word(offset);
    }
    return 0;
  }

  dataOffset(offset: number): number {
    return offset + RECORD_BYTES + this.#space.pages.word(offset + RECORD.keyLength);
  }
  dataLength(offset: number): number {
    return this.#space.pages.word(offset + RECORD.dataLength);
  }

  /** A record header that may stand in this chain, not met before on this walk. */
  #isSound(chain: number, offset: number): boolean {
    if (!this.#space.headerFits(offset)) {
      return this.#damaged(`chain ${chain} leads to offset ${offset}`);
    }
    const magic = this.#space.pages.word(offset + RECORD.magic);
    if (magic !== LIVE_MAGIC && magic !== DEAD_MAGIC) {
      return this.#damaged(
        `record at ${offset} in chain ${chain} has magic 0x${magic.toString(16)}`,
      );
    }
    if (!this.#guard.advance(offset))
      return this.#damaged(`chain ${chain} is circular at ${offset}`);
    return true;
  }

  #contentIsSound(chain: number, offset: number): boolean {
    if (this.#space.recordFits(offset) && this.#space.contentFits(offset)) return true;
    return this.#damaged(`record at ${offset} in chain ${chain} is longer than its space`);
  }

  #damaged(what: string): false {
    this.failure = tdbFailure("corrupt", `"${this.#space.path}": ${what}`);
    return false;
  }

  /** Does the value fit into the record as it is? */
  fits(offset: number, dataLength: number): boolean {
    const { pages } = this.#space;
    const content = pages.word(offset + RECORD.keyLength) + dataLength;
    return content + TAILER_BYTES <= pages.word(offset + RECORD.length);
  }

  /** Overwrites the value of a record into which it fits. */
  overwrite(offset: number, head: Uint8Array, data: Uint8Array): void {
    const { pages } = this.#space;
    const at = this.dataOffset(offset);
    if (head.length > 0) pages.write(at, head);
    if (data.length > 0) pages.write(at + head.length, data);
    const length = head.length + data.length;
    if (pages.word(offset + RECORD.dataLength) !== length) {
      pages.setWord(offset + RECORD.dataLength, length);
    }
  }

  /** Is the value already just this? Saves a transaction a block. */
  holds(offset: number, head: Uint8Array, data: Uint8Array): boolean {
    if (this.dataLength(offset) !== head.length + data.length) return false;
    const at = this.dataOffset(offset);
    const { pages } = this.#space;
    return pages.equal(at, head) && pages.equal(at + head.length, data);
  }

  /**
   * Puts a new record at the head of its chain, and kills `old`: what `find()` has just answered for this
   * chain (0: there is none). "busy": the freelist is needed and locked elsewhere; nothing was changed.
   */
  insert(
    chain: number,
    hash: number,
    key: Uint8Array,
    head: Uint8Array,
    data: Uint8Array,
    old: number,
  ): TdbFailure | "busy" | undefined {
    const contentBytes = key.length + head.length + data.length;
    // find() went to the end of the chain: it need not be walked again for dead records.
    const noneDead = old === 0 && this.#deadPassed === 0;
    let offset = 0;
    if (this.maxDead > 0 && !noneDead) {
      offset = this.#takeDead(chain, contentBytes + TAILER_BYTES);
      if (offset === CORRUPT) return this.failure;
    }
    if (offset !== 0) {
      this.#fill(offset, chain, hash, key, head, data, old);
      return undefined;
    }
    if (!this.#freelist.acquire()) return "busy";
    try {
      // Under the freelist lock is the time to give back what is dead.
      if (!noneDead && !this.#trimLocked(chain, 0)) return this.failure;
      offset = this.#free.allocate(contentBytes);
      if (offset === 0) return this.#free.failure;
      this.#fill(offset, chain, hash, key, head, data, old);
      if (old !== 0 && !this.#trimLocked(chain, this.maxDead)) return this.failure;
      return undefined;
    } finally {
      this.#freelist.release();
    }
  }

  #fill(
    offset: number,
    chain: number,
    hash: number,
    key: Uint8Array,
    head: Uint8Array,
    data: Uint8Array,
    old: number,
  ): void {
    const { pages } = this.#space;
    const link = chainHead(chain);
    pages.setWord(offset, pages.word(link));
    pages.setWord(offset + RECORD.keyLength, key.length);
    pages.setWord(offset + RECORD.dataLength, head.length + data.length);
    pages.setWord(offset + RECORD.hash, hash);
    pages.setWord(offset + RECORD.magic, LIVE_MAGIC);
    let at = offset + RECORD_BYTES;
    pages.write(at, key);
    at += key.length;
    if (head.length > 0) pages.write(at, head);
    if (data.length > 0) pages.write(at + head.length, data);
    if (old !== 0) pages.setWord(old + RECORD.magic, DEAD_MAGIC);
    pages.setWord(link, offset);
  }

  /** Marks the record dead and trims the chain if the freelist is free; else a later trim does it. */
  kill(chain: number, offset: number): boolean {
    this.#space.pages.setWord(offset + RECORD.magic, DEAD_MAGIC);
    const dead = this.#countDead(chain);
    if (dead === CORRUPT) return false;
    if (dead <= this.maxDead || !this.#freelist.acquire()) return true;
    const trimmed = this.#trimLocked(chain, this.maxDead);
    this.#freelist.release();
    return trimmed;
  }

  #countDead(chain: number): number {
    const { pages } = this.#space;
    this.#guard.restart();
    let count = 0;
    let offset = pages.word(chainHead(chain));
    while (offset !== 0) {
      if (!this.#isSound(chain, offset)) return CORRUPT;
      if (pages.word(offset + RECORD.magic) === DEAD_MAGIC) count += 1;
      offset = pages.word(offset);
    }
    return count;
  }

  /** Unlinks the dead record of the chain that fits best; 0 when none does. */
  #takeDead(chain: number, bytes: number): number {
    const { pages } = this.#space;
    this.#guard.restart();
    let best = 0;
    let bestLink = 0;
    let bestLength = 0;
    let link = chainHead(chain);
    let offset = pages.word(link);
    while (offset !== 0) {
      if (!this.#isSound(chain, offset)) return CORRUPT;
      if (pages.word(offset + RECORD.magic) === DEAD_MAGIC) {
        const length = pages.word(offset + RECORD.length);
        if (length >= bytes && (best === 0 || length < bestLength)) {
          best = offset;
          bestLink = link;
          bestLength = length;
        }
      }
      link = offset;
      offset = pages.word(offset);
    }
    if (best === 0) return 0;
    if (!this.#space.recordFits(best)) {
      this.#damaged(`dead record at ${best} in chain ${chain} is longer than the file`);
      return CORRUPT;
    }
    pages.setWord(bestLink, pages.word(best));
    return best;
  }

  /** Moves dead records beyond the first `keep` of the chain to the freelist, which is locked. */
  #trimLocked(chain: number, keep: number): boolean {
    const { pages } = this.#space;
    this.#guard.restart();
    let dead = 0;
    let link = chainHead(chain);
    let offset = pages.word(link);
    while (offset !== 0) {
      if (!this.#isSound(chain, offset)) return false;
      const next = pages.word(offset);
      if (pages.word(offset + RECORD.magic) === DEAD_MAGIC) dead += 1;
      const release =
        dead > keep &&
        pages.word(offset + RECORD.magic) === DEAD_MAGIC &&
        !this.#freelist.isPinned(offset);
      if (release) {
        if (!this.#space.recordFits(offset)) {
          return this.#damaged(
            `dead record at ${offset} in chain ${chain} is longer than the file`,
          );
        }
        pages.setWord(link, next);
        this.#free.release(offset);
        this.#guard.restart();
      } else {
        link = offset;
      }
      offset = next;
    }
    return true;
  }

  /** Shows the live records; false: damaged. The visitor may change the record that it is shown. */
  walk(chain: number, visit: (key: Uint8Array, data: Uint8Array) => boolean | undefined): boolean {
    const { pages } = this.#space;
    const guard = new CycleGuard();
    let offset = pages.word(chainHead(chain));
    while (offset !== 0) {
      this.#guard.restart();
      if (!this.#isSound(chain, offset)) return false;
      if (!guard.advance(offset)) return this.#damaged(`chain ${chain} is circular at ${offset}`);
      const next = pages.word(offset);
      if (pages.word(offset + RECORD.magic) === LIVE_MAGIC) {
        if (!this.#contentIsSound(chain, offset)) return false;
        const keyLength = pages.word(offset + RECORD.keyLength);
        const key = pages.view(offset + RECORD_BYTES, keyLength);
        const data = pages.view(offset + RECORD_BYTES + keyLength, this.dataLength(offset));
        if (visit(key, data) === false) return true;
      }
      offset = next;
    }
    return true;
  }

  /**
   * Shows the live records of all chains from `chain` on, until the visitor has enough and its chain
   * is done: the next chain, or CORRUPT. The loop is long on purpose: a recovery comes seldom, so what
   * runs in it is not compiled yet, and a call for each word of a header took most of its time.
   */
  walkAll(chain: number, visit: VisitRecord): number {
    const { pages, hashSize, dataStart } = this.#space;
    // All is locked: what others have added until now is all that there is.
    pages.refresh();
    const { plain } = pages;
    if (plain === undefined) return this.#walkPieces(chain, visit);
    const { words, bytes } = plain;
    const size = bytes.length;
    const endHead = chainHead(hashSize) >>> 2;
    let goOn = true;
    let head = chainHead(chain) >>> 2;
    for (; goOn && head < endHead; head++) {
      let offset = words[head] as number;
      if (offset === 0) continue;
      this.#guard.restart();
      while (offset !== 0) {
        const at = offset >>> 2;
        const length = words[at + RECORD.length / 4] as number;
        const magic = words[at + RECORD.magic / 4] as number;
        const sound =
          offset >= dataStart &&
          offset % 4 === 0 &&
          offset + RECORD_BYTES <= size &&
          (magic === LIVE_MAGIC || magic === DEAD_MAGIC) &&
          this.#guard.advance(offset);
        if (!sound) return this.#whyUnsound(head - (FIRST_CHAIN_HEAD >>> 2), offset);
        if (magic === LIVE_MAGIC) {
          const keyLength = words[at + RECORD.keyLength / 4] as number;
          const dataLength = words[at + RECORD.dataLength / 4] as number;
          const fits =
            length % 4 === 0 &&
            offset + RECORD_BYTES + length <= size &&
            keyLength + dataLength + TAILER_BYTES <= length;
          if (!fits) return this.#whyUnsound(head - (FIRST_CHAIN_HEAD >>> 2), offset);
          goOn = visit(bytes, offset + RECORD_BYTES, keyLength, dataLength) && goOn;
        }
        offset = words[at] as number;
      }
    }
    return head - (FIRST_CHAIN_HEAD >>> 2);
  }

  /** As walkAll, in pages that are not in one piece. */
  #walkPieces(chain: number, visit: VisitRecord): number {
    let goOn = true;
    let current = this.nextUsed(chain);
    while (goOn && current < this.#space.hashSize) {
      const walked = this.walk(current, (key, data) => {
        const record = new Uint8Array(key.length + data.length);
        record.set(key);
        record.set(data, key.length);
        goOn = visit(record, 0, key.length, data.length) && goOn;
        return true;
      });
      if (!walked) return CORRUPT;
      current = this.nextUsed(current + 1);
    }
    return current;
  }

  /** Sets `failure` for a record that a walk refused. */
  #whyUnsound(chain: number, offset: number): typeof CORRUPT {
    this.#guard.restart();
    const sound = this.#isSound(chain, offset) && this.#contentIsSound(chain, offset);
    if (sound) this.#damaged(`chain ${chain} is circular at ${offset}`);
    return CORRUPT;
  }

  /** First chain at or after `chain` that has a record; the number of chains when none has. */
  nextUsed(chain: number): number {
    const { pages, hashSize } = this.#space;
    let candidate = chain;
    const words = pages.plain?.words;
    if (words !== undefined) {
      const first = FIRST_CHAIN_HEAD >>> 2;
      while (candidate < hashSize && words[first + candidate] === 0) candidate += 1;
      return candidate;
    }
    while (candidate < hashSize && pages.word(chainHead(candidate)) === 0) candidate += 1;
    return candidate;
  }
}
