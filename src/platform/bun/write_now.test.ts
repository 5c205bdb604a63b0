import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { writeNow } from "./write_now.ts";

// It may write nothing where the runtime or the C library is another; here it must.
test("writeNow() writes, part of an array too, and says when it cannot", () => {
  using directory = new TemporaryDirectory("write");
  const path = directory.file("out");
  const descriptor = openSync(path, "w");
  const bytes = new TextEncoder().encode("one two");
  expect(writeNow(descriptor, bytes.subarray(0, 3))).toBe(3);
  expect(writeNow(descriptor, bytes.subarray(3))).toBe(4);
  closeSync(descriptor);
  expect(readFileSync(path, "latin1")).toBe("one two");
  const full = openSync("/dev/full", "w");
  expect(writeNow(full, bytes)).toBe(-1);
  closeSync(full);
});
