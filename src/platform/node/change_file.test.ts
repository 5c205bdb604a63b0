import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { withTemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { err, ok } from "../../base/result.ts";
import { changeTextFile } from "./change_file.ts";

const isRoot = process.getuid?.() === 0;
const appending = (text: string) => ok(`${text}new\n`);

test("changeTextFile() replaces the content and keeps mode and owner", () =>
  withTemporaryDirectory((base) => {
    const path = join(base, "file");
    writeFileSync(path, "old \xff\n", "latin1");
    chmodSync(path, 0o640);
    if (isRoot) chownSync(path, 12, 34);
    const before = statSync(path);
    expect(changeTextFile(path, appending)).toEqual(ok("changed"));
    expect(readFileSync(path, "latin1")).toBe("old \xff\nnew\n");
    const { mode, uid, gid, ino } = statSync(path);
    expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
    expect(ino).not.toBe(before.ino);
    expect(readdirSync(base)).toEqual(["file"]);
  }));

test("changeTextFile() leaves a file alone that is not to change", () =>
  withTemporaryDirectory((base) => {
    const path = join(base, "file");
    writeFileSync(path, "old");
    const { ino } = statSync(path);
    expect(changeTextFile(path, ok)).toEqual(ok("unchanged"));
    expect(changeTextFile(path, () => err("no"))).toEqual(err("no"));
    expect(changeTextFile(join(base, "other"), ok)).toEqual(ok("unchanged"));
    expect([statSync(path).ino, readdirSync(base)]).toEqual([ino, ["file"]]);
  }));

test("changeTextFile() makes a file that is not there, for all to read", () =>
  withTemporaryDirectory((base) => {
    const path = join(base, "file");
    expect(changeTextFile(path, appending)).toEqual(ok("changed"));
    expect([readFileSync(path, "latin1"), statSync(path).mode & 0o7777]).toEqual(["new\n", 0o644]);
  }));

test("changeTextFile() follows links, and they stay", () =>
  withTemporaryDirectory((base) => {
    mkdirSync(join(base, "shared"));
    writeFileSync(join(base, "shared/file"), "old\n");
    symlinkSync("shared/file", join(base, "middle"));
    symlinkSync("middle", join(base, "link"));
    expect(changeTextFile(join(base, "link"), appending)).toEqual(ok("changed"));
    expect(readlinkSync(join(base, "link"))).toBe("middle");
    expect(readFileSync(join(base, "shared/file"), "latin1")).toBe("old\nnew\n");
    expect(readdirSync(join(base, "shared"))).toEqual(["file"]);
    symlinkSync("nowhere", join(base, "broken"));
    expect(changeTextFile(join(base, "broken"), appending)).toEqual(
      err(`realpath "${join(base, "broken")}": ENOENT`),
    );
  }));

test("changeTextFile() says what cannot be read or written", () =>
  withTemporaryDirectory((base) => {
    mkdirSync(join(base, "directory"));
    expect(changeTextFile(join(base, "directory"), appending)).toEqual(
      err(`open "${join(base, "directory")}": EINVAL`),
    );
    const missing = changeTextFile(join(base, "no/file"), appending);
    expect(missing.ok ? "" : missing.error).toEndWith("ENOENT");
    // Root may write everywhere but into /proc.
    const proc = changeTextFile("/proc/version", appending);
    expect(proc.ok ? "" : proc.error).toMatch(/": E[A-Z]+$/);
  }));

test("changeTextFile() takes back nothing that somebody else has saved meanwhile", () =>
  withTemporaryDirectory((base) => {
    const path = join(base, "file");
    writeFileSync(path, "old\n");
    const changed = changeTextFile(path, (text) => {
      writeFileSync(path, "somebody else's\n");
      return appending(text);
    });
    expect(changed).toEqual(err("somebody else has changed it meanwhile"));
    expect([readFileSync(path, "latin1"), readdirSync(base)]).toEqual([
      "somebody else's\n",
      ["file"],
    ]);
  }));
