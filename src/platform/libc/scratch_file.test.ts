import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { must } from "../../../test/support/must.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { ScratchFile } from "./scratch_file.ts";

test("ScratchFile keeps what was written when its pages were let go, and has no name", () => {
  using directory = new TemporaryDirectory("scratch");
  const file = must(ScratchFile.open(directory.path));
  expect(readdirSync(directory.path)).toEqual([]);
  const pieces = [5000, 4096, 100_000].map((bytes) => file.take(bytes) ?? new Uint8Array(0));
  expect(pieces.map(({ length }) => length)).toEqual([5000, 4096, 100_000]);
  for (const [i, piece] of pieces.entries()) piece.fill(i + 1);
  file.letGo();
  for (const [i, piece] of pieces.entries()) {
    expect(piece.every((byte) => byte === i + 1)).toBe(true);
  }
});

test("ScratchFile.take() gives nothing where there is no room for it", () => {
  using directory = new TemporaryDirectory("scratch");
  const file = must(ScratchFile.open(directory.path));
  expect(file.take(2 ** 60)).toBeUndefined();
  expect(file.take(100)?.length).toBe(100);
});

test("ScratchFile.open() says why a directory cannot hold it", () => {
  const file = ScratchFile.open("/nowhere/at/all");
  expect(file.ok ? "" : file.error.message).toContain("/nowhere/at/all");
});
