/** Completion: bash is asked for real; zsh reads its file. */
import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../../test/support/source_tree.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { COMMANDS } from "../../cli/commands.ts";
import { OPTIONS } from "../../cli/options.ts";
import { runConfigTool } from "../../config/config_tool.ts";
import { runPathTool } from "../../config/path_tool.ts";
import { resolvePaths } from "../../config/paths.ts";
import { LISTED_TUNABLES } from "../../config/tunables.ts";
import { USAGE as DAEMON_USAGE } from "../../roles/ctdbd_options.ts";
import { runEventTool } from "../../services/tool/event_tool.ts";
import { bashCompletion } from "./bash.ts";
import { NODE_WORDS, offersOf } from "./grammar.ts";
import { MEANINGS } from "./meanings.ts";
import { grammars } from "./programs.ts";
import { zshCompletion } from "./zsh.ts";

const ZSH = Bun.which("zsh");
const GRAMMARS = grammars({
  roles: ["ctdbd", "ctdb", "ctdb-event", "ltdbtool"].map((name) => ({ name, summary: "a role" })),
  applets: [{ name: "install", summary: "installs" }],
});

/** A cluster of two nodes, as far as completion asks for it. */
const FAKE_CTDB = `#!/bin/sh
case "$*" in
*" getdbmap") printf '%s\\n' '|ID|Name|Path|' '|0x1|locking.tdb|x|' '|0x2|a b$(id).tdb|x|' ;;
*" listnodes") printf '%s\\n' '|0|10.0.0.1|' '|1|10.0.0.2|' ;;
*" ip all") printf '%s\\n' '|Public IP|Node|' '|10.1.0.1|0|' '|10.1.0.2|-1|' ;;
*) exit 1 ;;
esac
`;
const FAKE_CTDB_EVENT = `#!/bin/sh
printf '%s\\n' '* 00.ctdb' '  50.samba' '' '* 99.local'
`;
/** Each argument is a command line, a word a line, the last one under the cursor. */
const DRIVER = `. "$1"
shift
for line; do
	mapfile -t COMP_WORDS <<<"$line"
	COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
	_ctdb_complete "\${COMP_WORDS[0]}"
	printf '%s\\t' "\${COMPREPLY[@]}"
	printf '\\n'
done
`;

/** What bash offers for each line of words, the last of which is under the cursor. */
function completed(lines: readonly (readonly string[])[]): readonly (readonly string[])[] {
  using directory = new TemporaryDirectory("completion");
  const write = (name: string, text: string) => {
    writeFileSync(directory.file(name), text);
    chmodSync(directory.file(name), 0o755);
  };
  write("ctdb", FAKE_CTDB);
  write("ctdb-event", FAKE_CTDB_EVENT);
  write("completion", bashCompletion(GRAMMARS));
  write("driver", DRIVER);
  const run = Bun.spawnSync(
    [
      "bash",
      directory.file("driver"),
      directory.file("completion"),
      ...lines.map((words) => words.join("\n")),
    ],
    { env: { PATH: `${directory.path}:${process.env["PATH"]}` } },
  );
  expect(run.stderr.toString()).toBe("");
  const offers = run.stdout.toString().split("\n").slice(0, -1);
  return offers.map((line) => line.split("\t").filter((word) => word !== ""));
}

function offered(...words: string[]): readonly string[] {
  return completed([words])[0] ?? [];
}

test("bash offers every command, and what each of them takes", () => {
  expect(offered("ctdb", "")).toEqual(COMMANDS.map(({ name }) => name));
  expect(offered("ctdb", "-n", "1", "statu")).toEqual(["status"]);
  const asked = COMMANDS.filter(({ name }) => name !== "event");
  const offers = completed(asked.map(({ name }) => ["/usr/bin/ctdb", name, ""]));
  for (const [at, { name, args }] of asked.entries()) {
    const [first] = offersOf(args, MEANINGS);
    const files = first?.sources.includes("file") === true;
    if (files) continue;
    const wants = first !== undefined && (first.words.length > 0 || first.sources.length > 0);
    // The loopback interface at least is there.
    expect([name, (offers[at] ?? []).length > 0]).toEqual([name, wants]);
    for (const word of first?.words ?? []) expect(offers[at]).toContain(word);
  }
});

test("bash offers databases, nodes, addresses, tunables and fixed words where they belong", () => {
  expect(offered("ctdb", "detach", "x.tdb", "l")).toEqual(["locking.tdb"]);
  expect(offered("ctdb", "catdb", "a")).toEqual(["a\\ b\\$\\(id\\).tdb"]);
  expect(offered("ctdb", "catdb", "x.tdb", "")).toEqual([]);
  expect(offered("ctdb", "nodestatus", "")).toEqual(["all", "0", "1"]);
  expect(offered("ctdb", "moveip", "")).toEqual(["10.1.0.1", "10.1.0.2"]);
  expect(offered("ctdb", "moveip", "10.1.0.1", "")).toEqual(["0", "1"]);
  expect(offered("ctdb", "getvar", "")).toEqual(LISTED_TUNABLES);
  expect(offered("ctdb", "setifacelink", "eth0", "")).toEqual(["up", "down"]);
  expect(offered("ctdb", "setifacelink", "eth0", "up", "")).toEqual([]);
});

test("bash offers options, those of one command with it, and their values", () => {
  const names = OPTIONS.filter(
    ({ commands, hidesLongName }) => commands === undefined && hidesLongName !== true,
  );
  for (const { name } of names) expect(offered("ctdb", "pnn", "--")).toContain(`--${name}`);
  expect(offered("ctdb", "pnn", "--w")).toEqual([]);
  expect(offered("ctdb", "addip", "--w")).toEqual(["--write"]);
  for (const words of [
    ["-n", ""],
    ["--node", "="],
    ["--node", "=", ""],
    ["-X", "--node", ""],
  ]) {
    expect(offered("ctdb", ...words)).toEqual(["0", "1"]);
  }
  expect(offered("ctdb", "--node", "=", "1", "unba")).toEqual(["unban"]);
  expect(offered("ctdb", "-t", "")).toEqual([]);
});

test("bash goes on with the words of another program", () => {
  expect(offered("ctdb", "event", "")).toEqual(["run", "status", "script"]);
  expect(offered("ctdb", "event", "script", "")).toEqual(["list", "enable", "disable"]);
  expect(offered("ctdb-event", "script", "enable", "legacy", "")).toEqual([
    "00.ctdb",
    "50.samba",
    "99.local",
  ]);
  expect(offered("ctdb-event", "run", "10", "legacy", "mon")).toEqual(["monitor"]);
  expect(offered("ctdb-appliance", "ctdb", "-n", "0", "ipinf")).toEqual(["ipinfo"]);
  expect(offered("ctdb-appliance", "install", "--links", "")).toEqual(["hard", "symlink"]);
  expect(offered("ctdb-appliance", "install", "--layout", "u")).toEqual(["upstream"]);
});

test("bash offers options of ctdb.conf and directories of ctdb-path", () => {
  expect(offered("ctdb-config", "get", "cluster", "node")).toEqual([
    "node\\ address",
    "nodes\\ list",
  ]);
  expect(offered("ctdb-path", "vardir", "")).toEqual(["append"]);
  expect(offered("ctdb-path", "socket", "")).toEqual(["ctdbd", "eventd"]);
});

test("bash offers nodes of onnode one after the other: words, numbers, ranges, and then a command", () => {
  expect(offered("onnode", "")).toEqual([...NODE_WORDS, "0", "1"]);
  expect(offered("onnode", "-p", "con")).toEqual(["con", "connected"]);
  expect(offered("onnode", "-cq", "0,")).toEqual([
    ...NODE_WORDS.map((word) => `0,${word}`),
    "0,0",
    "0,1",
  ]);
  expect(offered("onnode", "all,h")).toEqual(["all,healthy"]);
  expect(offered("onnode", "0,0-")).toEqual(["0,0-0", "0,0-1"]);
  expect(offered("onnode", "-f", "/nowhere/n", "ok")).toEqual(["ok"]);
  expect(offered("onnode", "0,$(id)")).toEqual([]);
  expect(offered("onnode", "1", "ctdb-ev")).toContain("ctdb-event");
  expect(offered("ctdb", "nodestatus", "0,")).toEqual(["0,0", "0,1"]);
  expect(offered("ctdb", "reloadips", "1,0,a")).toEqual([]);
  expect(offered("ctdb_diagnostics", "-n", "0,")).toEqual(["0,0", "0,1"]);
});

test("bash offers names of documents for ctdb schema, and options of the other programs", () => {
  expect(offered("ctdb", "schema", "nodes")).toEqual(["nodestatus"]);
  expect(offered("ctdb", "schema", "ctdb-")).toEqual(["ctdb-config", "ctdb-path"]);
  expect(offered("ctdb", "schema", "")).toEqual(
    expect.arrayContaining([...COMMANDS.map(({ name }) => name), "error", "acted"]),
  );
  expect(offered("ctdbd", "--")).toEqual([
    "--interactive",
    "--samba-version",
    "--check-config",
    "--help",
    "--version",
  ]);
  expect(offered("ctdbd", "")).toEqual([]);
  expect(offered("ctdb-appliance", "ctdbd", "--che")).toEqual(["--check-config"]);
  expect(offered("check_ctdb", "-i", "")).toEqual(["ping", "scriptstatus"]);
  expect(offered("check_ctdb", "--info", "=", "s")).toEqual(["scriptstatus"]);
  expect(offered("ltdbtool", "convert", "-o", "")).toEqual(["0", "32", "64"]);
  expect(offered("ctdb-config", "migrate", "--d")).toEqual(["--debug", "--dry-run"]);
});

test("bash offers nothing behind what it does not know, and does not run it", () => {
  expect(offered("ctdb", "$(exit 1)", "")).toEqual([]);
  expect(offered("ctdb", "`id`;", "*", "?")).toEqual([]);
  expect(offered("ctdb", "getdbstatus", "$(id)")).toEqual([]);
});

test("the commands of programs are those that their help lists", async () => {
  const paths = resolvePaths({}, "/usr/sbin");
  if (!paths.ok) throw new Error(paths.error);
  let help = "";
  const out = (more: string) => {
    help += more;
  };
  const host = { paths: paths.value, out, err: out } as never;
  const tools = {
    "ctdb-config": runConfigTool,
    "ctdb-path": runPathTool,
    "ctdb-event": runEventTool,
  };
  for (const [program, tool] of Object.entries(tools)) {
    help = "";
    await tool(host, ["--help"]);
    const listed = [...(help.split("Commands:\n")[1] ?? "").matchAll(/^ {2}(\S+)/gm)];
    const commands = GRAMMARS.find((each) => each.program === program)?.commands ?? [];
    const options = optionNames(program).filter((name) => name !== "--dry-run");
    expect([program, [...listedOptions(help)].sort()]).toEqual([program, [...options].sort()]);
    const firstWords = new Set(commands.map(({ name }) => name.split(" ")[0]));
    expect([program, firstWords]).toEqual([program, new Set(listed.map(([, word]) => word))]);
  }
});

/** Names of options as a help lists them: at the beginning of lines. */
function listedOptions(help: string): readonly string[] {
  const heads = [...help.matchAll(/^ {2,8}(-[^ ].*?)(?: {2,}|$)/gm)].map(([, head = ""]) => head);
  return heads
    .flatMap((head) => head.split(/,? /))
    .map((word) => word.replace(/[=[].*/, ""))
    .filter((word) => word.startsWith("-"));
}

function optionNames(program: string): readonly string[] {
  const options = GRAMMARS.find((each) => each.program === program)?.options ?? [];
  return options.flatMap(({ names }) => names);
}

/** The programs themselves say what they take. */
test("the options of scripts and of ctdbd are those that their help lists", () => {
  const help = (path: string) => {
    const run = Bun.spawnSync(["sh", join(PROJECT, "scripts", path), "--help"]);
    return run.stdout.toString();
  };
  const texts = {
    onnode: help("bin/onnode"),
    ctdb_diagnostics: help("bin/ctdb_diagnostics"),
    check_ctdb: help("helpers/check_ctdb"),
    ctdbd: DAEMON_USAGE,
  };
  for (const [program, text] of Object.entries(texts)) {
    const wanted = optionNames(program).filter(
      (name) => name !== "--help" || text.includes("--help"),
    );
    expect([program, [...listedOptions(text)].sort()]).toEqual([program, [...wanted].sort()]);
  }
  const [, nodes = ""] = /<NODES> +(.*?);/s.exec(texts.onnode) ?? [];
  const words = [...nodes.matchAll(/"(\w+)"/g)].map(([, word]) => word);
  expect(words.toSorted()).toEqual(NODE_WORDS.toSorted());
});

test.skipIf(ZSH === null)("zsh can read its completion", () => {
  using directory = new TemporaryDirectory("completion");
  const path = directory.file("_ctdb");
  writeFileSync(path, zshCompletion(GRAMMARS));
  const run = Bun.spawnSync([ZSH ?? "zsh", "-n", path]);
  expect([run.stderr.toString(), run.exitCode]).toEqual(["", 0]);
});

test("zshCompletion() has every command with its summary, and what it takes", () => {
  const text = zshCompletion(GRAMMARS);
  expect(text).toStartWith("#compdef ctdb ");
  for (const { name, summary } of COMMANDS) {
    expect(text).toContain(`'${name}:${summary}'`);
    expect(text).toMatch(new RegExp(`\\t\\t${name}\\) _`));
  }
  expect(text).toContain(
    "setifacelink) _arguments -s $general '1:interface: _ctdb_source_interface' '2:word:(up down)' ;;",
  );
  expect(text).toContain("addip) _arguments -s $general '--write[");
});
