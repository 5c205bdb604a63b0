/**
 * `ctdb db repack`: all active nodes write a database anew, so that its free space is in one piece again. The file
 * keeps its size: other processes have it mapped, and one that ended before the end of their map would kill them.
 *
 * Invariants:
 * 1. No record is lost, whatever fails: the records are those that a recovery would collect, in the way in which it does,
 *    and when a step fails a recovery is asked for.
 * 2. A volatile database is never written anew within its generation: a record on its way from one data master to
 *    another would arrive afterwards, and have two. It takes a recovery, which begins another generation.
 */
import { silentJournal } from "../../base/journal_event.ts";
import { silentLogger } from "../../base/log.ts";
import { BanCredits } from "../../membership/ban_credits.ts";
import { databaseUnion } from "../../recovery/database_union.ts";
import { ATTEMPTS_MAX, PULLS_AT_ONCE_MAX } from "../../recovery/limits.ts";
import { recoverDatabase } from "../../recovery/recover_database.ts";
import { SlabMemory } from "../../recovery/slab_memory.ts";
import { StepTimes } from "../../recovery/step_times.ts";
import { Turnstile } from "../../recovery/turnstile.ts";
import { RECOVERY_ACTIVE } from "../../wire/constants.ts";
import { BACKUP_BUFFER_BYTES } from "../backup_file.ts";
import type { Command, CommandContext } from "../command.ts";
import { type ChosenDatabase, chooseDatabase, isVolatile } from "../database_choice.ts";
import { attachChosen } from "../database_open.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { hex8 } from "../format.ts";
import { answerFacts } from "../json.ts";
import type { RepackFacts } from "../schemas/repack.ts";
import type { Session } from "../session.ts";
import { activeNodes } from "../takeover_runs.ts";
import { openTdb, whenFree } from "../tdb_access.ts";
import { recover, settledGeneration } from "./recovery.ts";

export const db: Command = async (context, args) => {
  if (args[0] !== "repack") throw new WrongArguments();
  expectArguments(args, 2);
  const { session, host, options } = context;
  const database = await chooseDatabase(session, args[1] as string);
  const { path, openFlags } = await attachChosen(session, database);
  const nodes = activeNodes(await session.nodes());
  if (nodes.length === 0) throw new CommandFailure(1, "No active node has the database");
  const before = await fileState(session, path, openFlags);
  const facts: RepackFacts = {
    action: "repack",
    database: { id: `0x${hex8(database.id)}`, name: database.name, path },
    method: isVolatile(database) ? "recovery" : "database",
    nodes: [...nodes],
    dry_run: options.dryRun,
    before,
    after: null,
  };
  if (!options.dryRun) {
    const status = await repack(context, database, nodes);
    if (status !== 0) return status;
    facts.after = await fileState(session, path, openFlags);
  }
  if (options.json) answerFacts(host, facts);
  else host.out(factsText(facts));
  return 0;
};

async function repack(
  context: CommandContext,
  database: ChosenDatabase,
  pnns: readonly number[],
): Promise<number> {
  if (isVolatile(database)) return await recover(context, []);
  const { session, host } = context;
  const { client, timeoutMs } = session;
  const maps = await Promise.all(
    pnns.map(async (pnn) => ({ pnn, databases: await session.ask("GET_DBMAP", undefined, pnn) })),
  );
  const union = databaseUnion(maps);
  if (!union.ok) throw new CommandFailure(1, union.error);
  const wanted = union.value.find(({ db_id }) => db_id === database.id);
  if (wanted === undefined) throw new CommandFailure(1, "No active node has the database");
  let streams = host.random.u32();
  const outcome = await recoverDatabase(
    {
      client,
      clock: host.clock,
      timers: host.timers,
      random: host.random,
      log: silentLogger,
      journal: silentJournal,
      generation: await settledGeneration(session, ""),
      timeoutMs,
      pushBufferBytes: BACKUP_BUFFER_BYTES,
      pnns,
      unbroken: undefined,
      toAll: pnns,
      credits: new BanCredits(ATTEMPTS_MAX),
      failedAlone: new BanCredits(ATTEMPTS_MAX),
      pulls: new Turnstile(PULLS_AT_ONCE_MAX),
      memory: new SlabMemory(undefined),
      nextStream: () => {
        streams = (streams + 1) >>> 0;
        return streams;
      },
    },
    wanted,
    new StepTimes(host.clock),
  );
  if (outcome.ok) return 0;
  // It thaws what was left frozen, and takes for each record the newest copy there is.
  await session.attempt("SET_RECMODE", RECOVERY_ACTIVE, session.pnn);
  throw new CommandFailure(1, `${outcome.error.reason}; a recovery was asked for`);
}

async function fileState(
  session: Session,
  path: string,
  flags: number,
): Promise<RepackFacts["before"]> {
  const bytes = (await session.host.folders()).sizeOf(path);
  if (!bytes.ok) throw new CommandFailure(bytes.error, `Failed to open TDB file ${path}`);
  const tdb = await openTdb(session, path, flags);
  const pieces = await whenFree(session, () => tdb.freelistSize());
  tdb.close();
  if (!pieces.ok) throw new CommandFailure(1, `Cannot read ${path}: ${pieces.error.reason}`);
  return { bytes: bytes.value, free_pieces: pieces.value };
}

function factsText({ database, method, nodes, before, after }: RepackFacts): string {
  const how = method === "recovery" ? "with all others, by a recovery" : "alone";
  const state = (what: string, { bytes, free_pieces: pieces }: RepackFacts["before"]) =>
    `${what}: ${bytes} bytes, free space in ${pieces} pieces\n`;
  const where = `on nodes ${nodes.join(",")}, ${how}`;
  if (after === null) return `Would write ${database.name} anew ${where}\n${state("Now", before)}`;
  return `Wrote ${database.name} anew ${where}\n${state("Before", before)}${state("After", after)}`;
}
