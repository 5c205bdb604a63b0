/**
 * The assumption under all locking: within one process, open-file-description locks and robust
 * mutexes of the loop and of waiting threads exclude each other and libtdb's locks in other
 * processes, whatever is killed, stopped or called off.
 *
 * Every writer counts in its own slot of shared records, under the record's chain lock. A lost update
 * shows as a slot below what its writer had acknowledged. A writer that was killed may have written
 * once more than it acknowledged, never anything else.
 *
 * CTDB_TDB_ROUNDS=N makes it longer (default 300 increments of ours).
 */
import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { ThreadLockWaiter } from "../../src/platform/node/lock_waiter.ts";
import { type LockWait, TDB_FLAGS, type Tdb, type TdbResult } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import {
  bytes,
  fileOpener,
  finish,
  hasLibtdb,
  laterTurn,
  openTdb,
  PEER,
  PYTHON,
  tdbtoolCheck,
} from "../tdb/support.ts";

const WRITERS = 4;
const KEYS = 5;
const OWN_SLOT = WRITERS;
const SLOTS = WRITERS + 1;
const ROUNDS = Number(process.env.CTDB_TDB_ROUNDS ?? 300);

class Writers {
  readonly #path: string;
  readonly #flags: number;
  readonly #acks: string;
  readonly #children: (ChildProcess | undefined)[] = [];
  /** How often each was killed. */
  readonly kills: number[] = new Array<number>(WRITERS).fill(0);
  #seed = 1;

  constructor(path: string, flags: number, acks: string) {
    this.#path = path;
    this.#flags = flags;
    this.#acks = acks;
    for (let slot = 0; slot < WRITERS; slot++) this.start(slot);
  }

  start(slot: number): void {
    this.#seed += 1;
    const parameters = [this.#path, this.#flags, this.#acks, slot, KEYS, this.#seed].map(String);
    this.#children[slot] = spawn(PYTHON, [PEER, "counters", ...parameters], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  signal(slot: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#children[slot]?.kill(signal);
  }

  async kill(slot: number): Promise<void> {
    const child = this.#children[slot];
    if (child === undefined) return;
    this.#children[slot] = undefined;
    this.kills[slot] = (this.kills[slot] as number) + 1;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async killAll(): Promise<void> {
    for (let slot = 0; slot < WRITERS; slot++) await this.kill(slot);
  }
}

function key(index: number): Uint8Array {
  return bytes(`counter-${String(index).padStart(4, "0")}`);
}

function increment(tdb: Tdb, index: number): void {
  const value = must(tdb.fetch(key(index))) as Uint8Array;
  const view = new DataView(value.buffer, value.byteOffset);
  view.setUint32(OWN_SLOT * 4, view.getUint32(OWN_SLOT * 4, true) + 1, true);
  must(tdb.store(key(index), value));
}

/** Waits for the lock of the record (or all), counts, gives it back; or calls the wait off. */
function countOnce(
  tdb: Tdb,
  waiter: ThreadLockWaiter,
  index: number,
  how: { all: boolean; callOffAfterMs: number | undefined },
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const chain = tdb.chainOf(key(index));
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait: LockWait | undefined;
    const granted = (outcome: TdbResult<void>): void => {
      clearTimeout(timer);
      if (!outcome.ok) {
        reject(new Error(outcome.error.reason));
        return;
      }
      if (how.all) must(tdb.markAll());
      else tdb.markChain(chain);
      increment(tdb, index);
      if (how.all) tdb.unmarkAll();
      else tdb.unmarkChain(chain);
      wait?.release();
      resolve(true);
    };
    wait = how.all ? waiter.waitAll(tdb, granted) : waiter.waitChain(tdb, chain, granted);
    if (how.callOffAfterMs !== undefined) {
      timer = setTimeout(() => {
        wait?.release();
        resolve(false);
      }, how.callOffAfterMs);
    }
  });
}

async function contend(name: string, flags: number): Promise<void> {
  using directory = new TemporaryDirectory("tdb-locks");
  const path = directory.file("counters.tdb");
  const acks = directory.file("acks");
  writeFileSync(acks, new Uint8Array(4 * WRITERS * KEYS));
  const random = new SeededRandom(20260 + flags);
  const tdb = await openTdb(fileOpener(), { path, flags, hashSize: 7, create: true });
  for (let i = 0; i < KEYS; i++) must(tdb.store(key(i), new Uint8Array(4 * SLOTS)));
  const waiter = new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop());
  const writers = new Writers(path, flags, acks);
  const own = new Array<number>(KEYS).fill(0);
  let calledOff = 0;
  let tried = 0;
  try {
    const strands = [0, 1, 2].map(async (strand) => {
      for (let round = 0; round < ROUNDS / 3; round++) {
        const index = random.below(KEYS);
        const callOffAfterMs = round % 3 === 0 ? random.below(6) : undefined;
        const all = random.below(12) === 0;
        if (await countOnce(tdb, waiter, index, { all, callOffAfterMs }))
          own[index] = (own[index] as number) + 1;
        else calledOff += 1;
        const chain = tdb.chainOf(key(index));
        if (tdb.tryLockChain(chain, "write") === "granted") {
          increment(tdb, index);
          tdb.unlockChain(chain);
          own[index] = (own[index] as number) + 1;
          tried += 1;
        }
        if (strand !== 0 || round % 5 !== 0) continue;
        const victim = random.below(WRITERS);
        if (random.below(2) === 0) {
          await writers.kill(victim);
          writers.start(victim);
        } else {
          writers.signal(victim, "SIGSTOP");
          setTimeout(() => writers.signal(victim, "SIGCONT"), 20);
        }
      }
    });
    await Promise.all(strands);
  } finally {
    await writers.killAll();
  }
  // Nothing is held any more, by anybody: threads that were called off may take a slice to notice.
  while (tdb.tryLockAll("write") !== "granted") await laterTurn();
  tdb.unlockAll();
  const acknowledged = new Uint32Array(readFileSync(acks).buffer.slice(0));
  const counts = Array.from({ length: KEYS }, (_, i) => {
    const value = must(tdb.fetch(key(i))) as Uint8Array;
    return new Uint32Array(value.slice().buffer);
  });
  expect(counts.map((slots) => slots[OWN_SLOT])).toEqual(own);
  for (let slot = 0; slot < WRITERS; slot++) {
    let unacknowledged = 0;
    for (let i = 0; i < KEYS; i++) {
      const count = (counts[i] as Uint32Array)[slot] as number;
      const known = acknowledged[slot * KEYS + i] as number;
      expect(count).toBeGreaterThanOrEqual(known);
      unacknowledged += count - known;
    }
    expect(unacknowledged).toBeLessThanOrEqual(writers.kills[slot] as number);
  }
  expect(calledOff + tried).toBeGreaterThan(0);
  expect(await finish(tdb.check())).toEqual({ ok: true, value: undefined });
  tdb.close();
  expect(tdbtoolCheck(path)).toBeUndefined();
  const total = counts.reduce((sum, slots) => sum + slots.reduce((a, b) => a + b, 0), 0);
  console.log(
    `${name}: ${total} increments, ${own.reduce((a, b) => a + b, 0)} ours (${tried} tried), ${calledOff} called off, ${writers.kills.reduce((a, b) => a + b, 0)} kills, ${waiter.threads} threads`,
  );
}

describe.skipIf(!hasLibtdb)("locks within one process, against four libtdb writers", () => {
  test("open-file-description ranges exclude", async () => {
    await contend("ranges", TDB_FLAGS.NOSYNC | TDB_FLAGS.INCOMPATIBLE_HASH);
  }, 120_000);
  test("robust mutexes exclude", async () => {
    const flags = TDB_FLAGS.NOSYNC | TDB_FLAGS.CLEAR_IF_FIRST | TDB_FLAGS.MUTEX_LOCKING;
    await contend("mutexes", flags);
  }, 120_000);
});
