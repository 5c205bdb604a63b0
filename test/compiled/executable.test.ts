import { beforeAll, expect, test } from "bun:test";
import { copyFileSync, existsSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ROLES } from "../../src/roles/table.ts";
import { compiledExecutables } from "../support/executables.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

let dist = "";

beforeAll(async () => {
  dist = await compiledExecutables();
}, 120_000);

function run(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
) {
  const child = Bun.spawnSync([...argv], {
    cwd: options.cwd ?? "/",
    env: options.env ?? {},
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
  });
  return {
    code: child.exitCode,
    stdout: child.stdout.toString(),
    stderr: child.stderr.toString(),
  };
}

test("dist holds a hard link for each role", () => {
  const { ino } = statSync(join(dist, "ctdb-appliance"));
  for (const { name } of ROLES) expect(statSync(join(dist, name)).ino).toBe(ino);
});

test("each role answers by its own name and as first argument", () => {
  for (const { name } of ROLES) {
    const direct = run([join(dist, name), "--version"]);
    expect(direct.stdout).toStartWith(`${name} `);
    expect(direct.code).toBe(0);
    const named = run([join(dist, "ctdb-appliance"), name, "--version"]);
    expect(named.stdout).toBe(direct.stdout);
    expect(named.code).toBe(0);
  }
});

test("a role is found by PATH too", () => {
  const found = run(["/bin/sh", "-c", "ctdb --version"], { env: { PATH: dist } });
  expect(found.stdout).toStartWith("ctdb ");
});

test("ctdb-appliance itself has --help and --version", () => {
  const help = run([join(dist, "ctdb-appliance"), "--help"]);
  for (const { name } of ROLES) expect(help.stdout).toContain(name);
  expect(help.code).toBe(0);
  expect(run([join(dist, "ctdb-appliance"), "--version"]).stdout).toMatch(/^ctdb-appliance \d/);
});

test("an unknown role, by argument or by name, lists the roles and exits 2", () => {
  using directory = new TemporaryDirectory("compiled");
  const copy = directory.file("ctdb-nonsense");
  copyFileSync(join(dist, "ctdb-appliance"), copy);
  const cases = [
    [[join(dist, "ctdb-appliance"), "no-such-role"], "no-such-role"],
    [[copy], "ctdb-nonsense"],
    [[copy, "status"], "ctdb-nonsense"],
  ] as const;
  for (const [argv, name] of cases) {
    const outcome = run(argv);
    expect(outcome.stderr).toContain(`"${name}"`);
    for (const role of ROLES) expect(outcome.stderr).toContain(role.name);
    expect(outcome.stdout).toBe("");
    expect(outcome.code).toBe(2);
  }
  expect(run([join(dist, "ctdb-appliance")]).code).toBe(2);
});

test("/proc/PID/exe shows the role's name", async () => {
  using directory = new TemporaryDirectory("compiled");
  const name = "ctdb_mutex_fcntl_helper";
  const child = Bun.spawn([join(dist, name), directory.file("lock")], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const first = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(first.value)).toBe("0");
  expect(basename(readlinkSync(`/proc/${child.pid}/exe`))).toBe(name);
  child.kill("SIGTERM");
  await child.exited;
});

test(".env of the working directory is not read", () => {
  using directory = new TemporaryDirectory("compiled");
  writeFileSync(directory.file(".env"), "CTDB_SOCKET=/from/dotenv\nCTDB_TEST_MODE=yes\n");
  const ctdb = [join(dist, "ctdb"), "-T", "5", "pnn"];
  const without = run(ctdb, { cwd: directory.path });
  expect(without.stderr).toContain("Failed to connect");
  expect(without.stderr).not.toContain("/from/dotenv");
  // The same variables, given for real, do show: the test would notice.
  const env = { CTDB_SOCKET: "/from/environment", CTDB_TEST_MODE: "yes" };
  const withVariables = run(ctdb, { cwd: directory.path, env: { ...env, CTDB_BASE: "/x" } });
  expect(withVariables.stderr).toContain("/from/environment");
});

test("bunfig.toml of the working directory is not read", () => {
  using directory = new TemporaryDirectory("compiled");
  const proof = directory.file("loaded");
  writeFileSync(directory.file("bunfig.toml"), 'preload = ["./preload.js"]\n');
  const code = `require("node:fs").writeFileSync(${JSON.stringify(proof)}, "");`;
  writeFileSync(directory.file("preload.js"), code);
  expect(run([join(dist, "ctdb"), "--version"], { cwd: directory.path }).code).toBe(0);
  expect(existsSync(proof)).toBe(false);
  // The runtime itself reads it: the test would notice.
  run([process.execPath, "-e", "0"], { cwd: directory.path });
  expect(existsSync(proof)).toBe(true);
});
