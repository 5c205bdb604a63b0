/**
 * What must hold after a round, as functions from histories to violations in words. An empty list is a good history.
 *
 * 1. Persistent: what was acknowledged is never lost. The counter counts: of two acknowledged commits the one that was asked
 *    after the other had ended has the higher number, and no number is given twice. Each round ends with commits that
 *    were asked when all was well again, so that a loss shows.
 * 2. Volatile: the same, as far as the contract of a volatile database goes. The last write of a record lives on one node alone
 *    until somebody fetches the record, so it dies with that node. A survivor of a round is a node whose ctdbd ran
 *    throughout and that took part in each recovery that succeeded in it. What was written last by a survivor before the
 *    round, and touched by survivors only until a recovery with all nodes had ended, is never lost.
 * 3. One leader: who begins a recovery or a takeover run, or ends a recovery in success, is the one that took the cluster lock
 *    last.
 * 4. Addresses: no address is on two hosts that can see each other (AddressWatch.overlaps, visibility.ts).
 * 5. Answers: after the cluster is whole again, no request that was asked before stays open longer than a bound, and none
 *    was given up because its own deadline had passed.
 */
import {
  COUNTER_DATABASE,
  COUNTER_KEYS,
  type Operation,
  PERSISTENT_DATABASE,
  PERSISTENT_KEY,
} from "./workload_steps.ts";

export function lostPersistent(operations: readonly Operation[]): readonly string[] {
  const done = operations.filter(
    ({ database, how }) => database === PERSISTENT_DATABASE && how === "done",
  );
  return miscounted(PERSISTENT_KEY, done);
}

/** A round, as far as the checkers have to know it. */
export interface RoundTimes {
  readonly fromMs: number;
  /** When the recovery ended that brought the last node back; without one, when the cluster was whole again. */
  readonly togetherMs: number;
  readonly survivors: ReadonlySet<number>;
}

export function lostVolatile(
  operations: readonly Operation[],
  round: RoundTimes,
): readonly string[] {
  return COUNTER_KEYS.flatMap((key) => miscounted(key, keptBySurvivors(operations, key, round)));
}

/** How many keys of the round the check could say something about: none at all would be no check. */
export function keysWatched(operations: readonly Operation[], round: RoundTimes): number {
  return COUNTER_KEYS.filter((key) => keptBySurvivors(operations, key, round).length > 1).length;
}

/**
 * Acknowledged writes of one key that nobody but a survivor can have made forgotten: the last one before the round, when a
 * survivor made it and nobody else tried since, and all that follow. Empty when somebody else has a hand in.
 */
function keptBySurvivors(
  operations: readonly Operation[],
  key: string,
  { fromMs, togetherMs, survivors }: RoundTimes,
): readonly Operation[] {
  const own = operations.filter((each) => each.database === COUNTER_DATABASE && each.key === key);
  const done = own.filter(({ how }) => how === "done");
  const before = last(done.filter(({ endMs }) => endMs < fromMs));
  if (before === undefined || !survivors.has(before.node)) return [];
  // What was acknowledged after the recovery was written after it: it froze all databases.
  const isTouched = own.some(
    ({ node, beginMs, endMs, how }) =>
      !survivors.has(node) &&
      endMs >= before.beginMs &&
      beginMs <= togetherMs &&
      (how !== "done" || endMs <= togetherMs),
  );
  return isTouched ? [] : done.filter(({ endMs }) => endMs >= before.endMs);
}

/** A thing that only the leader does, and the taking of the lock. */
export interface LeaderEvent {
  readonly node: number;
  readonly atMs: number;
  readonly kind: string;
  readonly succeeded?: boolean;
}

/** What is written down this much later than it was so is not held against anybody. */
const REACTION_MS = 150;

export function otherLeaders(events: readonly LeaderEvent[]): readonly string[] {
  const sorted = [...events].sort((one, other) => one.atMs - other.atMs);
  const wrong: string[] = [];
  let holder: LeaderEvent | undefined;
  for (const event of sorted) {
    if (event.kind === "lock_taken") holder = event;
    else if (isAct(event) && holder !== undefined && holder.node !== event.node) {
      const lateMs = event.atMs - holder.atMs;
      if (lateMs <= REACTION_MS) continue;
      wrong.push(
        `node ${event.node}: ${event.kind} at ${event.atMs}, ${lateMs} ms after node ${holder.node} took the lock`,
      );
    }
  }
  return wrong;
}

function isAct({ kind, succeeded }: LeaderEvent): boolean {
  if (kind === "recovery_ended") return succeeded === true;
  return kind === "recovery_started" || kind === "takeover_started";
}

/** `wholeMs`: when the cluster was whole again; `nowMs`: when it is looked. */
export function unanswered(
  operations: readonly Operation[],
  wholeMs: number,
  nowMs: number,
  boundMs: number,
): readonly string[] {
  return operations.flatMap((operation) => {
    const { node, database, key, beginMs, how } = operation;
    const what = `node ${node}: ${database} ${key}, asked at ${beginMs}`;
    if (how === "timeout" || how === "busy") return [`${what}: ended by its own deadline, ${how}`];
    const endMs = Math.min(operation.endMs, nowMs);
    const overMs = endMs - Math.max(beginMs, wholeMs);
    return overMs > boundMs ? [`${what}: no answer ${overMs} ms after all was well`] : [];
  });
}

/** Commits or writes of one counter that do not count: one number twice, or a later one that is not higher. */
function miscounted(key: string, done: readonly Operation[]): readonly string[] {
  const byEnd = [...done].sort((one, other) => one.endMs - other.endMs);
  const byBegin = [...done].sort((one, other) => one.beginMs - other.beginMs);
  const by = new Map<number, Operation>();
  const wrong: string[] = [];
  for (const operation of byEnd) {
    const { value = 0 } = operation;
    const other = by.get(value);
    if (other !== undefined) wrong.push(`${key}: ${told(operation)}, as ${told(other)}`);
    by.set(value, operation);
  }
  let ended = 0;
  let highest: Operation | undefined;
  for (const operation of byBegin) {
    for (; (byEnd[ended]?.endMs ?? Number.POSITIVE_INFINITY) < operation.beginMs; ended++) {
      const each = byEnd[ended] as Operation;
      if ((each.value ?? 0) > (highest?.value ?? 0)) highest = each;
    }
    if (highest === undefined || (operation.value ?? 0) >= (highest.value ?? 0)) continue;
    wrong.push(`${key}: ${told(operation)}, after ${told(highest)}`);
    // One loss is told once, not for each write that follows.
    break;
  }
  return wrong;
}

function last(done: readonly Operation[]): Operation | undefined {
  return done.reduce<Operation | undefined>(
    (latest, each) => (each.endMs > (latest?.endMs ?? 0) ? each : latest),
    undefined,
  );
}

function told({ value, node, endMs }: Operation): string {
  return `${value} was acknowledged to node ${node} at ${endMs}`;
}
