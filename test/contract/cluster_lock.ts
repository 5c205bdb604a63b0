/** What every `ClusterLock` must do (src/lock/cluster_lock.ts). */
import { expect, test } from "bun:test";
import type { ClusterLock, LockAttempt } from "../../src/lock/cluster_lock.ts";

export interface LockWorld extends AsyncDisposable {
  /** Of one more node of the cluster. */
  newLock(): ClusterLock;
  /** From whoever holds it. */
  takeAway(): void;
  /** Attempts reach the lock from now on, or do not; what is held stays held. */
  reach(possible: boolean): void;
  nowMs(): number;
  /** Lets time go on until the condition holds. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Lets everything happen that is still to come of what was begun. */
  rest(): Promise<void>;
}

/** Time enough for an attempt that is answered at all. */
const ANSWERED_MS = 20_000;
const SHORT_MS = 1000;
/** Of an event loop, whose timers may be late. */
const LATE_MS = 500;

export function answerOf(
  world: LockWorld,
  lock: ClusterLock,
  timeoutMs = ANSWERED_MS,
): Promise<LockAttempt> {
  const answers: LockAttempt[] = [];
  lock.attempt(timeoutMs, (outcome) => answers.push(outcome));
  return theOne(world, answers);
}

/** What is in the list at the end, and nothing at the beginning. */
async function theOne<T>(world: LockWorld, answers: readonly T[]): Promise<T> {
  expect(answers).toEqual([]);
  await world.until("there is an answer", () => answers.length > 0);
  return answers[0] as T;
}

async function held(world: LockWorld): Promise<ClusterLock> {
  const lock = world.newLock();
  expect((await answerOf(world, lock)).kind).toBe("held");
  return lock;
}

async function untilReleased(world: LockWorld, lock: ClusterLock): Promise<void> {
  const released: string[] = [];
  lock.release(() => released.push("released"));
  await theOne(world, released);
}

export function clusterLockContract(name: string, newWorld: () => LockWorld): void {
  const rule = (what: string, proof: (world: LockWorld) => Promise<void>) =>
    test(`${name} ${what}`, async () => {
      await using world = newWorld();
      await proof(world);
    });

  rule("attempt() gets the lock for one node, and tells how long that took", async (world) => {
    const [lock, other] = [world.newLock(), world.newLock()];
    const startMs = world.nowMs();
    const seen: unknown[] = [];
    lock.attempt(ANSWERED_MS, (outcome) => seen.push([outcome, lock.held, world.nowMs()]));
    expect(lock.held).toBe(false);
    const [outcome, heldByThen, answeredMs] = (await theOne(world, seen)) as [
      LockAttempt & { latencyMs: number },
      boolean,
      number,
    ];
    expect([outcome.kind, heldByThen]).toEqual(["held", true]);
    expect(outcome.latencyMs).toBeGreaterThan(0);
    expect(outcome.latencyMs).toBeLessThanOrEqual(answeredMs - startMs);

    expect(await answerOf(world, other)).toEqual({ kind: "contended" });
    expect([lock.held, other.held]).toEqual([true, false]);
    await untilReleased(world, lock);
    expect((await answerOf(world, other)).kind).toBe("held");
    expect([lock.held, other.held]).toEqual([false, true]);
  });

  rule(
    "attempt() while one runs, or with the lock, is refused and changes nothing",
    async (world) => {
      const lock = world.newLock();
      const again = () => lock.attempt(ANSWERED_MS, () => expect.unreachable());
      const answers: LockAttempt[] = [];
      lock.attempt(ANSWERED_MS, (outcome) => answers.push(outcome));
      expect(again).toThrow();
      await theOne(world, answers);
      expect(again).toThrow();
      await world.rest();
      expect(answers.length).toBe(1);
      expect(lock.held).toBe(true);
    },
  );

  rule(
    "attempt() is answered in time when the lock is out of reach, and may be tried again",
    async (world) => {
      const lock = world.newLock();
      world.reach(false);
      const startMs = world.nowMs();
      const { kind } = await answerOf(world, lock, SHORT_MS);
      expect(["timeout", "failed"]).toContain(kind);
      expect(world.nowMs() - startMs).toBeLessThanOrEqual(SHORT_MS + LATE_MS);
      expect(lock.held).toBe(false);
      world.reach(true);
      expect((await answerOf(world, lock)).kind).toBe("held");
    },
  );

  rule(
    "attempt() at once after release() does not find what is not yet released",
    async (world) => {
      const lock = await held(world);
      lock.release();
      expect((await answerOf(world, lock)).kind).toBe("held");
    },
  );

  rule("attempt() at once after release() is answered in time, too", async (world) => {
    const lock = await held(world);
    world.reach(false);
    lock.release();
    const startMs = world.nowMs();
    const { kind } = await answerOf(world, lock, SHORT_MS);
    expect(["timeout", "failed"]).toContain(kind);
    expect(world.nowMs() - startMs).toBeLessThanOrEqual(SHORT_MS + LATE_MS);
    world.reach(true);
    expect((await answerOf(world, lock)).kind).toBe("held");
  });

  rule("release() of an attempt is the end of it", async (world) => {
    const lock = world.newLock();
    const answers: LockAttempt[] = [];
    lock.attempt(ANSWERED_MS, (outcome) => answers.push(outcome));
    await untilReleased(world, lock);
    await world.rest();
    expect(answers).toEqual([]);
    expect(lock.held).toBe(false);
    await held(world);
  });

  rule("release() of an attempt that has not begun is the end of it, too", async (world) => {
    const lock = await held(world);
    const answers: LockAttempt[] = [];
    lock.release();
    lock.attempt(ANSWERED_MS, (outcome) => answers.push(outcome));
    await untilReleased(world, lock);
    await world.rest();
    expect(answers).toEqual([]);
    await held(world);
  });

  rule("release() tells when another node can have the lock, each time", async (world) => {
    const [lock, other] = [await held(world), world.newLock()];
    const seen: (string | LockAttempt)[] = [];
    lock.release(() => other.attempt(ANSWERED_MS, (outcome) => seen.push(outcome.kind)));
    lock.release(() => seen.push("again"));
    expect(lock.held).toBe(false);
    expect(seen).toEqual([]);
    await world.until("both are told", () => seen.length === 2);
    expect(seen.sort()).toEqual(["again", "held"]);
    // There is nothing to release any more.
    await untilReleased(world, lock);
    expect(other.held).toBe(true);
  });

  rule("release() inside of the answer gives the lock up", async (world) => {
    const [lock, other] = [world.newLock(), world.newLock()];
    const released: boolean[] = [];
    lock.attempt(ANSWERED_MS, () => lock.release(() => released.push(lock.held)));
    expect(await theOne(world, released)).toBe(false);
    expect((await answerOf(world, other)).kind).toBe("held");
  });

  rule("onLost() runs once for a lock that is taken away, and may try again", async (world) => {
    const lock = await held(world);
    const [lost, answers]: [boolean[], LockAttempt[]] = [[], []];
    lock.onLost(() => {
      lost.push(lock.held);
      lock.attempt(ANSWERED_MS, (outcome) => answers.push(outcome));
    });
    world.takeAway();
    expect((await theOne(world, answers)).kind).toBe("held");
    await world.rest();
    expect(lost).toEqual([false]);
    expect(lock.held).toBe(true);
  });

  rule("onLost() does not run for a lock that was released", async (world) => {
    const lock = await held(world);
    const lost: string[] = [];
    lock.onLost(() => lost.push("lost"));
    world.takeAway();
    await untilReleased(world, lock);
    expect((await answerOf(world, lock)).kind).toBe("held");
    await untilReleased(world, lock);
    await world.rest();
    expect(lost).toEqual([]);
  });
}
