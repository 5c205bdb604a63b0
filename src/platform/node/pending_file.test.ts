import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { must } from "../../../test/support/must.ts";
import { withTemporaryDirectory } from "../../../test/support/temp_dir.ts";
import type { Result } from "../../base/result.ts";
import { SystemPendingFile } from "./pending_file.ts";

const BYTES_MAX = 100;

function called<T>(call: (done: (outcome: Result<T>) => void) => void): Promise<Result<T>> {
  return new Promise(call);
}

test("SystemPendingFile replaces a file in two steps, through a link, with its mode", () =>
  withTemporaryDirectory(async (base) => {
    mkdirSync(join(base, "real"));
    const real = join(base, "real", "list");
    writeFileSync(real, "old\n");
    chmodSync(real, 0o640);
    symlinkSync("real/list", join(base, "nodes"));
    const file = new SystemPendingFile(join(base, "nodes"), BYTES_MAX);
    must(await called<void>((done) => file.prepare("new\n", done)));
    expect(readFileSync(real, "utf8")).toBe("old\n");
    const state = must(await called(file.look.bind(file)));
    expect([state.present?.text, state.next?.text]).toEqual(["old\n", "new\n"]);
    must(await called<void>((done) => file.install(done)));
    expect([readFileSync(real, "utf8"), statSync(real).mode & 0o777]).toEqual(["new\n", 0o640]);
    expect([readdirSync(base).sort(), readdirSync(join(base, "real"))]).toEqual([
      ["nodes", "real"],
      ["list"],
    ]);
  }));

test("SystemPendingFile drops what was prepared, and does not write over it", () =>
  withTemporaryDirectory(async (base) => {
    const path = join(base, "nodes");
    writeFileSync(path, "old\n");
    const file = new SystemPendingFile(path, BYTES_MAX);
    must(await called<void>((done) => file.prepare("new\n", done)));
    const again = await called<void>((done) => file.prepare("other\n", done));
    expect(again).toEqual({ ok: false, error: `open "${path}.new": EEXIST` });
    must(await called<void>((done) => file.drop(done)));
    expect(readdirSync(base)).toEqual(["nodes"]);
    expect(await called<void>((done) => file.install(done))).toEqual({
      ok: false,
      error: `rename "${path}": ENOENT`,
    });
  }));

test("SystemPendingFile gives nothing of a file that is too large or not there", () =>
  withTemporaryDirectory(async (base) => {
    const path = join(base, "nodes");
    const file = new SystemPendingFile(path, BYTES_MAX);
    expect(await called(file.look.bind(file))).toEqual({
      ok: false,
      error: `realpath "${path}": ENOENT`,
    });
    writeFileSync(path, "x".repeat(BYTES_MAX + 1));
    expect(await called(file.look.bind(file))).toEqual({
      ok: false,
      error: `read "${path}": EFBIG`,
    });
  }));
