/** Waits for locks of memory files that meet a journal which somebody has left. */
import { expect, test } from "bun:test";
import { finishOn, VirtualTime } from "../../../test/database/virtual_time.ts";
import { must } from "../../../test/support/must.ts";
import type { TdbResult } from "../types.ts";
import { MemoryDisk } from "./memory_files.ts";
import { createMemoryTdbs } from "./memory_opener.ts";

/** A file with the journal of a commit that failed at its end, on a disk that fails or not. */
function withLeftJournal() {
  const time = new VirtualTime();
  let working = Number.POSITIVE_INFINITY;
  const disk = new MemoryDisk({
    soon: (action) => time.soon(action),
    fileBytesMax: 16 * 1024 * 1024,
    refuses: () => (working-- > 0 ? undefined : "EIO"),
  });
  const { opener, lockWaiter } = createMemoryTdbs({ disk, timers: time, clock: time });
  const options = { path: "/x.tdb", flags: 0, hashSize: 7, create: true };
  const tdb = must(opener.open(options));
  for (let count = 0; ; count++) {
    must(tdb.startTransaction());
    must(tdb.store(new Uint8Array([1]), new Uint8Array(100).fill(count)));
    working = count;
    const outcome = finishOn(time, tdb.commit());
    if (outcome.ok) throw new Error("no commit left its journal");
    if (outcome.error.reason.includes("is left to the next opener")) break;
    working = Number.POSITIVE_INFINITY;
  }
  const setDisk = (fails: boolean) => {
    working = fails ? 0 : Number.POSITIVE_INFINITY;
  };
  return { time, tdb, lockWaiter, setDisk };
}

test("MemoryLockWaiter tells who waits that the journal could not be replayed", () => {
  const { time, tdb, lockWaiter, setDisk } = withLeftJournal();
  const outcomes: TdbResult<void>[] = [];
  setDisk(true);
  lockWaiter.waitAll(tdb, (outcome) => outcomes.push(outcome));
  lockWaiter.waitChain(tdb, 3, (outcome) => outcomes.push(outcome));
  time.advance(3000);
  expect(outcomes.map(({ ok }) => ok)).toEqual([false, false]);
  setDisk(false);
  lockWaiter.waitAll(tdb, (outcome) => outcomes.push(outcome));
  time.advance(3000);
  expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, true]);
});
