import { expect, test } from "bun:test";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { SystemClock } from "../node/clock.ts";
import { releaseMappedFiles, residentMemory } from "./resident_memory.ts";
import { SystemSharedFiles } from "./shared_file.ts";

const BYTES = 64 * 1024 * 1024;

test("releaseMappedFiles() takes the pages of a mapped file out of the process, and its content stays", () => {
  using directory = new TemporaryDirectory("resident");
  const opened = new SystemSharedFiles().open(`${directory.path}/file`, {
    create: true,
    mode: 0o600,
  });
  if (!opened.ok) throw opened.error;
  const file = opened.value;
  file.truncate(BYTES);
  const view = new Uint8Array(file.view(BYTES));
  for (let at = 0; at < BYTES; at += 4096) view[at] = 1 + ((at / 4096) % 200);
  const before = residentMemory().mappedBytes;
  let pieces = 1;
  for (const _ of releaseMappedFiles(new SystemClock())) pieces += 1;
  expect(before - residentMemory().mappedBytes).toBeGreaterThan(BYTES / 2);
  expect(pieces).toBeGreaterThan(1);
  for (let at = 0; at < BYTES; at += 4096) {
    if (view[at] !== 1 + ((at / 4096) % 200)) throw new Error(`another byte at ${at}`);
  }
  file.close();
});
