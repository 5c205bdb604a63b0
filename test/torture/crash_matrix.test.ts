/**
 * Commits on a persistent database that are cut short: at every step, right before it or right after it, on
 * the node whose client commits or on another, one ctdbd of three ends with SIGKILL. Then all nodes
 * have the whole transaction or nothing of it, and have it when the client was told so.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CRASH_STEPS, type CrashMoment, type CrashStep } from "../../src/base/crash_points.ts";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";

const DATABASE = "matrix.tdb";
const KEYS = ["a", "b", "c", "d", "e"];
const COORDINATOR = 0;
const OTHER = 1;
const GONE_TIMEOUT_MS = 30_000;
/** Recoveries come one after another: the usual 10 s between them only wait. */
const TUNABLES = { RerecoveryTimeout: 1 };

interface Case {
  readonly step: CrashStep;
  readonly moment: CrashMoment;
  readonly victim: number;
}

const CASES: readonly Case[] = (Object.keys(CRASH_STEPS) as CrashStep[]).flatMap((step) =>
  (["before", "after"] as const).flatMap((moment) =>
    (CRASH_STEPS[step] === "coordinator" ? [COORDINATOR] : [COORDINATOR, OTHER]).map((victim) => ({
      step,
      moment,
      victim,
    })),
  ),
);

/** The value of all keys on a node, read in its file; an exception when they differ. */
async function valueOn(cluster: TestCluster, pnn: number): Promise<string> {
  const dump = await cluster.ctdb(pnn, "cattdb", DATABASE);
  expect([dump.stderr, dump.code]).toEqual(["", 0]);
  const values = KEYS.map(
    (key) =>
      new RegExp(`^key\\(1\\) = "${key}"\\n(?:.+\\n)*?data\\(\\d+\\) = "(.*)"$`, "m").exec(
        dump.stdout,
      )?.[1],
  );
  expect(new Set(values).size).toBe(1);
  return values[0] ?? "nothing";
}

async function sequenceNumber(cluster: TestCluster, pnn: number): Promise<string> {
  return (await cluster.ctdb(pnn, "getdbseqnum", DATABASE)).stdout;
}

async function transact(cluster: TestCluster, value: number) {
  const input = join(cluster.base(COORDINATOR), "input");
  writeFileSync(input, KEYS.map((key) => `"${key}" "${value}"\n`).join(""));
  return await cluster.ctdb(COORDINATOR, "ptrans", DATABASE, input);
}

async function ended(cluster: TestCluster, pnn: number): Promise<void> {
  await until(`node ${pnn} comes to its crash point`, GONE_TIMEOUT_MS, () =>
    when(!cluster.local.runningNodes().includes(pnn)),
  );
}

test(
  `${CASES.length} commits that a crash cuts short are all or nothing`,
  async () => {
    process.env["CTDB_CRASH_POINTS"] = "yes";
    let committed = 0;
    let acknowledged = 0;
    await withCluster({ nodes: 3, tunables: TUNABLES }, async (cluster) => {
      expect((await cluster.ctdb(COORDINATOR, "attach", DATABASE, "persistent")).code).toBe(0);
      expect((await transact(cluster, 0)).code).toBe(0);
      let before = "0";
      for (const [index, { step, moment, victim }] of CASES.entries()) {
        const value = index + 1;
        const name = `${step} ${moment} on node ${victim}`;
        writeFileSync(join(cluster.base(victim), "crash_point"), `${step} ${moment}\n`);
        const result = await transact(cluster, value);
        await ended(cluster, victim);
        await cluster.start(victim);
        await cluster.waitReady();
        const after = await Promise.all(cluster.pnns.map((pnn) => valueOn(cluster, pnn)));
        const numbers = await Promise.all(cluster.pnns.map((pnn) => sequenceNumber(cluster, pnn)));
        expect([name, new Set(after).size, new Set(numbers).size]).toEqual([name, 1, 1]);
        const [now = ""] = after;
        expect([name, [before, String(value)].includes(now)]).toEqual([name, true]);
        if (result.code === 0) {
          acknowledged += 1;
          expect([name, now]).toEqual([name, String(value)]);
        }
        if (now !== before) committed += 1;
        before = now;
      }
    });
    console.log(
      `${CASES.length} crashes: ${committed} transactions on all nodes, ${CASES.length - committed} on none, ${acknowledged} acknowledged`,
    );
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(CASES.length);
  },
  15 * 60_000,
);
