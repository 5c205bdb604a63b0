import { expect, test } from "bun:test";
import { SeededRandom } from "../../../test/sim/random.ts";
import { Scheduler, SimProcess } from "../../../test/sim/scheduler.ts";
import { Grantor, type Vote } from "./grantor.ts";
import { LEASE_MS, MARGIN_MS } from "./limits.ts";
import { QuorumLock } from "./quorum_lock.ts";
import { Tally } from "./tally.ts";

const REQUEST = { holder: "a", pnn: 0, nodesHash: 1 };

test("Grantor.request() gives its vote to one holder, until its lease is over or it is given back", () => {
  const grantor = new Grantor(0);
  const ask = (holder: string, nowMs: number) =>
    grantor.request({ ...REQUEST, holder, pnn: holder === "a" ? 0 : 1 }, 1, nowMs);
  expect(ask("a", LEASE_MS - 1)).toEqual({ kind: "quiet" });
  expect(ask("a", LEASE_MS)).toEqual({ kind: "granted" });
  expect(ask("b", LEASE_MS + 10)).toEqual({ kind: "taken", pnn: 0 });
  expect(ask("a", LEASE_MS + 1000)).toEqual({ kind: "granted" });
  expect(ask("b", 2 * LEASE_MS + 999)).toEqual({ kind: "taken", pnn: 0 });
  expect(ask("b", 2 * LEASE_MS + 1000)).toEqual({ kind: "granted" });
  // What comes late gives back nothing of another.
  grantor.release("a");
  expect(ask("a", 2 * LEASE_MS + 1001)).toEqual({ kind: "taken", pnn: 1 });
  grantor.release("b");
  expect(ask("a", 2 * LEASE_MS + 1002)).toEqual({ kind: "granted" });
  expect(grantor.request(REQUEST, 2, 3 * LEASE_MS)).toEqual({ kind: "other nodes" });
});

test("Tally.heldUntilMs is the time until which more than half of the votes count", () => {
  const tally = new Tally([0, 1, 2]);
  tally.granted(0, 1000);
  expect(tally.heldUntilMs).toBe(Number.NEGATIVE_INFINITY);
  tally.granted(1, 2000);
  expect(tally.heldUntilMs).toBe(1000 + LEASE_MS - MARGIN_MS);
  tally.granted(2, 3000);
  expect(tally.heldUntilMs).toBe(2000 + LEASE_MS - MARGIN_MS);
  tally.refused(1);
  expect(tally.heldUntilMs).toBe(1000 + LEASE_MS - MARGIN_MS);
  // A node that is none of them counts for nothing.
  tally.granted(7, 9000);
  expect(tally.heldUntilMs).toBe(1000 + LEASE_MS - MARGIN_MS);
});

test("Tally wants more than half of an even number, and counts a tiebreak twice", () => {
  const even = new Tally([0, 1]);
  even.granted(0, 0);
  expect(even.heldUntilMs).toBe(Number.NEGATIVE_INFINITY);
  const broken = new Tally([0, 1], 1);
  broken.granted(0, 0);
  expect(broken.heldUntilMs).toBe(Number.NEGATIVE_INFINITY);
  broken.granted(1, 0);
  expect(broken.heldUntilMs).toBe(LEASE_MS - MARGIN_MS);
  // Among an odd number there is no tie to break.
  const odd = new Tally([0, 1, 2], 1);
  odd.granted(1, 0);
  expect(odd.heldUntilMs).toBe(Number.NEGATIVE_INFINITY);
});

/** Nodes that all want the lock, over a network that loses and delays, with clocks of their own. */
class World {
  readonly scheduler = new Scheduler();
  readonly random: SeededRandom;
  readonly locks: QuorumLock[] = [];
  readonly clients: SimProcess[] = [];
  readonly grantors: Grantor[] = [];
  readonly #daemons: SimProcess[] = [];
  /** How much faster a clock goes, and what it has stood still. */
  readonly #rates: number[] = [];
  readonly #stoodMs: number[] = [];
  readonly #cut = new Set<string>();
  /** Machines that sleep, and since when. */
  readonly #asleepMs = new Map<number, number>();
  held = 0;

  constructor(seed: number, count: number, tiebreak?: number) {
    this.random = new SeededRandom(seed);
    const nodes = Array.from({ length: count }, (_, pnn) => pnn);
    for (const pnn of nodes) {
      this.#rates.push(0.97 + (this.random.u32() % 61) / 1000);
      this.#stoodMs.push(0);
      this.#daemons.push(new SimProcess(this.scheduler, `recoverd ${pnn}`));
      this.grantors.push(new Grantor(-LEASE_MS));
    }
    for (const pnn of nodes) this.#startHolder(pnn, nodes, tiebreak);
  }

  #startHolder(pnn: number, nodes: readonly number[], tiebreak: number | undefined): void {
    const process = new SimProcess(this.scheduler, `helper ${pnn}`);
    const lock: QuorumLock = new QuorumLock({
      // Not that of the grantor: it goes on in a sleep.
      clock: { monotonicMs: () => this.scheduler.nowMs * (this.#rates[pnn] as number) },
      timers: process.timers,
      random: this.random,
      nodes,
      tiebreak,
      ask: (kind, holder, round) => {
        for (const to of nodes) this.#send(pnn, to, process, lock, kind, holder, round);
      },
    });
    this.clients[pnn] = process;
    this.locks[pnn] = lock;
    const again = () => process.timers.after(this.random.between(1, 6000), () => take());
    const take = () =>
      lock.take(
        (attempt) => {
          if (attempt.kind !== "held") again();
          else this.held += 1;
        },
        () => again(),
      );
    take();
  }

  #send(
    from: number,
    to: number,
    process: SimProcess,
    lock: QuorumLock,
    kind: "request" | "release",
    holder: string,
    round: number,
  ): void {
    this.#carry(from, to, this.#daemons[to] as SimProcess, () => {
      const grantor = this.grantors[to] as Grantor;
      if (kind === "release") {
        grantor.release(holder);
        return;
      }
      const vote: Vote = grantor.request({ holder, pnn: from, nodesHash: 1 }, 1, this.#nowOf(to));
      this.#carry(to, from, process, () => lock.heard(to, holder, round, vote));
    });
  }

  #nowOf(pnn: number): number {
    return this.scheduler.nowMs * (this.#rates[pnn] as number) - (this.#stoodMs[pnn] as number);
  }

  #carry(from: number, to: number, process: SimProcess, action: () => void): void {
    if (this.#cut.has(`${from} ${to}`) || this.random.u32() % 20 === 0) return;
    const rare = this.random.u32() % 10 === 0;
    const delayMs = this.random.between(1, rare ? 4000 : 30);
    this.scheduler.at(process, this.scheduler.nowMs + delayMs, action);
  }

  /** One thing that goes wrong, or is mended. */
  trouble(): void {
    const pnn = this.random.u32() % this.locks.length;
    const other = this.random.u32() % this.locks.length;
    const process = this.random.u32() % 2 === 0 ? this.clients[pnn] : this.#daemons[pnn];
    switch (this.random.u32() % 6) {
      case 0:
        process?.pause();
        return;
      case 1:
        this.#wake();
        return;
      case 2:
        this.#cut.add(`${pnn} ${other}`);
        return;
      case 3:
        this.#cut.clear();
        return;
      case 4:
        // Its recovery daemon is killed and started again.
        if (!this.#asleepMs.has(pnn)) this.grantors[pnn] = new Grantor(this.#nowOf(pnn));
        return;
      default:
        // Its machine sleeps, and this clock with it; the helper's own, which others' leases go by, goes on.
        if (this.#asleepMs.has(pnn)) return;
        this.#asleepMs.set(pnn, this.scheduler.nowMs);
        this.#daemons[pnn]?.pause();
        this.clients[pnn]?.pause();
    }
  }

  heal(): void {
    this.#cut.clear();
    this.#wake();
  }

  #wake(): void {
    for (const [pnn, sinceMs] of this.#asleepMs) {
      const stoodMs = this.#stoodMs[pnn] as number;
      this.#stoodMs[pnn] =
        stoodMs + (this.scheduler.nowMs - sinceMs) * (this.#rates[pnn] as number);
    }
    this.#asleepMs.clear();
    for (const each of [...this.clients, ...this.#daemons]) if (each.paused) each.resume();
  }

  /** Of processes that are paused, too: they would act when they run again, after a look at the clock. */
  get holders(): readonly number[] {
    return this.locks.flatMap((lock, pnn) => (lock.held ? [pnn] : []));
  }

  run(ms: number): void {
    const endMs = this.scheduler.nowMs + ms;
    while (this.scheduler.nowMs < endMs) {
      this.scheduler.run(Math.min(endMs, this.scheduler.nowMs + 20));
      if (this.holders.length > 1) {
        throw new Error(`${this.holders.join(", ")} hold the lock at ${this.scheduler.nowMs}`);
      }
    }
  }
}

for (const [count, tiebreak] of [
  [2, 0],
  [3, undefined],
  [4, 2],
  [5, undefined],
] as const) {
  test(`QuorumLock of ${count} nodes has one holder at most, whatever happens, and one when all is mended`, () => {
    for (let seed = 1; seed <= 15; seed++) {
      const world = new World(seed, count, tiebreak);
      try {
        for (let at = 0; at < 60; at++) {
          world.trouble();
          world.run(world.random.between(100, 3000));
        }
        world.heal();
        const before = world.held;
        for (let at = 0; at < 60 && world.holders.length === 0; at++) world.run(1000);
        expect(world.holders).toHaveLength(1);
        expect(world.held + before).toBeGreaterThan(0);
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`);
      }
    }
  });
}

test("QuorumLock.release() lets another node have the lock at once", () => {
  const world = new World(3, 3);
  world.run(5000);
  const [holder = -1] = world.holders;
  world.locks[holder]?.release();
  expect(world.holders).toEqual([]);
  world.run(8000);
  expect(world.holders).toHaveLength(1);
  expect(world.holders[0]).not.toBe(holder);
});

test("QuorumLock is not taken by one of two nodes that is alone, but for the tiebreak", () => {
  for (const [alone, expected] of [
    [0, []],
    [1, [1]],
  ] as const) {
    const world = new World(5, 2, 1);
    world.clients[1 - alone]?.kill();
    world.locks[1 - alone]?.release();
    world.grantors[1 - alone] = new Grantor(Number.POSITIVE_INFINITY);
    world.run(30_000);
    expect(world.holders).toEqual([...expected]);
  }
});
