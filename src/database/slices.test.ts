import { expect, test } from "bun:test";
import { FakeHost } from "../../test/database/fake_host.ts";
import { ok } from "../base/result.ts";
import type { SlicedWork } from "../tdb/types.ts";
import { runTdbWork } from "./slices.ts";

test("runTdbWork() goes on when the disk is done, not after the pause", () => {
  const host = new FakeHost();
  let waits = true;
  const work: SlicedWork<void> = {
    step: () => (waits ? undefined : ok(undefined)),
    waiting: true,
    onWake: undefined,
    cancel() {},
  };
  let ended = 0;
  runTdbWork(host, "test", work, () => {
    ended += 1;
  });
  waits = false;
  work.onWake?.();
  expect(ended).toBe(0);
  host.time.settle();
  expect([ended, host.time.monotonicMs()]).toEqual([1, 0]);
  // The pause that was ended does not come back.
  host.time.advance(10);
  expect(ended).toBe(1);
});
