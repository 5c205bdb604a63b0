import { expect, test } from "bun:test";
import { freeNow } from "./free_now.ts";

test("freeNow() takes away a large buffer, and leaves small ones and parts of others alone", () => {
  const large = new Uint8Array(64 * 1024);
  const view = large.subarray(8);
  freeNow(large);
  expect([large.length, view.length]).toEqual([0, 0]);
  const small = new Uint8Array(100);
  freeNow(small);
  expect(small.length).toBe(100);
  const part = new Uint8Array(128 * 1024).subarray(64 * 1024);
  freeNow(part);
  expect(part.length).toBe(64 * 1024);
});
