/** `statistics`, `statisticsreset`, `stats`, `dbstatistics`. */
import type { Command } from "../command.ts";
import { chooseDatabase, databaseNameFacts } from "../database_choice.ts";
import { expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { parseLeadingInteger } from "../numbers.ts";
import type { Facts } from "../schemas/facts.ts";
import type { dbstatisticsFacts, statisticsFacts, statsFacts } from "../schemas/statistics.ts";
import { databaseStatisticsFacts, statisticsFactsOf } from "../statistics_facts.ts";
import {
  databaseStatisticsText,
  statisticsHeader,
  statisticsRow,
  statisticsText,
} from "../statistics_text.ts";

export const statistics: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const values = await session.ask("STATISTICS", undefined);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      statistics: statisticsFactsOf(values),
    } satisfies Facts<typeof statisticsFacts>);
    return 0;
  }
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
  // Shows one more than asked for, as the original does.
  const most = count > 0 ? Math.min(count + 1, history.num) : history.num;
  const shown = history.entries
    .slice(0, most)
    .filter((entry) => entry.statistics_start_time.sec > 0);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      statistics: shown.map(statisticsFactsOf),
    } satisfies Facts<typeof statsFacts>);
    return 0;
  }
  if (options.machine && shown.length > 0) host.out(statisticsHeader(options.separator));
  for (const entry of shown) {
    host.out(options.machine ? statisticsRow(entry, options.separator) : statisticsText(entry));
  }
  return 0;
};

export const dbstatistics: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 1);
  const database = await chooseDatabase(session, args[0] as string);
  const { id, name } = database;
  const message = `Failed to get statistics for DB ${name}`;
  const values = await session.ask("GET_DB_STATISTICS", id, session.target, message);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      database: databaseNameFacts(database),
      statistics: databaseStatisticsFacts(values),
    } satisfies Facts<typeof dbstatisticsFacts>);
  } else {
    host.out(databaseStatisticsText(name, values));
  }
  return 0;
};
