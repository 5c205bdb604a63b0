/** Nodes of ours that vote for the holder of the cluster lock: a leader that is killed is followed by one other. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIST } from "../../support/executables.ts";
import { type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { until, when } from "../../support/until.ts";
import { leadershipProblems, termsOf } from "./one_leader.ts";

const HELPER = join(DIST, "ctdb_mutex_quorum_helper");
/** Votes count for 9 s; whoever then tries has waited for a leader. */
const NEW_LEADER_LIMIT_MS = 20_000;
const TEST_LIMIT_MS = 120_000;

function configure(cluster: TestCluster, lock: string): void {
  for (const pnn of cluster.pnns) {
    const file = join(cluster.base(pnn), "ctdb.conf");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/^\tcluster lock = .*$/m, `\tcluster lock = ${lock}`));
  }
}

test(
  "ctdb_mutex_quorum_helper has one leader, and another when that one is killed",
  async () => {
    const options = { nodes: 3, lock: "file", startNothing: true } as const;
    await withCluster(options, async (cluster) => {
      configure(cluster, `!${HELPER}`);
      await cluster.start();
      await cluster.waitReady();
      const logs = () => cluster.pnns.map((pnn) => ({ pnn, text: cluster.log(pnn) }));
      const [first] = termsOf(logs());
      expect(first).toBeDefined();
      const leader = first?.pnn ?? 0;
      const startMs = performance.now();
      await cluster.kill(leader);
      await until("another node leads", NEW_LEADER_LIMIT_MS, () =>
        when(termsOf(logs()).at(-1)?.pnn !== leader),
      );
      console.log(`killed leader: a new one after ${Math.round(performance.now() - startMs)} ms`);
      await cluster.waitReady(...cluster.pnns.filter((pnn) => pnn !== leader));
      // What a log has only counted, it says at the end of its process.
      await cluster.stop();
      expect(leadershipProblems(logs())).toEqual([]);
    });
  },
  TEST_LIMIT_MS,
);

test(
  "ctdb_mutex_quorum_helper refuses two nodes without a tiebreak, and one that is no node",
  async () => {
    await withCluster({ nodes: 2 }, async (cluster) => {
      const alone = await cluster.run(0, [HELPER]);
      expect([alone.stdout, alone.code]).toEqual(["3", 1]);
      expect(alone.stderr).toContain("--tiebreak");
      const wrong = await cluster.run(0, [HELPER, "--tiebreak", "7"]);
      expect([wrong.stdout, wrong.code]).toEqual(["3", 1]);
      expect(wrong.stderr).toContain('got "7"');
    });
  },
  TEST_LIMIT_MS,
);
