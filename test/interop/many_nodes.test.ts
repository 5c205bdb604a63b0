/** Sixteen nodes on one machine, as `ctdb-local` makes them: how soon they are up, and the tool beside a dead peer. */
import { expect, test } from "bun:test";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";

const NODES = 16;
/** With two processors. */
const START_MS_MAX = 30_000;
/** More than without a dead peer. What else the machine does makes a run slow; a wait for a dead peer would make all slow. */
const WAIT_MS_MAX = 100;
const RUNS = 10;

/** For docs/scale.md. */
function tell(what: string): void {
  process.stderr.write(`${NODES} nodes, ${what}\n`);
}

async function quickestStatusMs(cluster: TestCluster, expected: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startMs = performance.now();
    const { stdout, stderr, code } = await cluster.ctdb(0, "status");
    times.push(performance.now() - startMs);
    expect(code).toBe(0);
    expect(stdout + stderr).toContain(expected);
  }
  tell(`ctdb status: ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
  return Math.min(...times);
}

test("16 nodes are OK soon, and ctdb status does not wait for a dead one", async () => {
  await withCluster({ nodes: NODES, lock: "file", startNothing: true }, async (cluster) => {
    const startMs = performance.now();
    await cluster.start();
    const startedMs = performance.now() - startMs;
    tell(`start: ${startedMs.toFixed(0)} ms`);
    expect(startedMs).toBeLessThan(START_MS_MAX);
    const aliveMs = await quickestStatusMs(cluster, "Leader:");
    const dead = NODES - 1;
    // Stopped first: its kernel still answers for it, so that nobody knows for a while that it is dead.
    const { local } = cluster;
    const pid = local.process(dead).daemonPid() ?? 0;
    local.process(dead).signal(pid, "SIGSTOP");
    const silentMs = await quickestStatusMs(cluster, `Node ${dead} has not answered`);
    expect(silentMs - aliveMs).toBeLessThan(WAIT_MS_MAX);
    await cluster.kill(dead);
    await cluster.waitReady(...cluster.pnns.slice(0, -1));
    const deadMs = await quickestStatusMs(cluster, "DISCONNECTED");
    expect(deadMs - aliveMs).toBeLessThan(WAIT_MS_MAX);
  });
}, 120_000);
