import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { fileSystemContract } from "../../../test/contract/platform_file_system.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { SystemFiles } from "./file_system.ts";

const fileSystem = new SystemFiles();

fileSystemContract("Bun", () => {
  const directory = new TemporaryDirectory("files");
  return {
    files: fileSystem,
    directory: directory.path,
    dispose: () => directory.remove(),
  };
});

test("FileSystem.writeText() and makeDirectory() set the mode", () => {
  using directory = new TemporaryDirectory("files");
  fileSystem.writeText(directory.file("secret"), "x", 0o600);
  expect(statSync(directory.file("secret")).mode & 0o777).toBe(0o600);
  fileSystem.makeDirectory(directory.file("d"), 0o700);
  expect(statSync(directory.file("d")).mode & 0o777).toBe(0o700);
});
