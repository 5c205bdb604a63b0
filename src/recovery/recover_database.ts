/**
 * One attempt to recover one database (docs/recovery.md, "One database"): name, attach where it is
 * missing, freeze, transaction, collect, wipe, push, commit, thaw. The first failure ends the
 * attempt; what was frozen stays frozen, and the next attempt begins with the same steps, which
 * all nodes accept again. After a failed thaw there is no other attempt in this recovery.
 */
import { err, ok } from "../base/result.ts";
import { u64 } from "../base/u64.ts";
import { DB_FLAGS } from "../wire/constants.ts";
import { ATTACH_RECOVERY, TRANSACTION_UNBROKEN } from "../wire/controls.ts";
import type { RecoveredDatabase } from "./database_union.ts";
import { type Collected, collectFromAll, collectFromHighest, type PulledDatabase } from "./pull.ts";
import { pushToAll } from "./push.ts";
import { PushBuffers } from "./push_buffers.ts";
import {
  askEach,
  askEachBlaming,
  type RecoveryContext,
  type StepResult,
  stepFailure,
} from "./recovery_context.ts";
import type { StepTimes } from "./step_times.ts";

export async function recoverDatabase(
  context: RecoveryContext,
  database: RecoveredDatabase,
  times: StepTimes,
): Promise<StepResult<{ readonly name: string; readonly records: number }>> {
  const { pnns, unbroken } = context;
  const dbId = database.db_id;
  const transaction = { db_id: dbId, tid: context.generation };

  const named = await databaseName(context, database);
  if (!named.ok) return named;
  const pulled: PulledDatabase = { db_id: dbId, name: named.value };
  const attached = await attachMissing(context, database, named.value);
  if (!attached.ok) return attached;
  times.ended("attach");

  const frozen = await askEach(context, "DB_FREEZE", dbId, pnns);
  if (!frozen.ok) return blamed(context, frozen);
  const started = await askEachBlaming(context, "DB_TRANSACTION_START", transaction, {
    ...(unbroken === undefined ? {} : { flags: TRANSACTION_UNBROKEN, srvid: u64(0, unbroken) }),
  });
  if (!started.ok) return started;
  times.ended("freeze");

  const bySequence = (database.flags & (DB_FLAGS.PERSISTENT | DB_FLAGS.REPLICATED)) !== 0;
  const collect = bySequence ? collectFromHighest : collectFromAll;
  const collected = await collect(context, pulled);
  if (!collected.ok) return collected;
  times.ended("pull");

  const pushed = await replaceEverywhere(context, database, pulled, collected.value, times);
  collected.value.table.slabs.end();
  if (!pushed.ok) return pushed;

  const committed = await askEachBlaming(context, "DB_TRANSACTION_COMMIT", transaction);
  if (!committed.ok) return committed;
  times.ended("commit");
  const thawed = await askEach(context, "DB_THAW", dbId, pnns);
  // Those that have thawed may have sent packets of this generation: another attempt must have another one.
  if (!thawed.ok) return err({ ...thawed.error, final: true });
  times.ended("thaw");
  return ok({ name: pulled.name, records: pushed.value });
}

/** What was collected in the place of what each node has. */
async function replaceEverywhere(
  context: RecoveryContext,
  database: RecoveredDatabase,
  pulled: PulledDatabase,
  { table, recoveries }: Collected,
  times: StepTimes,
): Promise<StepResult<number>> {
  const transaction = { db_id: database.db_id, tid: context.generation };
  const wiped = await askEachBlaming(context, "WIPE_DATABASE", transaction);
  if (!wiped.ok) return wiped;
  times.ended("wipe");
  const persistent = (database.flags & DB_FLAGS.PERSISTENT) !== 0;
  const buffers = new PushBuffers(table, {
    db_id: database.db_id,
    limitBytes: context.pushBufferBytes,
    dmaster: persistent ? undefined : context.client.pnn,
    recoveries,
  });
  const pushed = await pushToAll(context, pulled, buffers);
  if (pushed.ok) times.ended("push");
  return pushed;
}

/** The name that all nodes give to the id; another one costs the node that gives it a credit. */
async function databaseName(
  context: RecoveryContext,
  database: RecoveredDatabase,
): Promise<StepResult<string>> {
  const answers = await askEach(context, "GET_DBNAME", database.db_id, database.pnns);
  if (!answers.ok) return answers;
  let name: string | undefined;
  for (const [pnn, { data }] of answers.value) {
    name ??= data;
    if (data === name) continue;
    const first = database.pnns[0];
    const reason = `Node ${pnn} calls it "${data}", node ${first} calls it "${name}"`;
    context.credits.add(pnn, reason);
    return stepFailure(reason, pnn);
  }
  return name === undefined ? stepFailure("No node has this database") : ok(name);
}

async function attachMissing(
  context: RecoveryContext,
  database: RecoveredDatabase,
  name: string,
): Promise<StepResult<unknown>> {
  const missing = context.pnns.filter((pnn) => !database.pnns.includes(pnn));
  if (missing.length === 0) return ok(undefined);
  context.log.info(`recovery: attaching ${name} on nodes ${missing.join(", ")}`);
  const attached = await askEach(context, attachControl(database.flags), name, missing, {
    flags: ATTACH_RECOVERY,
  });
  return attached.ok ? attached : blamed(context, attached);
}

function attachControl(
  flags: number,
): "DB_ATTACH" | "DB_ATTACH_PERSISTENT" | "DB_ATTACH_REPLICATED" {
  if ((flags & DB_FLAGS.PERSISTENT) !== 0) return "DB_ATTACH_PERSISTENT";
  return (flags & DB_FLAGS.REPLICATED) !== 0 ? "DB_ATTACH_REPLICATED" : "DB_ATTACH";
}

function blamed<T extends StepResult<unknown> & { readonly ok: false }>(
  context: RecoveryContext,
  failed: T,
): T {
  // With our own connection gone, nobody else is to blame.
  if (failed.error.pnn !== undefined && context.client.connected) {
    context.credits.add(failed.error.pnn, failed.error.reason);
  }
  return failed;
}
