/** What tests of real nodes leave behind when they fail: nothing. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { REAL_TEST_MS, type RealNode, STEP_MS, withRealNode } from "../../daemon/real_node.ts";
import { until, when } from "../../support/until.ts";

test(
  "withRealNode() ends every process of a test that fails, also one that does not end by itself",
  async () => {
    let family: readonly number[] = [];
    const fail = async (node: RealNode) => {
      const children = await until("the recovery daemon runs", STEP_MS, () => {
        const pids = node.children();
        return pids.length > 0 ? pids : undefined;
      });
      family = [node.pid, ...children];
      process.kill(node.pid, "SIGSTOP");
      throw new Error("expected something else");
    };
    const failure = await withRealNode({}, fail).catch((error: Error) => error);
    expect((failure as Error).cause).toEqual(new Error("expected something else"));
    expect(family.length).toBeGreaterThan(1);
    await until("they are gone", STEP_MS, () =>
      when(family.every((pid) => !existsSync(`/proc/${pid}`))),
    );
  },
  REAL_TEST_MS,
);
