/** ctdb-config and ctdb-path, as far as no file of this machine is needed. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { runConfigTool } from "./config_tool.ts";
import { CTDB_CONF } from "./options.ts";
import { runPathTool } from "./path_tool.ts";
import { resolvePaths } from "./paths.ts";
import { configToolFacts, pathToolFacts } from "./tool_schemas.ts";

const CONF = "/n/ctdb.conf";

function run(tool: typeof runPathTool, args: readonly string[], conf?: string) {
  const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt");
  if (!resolved.ok) throw new Error(resolved.error);
  const directories = ["/n", "/n/var/volatile", "/n/var/persistent", "/n/var/state"];
  const files = new MemoryFiles(conf === undefined ? {} : { [CONF]: conf }, directories);
  const printed = { out: "", err: "" };
  const host = {
    paths: resolved.value,
    files,
    out(text: string): void {
      printed.out += text;
    },
    err(text: string): void {
      printed.err += text;
    },
  };
  return { status: tool(host, args), ...printed };
}

const config = (conf: string | undefined, ...args: string[]) => run(runConfigTool, args, conf);
const path = (...args: string[]) => run(runPathTool, args);

test("runPathTool() prints paths, and usage for what it does not know", () => {
  const answers = [
    ["config", CONF],
    ["pidfile ctdbd", "/n/run/ctdbd.pid"],
    ["socket eventd", "/n/run/eventd.socket"],
    ["datadir", "/n/share"],
    ["etcdir append events/legacy", "/n/events/legacy"],
    ["vardir append a", "/n/var/a"],
    ["rundir", "/n/run"],
    ["piddir append x", "/n/run/x"],
  ] as const;
  for (const [args, answer] of answers) {
    expect(path(...args.split(" "))).toEqual({ status: 0, out: `${answer}\n`, err: "" });
  }
  expect(path("pidfile")).toMatchObject({ status: 22, out: "" });
  expect(path("vardir", "append")).toMatchObject({ status: 22, out: "" });
  expect(path("vardir", "append", "a", "b")).toMatchObject({ status: 22 });
  expect(path("nothing")).toMatchObject({ status: 1, out: "" });
  expect(path("--help").out).toStartWith("Usage: ctdb-path ");
});

/** What a tool prints with --json, as documents; undefined for nothing. */
function documents(answer: ReturnType<typeof run>) {
  const read = (text: string) => (text === "" ? undefined : JSON.parse(text));
  return { status: answer.status, out: read(answer.out), err: read(answer.err) };
}

/** The answer, valid against the schema that `ctdb schema` shows. */
function valid(name: "ctdb-config" | "ctdb-path", answer: ReturnType<typeof run>) {
  const { status, out, err } = documents(answer);
  const schema = name === "ctdb-path" ? pathToolFacts : configToolFacts;
  const { schema_version, ...facts } = out;
  expect([schema_version, v.safeParse(schema as v.GenericSchema, facts).issues]).toEqual([
    1,
    undefined,
  ]);
  return { status, facts, err };
}

const CONF_TEXT = "[cluster]\n  cluster lock = !/helper  x\n  leader timeout = 0x0a\n";

test("runPathTool() --json gives the path as a document, and errors as documents", () => {
  const socket = valid("ctdb-path", path("--json", "socket", "eventd"));
  expect(socket).toEqual({ status: 0, facts: { path: "/n/run/eventd.socket" }, err: undefined });
  for (const [status, ...args] of [
    [22, "pidfile", "-j"],
    [1, "nothing", "--json"],
    [1, "--json", "--frobnicate"],
  ] as const) {
    const { out, err, ...rest } = documents(path(...args));
    expect([args, rest.status, out]).toEqual([args, status, undefined]);
    expect(err.error).toMatchObject({ command: "ctdb-path", kind: "usage", status });
    expect(err.error.messages.length).toBeGreaterThan(1);
  }
});

test("runConfigTool() get and dump --json give options with the types of their values", () => {
  const get = (...words: string[]) => valid("ctdb-config", config(CONF_TEXT, ...words)).facts;
  expect(get("--json", "get", "CLUSTER", "leader timeout")).toEqual({
    section: "cluster",
    name: "leader timeout",
    value: 10,
    given: true,
  });
  expect(get("get", "cluster", "cluster lock", "-j").value).toBe("!/helper x");
  expect(get("-j", "get", "cluster", "node address")).toMatchObject({ value: null, given: false });
  expect(get("-j", "get", "failover", "disabled").value).toBe(false);
  const { file, options } = get("dump", "--json");
  expect(file).toBe(CONF);
  expect(options).toHaveLength(CTDB_CONF.options.length);
  expect(options[0]).toMatchObject({ section: "logging", name: "location", given: false });
});

test("runConfigTool() --json tells why there is no answer", () => {
  for (const [conf, line, status, kind, message] of [
    ["", "get a b", 2, "failed", 'Configuration option [a] -> "b" not defined'],
    ["[logging]\nlog level = 99\n", "dump", 22, "failed", `Failed to load config file ${CONF}`],
    ["", "get a", 22, "usage", "  get <section> <key>     Get a config value"],
    ["", "dump --dry-run", 22, "usage", "  dump                    Dump configuration"],
    ["", "frobnicate", 1, "usage", "Usage: ctdb-config [<options>] <command> [<args>]"],
    ["", "dump -x", 1, "usage", "Invalid option -x: unknown option"],
    [undefined, "validate", 2, "failed", `Failed to load config file ${CONF}`],
  ] as const) {
    const answer = documents(config(conf, "--json", ...line.split(" ")));
    expect([line, answer.status, answer.out]).toEqual([line, status, undefined]);
    expect(answer.err.error).toMatchObject({ command: "ctdb-config", kind, status });
    expect(answer.err.error.messages).toContain(message);
  }
});

test("runConfigTool() validate --json gives every problem, and the status of its text", () => {
  expect(valid("ctdb-config", config("[logging]\n", "validate", "--json"))).toEqual({
    status: 0,
    facts: { file: CONF, valid: true, problems: [] },
    err: undefined,
  });
  const wrong = "[cluster]\n a = b\nleader timeout = 1\nleader timeout = x\n";
  const { status, facts, err } = valid("ctdb-config", config(wrong, "-j", "validate"));
  expect([status, facts.valid, err]).toEqual([22, false, undefined]);
  expect(
    facts.problems.map((one: Record<string, unknown>) => [
      one["line"],
      one["option"],
      one["severity"],
    ]),
  ).toEqual([
    [2, null, "unknown"],
    [4, "[cluster] leader timeout", "warning"],
    [4, "[cluster] leader timeout", "error"],
  ]);
});

test("runConfigTool() get and dump show what the file says and what is left to the default", () => {
  const conf = CONF_TEXT;
  expect(config(conf, "get", "cluster", "cluster lock")).toEqual({
    status: 0,
    out: "!/helper x\n",
    err: "",
  });
  expect(config(conf, "get", "cluster", "recovery lock").out).toBe("\n");
  expect(config(conf, "get", "failover", "disabled").out).toBe("false\n");
  expect(config(conf, "get", "cluster", "lock")).toEqual({
    status: 2,
    out: "",
    err: 'Configuration option [cluster] -> "lock" not defined\n',
  });
  const { status, out } = config(conf, "dump");
  expect(status).toBe(0);
  expect(out).toContain("[cluster]\n\t# transport = tcp\n\t# node address = \n\tcluster lock = ");
  expect(out).toContain("\n\tleader timeout = 10\n");
  expect(config(conf, "-d", "DEBUG", "get", "cluster", "transport").out).toBe("tcp\n");
});

test("runConfigTool() validate refuses what the daemon only warns of, and all of it at once", () => {
  expect(config("[logging]\n", "validate")).toEqual({ status: 0, out: "", err: "" });
  expect(config(undefined, "validate")).toEqual({
    status: 2,
    out: "",
    err: `Failed to load config file ${CONF}\n`,
  });
  const { status, err } = config("[cluster]\n a = b\n[x]\n[logging]\nlog level = 99\n", "validate");
  const lines = err.trimEnd().split("\n");
  expect([status, lines.length]).toEqual([22, 4]);
  expect(lines[0]).toContain("line 2: ");
  expect(lines[2]).toContain("line 5: ");
  expect(config("[cluster]\n a = b\n", "dump").status).toBe(0);
  expect(config("[logging]\nlog level = 99\n", "dump")).toMatchObject({ status: 22, out: "" });
  expect(config("", "get", "a")).toMatchObject({ status: 22 });
  expect(config("", "what")).toMatchObject({ status: 1 });
});
