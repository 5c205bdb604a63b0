/** Nodes of ours whose cluster lock is in Debian's etcd: never two leaders that act, and a new one soon. */
import { expect, test } from "bun:test";
import { etcdInstalled } from "../../support/etcd_server.ts";
import { until, when } from "../../support/until.ts";
import { type EtcdCluster, NEW_LEADER_LIMIT_MS, TTL_SEC, withEtcdCluster } from "./etcd_cluster.ts";

const TEST_LIMIT_MS = 180_000;
const HELPER = "ctdb_mutex_etcd_helper";

function story(what: string, action: (world: EtcdCluster) => Promise<void>): void {
  test.skipIf(!etcdInstalled())(
    `With the lock in etcd, ${what}`,
    async () => {
      await withEtcdCluster(async (world) => {
        expect(world.problems()).toEqual([]);
        await action(world);
        // What a log has only counted, it says at the end of its process.
        await world.cluster.stop();
        expect(world.problems()).toEqual([]);
        expect(world.claims.length).toBeGreaterThan(0);
      });
    },
    TEST_LIMIT_MS,
  );
}

story(
  "a leader that is killed with its helper is followed by another when its lease is over",
  async (world) => {
    const { leader } = world;
    const all = world.processes(leader);
    // The helper first: it would give the lock back.
    for (const name of [HELPER, "ctdb-recoverd", "ctdbd"]) {
      const pid = all.get(name);
      if (pid !== undefined) process.kill(pid, "SIGSTOP");
    }
    for (const name of [HELPER, "ctdb-recoverd", "ctdbd"]) {
      const pid = all.get(name);
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
    const tookMs = await world.newLeader();
    console.log(`killed leader: a new one after ${Math.round(tookMs)} ms`);
    expect(world.leader).not.toBe(leader);
  },
);

story(
  "a leader whose helper is stopped stops acting before another can have the lock",
  async (world) => {
    const { leader } = world;
    world.signal(leader, HELPER, "SIGSTOP");
    const tookMs = await world.newLeader();
    console.log(`stopped helper: a new leader after ${Math.round(tookMs)} ms`);
    await world.healthy();
  },
);

story("a leader that is cut off from etcd is followed by one that is not", async (world) => {
  const { leader } = world;
  world.proxies[leader]?.cut();
  const tookMs = await world.newLeader();
  console.log(`cut off from etcd: a new leader after ${Math.round(tookMs)} ms`);
  expect(world.leader).not.toBe(leader);
  world.proxies[leader]?.heal();
  await world.healthy();
});

story(
  "a recovery daemon that was stopped past the lease does nothing as leader when it runs again",
  async (world) => {
    const { leader } = world;
    const claims = () => world.claims.filter(({ pnn }) => pnn === leader).length;
    await world.stopIdleRecoverd(leader);
    world.signal(leader, HELPER, "SIGSTOP");
    await world.newLeader();
    const next = world.leader;
    expect(next).not.toBe(leader);
    const before = claims();
    world.signal(leader, "ctdb-recoverd", "SIGCONT");
    world.signal(leader, HELPER, "SIGCONT");
    await until("it has noticed", NEW_LEADER_LIMIT_MS, () =>
      when(world.cluster.log(leader).includes("Cluster lock lost")),
    );
    expect(claims()).toBe(before);
    await world.healthy();
    expect(world.leader).toBe(next);
  },
);

story(
  "etcd that is restarted, and one that is away for longer than a lease, bring one leader at a time",
  async (world) => {
    await world.etcd.restart();
    await world.healthy();
    const { leader } = world;
    await world.etcd.stop();
    await until("the leader has given up", (TTL_SEC + 5) * 1000, () =>
      when(world.cluster.log(leader).includes("Cluster lock lost")),
    );
    await world.etcd.restart();
    // The old key stays until its lease, counted anew, is over.
    await until("somebody leads again", 2 * NEW_LEADER_LIMIT_MS, () => when(world.leader >= 0));
    await world.healthy();
  },
);
