/**
 * `ctdb -v status` in a cluster of two of our nodes and one of Debian's: names the script that makes another node
 * unhealthy where that node runs our ctdbd, and Debian's node neither tells nor minds.
 */
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";
import { step } from "./mixed/steps.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 180_000;
const STEP_MS = 30_000;
const [ASKED, SICK, STOCK] = [0, 1, 2];
/** With the start of the tool, on a busy machine; without a bound it would be the 10 s of a request. */
const SOON_MS = 3_000;
const SCRIPT = `#!/bin/sh
[ "$1" = "monitor" ] && [ -e "$CTDB_BASE/sick" ] || exit 0
echo "starting to look"
printf 'ERROR: port 445 is \\033[31mclosed\\n'
exit 7
`;
const REASON = /50\.told failed with status 7 after \d+\.\d{3} s: ERROR: port 445 is \?\[31mclosed/;

const saidOf = (pnn: number) => new RegExp(`^Node ${pnn} is unhealthy: ${REASON.source}$`, "m");

async function untilSaid(cluster: TestCluster, asked: number, pnn: number): Promise<void> {
  let last = "";
  await until(
    `node ${asked} says why node ${pnn} is unhealthy`,
    STEP_MS,
    async () => {
      const { stdout, stderr } = await cluster.ctdb(asked, "-v", "status");
      last = stdout + stderr;
      return when(saidOf(pnn).test(stdout));
    },
    () => last,
  );
}

interop(
  "ctdb -v status names the failed script of every unhealthy node that runs our ctdbd",
  () =>
    withCluster(
      { nodes: 3, stock: [STOCK], startNothing: true, tunables: { MonitorInterval: 1 } },
      async (cluster) => {
        for (const pnn of cluster.pnns) {
          const path = join(cluster.base(pnn), "events/legacy/50.told.script");
          writeFileSync(path, SCRIPT, { mode: 0o755 });
        }
        await cluster.start();
        await cluster.waitReady();
        await step("nothing to say of healthy nodes", async () => {
          const { stdout, stderr } = await cluster.ctdb(ASKED, "-v", "status");
          expect([/is unhealthy/.test(stdout), stderr]).toEqual([false, ""]);
        });
        for (const pnn of [SICK, STOCK]) writeFileSync(join(cluster.base(pnn), "sick"), "");
        await step("another node names the script", () => untilSaid(cluster, ASKED, SICK));
        await step(
          "Debian's node does not tell, and the own node's event daemon does",
          async () => {
            await untilSaid(cluster, STOCK, STOCK);
            const { stdout, stderr, code } = await cluster.ctdb(ASKED, "-v", "status");
            expect([saidOf(SICK).test(stdout), saidOf(STOCK).test(stdout)]).toEqual([true, false]);
            expect(stderr).toStartWith(`Node ${STOCK} does not say why it is unhealthy`);
            expect(code).toBe(0);
          },
        );
        await step("the question goes through Debian's node, too", () =>
          untilSaid(cluster, STOCK, SICK),
        );
        await step("in JSON", async () => {
          const { stdout } = await cluster.ctdb(ASKED, "-v", "-j", "status");
          const { unhealthy } = JSON.parse(stdout);
          expect(Object.keys(unhealthy)).toEqual([String(SICK), String(STOCK)]);
          expect(unhealthy[SICK].reasons[0]).toMatch(REASON);
          expect(unhealthy[STOCK].reasons).toEqual([]);
        });
        await step("a node that hangs keeps nobody waiting", async () => {
          const pid = Number((await cluster.ctdb(SICK, "getpid")).stdout.trim());
          process.kill(pid, "SIGSTOP");
          try {
            const beginMs = performance.now();
            const { stdout, stderr } = await cluster.ctdb(ASKED, "-v", "status");
            expect(performance.now() - beginMs).toBeLessThan(SOON_MS);
            expect(stdout).not.toMatch(saidOf(SICK));
            expect(stderr).toContain(`Node ${SICK} has not answered`);
          } finally {
            process.kill(pid, "SIGCONT");
          }
        });
        await step("nobody minds", async () => {
          for (const pnn of [SICK, STOCK]) rmSync(join(cluster.base(pnn), "sick"));
          await cluster.waitReady();
          const { stdout, stderr } = await cluster.ctdb(ASKED, "-v", "status");
          expect([/is unhealthy/.test(stdout), stderr]).toEqual([false, ""]);
          expect((await cluster.stockCtdb(STOCK, "status")).code).toBe(0);
        });
      },
    ),
  LIMIT_MS,
);
