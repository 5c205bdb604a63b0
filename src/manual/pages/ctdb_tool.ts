/** ctdb(1): from the tables of commands and options, and what src/cli/manual says of each. */
import type { Block } from "../../base/prose.ts";
import type { CommandRow } from "../../cli/command.ts";
import { commandRow } from "../../cli/commands.ts";
import { EXIT_STATUS } from "../../cli/failure.ts";
import { exampleBlock, optionTerm } from "../../cli/manual/help.ts";
import { commandManual, SUBJECTS } from "../../cli/manual/table.ts";
import { HELP_OPTIONS, OPTIONS } from "../../cli/options.ts";
import type { ManualPage } from "../page.ts";

export function toolPage(): ManualPage {
  return {
    name: "ctdb",
    section: 1,
    summary: "shows and changes a CTDB cluster",
    synopsis: ["ctdb [OPTION...] COMMAND [ARGUMENT...]", "ctdb COMMAND --help"],
    sections: [
      {
        title: "Description",
        blocks: [
          "`ctdb` asks the daemon of this node, or through it another one, and prints the answer. `ctdb COMMAND --help` prints what this page says of the command.",
          {
            terms: [
              ["PNN", "The number of a node: its line in the nodes file, from 0."],
              ["PNN-LIST", "Such numbers with commas between them."],
              [
                "DBNAME|DBID",
                "A database that is attached, by name, or by its id with `0x` in front.",
              ],
            ],
          },
        ],
      },
      {
        title: "Options",
        blocks: [
          "Options stand anywhere on the command line; `--` ends them.",
          { terms: [...OPTIONS, ...HELP_OPTIONS].map(optionTerm) },
        ],
      },
      ...SUBJECTS.map(({ title, commands }) => ({
        title,
        blocks: Object.keys(commands).flatMap((name) => commandBlocks(commandRow(name))),
      })),
      {
        title: "Exit status",
        blocks: [
          "0 if it worked, otherwise 1 or the number of the error, where a command does not say otherwise.",
          `With \`--json\`, and for commands that the original tool does not have: ${EXIT_STATUS.usage} for a wrong command line, ${EXIT_STATUS["no daemon"]} if the daemon cannot be reached, ${EXIT_STATUS.timeout} if the time was over.`,
        ],
      },
      {
        title: "Environment",
        blocks: [
          {
            terms: [
              ["CTDB_TIMEOUT", "How many seconds a command may take, where `-T` does not say so."],
              [
                "CTDB_SOCKET",
                "The socket of the daemon, where it is not `/run/ctdb/ctdbd.socket`.",
              ],
              ["CTDB_BASE", "The configuration directory, where it is not `/etc/ctdb`."],
              ["COLUMNS", "How wide the help of a command may be."],
            ],
          },
        ],
      },
    ],
    seeAlso: ["ctdbd(1)", "ctdb.conf(5)", "ctdb(7)", "ctdb-statistics(7)", "ctdb-tunables(7)"],
  };
}

function commandBlocks(row: CommandRow | undefined): readonly Block[] {
  const manual = row === undefined ? undefined : commandManual(row.name);
  if (row === undefined || manual === undefined) return [];
  const options = OPTIONS.filter(({ commands }) => commands?.includes(row.name) === true);
  return [
    { heading: `${row.name} ${row.args}`.trim() },
    ...manual.about,
    ...(options.length === 0 ? [] : [{ terms: options.map(optionTerm) }]),
    ...(manual.status === undefined ? [] : [`Exit status: ${manual.status}`]),
    ...manual.examples.map(exampleBlock),
  ];
}
