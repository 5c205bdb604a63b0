/**
 * Three nodes of ours whose cluster lock is in Debian's etcd, each over a proxy of its own, and what its nodes say of who leads.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodePadded, u32Codec } from "../../../src/wire/codec.ts";
import { SRVID } from "../../../src/wire/constants.ts";
import { EtcdServer } from "../../support/etcd_server.ts";
import { DIST } from "../../support/executables.ts";
import { type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TemporaryDirectory } from "../../support/temp_dir.ts";
import { until, when } from "../../support/until.ts";
import {
  type LeaderClaim,
  leadershipProblems,
  type NodeLog,
  runsHaveEnded,
  termsOf,
} from "./one_leader.ts";

export const TTL_SEC = 4;
const NODES = 3;
/** [cluster] leader timeout. */
const LEADER_TIMEOUT_MS = 5000;
/** An etcd looks for ended leases each half second, and a loaded machine is late. */
const LATE_MS = 3000;
/** The lease ends, and whoever then tries has waited for a leader once. */
export const NEW_LEADER_LIMIT_MS = TTL_SEC * 1000 + LEADER_TIMEOUT_MS + LATE_MS;
const READY_LIMIT_MS = 60_000;
/** The log alone does not tell of a run: a second one within a second is only counted there at first. */
const RUN_HELPERS = ["ctdb_takeover_helper", "ctdb_recovery_helper"];

export class EtcdCluster {
  readonly cluster: TestCluster;
  readonly etcd: EtcdServer;
  readonly proxies: readonly TcpProxy[];
  readonly claims: LeaderClaim[] = [];

  constructor(cluster: TestCluster, etcd: EtcdServer, proxies: readonly TcpProxy[]) {
    this.cluster = cluster;
    this.etcd = etcd;
    this.proxies = proxies;
  }

  /** Each node's ctdb.conf names the lock; where etcd is stands in a file beside it. */
  configure(): void {
    for (const pnn of this.cluster.pnns) {
      const base = this.cluster.base(pnn);
      const file = join(base, "ctdb.conf");
      const lock = `\tcluster lock = !${DIST}/ctdb_mutex_etcd_helper -vv`;
      const text = readFileSync(file, "utf8").replace(/^\tcluster lock = .*$/m, lock);
      writeFileSync(file, text);
      const options = {
        port: this.proxies[pnn]?.port,
        lock_ttl: TTL_SEC,
        refresh: 1,
        read_timeout: 1,
        lock_name: "CLUSTER",
      };
      const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}\n`);
      writeFileSync(join(base, "etcd"), lines.join(""));
    }
  }

  /** Listens on a node to who claims to lead. */
  async listen(pnn: number): Promise<void> {
    const client = await this.cluster.connect(pnn);
    await client.registerSrvid(SRVID.LEADER, (data) => {
      const leader = decodePadded(u32Codec, data.slice());
      if (!leader.ok || leader.value > NODES) return;
      this.claims.push({ pnn: leader.value, atMs: performance.timeOrigin + performance.now() });
    });
  }

  get logs(): readonly NodeLog[] {
    return this.cluster.pnns.map((pnn) => ({ pnn, text: this.cluster.log(pnn) }));
  }
  get leader(): number {
    return termsOf(this.logs).at(-1)?.pnn ?? -1;
  }

  /** How long it takes from now until another node has taken the lock. */
  async newLeader(): Promise<number> {
    const count = termsOf(this.logs).length;
    const startMs = performance.now();
    await until("there is a new leader", NEW_LEADER_LIMIT_MS, () =>
      when(termsOf(this.logs).length > count),
    );
    return performance.now() - startMs;
  }

  problems(): readonly string[] {
    return leadershipProblems(this.logs, this.claims);
  }

  /** The processes of a node by name: those of its ctdbd and what that started. */
  processes(pnn: number): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    const base = this.cluster.base(pnn);
    for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
        if (!environment.includes(`CTDB_BASE=${base}`)) continue;
        const path = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0] ?? "";
        found.set(path.slice(path.lastIndexOf("/") + 1), Number(pid));
      } catch {
        // It has ended meanwhile.
      }
    }
    return found;
  }

  signal(pnn: number, name: string, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    const pid = this.processes(pnn).get(name);
    if (pid === undefined) throw new Error(`node ${pnn} has no process "${name}"`);
    process.kill(pid, signal);
  }

  /**
   * SIGSTOP to the recovery daemon of a node, at a moment when it has begun nothing: what a child of it ends meanwhile, it would
   * tell of when it runs again. Only of one that is stopped it is known that it begins nothing.
   */
  async stopIdleRecoverd(pnn: number): Promise<void> {
    await until("its recovery daemon was stopped idle", NEW_LEADER_LIMIT_MS, () => {
      this.signal(pnn, "ctdb-recoverd", "SIGSTOP");
      const running = this.processes(pnn);
      const helps = RUN_HELPERS.some((name) => running.has(name));
      if (!helps && runsHaveEnded(this.cluster.log(pnn))) return true;
      this.signal(pnn, "ctdb-recoverd", "SIGCONT");
      return undefined;
    });
  }

  async healthy(): Promise<void> {
    await until("all nodes are healthy", READY_LIMIT_MS, async () => {
      const ready = await this.cluster.local.waitReady(this.cluster.pnns);
      return when(ready.ok);
    });
  }
}

export async function withEtcdCluster(action: (world: EtcdCluster) => Promise<void>) {
  using directory = new TemporaryDirectory("etcd");
  await using etcd = await EtcdServer.start(directory);
  const proxies: TcpProxy[] = [];
  try {
    for (let pnn = 0; pnn < NODES; pnn++) proxies.push(await TcpProxy.start(etcd.port));
    const options = { nodes: NODES, lock: "file", startNothing: true } as const;
    await withCluster(options, async (cluster) => {
      const world = new EtcdCluster(cluster, etcd, proxies);
      world.configure();
      await cluster.start();
      for (const pnn of cluster.pnns) await world.listen(pnn);
      await cluster.waitReady();
      await action(world);
    });
  } finally {
    for (const proxy of proxies) proxy.stop();
  }
}
