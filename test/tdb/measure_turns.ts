/**
 * Measures how long the event loop is held while a recovery replaces a whole database: wipe, push of
 * records in slices, commit in slices (docs/tdb.md, "Measured").
 *
 *   bun test/tdb/measure_turns.ts [RECORDS=100000] [BYTES=200] [DIRECTORY]
 *
 * Exits 1 when a turn took longer than 20 ms.
 */
import { join } from "node:path";
import { TDB_FLAGS, type Tdb } from "../../src/tdb/types.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { fileOpener, openTdb } from "./support.ts";

const TURN_MS_MAX = 20;
const SLICE_MS = 5;
const [records = 100_000, bytes = 200] = process.argv.slice(2, 4).map(Number);

/** Longest of each kind of slice, and the longest time between two turns of the loop. */
class Turns {
  readonly longest = new Map<string, number>();
  #lastMs = performance.now();
  longestGapMs = 0;
  #running = true;

  constructor() {
    const look = (): void => {
      const nowMs = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      if (this.#running) setImmediate(look);
    };
    setImmediate(look);
  }

  async slice<T>(name: string, action: () => T): Promise<T> {
    const startMs = performance.now();
    const result = action();
    const tookMs = performance.now() - startMs;
    this.longest.set(name, Math.max(this.longest.get(name) ?? 0, tookMs));
    await new Promise((resolve) => setImmediate(resolve));
    return result;
  }

  stop(): void {
    this.#running = false;
  }
}

/** As a push arrives: keys and data as views of one large buffer. */
class Pushed {
  readonly #keys: Uint8Array;
  readonly #data: Uint8Array;

  constructor(count: number, dataBytes: number) {
    this.#keys = new Uint8Array(count * 16);
    this.#data = new Uint8Array(count * dataBytes).fill(3);
    for (let i = 0; i < count; i++) {
      this.#keys.set(new TextEncoder().encode(`record-${i}`.padEnd(16, ".")), i * 16);
    }
  }
  key(i: number): Uint8Array {
    return this.#keys.subarray(i * 16, i * 16 + 16);
  }
  data(i: number): Uint8Array {
    return this.#data.subarray(i * bytes, i * bytes + bytes);
  }
}

async function recover(tdb: Tdb, pushed: Pushed, round: number): Promise<boolean> {
  const turns = new Turns();
  await turns.slice("start", () => undefined);
  const startMs = performance.now();
  const locked = await turns.slice("lock", () => tdb.tryLockAll("write"));
  if (locked !== "granted") throw new Error(`lock: ${JSON.stringify(locked)}`);
  // As under a lock wait of a thread: the lock is there, the handle only marks it.
  tdb.unlockAll();
  await turns.slice("begin", () => must(tdb.startTransaction({ marked: true })));
  await turns.slice("wipe", () => must(tdb.wipe()));
  for (let i = 0; i < records; ) {
    i = await turns.slice("push", () => {
      const endMs = performance.now() + SLICE_MS;
      let at = i;
      do {
        for (let n = 0; n < 16 && at < records; n++, at++) {
          must(tdb.store(pushed.key(at), pushed.data(at)));
        }
      } while (at < records && performance.now() < endMs);
      return at;
    });
  }
  const pushedMs = performance.now();
  const commit = tdb.commit();
  let slices = 0;
  for (;;) {
    slices += 1;
    const outcome = await turns.slice("commit", () => commit.step(SLICE_MS));
    if (outcome === undefined) continue;
    must(outcome);
    break;
  }
  const endMs = performance.now();
  turns.stop();
  const longest = [...turns.longest].map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(", ");
  console.log(
    `round ${round}: push ${(pushedMs - startMs).toFixed(0)} ms, commit ${(endMs - pushedMs).toFixed(0)} ms in ${slices} slices, longest slice (ms): ${longest}; longest time between turns ${turns.longestGapMs.toFixed(1)} ms; file ${(tdb.mapSize / 1048576).toFixed(0)} MiB`,
  );
  return turns.longestGapMs <= TURN_MS_MAX;
}

using directory = new TemporaryDirectory("tdb-turns");
const base = process.argv[4] ?? directory.path;
const pushed = new Pushed(records, bytes);
let good = true;
for (const [name, flags] of [
  [
    "mutexes, not synced (volatile)",
    TDB_FLAGS.MUTEX_LOCKING | TDB_FLAGS.CLEAR_IF_FIRST | TDB_FLAGS.NOSYNC,
  ],
  ["byte ranges, synced (persistent)", 0],
] as const) {
  console.log(name);
  const path = join(base, `turns-${process.pid}-${flags}.tdb`);
  const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 100_001, create: true });
  for (let round = 1; round <= 4; round++) good = (await recover(tdb, pushed, round)) && good;
  tdb.close();
  await Bun.file(path).delete();
}
process.exit(good ? 0 : 1);
