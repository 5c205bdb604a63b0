/** What must hold of the shell scripts as such. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../support/command.ts";
import { PROJECT } from "../support/source_tree.ts";

/** Files that are found at run time only, and `read` without -r, whose lines may be continued. */
const EXCLUDED = "SC1090,SC1091,SC2162";
const CHECK_TIMEOUT_MS = 120_000;

const files = readdirSync(join(PROJECT, "scripts"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const firstLine = (path: string) => readFileSync(path, "utf8").split("\n", 1)[0] ?? "";
const shellScripts = files.filter((path) => /^#!\/bin\/sh$|^# shellcheck/.test(firstLine(path)));

const shellcheck = Bun.which("shellcheck");
if (shellcheck === null) console.log("skipped: shellcheck is not installed");

test.skipIf(shellcheck === null)(
  "scripts have nothing that shellcheck objects to",
  async () => {
    const { stdout, stderr } = await runCommand(
      ["shellcheck", `--exclude=${EXCLUDED}`, ...shellScripts],
      { env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8" }, timeoutMs: CHECK_TIMEOUT_MS },
    );
    expect(stdout + stderr).toBe("");
  },
  CHECK_TIMEOUT_MS,
);

test("scripts that are run are POSIX shell and executable", () => {
  const wrong = files
    .filter((path) => firstLine(path).startsWith("#!"))
    .filter((path) => firstLine(path) !== "#!/bin/sh" || (statSync(path).mode & 0o111) !== 0o111);
  expect(wrong).toEqual([]);
});

test("event scripts have names that the event daemon runs", () => {
  const names = readdirSync(join(PROJECT, "scripts/events/events/legacy"));
  expect(names.filter((name) => !/^[0-9][0-9]\.[^.]+\.script$/.test(name))).toEqual([]);
});

test("scripts go through the functions that a site may replace", () => {
  const wrong = files
    .filter((path) => path.endsWith(".script"))
    .flatMap((path) =>
      readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => /(^|[\s"'])\/(proc|sys)\//.test(line) || /\bsystemctl\b/.test(line))
        .map((line) => `${path}: ${line}`),
    );
  expect(wrong).toEqual([]);
});
