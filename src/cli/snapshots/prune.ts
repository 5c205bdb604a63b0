/**
 * Old snapshots are removed.
 *
 * Invariants:
 * 1. The newest one that is sound now, every file of it read, stays; where none is, all stay.
 * 2. What cannot be read as a snapshot is not removed: somebody should look at it.
 */
import type { FoundSnapshot, SnapshotStore } from "./store.ts";
import { verifySnapshot } from "./verify.ts";

export interface Retention {
  /** So many of the newest stay. */
  readonly keep: number | undefined;
  /** Those of so many days stay. */
  readonly keepDays: number | undefined;
}

export interface PrunePlan {
  readonly sound: string | undefined;
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  /** There is something old, and nothing that is sound. */
  readonly isUnsound: boolean;
}

const DAY_SEC = 24 * 60 * 60;

export async function planPrune(
  store: SnapshotStore,
  { keep, keepDays }: Retention,
): Promise<PrunePlan> {
  const all = await store.found();
  const nowSec = store.host.clock.wallTime().sec;
  const good = all.flatMap(({ name, manifest }) =>
    manifest.ok ? [{ name, time: manifest.value.time }] : [],
  );
  const newest = new Set(keep === undefined ? [] : good.slice(Math.max(0, good.length - keep)));
  const old = good.filter((each) => {
    const isYoung = keepDays !== undefined && nowSec - each.time <= keepDays * DAY_SEC;
    return !isYoung && !newest.has(each);
  });
  const sound = old.length === 0 ? undefined : await newestSound(store, all);
  const removed = sound === undefined ? [] : old.map(({ name }) => name);
  const away = new Set(removed.filter((name) => name !== sound));
  return {
    sound,
    kept: all.map(({ name }) => name).filter((name) => !away.has(name)),
    removed: [...away],
    isUnsound: old.length > 0 && sound === undefined,
  };
}

async function newestSound(
  store: SnapshotStore,
  all: readonly FoundSnapshot[],
): Promise<string | undefined> {
  for (const snapshot of [...all].reverse()) {
    if ((await verifySnapshot(store, snapshot)).length === 0) return snapshot.name;
  }
  return undefined;
}

/** Snapshots, and what a tool that was ended has left behind. */
export function prune(store: SnapshotStore, { removed }: PrunePlan): void {
  for (const name of removed) store.remove(name);
  const nowSec = store.host.clock.wallTime().sec;
  for (const name of store.leftovers(nowSec - DAY_SEC)) store.remove(name);
}
