/** A ctdbd that is started again in the moment in which the one before was killed. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  nodeDirectory,
  REAL_TEST_MS,
  RealNode,
  STEP_MS,
  startDaemon,
  withNodeDirectory,
} from "../../daemon/real_node.ts";
import { until, when } from "../../support/until.ts";

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test(
  "ctdbd that was killed can be started again at once, while its event daemon has not noticed yet",
  () =>
    withNodeDirectory(async (base) => {
      const address = await nodeDirectory(base);
      mkdirSync(join(base, "events/legacy"), { recursive: true });
      const script = join(base, "events/legacy/00.test.script");
      writeFileSync(script, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
      expect((await startDaemon(base)).code).toBe(0);
      for (let times = 0; times < 3; times++) {
        const killed = new RealNode(base, address);
        process.kill(killed.pid, "SIGKILL");
        await until("it is gone", STEP_MS, () => when(!lives(killed.pid)));
        const again = await startDaemon(base);
        expect([again.code, again.stderr]).toEqual([0, ""]);
        expect(new RealNode(base, address).pid).not.toBe(killed.pid);
      }
      await new RealNode(base, address).end();
    }),
  REAL_TEST_MS,
);
