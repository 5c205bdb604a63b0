/** A ctdb-admind whose ctdbd was killed before it could look for it does not stay, and keep its port from the next one. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { DIST } from "../../support/executables.ts";
import { withCluster } from "../../support/local_cluster.ts";
import { within } from "../../support/until.ts";

test(
  "ctdb-admind ends when the ctdbd that it was started for has ended before",
  () =>
    withCluster({ nodes: 1, startNothing: true }, async (cluster) => {
      const ended = Bun.spawn(["true"]);
      await ended.exited;
      const admind = Bun.spawn([join(DIST, "ctdb-admind"), "-P", String(ended.pid)], {
        env: cluster.environment(0),
        stderr: "pipe",
      });
      expect(await within("ctdb-admind ends", 10_000, admind.exited)).toBe(0);
      expect(await new Response(admind.stderr).text()).toBe("");
    }),
  120_000,
);
