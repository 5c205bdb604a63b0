/** The pages of the manual: complete by the tables, and roff that nobody complains of. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { TemporaryDirectory } from "../../test/support/temp_dir.ts";
import { COMMANDS } from "../cli/commands.ts";
import { HELP_OPTIONS, OPTIONS } from "../cli/options.ts";
import { statisticsHeader } from "../cli/statistics_text.ts";
import { APPLIANCE_CONF } from "../config/appliance_conf.ts";
import { APPLIANCE_OPTION_TEXTS } from "../config/option_texts.ts";
import { OPTIONS as CONF_OPTIONS } from "../config/options.ts";
import { resolvePaths } from "../config/paths.ts";
import { SCRIPT_OPTIONS } from "../config/script_option_texts.ts";
import { SCRIPT_VARIABLES } from "../config/script_variables.ts";
import { TUNABLES } from "../config/tunables.ts";
import { grammars } from "./completion/programs.ts";
import type { ManualPage } from "./page.ts";
import { manualPages } from "./pages.ts";
import { pageRoff } from "./roff.ts";

const paths = resolvePaths({}, "/usr/sbin");
if (!paths.ok) throw new Error(paths.error);
const PROGRAMS = {
  roles: [{ name: "ctdbd", summary: "the daemon" }],
  applets: [{ name: "install", summary: "installs" }],
};
const PAGES = manualPages(PROGRAMS, paths.value);
const APPLIANCE = "ctdb-appliance";
const RELEASE = "ctdb-appliance 1.0";

function page(reference: string): ManualPage {
  const found = PAGES.find(({ name, section }) => `${name}(${section})` === reference);
  if (found === undefined) throw new Error(`expected the page ${reference}`);
  return found;
}

/** First words of the terms and headings of a page. */
function entries(reference: string): readonly string[] {
  return page(reference).sections.flatMap(({ blocks }) =>
    blocks.flatMap((block) => {
      if (typeof block === "string" || "screen" in block) return [];
      return "heading" in block ? [block.heading] : block.terms.map(([term]) => term);
    }),
  );
}

/** Those of `wanted` without an entry that begins with it. */
function missing(reference: string, wanted: readonly string[]): readonly string[] {
  const has = entries(reference).map((entry) => `${entry} `);
  return wanted.filter((name) => !has.some((entry) => entry.startsWith(`${name} `)));
}

test("ctdb(1) has every command and every option", () => {
  expect(
    missing(
      "ctdb(1)",
      COMMANDS.map(({ name, args }) => `${name} ${args}`.trim()),
    ),
  ).toEqual([]);
  const options = [...OPTIONS, ...HELP_OPTIONS].map(({ name, short, hidesLongName }) =>
    hidesLongName === true ? `-${short}` : `--${name}`,
  );
  const text = entries("ctdb(1)").join(" ");
  expect(options.filter((option) => !new RegExp(`${option}\\b`).test(text))).toEqual([]);
});

/** Those of Samba 4.25, also installed by Debian's package. */
const ORIGINAL_PAGES = [
  "ctdb(1)",
  "ctdb_diagnostics(1)",
  "ctdbd(1)",
  "ltdbtool(1)",
  "onnode(1)",
  "ping_pong(1)",
  "ctdb-script.options(5)",
  "ctdb.conf(5)",
  "ctdb.sysconfig(5)",
  "ctdb-etcd(7)",
  "ctdb-statistics(7)",
  "ctdb-tunables(7)",
  "ctdb(7)",
  "ctdb_mutex_ceph_rados_helper(7)",
];

test("there is each page that the original has, and one for each name once", () => {
  const names = PAGES.map(({ name, section }) => `${name}(${section})`);
  expect(ORIGINAL_PAGES.filter((name) => !names.includes(name))).toEqual([]);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test("ctdb(7) refers to every other page", () => {
  const others = PAGES.map(({ name, section }) => `${name}(${section})`).filter(
    (name) => name !== "ctdb(7)",
  );
  expect(page("ctdb(7)").seeAlso.toSorted()).toEqual(others.toSorted());
});

test("each completed program has a page with all its commands and options", () => {
  for (const { program, commands, options } of grammars(PROGRAMS)) {
    const terms = entries(`${program}(1)`).join(" ");
    const text = `${terms} ${page(`${program}(1)`).synopsis?.join(" ") ?? ""} `;
    const words = commands.map(({ name }) => name.split(" ")[0] ?? "");
    const names = options.filter(
      ({ commands: only }) => only === undefined || program !== APPLIANCE,
    );
    const wanted = [...words, ...names.flatMap((option) => option.names)];
    const lacks = wanted.filter(
      (name) => !new RegExp(`(^|[ ,|[])${name.replace("?", "\\?")}(?=[ ,=|\\][]|$)`).test(text),
    );
    expect([program, lacks]).toEqual([program, []]);
  }
});

test("ctdb-appliance.conf(5) has every option with its meaning", () => {
  const wanted = APPLIANCE_CONF.options.map(({ name }) => `${name} =`);
  expect(wanted.length).toBeGreaterThan(0);
  expect(missing("ctdb-appliance.conf(5)", wanted)).toEqual([]);
  const texts = APPLIANCE_CONF.options.map(({ name }) => APPLIANCE_OPTION_TEXTS[name]?.text ?? "");
  expect(texts.filter((text) => text.length < 20)).toEqual([]);
});

test("ctdb-tunables(7) has every tunable with unit, default and meaning", () => {
  const current = TUNABLES.filter(({ obsolete }) => !obsolete);
  const all = page("ctdb-tunables(7)").sections.flatMap(({ blocks }) => blocks);
  const terms = all.flatMap((block) =>
    typeof block === "object" && "terms" in block ? block.terms : [],
  );
  for (const { name, defaultValue } of current) {
    const [term = "", text = ""] = terms.find(([each]) => each.startsWith(`${name} (`)) ?? [];
    expect(term).toMatch(new RegExp(`^${name} \\([a-z0-9][^,]*.*, ${defaultValue} by default\\)$`));
    expect([name, text.length > 20]).toEqual([name, true]);
  }
  const obsolete = TUNABLES.filter((tunable) => tunable.obsolete).map(({ name }) => name);
  expect(missing("ctdb-tunables(7)", obsolete)).toEqual([]);
});

test("ctdb.conf(5) has every option in its section", () => {
  const wanted = Object.values(CONF_OPTIONS).map(({ name }) => `${name} =`);
  expect(missing("ctdb.conf(5)", wanted)).toEqual([]);
  const titles = page("ctdb.conf(5)").sections.map(({ title }) => title);
  const sections = Object.values(CONF_OPTIONS).map(({ section }) => `[${section}]`);
  expect(sections.filter((title) => !titles.includes(title))).toEqual([]);
});

test("ctdb-script.options(5) has each variable once", () => {
  const names = SCRIPT_OPTIONS.flatMap(({ variables }) => variables.map(({ name }) => name));
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  expect(names.toSorted()).toEqual([...SCRIPT_VARIABLES].sort());
  const shown = entries("ctdb-script.options(5)").map((entry) => entry.split("=")[0]);
  expect(shown.toSorted()).toEqual(names.toSorted());
});

test("ctdb-statistics(7) has every counter", () => {
  const names = statisticsHeader("|").split("|").slice(3, -1);
  const counters = names.map((name) => name.replace(/^(?:num|min|avg|max)_(.*)_latency$/, "$1"));
  expect(missing("ctdb-statistics(7)", counters)).toEqual([]);
});

/** What is said, without what a terminal shows. */
function proseOf({ blocks }: ManualPage["sections"][number]): readonly string[] {
  return blocks.flatMap((block) => {
    if (typeof block === "string") return [block];
    return "terms" in block ? block.terms.flat() : [];
  });
}

/** Pages of others that ours name. */
const OTHERS = ["fcntl(2)"];

test("pages refer to pages that there are", () => {
  const known = [...PAGES.map(({ name, section }) => `${name}(${section})`), ...OTHERS];
  const words = (each: ManualPage) => [each.seeAlso, each.sections.map(proseOf)].flat(3).join("\n");
  const named = PAGES.flatMap((each) => words(each).match(/[a-z][\w.-]*\([1-8]\)/g) ?? []);
  expect(named.length).toBeGreaterThan(PAGES.length);
  expect([...new Set(named)].filter((reference) => !known.includes(reference))).toEqual([]);
});

test("pages are ASCII with a NAME line that apropos can read", () => {
  for (const each of PAGES) {
    const roff = pageRoff(each, RELEASE);
    expect(roff.match(/[^\n -~]/)?.[0] ?? "").toBe(
      JSON.stringify(each).includes("\\t") ? "\t" : "",
    );
    expect(roff).toMatch(/^\.SH NAME\n[\w.\\-]+ \\- [a-z][^\n]+\n\.SH/m);
    expect(each.summary).not.toEndWith(".");
  }
});

test("groff has nothing to say of any page", () => {
  if (Bun.which("groff") === null) throw new Error("expected groff (package groff-base)");
  using directory = new TemporaryDirectory("manual");
  for (const each of PAGES) {
    const path = directory.file(`${each.name}.${each.section}`);
    writeFileSync(path, pageRoff(each, RELEASE));
    const run = Bun.spawnSync(["groff", "-man", "-ww", "-z", "-Tutf8", path]);
    expect([each.name, run.stderr.toString(), run.exitCode]).toEqual([each.name, "", 0]);
  }
});
