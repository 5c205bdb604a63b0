/**
 * Wrong files made from the tables: each option with values of another type or out of range, under other names and in
 * other places. Each problem names the file, the line, and what was expected there.
 */
import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { loadCtdbConfig } from "./ctdb_conf.ts";
import type { AnyOption } from "./option_table.ts";
import { optionPath } from "./option_table.ts";
import * as values from "./option_values.ts";
import { CTDB_CONF } from "./options.ts";
import { resolvePaths } from "./paths.ts";
import { problemText } from "./problems.ts";
import { TUNABLES, TunableSet } from "./tunables.ts";
import { loadTunables } from "./tunables_file.ts";

const BASE = "/n";
const CONF = `${BASE}/ctdb.conf`;
const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: BASE }, "/opt");
const paths = resolved.ok ? resolved.value : (undefined as never);
const DIRECTORIES = [BASE, `${BASE}/var/volatile`];

interface WrongFile {
  readonly text: string;
  readonly line: number;
  /** What the message must have beside file and line. */
  readonly says: readonly string[];
}

function problemsOf(text: string): readonly string[] {
  const files = new MemoryFiles({ [CONF]: text, [`${BASE}/hung.sh`]: "" }, DIRECTORIES);
  const loaded = loadCtdbConfig(files, paths);
  return (loaded.ok ? loaded.value.warnings : loaded.error).map(problemText);
}

/** Values that no option of that kind takes. */
function wrongValues(option: AnyOption): readonly string[] {
  if (option.schema === values.truth) return ["", "maybe", "1", "0", "on", "yes no", "tru"];
  if (typeof option.defaultValue(paths) === "number") {
    return ["", "x", "5x", "-1", "1.5", "2147483648", "08", "0x", "1 2", "five"];
  }
  if (option.schema === values.logLevel) return ["", "LOUD", "11", "-1", "NOTICE,INFO", "99"];
  if (option.schema === values.logLocation) return ["", "/var/log/x", "syslog:tcp", "journald"];
  if (option.schema === values.address) return ["", "10.0.0.300", "node1", "10.0.0.1/24", "::g"];
  if (option.schema === values.transport) return ["", "ib", "TCP", "udp"];
  return option.check === undefined ? [""] : ["", "/nowhere/at/all"];
}

function wrongFilesOf(option: AnyOption): readonly WrongFile[] {
  const { section, name } = option;
  const path = optionPath(option);
  const files: WrongFile[] = wrongValues(option).map((value) => ({
    text: `# a comment\n\n[${section}]\n${name} = ${value}\n`,
    line: 4,
    says: [path, `got "${value}"`],
  }));
  const misspelt = name.slice(0, -2) + name.slice(-1);
  for (const other of [misspelt, name.toUpperCase(), name.replace(/ |.$/, "_")]) {
    const text = `[${section}]\n${other} = x\n`;
    files.push({ text, line: 2, says: [`got "${other}"`, `did you mean "${name}"?`] });
  }
  const elsewhere = CTDB_CONF.sections.find((one) => one !== section) ?? "";
  files.push(
    { text: `[${elsewhere}]\r\n${name} = x\r\n`, line: 2, says: [`did you mean "${path}"?`] },
    { text: `${name} = x\n[${section}]\n`, line: 1, says: [`did you mean "${path}"?`] },
    { text: `\n[${section}s]\n${name} = x\n`, line: 2, says: [`did you mean "${section}"?`] },
    { text: `[${section}]\n${name}: x\n`, line: 2, says: [`got "${name}: x"`] },
    { text: `[${section}\n${name} = x\n`, line: 1, says: ['"]"'] },
  );
  return files;
}

test("each wrong use of each option is told with file, line and what was expected", () => {
  const files = CTDB_CONF.options.flatMap(wrongFilesOf);
  expect(files.length).toBeGreaterThan(250);
  for (const { text, line, says } of files) {
    const [problem = "nothing"] = problemsOf(text);
    expect(problem).toStartWith(`"${CONF}": line ${line}: `);
    expect(problem).toContain("expected ");
    for (const part of says) expect([text, problem]).toEqual([text, expect.stringContaining(part)]);
  }
});

test("all of them in one file are told at once, and no more than somebody would read", () => {
  const all = CTDB_CONF.sections.map((section) => {
    const options = CTDB_CONF.options.filter((one) => one.section === section);
    return `[${section}]\n${options.map(({ name }) => `${name} =\n`).join("")}`;
  });
  expect(problemsOf(all.join(""))).toHaveLength(CTDB_CONF.options.length);
  const many = problemsOf("x\n".repeat(100_000));
  expect(many).toHaveLength(101);
  expect(many.at(-1)).toBe(`"${CONF}": 99900 more problems are not listed`);
});

test("each wrong use of each tunable is told with file, line and what was expected", () => {
  const file = `${BASE}/ctdb.tunables`;
  const told = (line: string) => {
    const files = new MemoryFiles({ [file]: `# a comment\n${line}\n` });
    return loadTunables(files, { etcDirectory: BASE }, new TunableSet()).map(problemText).join();
  };
  for (const { name, obsolete } of TUNABLES) {
    const misspelt = `${name}x`;
    for (const wrong of [`${name}=`, `${name}=-1`, `${name}=4294967296`, `${name}=1s`, name]) {
      const problem = told(wrong);
      expect(problem).toStartWith(`"${file}": line 2: `);
      expect(problem).toContain("expected ");
      expect(problem).toContain(name);
    }
    expect(told(`${name}=1`)).toBe(
      obsolete ? `"${file}": line 2: ${name}: expected no obsolete tunable: remove this line` : "",
    );
    if (!obsolete) expect(told(`${misspelt}=1`)).toContain(`did you mean "${name}"?`);
  }
});

/** Section, name, and values that the original takes (its own table, release 4.25). */
const UPSTREAM: readonly (readonly [section: string, name: string, ...values: string[]])[] = [
  ["logging", "location", "syslog", "syslog:udp", "file:/n/log", "file:"],
  ["logging", "log level", "DEBUG", "notice", "5"],
  ["cluster", "transport", "tcp"],
  ["cluster", "node address", "10.0.0.1", "fd00::1"],
  ["cluster", "cluster lock", "/shared/lock", "!/usr/libexec/helper a b"],
  ["cluster", "recovery lock", "/shared/lock"],
  ["cluster", "nodes list", "/shared/nodes", "!cat /shared/nodes"],
  ["cluster", "leader timeout", "1", "5", "0x10", "010"],
  ["cluster", "leader capability", "true", "no"],
  ["database", "volatile database directory", "/n/var/volatile"],
  ["database", "persistent database directory", "/n/var/volatile"],
  ["database", "state database directory", "/n/var/volatile"],
  ["database", "lock debug script", "hung.sh", "/elsewhere/hung.sh"],
  ["database", "tdb mutexes", "yes", "False"],
  ["event", "debug script", "hung.sh"],
  ["failover", "disabled", "true", "NO"],
  ["failover", "shutdown extra timeout", "0", "30"],
  ["failover", "shutdown failover timeout", "0", "30"],
  ["legacy", "realtime scheduling", "true"],
  ["legacy", "lmaster capability", "false"],
  ["legacy", "start as stopped", "true"],
  ["legacy", "start as disabled", "true"],
  ["legacy", "script log level", "ERROR", "10"],
];

test("every option of the original is taken, and there is no other", () => {
  const known = CTDB_CONF.options.map(({ section, name }) => `${section}/${name}`);
  expect(UPSTREAM.map(([section, name]) => `${section}/${name}`)).toEqual(known);
  for (const [section, name, ...taken] of UPSTREAM) {
    for (const value of taken) {
      const problems = problemsOf(`[${section}]\n\t${name} = ${value}\n`);
      const wrong = problems.filter((problem) => !problem.includes("deprecated"));
      expect([name, value, wrong]).toEqual([name, value, []]);
    }
  }
});
