/** Commands about databases as wholes. */
import { u64Hex } from "../../base/u64.ts";
import { attachDatabase } from "../../client/database.ts";
import {
  DB_FLAGS,
  NODE_FLAGS,
  NODE_FLAGS_INACTIVE,
  RECOVERY_ACTIVE,
} from "../../wire/constants.ts";
import type { Command } from "../command.ts";
import {
  chooseDatabase,
  databaseNameFacts,
  healthProblem,
  isVolatile,
} from "../database_choice.ts";
import { describeAttachFailure } from "../database_open.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { hex8, machineRow } from "../format.ts";
import { answerFacts } from "../json.ts";
import type {
  DatabaseFacts,
  getdbmapFacts,
  getdbseqnumFacts,
  getdbstatusFacts,
} from "../schemas/databases.ts";
import type { Facts } from "../schemas/facts.ts";
import { exitStatus, type Session } from "../session.ts";

interface ListedDatabase {
  readonly id: number;
  readonly flags: number;
  readonly name: string;
  readonly path: string;
  readonly problem: string | undefined;
}

const COLUMNS = [
  "ID",
  "Name",
  "Path",
  "Persistent",
  "Sticky",
  "Unhealthy",
  "Readonly",
  "Replicated",
] as const;

async function listed(session: Session, id: number, flags: number): Promise<ListedDatabase> {
  const name = await session.ask("GET_DBNAME", id);
  const path = await session.ask("GETDBPATH", id);
  const problem = healthProblem(await session.ask("DB_GET_HEALTH", id));
  return { id, flags, name, path, problem };
}

function machineLine(database: ListedDatabase, separator: string): string {
  const has = (flag: number) => ((database.flags & flag) !== 0 ? 1 : 0);
  return machineRow(separator, [
    `0x${hex8(database.id).toUpperCase()}`,
    database.name,
    database.path,
    has(DB_FLAGS.PERSISTENT),
    has(DB_FLAGS.STICKY),
    database.problem === undefined ? 0 : 1,
    has(DB_FLAGS.READONLY),
    has(DB_FLAGS.REPLICATED),
  ]);
}

function textLine({ id, name, path, flags, problem }: ListedDatabase): string {
  const word = (flag: number, text: string) => ((flags & flag) !== 0 ? ` ${text}` : "");
  return (
    `dbid:0x${hex8(id)} name:${name} path:${path}` +
    word(DB_FLAGS.PERSISTENT, "PERSISTENT") +
    word(DB_FLAGS.STICKY, "STICKY") +
    word(DB_FLAGS.READONLY, "READONLY") +
    word(DB_FLAGS.REPLICATED, "REPLICATED") +
    (problem === undefined ? "" : " UNHEALTHY")
  );
}

/** The facts of a database that `getdbmap` and `getdbstatus` give. */
function databaseFacts({ id, name, path, flags, problem }: ListedDatabase): DatabaseFacts {
  const has = (flag: number) => (flags & flag) !== 0;
  return {
    id: `0x${hex8(id)}`,
    name,
    path,
    persistent: has(DB_FLAGS.PERSISTENT),
    replicated: has(DB_FLAGS.REPLICATED),
    sticky: has(DB_FLAGS.STICKY),
    readonly: has(DB_FLAGS.READONLY),
    problem: problem ?? null,
  };
}

export const getdbmap: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const map = await session.ask("GET_DBMAP", undefined);
  if (options.json) {
    const databases = [];
    for (const { db_id, flags } of map) {
      databases.push(databaseFacts(await listed(session, db_id, flags)));
    }
    answerFacts(host, { node: session.target, databases } satisfies Facts<typeof getdbmapFacts>);
    return 0;
  }
  host.out(
    options.machine
      ? `${machineRow(options.separator, COLUMNS)}\n`
      : `Number of databases:${map.length}\n`,
  );
  for (const { db_id, flags } of map) {
    const database = await listed(session, db_id, flags);
    const line = options.machine ? machineLine(database, options.separator) : textLine(database);
    host.out(`${line}\n`);
  }
  return 0;
};

export const getdbstatus: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 1);
  const { id, name, flags } = await chooseDatabase(session, args[0] as string);
  const path = await session.ask("GETDBPATH", id);
  const problem = healthProblem(await session.ask("DB_GET_HEALTH", id));
  if (options.json) {
    const database = databaseFacts({ id, name, path, flags, problem });
    const facts: Facts<typeof getdbstatusFacts> = { node: session.target, database };
    answerFacts(host, facts);
    return 0;
  }
  const has = (flag: number) => ((flags & flag) !== 0 ? "yes" : "no");
  host.out(
    `dbid: 0x${hex8(id)}\nname: ${name}\npath: ${path}\n` +
      `PERSISTENT: ${has(DB_FLAGS.PERSISTENT)}\nREPLICATED: ${has(DB_FLAGS.REPLICATED)}\n` +
      `STICKY: ${has(DB_FLAGS.STICKY)}\nREADONLY: ${has(DB_FLAGS.READONLY)}\n` +
      `HEALTH: ${problem ?? "OK"}\n`,
  );
  return 0;
};

/** Second argument of `attach`; the last two are not in its usage, but accepted. */
const KINDS = new Map<string, number>([
  ["persistent", DB_FLAGS.PERSISTENT],
  ["replicated", DB_FLAGS.REPLICATED],
  ["readonly", DB_FLAGS.READONLY],
  ["sticky", DB_FLAGS.STICKY],
]);

export const attach: Command = async ({ session, host }, args) => {
  expectArguments(args, 1, 2);
  const [name, kind] = args as [string, string?];
  const flags = kind === undefined ? 0 : KINDS.get(kind);
  if (flags === undefined) throw new WrongArguments();
  const attached = await attachDatabase(session.client, name, flags, session.timeoutMs);
  if (attached.ok) return 0;
  host.err(`${describeAttachFailure(name, attached.error)}\n`);
  return exitStatus(attached.error);
};

export const detach: Command = async ({ session, host }, args) => {
  if (args.length < 1) throw new WrongArguments();
  if ((await session.answer("GET_RECMODE", undefined)).status === RECOVERY_ACTIVE) {
    throw new CommandFailure(1, "Database cannot be detached when recovery is active");
  }
  await checkDetachable(session);
  let status = 0;
  for (const text of args) {
    const database = await chooseOrSay(session, text);
    if (database === undefined) continue;
    if (!isVolatile(database)) {
      throw new CommandFailure(1, "Only volatile databases can be detached");
    }
    // Our node tells the others: asked as well, they would refuse whichever comes second.
    const outcome = await session.attempt("DB_DETACH", database.id, session.pnn);
    if (outcome.ok) continue;
    status = exitStatus(outcome.error);
    host.err(`detach: ${database.name} DB_DETACH failed, ret=${status}\n`);
    host.err(`Database ${database.name} detach failed\n`);
  }
  return status;
};

async function chooseOrSay(session: Session, text: string) {
  try {
    return await chooseDatabase(session, text);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    session.host.err(`${error.message}\n`);
    return undefined;
  }
}

/** Ends the command if a connected node is inactive or lets clients attach. */
async function checkDetachable(session: Session): Promise<void> {
  for (const { pnn, flags } of await session.nodes()) {
    if ((flags & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) !== 0) continue;
    if ((flags & NODE_FLAGS_INACTIVE) !== 0) {
      const state = "inactive (stopped or banned)";
      throw new CommandFailure(1, `Database cannot be detached on ${state} node ${pnn}`);
    }
    const message = `Unable to get tunable AllowClientDBAttach from node ${pnn}`;
    const request = { name: "AllowClientDBAttach" };
    if ((await session.ask("GET_TUNABLE", request, pnn, message)) === 1) {
      throw new CommandFailure(
        1,
        `Database access is still active on node ${pnn}. Set AllowclientDBAttach=0 on all nodes.`,
      );
    }
  }
}

async function setFlag(
  session: Session,
  args: readonly string[],
  control: "SET_DB_READONLY" | "SET_DB_STICKY",
): Promise<number> {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  if (!isVolatile(database)) {
    const word = control === "SET_DB_READONLY" ? "READONLY" : "STICKY";
    throw new CommandFailure(1, `${word} can be set only on volatile DB`);
  }
  await session.ask(control, database.id);
  return 0;
}

export const setdbreadonly: Command = ({ session }, args) =>
  setFlag(session, args, "SET_DB_READONLY");
export const setdbsticky: Command = ({ session }, args) => setFlag(session, args, "SET_DB_STICKY");

export const getdbseqnum: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  const { id, name } = database;
  const message = `Failed to get sequence number for DB ${name}`;
  const number = await session.ask("GET_DB_SEQNUM", { db_id: id }, session.target, message);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      database: databaseNameFacts(database),
      sequence_number: u64Hex(number),
    } satisfies Facts<typeof getdbseqnumFacts>);
  } else {
    host.out(`${u64Hex(number, true)}\n`);
  }
  return 0;
};
