import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { SystemScriptFiles } from "./script_files.ts";

test("SystemScriptFiles tells what lies in a directory of scripts, and changes permissions of files only", () => {
  using directory = new TemporaryDirectory("scripts");
  const [script, link, dangling, folder] = ["b.script", "a.script", "c.script", "d"].map((name) =>
    directory.file(name),
  ) as [string, string, string, string];
  const files = new SystemScriptFiles();
  writeFileSync(script, "");
  chmodSync(script, 0o640);
  symlinkSync(script, link);
  expect(files.makeLink(directory.file("nothing"), dangling).ok).toBe(true);
  mkdirSync(folder);
  expect(files.list(directory.path)).toEqual({
    ok: true,
    value: ["a.script", "b.script", "c.script", "d"],
  });
  const kinds = [script, link, dangling, folder].map((path) => {
    const kind = files.kindOf(path);
    return kind.ok ? kind.value : kind.error.code;
  });
  expect(kinds).toEqual(["file", "link", "link", "other"]);
  expect([link, folder, dangling].map((path) => files.isDirectory(path))).toEqual([
    false,
    true,
    false,
  ]);
  expect(files.isExecutable(link)).toBe(false);
  const refused = files.setExecutable(link, true);
  expect(refused.ok ? "changed" : refused.error.code).toBe("ELOOP");
  expect(files.setExecutable(script, true).ok).toBe(true);
  expect([statSync(script).mode & 0o777, files.isExecutable(link)]).toEqual([0o751, true]);
  expect(files.setExecutable(script, false).ok).toBe(true);
  expect([statSync(script).mode & 0o777, files.isExecutable(link)]).toEqual([0o640, false]);
  expect([files.realPath(link), files.readLink(link)]).toEqual([
    { ok: true, value: script },
    { ok: true, value: script },
  ]);
  expect([files.isExecutable(dangling), files.realPath(dangling).ok]).toEqual([false, false]);
  expect([files.remove(link).ok, files.kindOf(link).ok]).toEqual([true, false]);
  const none = files.list(directory.file("none"));
  expect(none.ok ? "listed" : none.error.code).toBe("ENOENT");
});
