/** ctdb-config and ctdb-path, as far as no file of this machine is needed. */
import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { runConfigTool } from "./config_tool.ts";
import { runPathTool } from "./path_tool.ts";
import { resolvePaths } from "./paths.ts";

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

test("runConfigTool() get and dump show what the file says and what is left to the default", () => {
  const conf = "[cluster]\n  cluster lock = !/helper  x\n  leader timeout = 0x0a\n";
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
