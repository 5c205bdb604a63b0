/** `ctdb wipedb`: empties a database on all active nodes. */
import type { Command } from "../command.ts";
import { chooseDatabase } from "../database_choice.ts";
import { attachChosen } from "../database_open.ts";
import { rewriteDatabase } from "../database_rewrite.ts";
import { expectArguments } from "../failure.ts";

export const wipedb: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  const { id } = await attachChosen(session, database);
  const status = await rewriteDatabase(session, id);
  if (status === 0) host.out(`Database ${database.name} wiped\n`);
  return status;
};
