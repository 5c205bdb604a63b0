/**
 * The events that the page has at hand, of all journals.
 *
 * Invariants:
 * 1. Each event is here once, by node and id; the order is that of time, then node, then id.
 * 2. There are at most `entriesMax`: the oldest go.
 */
import type { Entry } from "./documents.ts";
import type { TimeWindow } from "./timeline.ts";

export class Entries {
  readonly #entriesMax: number;
  readonly #known = new Set<string>();
  #sorted: Entry[] = [];
  #version = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Another one after each change. */
  get version(): number {
    return this.#version;
  }

  get all(): readonly Entry[] {
    return this.#sorted;
  }

  clear(): void {
    this.#version += 1;
    this.#known.clear();
    this.#sorted = [];
  }

  /** Returns how many of them are new. */
  add(entries: readonly Entry[]): number {
    const fresh = entries.filter((entry) => !this.#known.has(keyOf(entry)));
    const once = new Map(fresh.map((entry) => [keyOf(entry), entry]));
    if (once.size === 0) return 0;
    this.#version += 1;
    for (const key of once.keys()) this.#known.add(key);
    this.#sorted = [...this.#sorted, ...once.values()].sort(byTime);
    const surplus = this.#sorted.length - this.#entriesMax;
    if (surplus > 0) {
      for (const gone of this.#sorted.slice(0, surplus)) this.#known.delete(keyOf(gone));
      this.#sorted = this.#sorted.slice(surplus);
    }
    return once.size;
  }

  inside({ fromUs, toUs }: TimeWindow): readonly Entry[] {
    return this.#sorted.filter(({ timeUs }) => timeUs >= fromUs && timeUs <= toUs);
  }

  /** The nearest event before, or after, that time that `wanted` accepts. */
  neighbour(
    us: number,
    way: "before" | "after",
    wanted: (entry: Entry) => boolean,
  ): Entry | undefined {
    return way === "before"
      ? this.#sorted.findLast((entry) => entry.timeUs < us && wanted(entry))
      : this.#sorted.find((entry) => entry.timeUs > us && wanted(entry));
  }
}

export function keyOf({ node, id }: Pick<Entry, "node" | "id">): string {
  return `${node}:${id}`;
}

function byTime(one: Entry, other: Entry): number {
  return one.timeUs - other.timeUs || one.node - other.node || one.id - other.id;
}
