/**
 * `ctdb wipedb`: empties a database on all active nodes, with the steps of a recovery of that database but
 * without its records. When a step fails, a recovery is asked for: it thaws what was left frozen.
 */
import type { ClientFailure } from "../../client/types.ts";
import { NODE_FLAGS_INACTIVE, RECOVERY_ACTIVE } from "../../wire/constants.ts";
import type { ControlName, ControlRequestOf } from "../../wire/controls.ts";
import { type Command, CommandFailure, expectArguments } from "../command.ts";
import { chooseDatabase } from "../database_choice.ts";
import { attachChosen } from "../database_open.ts";
import { exitStatus, type Session } from "../session.ts";
import { settledGeneration } from "./recovery.ts";

export const wipedb: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  const { id } = await attachChosen(session, database);
  const transaction = { db_id: id, tid: await settledGeneration(session, "") };
  const pnns = (await session.nodes())
    .filter(({ flags }) => (flags & NODE_FLAGS_INACTIVE) === 0)
    .map(({ pnn }) => pnn);
  if (pnns.length === 0) throw new CommandFailure(1, "No active node has the database");
  const failure =
    (await onEach(session, pnns, "DB_FREEZE", id)) ??
    (await onEach(session, pnns, "DB_TRANSACTION_START", transaction)) ??
    (await onEach(session, pnns, "WIPE_DATABASE", transaction)) ??
    (await onEach(session, pnns, "DB_SET_HEALTHY", id)) ??
    (await onEach(session, pnns, "DB_TRANSACTION_COMMIT", transaction)) ??
    (await onEach(session, pnns, "DB_THAW", id));
  if (failure !== undefined) {
    await session.attempt("SET_RECMODE", RECOVERY_ACTIVE, session.pnn);
    return exitStatus(failure);
  }
  host.out(`Database ${database.name} wiped\n`);
  return 0;
};

/** The first failure, which was printed. */
async function onEach<N extends ControlName>(
  session: Session,
  pnns: readonly number[],
  name: N,
  request: ControlRequestOf<N>,
): Promise<ClientFailure | undefined> {
  const { client, timeoutMs } = session;
  const outcomes = await client.controlEach(name, request, pnns, { timeoutMs });
  for (const [pnn, outcome] of outcomes) {
    if (outcome.ok) continue;
    session.host.err(`${name} failed on node ${pnn}: ${outcome.error.reason}\n`);
    return outcome.error;
  }
  return undefined;
}
