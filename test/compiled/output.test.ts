/** Output that cannot be written ends every role with one plain line and status 1. */
import { beforeAll, expect, test } from "bun:test";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES } from "../../src/roles/table.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const RECORDS = 2000;

let dist = "";

beforeAll(async () => {
  dist = await compiledExecutables();
}, 120_000);

function run(argv: readonly string[], stdout: number | "pipe") {
  const [name = "", ...args] = argv;
  const child = Bun.spawnSync([join(dist, name), ...args], {
    env: {},
    stdout,
    stderr: "pipe",
    timeout: 20_000,
  });
  return { argv, stderr: child.stderr.toString(), code: child.exitCode };
}

function fullDisk(name: string) {
  const stderr = `${name}: cannot write standard output: No space left on device\n`;
  return { stderr, code: 1 };
}

test("every role says that standard output is full", () => {
  const full = openSync("/dev/full", "w");
  for (const { name } of [...ROLES, { name: "ctdb-appliance" }]) {
    for (const option of ["--help", "--version"]) {
      const argv = [name, option];
      expect(run(argv, full)).toEqual({ argv, ...fullDisk(name) });
    }
  }
  for (const argv of [
    ["ctdb"],
    ["ctdb", "version"],
    ["ctdb", "--usage"],
    ["ctdbd", "--usage"],
    ["ping_pong"],
    ["tdb_mutex_check", "/absent"],
    ["ctdb_mutex_fcntl_helper", "/dev/full"],
  ]) {
    expect(run(argv, full)).toEqual({ argv, ...fullDisk(argv[0] as string) });
  }
});

/** Runs it with a pipe as standard output that nobody will ever read. */
function runUnread(directory: TemporaryDirectory, argv: readonly string[]) {
  const [name = "", ...args] = argv;
  const pipe = directory.file("pipe");
  const script = 'exec 3<>"$1" 4>"$1" 3<&-; shift; exec "$@" >&4 4>&-';
  const child = Bun.spawnSync(["/bin/bash", "-c", script, "sh", pipe, join(dist, name), ...args], {
    env: { CTDB_TEST_MODE: "yes", CTDB_BASE: directory.path },
    stderr: "pipe",
    timeout: 20_000,
  });
  return { argv, stderr: child.stderr.toString(), code: child.exitCode };
}

test("every role ends quietly, and not with success, when nobody reads its output", () => {
  using directory = new TemporaryDirectory("output");
  expect(Bun.spawnSync(["mkfifo", directory.file("pipe")]).success).toBe(true);
  mkdirSync(directory.file("events/legacy"), { recursive: true });
  mkdirSync(directory.file("share/events/legacy"), { recursive: true });
  writeFileSync(directory.file("events/legacy/00.a.script"), "", { mode: 0o755 });
  const options = [...ROLES, { name: "ctdb-appliance" }].map(({ name }) => [name, "--help"]);
  for (const argv of [
    ...options,
    ["ctdb"],
    ["ctdb", "schema", "ip"],
    ["ctdb", "ban", "--help"],
    ["ctdb-appliance", "--list"],
    ["ctdb-config", "dump"],
    ["ctdb-config", "--json", "dump"],
    ["ctdb-path", "vardir"],
    ["ctdb-event", "script", "list", "legacy"],
    ["ctdb-event", "--json", "script", "list", "legacy"],
  ]) {
    expect(runUnread(directory, argv)).toEqual({ argv, stderr: "", code: 1 });
  }
});

test("options that are given twice are options that are given", () => {
  using directory = new TemporaryDirectory("output");
  const twice = (...argv: readonly string[]) => {
    const [name = "", ...args] = argv;
    const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: directory.path };
    const child = Bun.spawnSync([join(dist, name), ...args], { env, timeout: 20_000 });
    return [child.stderr.toString(), child.exitCode, child.stdout.toString()] as const;
  };
  const json = twice("ctdb-path", "--json", "config", "-j", "--json");
  expect(json).toEqual(["", 0, twice("ctdb-path", "--json", "config")[2]]);
  const get = ["ctdb-config", "get", "cluster", "transport"];
  expect(twice(...get, "-d", "INFO", "--debug=DEBUG")).toEqual(["", 0, "tcp\n"]);
  const checked = twice("ctdbd", "--check-config", "--check-config");
  expect(checked).toEqual(twice("ctdbd", "--check-config"));
  const installed = ["ctdb-appliance", "install", "--dry-run", "--dry-run", "--root", "/absent"];
  const [, code, out] = twice(...installed, "--root", directory.path);
  expect([code, out.includes("/absent")]).toEqual([0, false]);
});

test("output in many pieces stops at the first that cannot be written", async () => {
  using directory = new TemporaryDirectory("output");
  const path = directory.file("x.tdb");
  const tdb = must(recordEnvironment().tdbs.open({ path, flags: 0, hashSize: 7, create: true }));
  for (let i = 0; i < RECORDS; i++) must(tdb.store(new Uint8Array([i >> 8, i]), Buffer.alloc(80)));
  tdb.close();
  const argv = ["ltdbtool", "dump", path];
  expect(run(argv, openSync("/dev/full", "w"))).toEqual({ argv, ...fullDisk("ltdbtool") });
  // A reader that leaves has what it wanted: no line, but not the status of a complete dump.
  const script = `{ ${join(dist, "ltdbtool")} dump ${path}; echo "status $?" >&2; } | head -n 1`;
  const piped = Bun.spawnSync(["/bin/sh", "-c", script], { stdout: "pipe", stderr: "pipe" });
  expect(piped.stdout.toString()).toBe("{\n");
  expect(piped.stderr.toString()).toBe("status 1\n");
});

test("a descriptor that was named and cannot be written is named in the one line", () => {
  using directory = new TemporaryDirectory("output");
  const path = directory.file("x.tdb");
  must(recordEnvironment().tdbs.open({ path, flags: 0, hashSize: 7, create: true })).close();
  const argv = ["ctdb_lock_helper", "1", "77", "DB", path, "0"];
  const outcome = run(argv, "pipe");
  expect(outcome.stderr).toBe(
    "ctdb_lock_helper: cannot write descriptor 77: Bad file descriptor\n",
  );
  expect(outcome.code).toBe(1);
});
