import { expect, test } from "bun:test";
import { ManualTime } from "../../../test/support/manual_time.ts";
import { silentLogger } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { RETAIN_INTERVAL_MS, RETAIN_PAUSE_MS } from "../limits.ts";
import { RetentionTimer } from "./retention_timer.ts";

test("RetentionTimer goes on in pieces while there is more, and rests otherwise", async () => {
  const time = new ManualTime();
  const answers: Result<boolean>[] = [ok(true), ok(true), ok(false), err("full"), ok(false)];
  const calls: number[] = [];
  const warnings: string[] = [];
  const store = {
    retain: (nowUs: number) => {
      calls.push(nowUs / 1_000_000);
      return answers[calls.length - 1] ?? ok(false);
    },
  };
  const log = { ...silentLogger, warning: (text: string) => warnings.push(text) };
  const timer = new RetentionTimer(store, time, time, log);
  await time.advance(3 * RETAIN_PAUSE_MS);
  expect(calls.length).toBe(3);
  await time.advance(2 * RETAIN_INTERVAL_MS);
  expect([calls.length, warnings]).toEqual([5, ["full"]]);
  timer.close();
  await time.advance(2 * RETAIN_INTERVAL_MS);
  expect(calls.length).toBe(5);
});
