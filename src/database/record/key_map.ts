/**
 * A map from record keys (bytes) to values, for callers that know the key's hash already. Keys are
 * copied when they are inserted, and compared as bytes: two keys of one hash are two entries.
 */
import { sameBytes } from "../../base/same_bytes.ts";

interface Entry<T> {
  readonly key: Uint8Array;
  value: T;
  next: Entry<T> | undefined;
}

export class KeyMap<T> {
  readonly #byHash = new Map<number, Entry<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(hash: number, key: Uint8Array): T | undefined {
    if (this.#size === 0) return undefined;
    let entry = this.#byHash.get(hash);
    while (entry !== undefined && !sameBytes(entry.key, key)) entry = entry.next;
    return entry?.value;
  }

  set(hash: number, key: Uint8Array, value: T): void {
    const first = this.#byHash.get(hash);
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (sameBytes(entry.key, key)) {
        entry.value = value;
        return;
      }
    }
    this.#byHash.set(hash, { key: key.slice(), value, next: first });
    this.#size += 1;
  }

  delete(hash: number, key: Uint8Array): boolean {
    if (this.#size === 0) return false;
    let before: Entry<T> | undefined;
    for (let entry = this.#byHash.get(hash); entry !== undefined; entry = entry.next) {
      if (sameBytes(entry.key, key)) {
        if (before !== undefined) before.next = entry.next;
        else if (entry.next !== undefined) this.#byHash.set(hash, entry.next);
        else this.#byHash.delete(hash);
        this.#size -= 1;
        return true;
      }
      before = entry;
    }
    return false;
  }

  clear(): void {
    this.#byHash.clear();
    this.#size = 0;
  }

  *values(): IterableIterator<T> {
    for (const first of this.#byHash.values()) {
      for (let entry: Entry<T> | undefined = first; entry !== undefined; entry = entry.next) {
        yield entry.value;
      }
    }
  }

  /** Removes the entries for which `condition` holds. */
  deleteWhere(condition: (value: T) => boolean): void {
    for (const [hash, first] of [...this.#byHash]) {
      for (let entry: Entry<T> | undefined = first; entry !== undefined; entry = entry.next) {
        if (condition(entry.value)) this.delete(hash, entry.key);
      }
    }
  }
}
