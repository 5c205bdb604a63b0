/**
 * A database emptied on all active nodes, and filled anew: the steps of a recovery of that database,
 * with records from elsewhere or none. When a step fails, a recovery is asked for: it thaws what was
 * left frozen.
 */
import type { ControlOutcome } from "../client/types.ts";
import { NODE_FLAGS_INACTIVE, RECOVERY_ACTIVE } from "../wire/constants.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../wire/controls.ts";
import { settledGeneration } from "./commands/recovery.ts";
import { CommandFailure } from "./failure.ts";
import { exitStatus, type Session } from "./session.ts";

export interface StepFailure {
  readonly reason: string;
  /** The exit status. */
  readonly status: number;
}

/** Puts records into the empty, frozen database of each node; a failure was printed. */
export type FillDatabase = (pnns: readonly number[]) => Promise<StepFailure | undefined>;

/** The exit status; every failure was printed. */
export async function rewriteDatabase(
  session: Session,
  id: number,
  fill: FillDatabase = async () => undefined,
): Promise<number> {
  const nodes = await session.nodes();
  const transaction = { db_id: id, tid: await settledGeneration(session, "") };
  const pnns = nodes
    .filter(({ flags }) => (flags & NODE_FLAGS_INACTIVE) === 0)
    .map(({ pnn }) => pnn);
  if (pnns.length === 0) throw new CommandFailure(1, "No active node has the database");
  const failure =
    (await onEach(session, pnns, "DB_FREEZE", id)) ??
    (await onEach(session, pnns, "DB_TRANSACTION_START", transaction)) ??
    (await onEach(session, pnns, "WIPE_DATABASE", transaction)) ??
    (await fill(pnns)) ??
    (await onEach(session, pnns, "DB_SET_HEALTHY", id)) ??
    (await onEach(session, pnns, "DB_TRANSACTION_COMMIT", transaction)) ??
    (await onEach(session, pnns, "DB_THAW", id));
  if (failure === undefined) return 0;
  await session.attempt("SET_RECMODE", RECOVERY_ACTIVE, session.pnn);
  return failure.status;
}

/** The first failure, which was printed; `look` may find one in an answer. */
export async function onEach<N extends ControlName>(
  session: Session,
  pnns: readonly number[],
  name: N,
  request: ControlRequestOf<N>,
  look: (answer: ControlReplyOf<N>, pnn: number) => StepFailure | undefined = () => undefined,
): Promise<StepFailure | undefined> {
  const { client, timeoutMs } = session;
  const outcomes = await client.controlEach(name, request, pnns, { timeoutMs });
  for (const [pnn, outcome] of outcomes) {
    const failure = failureOf(outcome, pnn, name, look);
    if (failure === undefined) continue;
    session.host.err(`${failure.reason}\n`);
    return failure;
  }
  return undefined;
}

function failureOf<N extends ControlName>(
  outcome: ControlOutcome<ControlReplyOf<N>>,
  pnn: number,
  name: N,
  look: (answer: ControlReplyOf<N>, pnn: number) => StepFailure | undefined,
): StepFailure | undefined {
  if (outcome.ok) return look(outcome.value.data, pnn);
  const reason = `${name} failed on node ${pnn}: ${outcome.error.reason}`;
  return { reason, status: exitStatus(outcome.error) };
}
