/** `statistics`, `statisticsreset`, `stats`, `dbstatistics`. */
import type { Command } from "../command.ts";
import { chooseDatabase } from "../database_choice.ts";
import { expectArguments } from "../failure.ts";
import { parseLeadingInteger } from "../numbers.ts";
import {
  databaseStatisticsText,
  statisticsHeader,
  statisticsRow,
  statisticsText,
} from "../statistics_text.ts";

export const statistics: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const values = await session.ask("STATISTICS", undefined);
  const { separator } = options;
  host.out(
    options.machine
      ? statisticsHeader(separator) + statisticsRow(values, separator)
      : statisticsText(values),
  );
  return 0;
};

export const statisticsreset: Command = async ({ session }, args) => {
  expectArguments(args, 0);
  await session.ask("STATISTICS_RESET", undefined);
  return 0;
};

export const stats: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0, 1);
  const count = args[0] === undefined ? 0 : parseLeadingInteger(args[0]);
  const history = await session.ask("GET_STAT_HISTORY", undefined);
  let header = options.machine ? statisticsHeader(options.separator) : "";
  for (const [index, entry] of history.entries.slice(0, history.num).entries()) {
    if (entry.statistics_start_time.sec === 0) continue;
    host.out(header);
    header = "";
    host.out(options.machine ? statisticsRow(entry, options.separator) : statisticsText(entry));
    // Shows one more than asked for, as the original does.
    if (count > 0 && index === count) break;
  }
  return 0;
};

export const dbstatistics: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const { id, name } = await chooseDatabase(session, args[0] as string);
  const message = `Failed to get statistics for DB ${name}`;
  const values = await session.ask("GET_DB_STATISTICS", id, session.target, message);
  host.out(databaseStatisticsText(name, values));
  return 0;
};
