/**
 * What the bundler does to the sources, shown with roles that the product does not have: a copy of src/
 * with another table of roles is compiled with the product's options.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, linkSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileExecutable } from "../../build/executable.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const directory = new TemporaryDirectory("bundle");

beforeAll(async () => {
  cpSync(join(PROJECT, "src"), directory.file("src"), { recursive: true });
  cpSync(join(PROJECT, "package.json"), directory.file("package.json"));
  symlinkSync(join(PROJECT, "node_modules"), directory.file("node_modules"));
  for (const name of ["table.ts", "fixture.ts"]) {
    const source = readFileSync(join(import.meta.dir, "fixture", name), "utf8");
    // They move from test/compiled/fixture to src/roles.
    writeFileSync(directory.file("src/roles", name), source.replaceAll("../../../src/", "../"));
  }
  const bun = join(PROJECT, "node_modules/.bin/bun");
  await compileExecutable(bun, directory.path, directory.file("ctdb-appliance"));
  for (const name of ["crash", "reject", "assert", "lock-thread"]) {
    linkSync(directory.file("ctdb-appliance"), directory.file(`ctdb-${name}`));
  }
}, 120_000);

afterAll(() => directory.remove());

function run(name: string) {
  const child = Bun.spawnSync([directory.file(name)], {
    env: { TDB: directory.file("x.tdb") },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
  });
  const stderr = child.stderr.toString();
  return { code: child.exitCode, stdout: child.stdout.toString(), stderr };
}

test("what nobody catches is told in one line with the stack and ends the role", () => {
  for (const [name, text] of [
    ["ctdb-crash", "Error: first line | second line | at "],
    ["ctdb-reject", "TypeError: rejected | at "],
    ["ctdb-assert", "AssertionError: assertion failed: sums | at "],
  ] as const) {
    const outcome = run(name);
    expect(outcome.stderr).toStartWith(`${name}: uncaught ${text}`);
    expect(outcome.stderr.trimEnd().split("\n").length).toBe(1);
    expect(outcome.code).toBe(70);
  }
});

test("a waiting thread starts inside the executable and gets its lock", () => {
  const outcome = run("ctdb-lock-thread");
  expect(outcome.stdout + outcome.stderr).toBe("waiting, granted\n");
  expect(outcome.code).toBe(0);
});
