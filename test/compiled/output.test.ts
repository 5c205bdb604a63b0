/** Output that cannot be written ends every role with one plain line and status 1. */
import { beforeAll, expect, test } from "bun:test";
import { openSync } from "node:fs";
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
}, 60_000);

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
