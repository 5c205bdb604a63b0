/** A short run of the fuzzer (fuzz_run.ts has the long one). */
import { expect, test } from "bun:test";
import { fuzzApi } from "./fuzz_run.ts";

const GROWTH_BYTES_MAX = 20_000_000;

test("fuzzed requests are answered as the OpenAPI document says, and leave nothing behind", async () => {
  const { byStatus, heapBytes } = await fuzzApi(800, 20_261_129);
  expect(byStatus[500]).toBeUndefined();
  expect(Object.keys(byStatus).map(Number)).toEqual(
    expect.arrayContaining([200, 400, 401, 404, 405, 415]),
  );
  expect(heapBytes[1] - heapBytes[0]).toBeLessThan(GROWTH_BYTES_MAX);
}, 120_000);
