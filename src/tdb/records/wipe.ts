/**
 * Emptying a file. Inside a recovery's transaction on a large volatile file the records that follow go
 * straight into places of the file that were free before: nobody reads free space, so nothing of it is
 * copied, journaled or written twice, and the commit changes the heads of the chains and a few headers
 * (docs/tdb.md, "A file that is emptied and filled").
 *
 * Invariants:
 * 1. What goes straight into the file lies inside records that are free in the file itself, between
 *    header and tailer: it means nothing to anybody, whether the transaction commits or not.
 * 2. The space of the old records is in no freelist until the commit.
 * 3. The file grows at once, by a record that is in the file's own freelist before it is used, and keeps
 *    it when the transaction is cancelled.
 */
import type { TdbFailure } from "../errors.ts";
import { FREELIST_HEAD, RECORD_BYTES, TAILER_BYTES } from "../format/format.ts";
import { outsideArea, recoveryArea } from "../journal/journal.ts";
import type { OverlayPages } from "../journal/overlay.ts";
import { FreeSpace } from "./freelist.ts";
import type { DirectPages } from "./pages.ts";
import { type Extent, type Growth, Space } from "./space.ts";

/** The records of a smaller file are not worth a second place: what it has is used again inside the transaction. */
const MAP_BYTES_MIN = 1024 * 1024;
/** Free records that are worth it, how many of them, and how far the freelist is looked through. */
const REUSED = { bytesMin: 64 * 1024, most: 64, steps: 10_000 } as const;
/** What the system allocates within a slice. */
const GROWTH_BYTES = 4 * 1024 * 1024;

type Region = readonly [offset: number, length: number];

/** All becomes free, around the recovery area, which only a commit may move. */
export function wipe(space: Space, free: FreeSpace): void {
  const regions = regionsOfRecords(space, space.pages.size);
  clearHeads(space);
  for (const [offset, length] of regions) free.releaseRegion(offset, length);
}

function clearHeads({ pages, dataStart }: Space): void {
  pages.zero(FREELIST_HEAD, dataStart - FREELIST_HEAD);
}

function regionsOfRecords({ pages, dataStart }: Space, end: number): Region[] {
  const area = recoveryArea(pages);
  const all: Region = [dataStart, end - dataStart];
  return area === undefined || area.offset < dataStart ? [all] : outside(all, [area]);
}

function outside(region: Region, holes: readonly Extent[]): Region[] {
  let parts = [region];
  for (const hole of holes) {
    parts = parts.flatMap(([offset, length]) => [...outsideArea(hole, offset, length)]);
  }
  return parts;
}

/** The transaction's side of a wipe: where the new records go, and what becomes free with the commit. */
export class WipedSpace implements Growth {
  readonly #overlay: OverlayPages;
  /** The free space of the file itself, below the transaction. */
  readonly #below: FreeSpace;
  /** The transaction's. */
  readonly #free: FreeSpace;
  readonly #old: Region[];

  private constructor(overlay: OverlayPages, below: FreeSpace, free: FreeSpace, old: Region[]) {
    this.#overlay = overlay;
    this.#below = below;
    this.#free = free;
    this.#old = old;
  }

  /**
   * Wipes; `space` shows the transaction's overlay and `free` is its free space. The caller holds all
   * records for writing. Undefined: the transaction has changed something already, or the freelist is long;
   * nothing was done.
   *
   * What a small file has is free at once, inside the transaction. It grows like a large one all the same: a node
   * that comes into the cluster with an empty file may be about to get a gigabyte.
   */
  static wipe(
    space: Space,
    free: FreeSpace,
    overlay: OverlayPages,
    base: DirectPages,
  ): WipedSpace | undefined {
    if (overlay.changedBlocks > 0) return undefined;
    const file = new Space(base, space);
    const below = new FreeSpace(file);
    // What a killed process has left behind the last record is taken when the file grows.
    const end = file.endOfRecords();
    const regions = regionsOfRecords(space, end);
    if (overlay.size < MAP_BYTES_MIN) {
      clearHeads(space);
      for (const [offset, length] of regions) free.releaseRegion(offset, length);
      return WipedSpace.#growing(space, new WipedSpace(overlay, below, free, []));
    }
    // A free record beside them, or beside what the file grows by, would swallow them unseen.
    const reused = below.separateBlocks(end, REUSED);
    if (reused === undefined) return undefined;
    if (!reused.every((block) => regions.some((region) => contains(region, block)))) {
      return undefined;
    }
    const old = regions.flatMap((region) => outside(region, reused));
    clearHeads(space);
    const wiped = new WipedSpace(overlay, below, free, old);
    for (const block of reused) {
      wiped.#writeThrough(block);
      free.adopt(block.offset);
    }
    return WipedSpace.#growing(space, wiped);
  }

  static #growing(space: Space, wiped: WipedSpace): WipedSpace {
    space.growth = wiped;
    return wiped;
  }

  /** A record of free space that is in no list of the transaction. */
  grow(bytes: number): number | TdbFailure {
    const offset = this.#below.addSpace(bytes, GROWTH_BYTES);
    if (typeof offset !== "number") return offset;
    this.#overlay.followBase();
    // A new file ends inside a block, which the transaction has changed before this record began there.
    this.#free.describeRegion(offset, this.#overlay.size - offset);
    this.#writeThrough({ offset, bytes: this.#overlay.size - offset });
    return offset;
  }

  #writeThrough({ offset, bytes }: Extent): void {
    this.#overlay.writeThrough(offset + RECORD_BYTES, offset + bytes - TAILER_BYTES);
  }

  /** The old records' space becomes free. */
  release(): void {
    for (const [offset, length] of this.#old.splice(0)) this.#free.releaseRegion(offset, length);
  }
}

function contains([offset, length]: Region, block: Extent): boolean {
  return block.offset >= offset && block.offset + block.bytes <= offset + length;
}
