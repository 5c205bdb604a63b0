/** ctdb.conf(5), ctdb-tunables(7) and ctdb-script.options(5): from the tables of src/config. */
import type { Block } from "../../base/prose.ts";
import { APPLIANCE_CONF } from "../../config/appliance_conf.ts";
import type { AnyOption } from "../../config/option_table.ts";
import {
  APPLIANCE_OPTION_TEXTS,
  CONF_OPTION_TEXTS,
  type OptionText,
} from "../../config/option_texts.ts";
import { OPTIONS } from "../../config/options.ts";
import { SCRIPT_OPTIONS, type ScriptVariable } from "../../config/script_option_texts.ts";
import { TUNABLE_TEXTS } from "../../config/tunable_texts.ts";
import { TUNABLES, type Tunable } from "../../config/tunables.ts";
import type { CtdbPaths } from "../../config/types.ts";
import type { ManualPage } from "../page.ts";

export function configurationPages(paths: CtdbPaths): readonly ManualPage[] {
  return [confPage(paths), appliancePage(paths), tunablesPage(), scriptOptionsPage()];
}

function confPage(paths: CtdbPaths): ManualPage {
  const sections = [...new Set(Object.values(OPTIONS).map(({ section }) => section))];
  return {
    name: "ctdb.conf",
    section: 5,
    summary: "configuration of a CTDB node",
    sections: [
      {
        title: "Description",
        blocks: [
          `\`${paths.etcDirectory}/ctdb.conf\` is read when \`ctdbd\` starts. Without it everything is as by default. \`ctdb-config validate\` says what is wrong with it, \`ctdb-config dump\` what it says.`,
          "Lines `[section]`, lines `name = value`, and comments, which begin with `#` or `;`. A `#` behind a value belongs to the value. A backslash at the end of a line continues it; blanks and tabs in a row count as one. Section names are found whatever their case, option names are written as here. `true` and `yes`, `false` and `no` are the same.",
          "All problems of the file are told at once, each with its line; any of them stops the start. Sections and options that nobody knows are warned of.",
        ],
      },
      ...sections.map((section) => ({
        title: `[${section}]`,
        blocks: [{ terms: confTerms(section, paths) }],
      })),
      {
        title: "Examples",
        blocks: [
          {
            screen:
              "[logging]\n    location = syslog\n    log level = NOTICE\n\n[cluster]\n    cluster lock = /clusterfs/.ctdb/lock\n",
          },
        ],
      },
    ],
    seeAlso: ["ctdbd(1)", "ctdb(7)", "ctdb-script.options(5)", "ctdb-tunables(7)"],
  };
}

function appliancePage(paths: CtdbPaths): ManualPage {
  const { options, sections } = APPLIANCE_CONF;
  const terms = (section: string): readonly Term[] =>
    options
      .filter((option) => option.section === section)
      .map((option) => optionTerm(option, APPLIANCE_OPTION_TEXTS[option.name], paths));
  return {
    name: "ctdb-appliance.conf",
    section: 5,
    summary: "configuration of a CTDB node that Samba's programs do not know",
    sections: [
      {
        title: "Description",
        blocks: [
          `\`${paths.etcDirectory}/ctdb-appliance.conf\` has the form of ctdb.conf(5). It is a file of its own because Samba's \`ctdbd\`, which may run on this node again, refuses what it does not know. Without it everything is as by default. \`ctdb-config validate\` says what is wrong with it, too.`,
        ],
      },
      ...sections.map((section) => ({
        title: `[${section}]`,
        blocks: [{ terms: terms(section) }],
      })),
      {
        title: "Examples",
        blocks: [
          "A journal, and a page at a port of this machine, with a token for each who may look:",
          {
            screen:
              "[admin]\n    enabled = true\n    listen = 127.0.0.1:4380\n    token file = /etc/ctdb/admin.tokens\n",
          },
          "One version for all nodes, for a cluster with a Samba that is not known:",
          { screen: "[cluster]\n    announced samba version = 4.17\n" },
        ],
      },
    ],
    seeAlso: ["ctdbd(1)", "ctdb-admind(1)", "ctdb.conf(5)", "ctdb(7)"],
  };
}

type Term = readonly [string, string];

function optionTerm(
  { name, defaultValue, reload }: AnyOption,
  text: OptionText | undefined,
  paths: CtdbPaths,
): Term {
  const value = defaultValue(paths);
  const byDefault = value === undefined ? text?.byDefault : `\`${value}\``;
  const shown = byDefault === undefined ? "No default." : `Default: ${byDefault}.`;
  const taken = reload === "now" ? " `ctdb reload` takes a change." : "";
  return [`${name} = ${text?.value ?? ""}`, `${text?.text ?? ""} ${shown}${taken}`];
}

function confTerms(section: string, paths: CtdbPaths): readonly Term[] {
  const keys = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
  return keys
    .filter((key) => OPTIONS[key].section === section)
    .map((key) => optionTerm(OPTIONS[key] as unknown as AnyOption, CONF_OPTION_TEXTS[key], paths));
}

function tunablesPage(): ManualPage {
  const current = TUNABLES.filter(({ obsolete }) => !obsolete);
  const obsolete = TUNABLES.filter((tunable) => tunable.obsolete);
  return {
    name: "ctdb-tunables",
    section: 7,
    summary: "settings of a CTDB node that can change while it runs",
    sections: [
      {
        title: "Description",
        blocks: [
          "A tunable is a number. `ctdb listvars` and `ctdb getvar` show the values of a running node, `ctdb setvar` changes one until the daemon ends. Most should be the same on all nodes.",
          "When it starts, `ctdbd` reads `/etc/ctdb/ctdb.tunables`, then the files `/etc/ctdb/tunables.d/*.tunables` in the order of their names. Each line is `NAME=VALUE`; lines that begin with `#` are comments. Names are found whatever their case. A value is from 0 to 4294967295, decimal, hexadecimal behind `0x`, or octal behind `0`.",
          { screen: "MonitorInterval=20\nRecoveryBanPeriod=60\n" },
        ],
      },
      { title: "Tunables", blocks: [{ terms: [...current].sort(byName).map(tunableTerm) }] },
      {
        title: "Obsolete tunables",
        blocks: [
          "These have no effect. `ctdb setvar` takes them with a warning; in a file they are an error.",
          { terms: [...obsolete].sort(byName).map(obsoleteTerm) },
        ],
      },
    ],
    seeAlso: ["ctdb(1)", "ctdbd(1)", "ctdb.conf(5)", "ctdb(7)"],
  };
}

function byName(one: Tunable, other: Tunable): number {
  return one.name.toLowerCase() < other.name.toLowerCase() ? -1 : 1;
}

function tunableTerm({ name, defaultValue }: Tunable): readonly [string, string] {
  const { unit = "", text = "" } = TUNABLE_TEXTS[name] ?? {};
  return [`${name} (${unit}, ${defaultValue} by default)`, text];
}

function obsoleteTerm({ name, defaultValue }: Tunable): readonly [string, string] {
  return [name, `Obsolete; ${defaultValue} by default.`];
}

function scriptOptionsPage(): ManualPage {
  return {
    name: "ctdb-script.options",
    section: 5,
    summary: "configuration of CTDB's event scripts",
    sections: [
      {
        title: "Description",
        blocks: [
          'Event scripts read `/etc/ctdb/script.options`, and then a file of their own, which counts more: `/etc/ctdb/events/legacy/NN.name.options` for the script `NN.name.script`. Both are lines of the shell, `NAME="value"`, with comments behind `#`.',
          "Scripts read them anew for each event: nothing has to be started again.",
        ],
      },
      ...SCRIPT_OPTIONS.map(({ title, text, variables }) => ({
        title,
        blocks: [text, { terms: variables.map(variableTerm) }],
      })),
    ] satisfies readonly { title: string; blocks: readonly Block[] }[],
    seeAlso: ["ctdbd(1)", "ctdb(7)", "ctdb.conf(5)"],
  };
}

function variableTerm({ name, value, byDefault, text }: ScriptVariable): readonly [string, string] {
  return [
    `${name}=${value}`,
    `${text} ${byDefault === undefined ? "No default." : `Default: \`${byDefault}\`.`}`,
  ];
}
