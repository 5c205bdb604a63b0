/**
 * The ten keys of a database that migrated to this node most often within one second
 * (GET_DB_STATISTICS, hot keys). Counting is per key and second; what was not seen for a while is
 * forgotten.
 */
import { sameBytes } from "../../base/same_bytes.ts";
import { MAX_HOT_KEYS } from "../../wire/structs/statistics.ts";
import { KeyMap } from "./key_map.ts";
import { COUNTED_KEYS_MAX } from "./limits.ts";

const WINDOW_MS = 1000;
const FORGET_MS = 10_000;

interface Counter {
  count: number;
  startedMs: number;
}

export interface HotKey {
  readonly key: Uint8Array;
  count: number;
}

export class HotKeys {
  readonly #counters = new KeyMap<Counter>();
  /** By count, smallest first. */
  #hot: HotKey[] = [];
  #sweptMs = 0;

  /** A record has migrated to this node. */
  count(hash: number, key: Uint8Array, nowMs: number): void {
    let counter = this.#counters.get(hash, key);
    if (counter === undefined) {
      this.#sweep(nowMs);
      counter = { count: 0, startedMs: nowMs };
      this.#counters.set(hash, key, counter);
    } else if (nowMs - counter.startedMs >= WINDOW_MS) {
      counter.count = 0;
      counter.startedMs = nowMs;
    }
    counter.count += 1;
    this.#rank(key, counter.count);
  }

  #sweep(nowMs: number): void {
    if (this.#counters.size >= COUNTED_KEYS_MAX) this.#counters.clear();
    if (nowMs - this.#sweptMs < FORGET_MS) return;
    this.#sweptMs = nowMs;
    this.#counters.deleteWhere((counter) => nowMs - counter.startedMs >= FORGET_MS);
  }

  #rank(key: Uint8Array, count: number): void {
    const hot = this.#hot;
    if (hot.length === MAX_HOT_KEYS && count <= (hot[0]?.count ?? 0)) return;
    const known = hot.find((entry) => sameBytes(entry.key, key));
    if (known !== undefined) {
      if (count <= known.count) return;
      known.count = count;
    } else {
      if (hot.length === MAX_HOT_KEYS) hot.shift();
      hot.push({ key: key.slice(), count });
    }
    hot.sort((a, b) => a.count - b.count);
  }

  list(): readonly HotKey[] {
    return this.#hot;
  }

  reset(): void {
    this.#hot = [];
    this.#counters.clear();
  }
}
