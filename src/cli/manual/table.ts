/** All subjects of the manual; together they have an entry for each row of the table of commands. */
import { ADDRESSES } from "./addresses.ts";
import { CONNECTIONS } from "./connections.ts";
import { DATABASES } from "./databases.ts";
import { EVENTS } from "./events.ts";
import { JOURNAL } from "./journal.ts";
import type { CommandManual, Subject } from "./manual.ts";
import { NODES } from "./nodes.ts";
import { RECORDS } from "./records.ts";
import { RUNNING } from "./running.ts";

export const SUBJECTS: readonly Subject[] = [
  NODES,
  ADDRESSES,
  CONNECTIONS,
  EVENTS,
  RUNNING,
  JOURNAL,
  DATABASES,
  RECORDS,
];

export function commandManual(name: string): CommandManual | undefined {
  return SUBJECTS.find(({ commands }) => Object.hasOwn(commands, name))?.commands[name];
}
