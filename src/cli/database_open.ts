/** Attaching to and opening the file of a database for the commands that read or write records. */
import { EINVAL, EIO, ETIMEDOUT } from "../base/errno.ts";
import type { AttachedDatabase, AttachFailure } from "../client/database.ts";
import { attachDatabase } from "../client/database.ts";
import type { RecordFailure } from "../client/local_file.ts";
import { openAttached, type RecordDatabase } from "../client/record_database.ts";
import { type ChosenDatabase, chooseDatabase, isVolatile } from "./database_choice.ts";
import { CommandFailure } from "./failure.ts";
import { exitStatus, type Session } from "./session.ts";

/** The line that the original tool prints for a step of an attach that failed. */
export function describeAttachFailure(name: string, failure: AttachFailure): string {
  const { step } = failure;
  if (step === "health") {
    const problem = failure.reason.replace(/^.*is not healthy: /s, "");
    return `attach: ${name} database unhealthy (${problem})`;
  }
  const status = exitStatus(failure);
  if (failure.kind === "timeout") return `attach: ${name} ${step} failed, ret=${status}`;
  if (step.startsWith("DB_ATTACH")) return `attach: ${name} failed to get db_id, ret=${status}`;
  if (step.startsWith("SET_DB_")) return `attach: ${name} set db flags failed`;
  return `attach: ${name} ${step} parse failed, ret=${status}`;
}

/** Attaches to a database that exists; a failure ends the command. */
export async function attachChosen(
  session: Session,
  database: ChosenDatabase,
): Promise<AttachedDatabase> {
  const { name, flags } = database;
  const attached = await attachDatabase(session.client, name, flags, session.timeoutMs);
  if (attached.ok) return attached.value;
  session.host.err(`${describeAttachFailure(name, attached.error)}\n`);
  const status = attached.error.step === "health" ? EIO : exitStatus(attached.error);
  throw new CommandFailure(status, `Failed to attach to DB ${name}`);
}

/** The database that the argument means, if it is volatile, attached and with its file open. */
export async function openVolatile(session: Session, text: string): Promise<RecordDatabase> {
  const database = await chooseDatabase(session, text);
  const { name } = database;
  if (!isVolatile(database)) {
    throw new CommandFailure(1, `DB ${name} is not a volatile database`);
  }
  const attached = await attachChosen(session, database);
  const environment = {
    tdbs: await session.host.tdbs(),
    timers: session.host.timers,
    clock: session.host.clock,
  };
  const { client, timeoutMs } = session;
  const opened = await openAttached(client, environment, attached, timeoutMs);
  if (opened.ok) return opened.value;
  session.host.err(`attach: ${name} cannot open ${attached.path}: ${opened.error.reason}\n`);
  throw new CommandFailure(recordStatus(opened.error), `Failed to attach to DB ${name}`);
}

/** Exit status of a failed record operation. */
export function recordStatus(failure: RecordFailure): number {
  switch (failure.kind) {
    case "busy":
      return ETIMEDOUT;
    case "file":
      return EIO;
    case "not_allowed":
      return EINVAL;
    default:
      return exitStatus({ ...failure, kind: failure.kind });
  }
}
