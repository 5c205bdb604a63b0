import { expect, test } from "bun:test";
import { PrefixViews } from "./prefix_views.ts";

test("PrefixViews.of() is the first bytes, the same object for the lengths of packets", () => {
  const bytes = new Uint8Array(4096);
  const views = new PrefixViews(bytes);
  for (const length of [0, 8, 64, 1024, 7, 1032, 4096]) {
    const view = views.of(length);
    expect([view.buffer === bytes.buffer, view.byteOffset, view.length]).toEqual([true, 0, length]);
    expect(views.of(length) === view).toBe(length % 8 === 0 && length <= 1024);
  }
  bytes[7] = 5;
  expect(views.of(8)[7]).toBe(5);
});
