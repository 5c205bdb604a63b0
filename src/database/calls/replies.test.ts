/** Small things that both sides of a call need. */
import { expect, test } from "bun:test";
import { PACKET_BYTES_MAX } from "../../wire/limits.ts";
import { passedOnProblem } from "./replies.ts";

test("passedOnProblem() refuses the record that no packet can hold", () => {
  const most = PACKET_BYTES_MAX - 60 - 4 - 3;
  expect(passedOnProblem("x.tdb", 3, most)).toBeUndefined();
  expect(passedOnProblem("x.tdb", 3, most + 1)).toContain(String(PACKET_BYTES_MAX));
});
