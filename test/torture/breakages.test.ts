/** Each deliberate breakage makes the quick tests fail that are named for it. */
import { expect, test } from "bun:test";
import { BREAKAGES } from "../breakages/list.ts";
import { runBreakage } from "../breakages/run_breakage.ts";

const LIMIT_MS = 120_000;

for (const breakage of BREAKAGES) {
  test(
    `the breakage ${breakage.name} is caught: ${breakage.breaks}`,
    async () => {
      const { caught, how } = await runBreakage(breakage);
      if (!caught) console.log(how);
      expect(caught).toBe(true);
    },
    LIMIT_MS,
  );
}
