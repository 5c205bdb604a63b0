/**
 * Collecting one database: DB_PULL makes a node send its records as messages to a srvid of ours,
 * and then answer with their number.
 *
 * Volatile databases are pulled from all nodes and merged; persistent and replicated ones from the
 * one node with the highest sequence number.
 */
import { err, ok } from "../base/result.ts";
import { type U64, u64, u64Compare, u64Decimal } from "../base/u64.ts";
import type { ControlOutcome } from "../client/types.ts";
import type { Timer } from "../platform/types/time.ts";
import { SRVID } from "../wire/constants.ts";
import { RECOVERY_COUNT_HIGH, SEQNUM_RECOVERIES } from "../wire/controls.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import { PULL_MS_MAX } from "./limits.ts";
import { RecordTable } from "./record_table.ts";
import {
  askEach,
  failureText,
  type RecoveryContext,
  type StepFailure,
  type StepResult,
  stepFailure,
} from "./recovery_context.ts";

export interface PulledDatabase {
  readonly db_id: number;
  readonly name: string;
}

/** A failed pull costs its node a ban credit. */
export async function collectFromAll(
  context: RecoveryContext,
  database: PulledDatabase,
): Promise<StepResult<Collected>> {
  const table = newTable(context, database);
  const outcomes = await Promise.all(
    context.pnns.map((pnn, rank) =>
      context.pulls.run(() => pull(context, database, table, pnn, rank)),
    ),
  );
  const collected = worstOf(context, outcomes, table);
  return collected.ok ? ok({ table, recoveries: undefined }) : collected;
}

export interface Collected {
  readonly table: RecordTable;
  /** The count of recoveries of the content, with this one; undefined for volatile databases. */
  readonly recoveries: number | undefined;
}

/**
 * The node with the highest sequence number has it all. Of those with the same number the one whose content
 * has come through more recoveries, or a later one: a node that was cut off may have written a commit that was never
 * acknowledged, and the others, after a recovery without it, another one under the same number.
 */
export async function collectFromHighest(
  context: RecoveryContext,
  database: PulledDatabase,
): Promise<StepResult<Collected>> {
  const asked = { db_id: database.db_id };
  const sequence = await askEach(context, "GET_DB_SEQNUM", asked, context.pnns);
  if (!sequence.ok) return sequence;
  const counts = await askEach(context, "GET_DB_SEQNUM", asked, context.pnns, {
    flags: SEQNUM_RECOVERIES,
  });
  if (!counts.ok) return counts;
  let source = context.pnns[0] as number;
  let highest: U64 = u64(0, 0);
  let sourceCount = 0;
  let most = 0;
  for (const [pnn, { data }] of sequence.value) {
    const count = recoveryCount(counts.value.get(pnn)?.data);
    most = Math.max(most, count);
    const order = u64Compare(data, highest);
    if (order < 0 || (order === 0 && count <= sourceCount)) continue;
    highest = data;
    sourceCount = count;
    source = pnn;
  }
  const number = u64Decimal(highest);
  context.log.info(
    `recovery: pulling ${database.name} from node ${source}, sequence number ${number}`,
  );
  const table = newTable(context, database);
  const outcome = await context.pulls.run(() => pull(context, database, table, source, 0));
  const collected = worstOf(context, [outcome], table);
  if (!collected.ok) return collected;
  return ok({ table, recoveries: nextCount(context, most) });
}

/**
 * More than anybody counts, and not less than the time in seconds: of two sides that recovered without each other,
 * each after the same number of recoveries, the later one then counts more, as far as their clocks agree.
 */
function nextCount({ clock }: RecoveryContext, most: number): number {
  return Math.max(most + 1, clock.wallTime().sec) >>> 0;
}

/** A node that does not count answers its sequence number. */
function recoveryCount(answer: U64 | undefined): number {
  return answer?.hi === RECOVERY_COUNT_HIGH ? answer.lo : 0;
}

function newTable(context: RecoveryContext, database: PulledDatabase): RecordTable {
  return new RecordTable({
    db_id: database.db_id,
    leaderPnn: context.client.pnn,
    hashSeed: context.random.u32(),
    memory: context.memory,
  });
}

function worstOf(
  context: RecoveryContext,
  outcomes: readonly StepResult<void>[],
  table: RecordTable,
): StepResult<RecordTable> {
  let first: StepFailure | undefined;
  for (const outcome of outcomes) {
    if (outcome.ok) continue;
    first ??= outcome.error;
    // With our own connection gone, nobody else is to blame.
    if (outcome.error.pnn !== undefined && context.client.connected) {
      context.credits.add(outcome.error.pnn, outcome.error.reason);
    }
  }
  if (first === undefined) return ok(table);
  table.slabs.end();
  return stepFailure(first.reason, first.pnn);
}

/** Ends the wait for records when none have come for RecoverTimeout: how long all of them take depends on their number. */
class Stall {
  readonly #context: RecoveryContext;
  readonly #stalled = Promise.withResolvers<ControlOutcome<number>>();
  #movedMs: number;
  #timer: Timer | undefined;

  constructor(context: RecoveryContext) {
    this.#context = context;
    this.#movedMs = context.clock.monotonicMs();
    this.#watch(context.timeoutMs);
  }

  get promise(): Promise<ControlOutcome<number>> {
    return this.#stalled.promise;
  }

  postpone(): void {
    this.#movedMs = this.#context.clock.monotonicMs();
  }

  end(): void {
    this.#timer?.cancel();
  }

  #watch(afterMs: number): void {
    const { clock, timers, timeoutMs } = this.#context;
    this.#timer = timers.after(afterMs, () => {
      const leftMs = this.#movedMs + timeoutMs - clock.monotonicMs();
      if (leftMs > 0) return this.#watch(leftMs);
      const reason = `no records for ${timeoutMs} ms`;
      this.#stalled.resolve(err({ kind: "timeout", reason, status: 0 }));
    });
  }
}

/** All records of one node into the table. `rank` is the node's place in the list of sources. */
async function pull(
  context: RecoveryContext,
  database: PulledDatabase,
  table: RecordTable,
  pnn: number,
  rank: number,
): Promise<StepResult<void>> {
  const srvid = u64(SRVID.RECOVERY_PREFIX.hi, context.nextStream());
  let records = 0;
  let problem: string | undefined;
  let open = true;
  // The srvid tells the node: a message's source node is the local one with some daemons.
  let stalled: Stall | undefined;
  const registered = await context.client.registerSrvid(srvid, (data) => {
    if (!open || problem !== undefined) return;
    stalled?.postpone();
    const added = table.addBuffer(data, rank);
    if (added.ok) records += added.value;
    else problem = added.error;
  });
  if (!registered.ok) {
    return stepFailure(`Cannot listen for records of ${database.name}: ${registered.error.reason}`);
  }
  const asked = context.client.control(
    "DB_PULL",
    { db_id: database.db_id, lmaster: UNKNOWN_PNN, srvid },
    { pnn, timeoutMs: PULL_MS_MAX },
  );
  stalled = new Stall(context);
  const answer = await Promise.race([asked, stalled.promise]);
  stalled.end();
  open = false;
  registered.value.remove();
  if (!answer.ok) return stepFailure(failureText("DB_PULL", pnn, answer.error), pnn);
  if (problem !== undefined) return stepFailure(`Records from node ${pnn}: ${problem}`, pnn);
  if (answer.value.data !== records) {
    const told = answer.value.data;
    return stepFailure(`Node ${pnn} counts ${told} records sent, ${records} arrived`, pnn);
  }
  context.log.info(`recovery: ${records} records of ${database.name} from node ${pnn}`);
  return ok(undefined);
}
