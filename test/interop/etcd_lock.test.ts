/** ctdb_etcd_lock as a process, against Debian's etcd: taken, contended, released, lost. */
import { expect, test } from "bun:test";
import { EtcdServer, etcdInstalled } from "../support/etcd_server.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { type EtcdHelper, endOf, startHelper, TTL_SEC } from "./etcd_helper.ts";

const LIMIT_MS = 20_000;

async function withEtcd(
  action: (server: EtcdServer, start: (wrapped?: boolean) => EtcdHelper) => Promise<void>,
  options: Readonly<Record<string, string>> = {},
): Promise<void> {
  using directory = new TemporaryDirectory("etcd");
  await using server = await EtcdServer.start(directory);
  const helpers: EtcdHelper[] = [];
  try {
    await action(server, (wrapped = false) => {
      const helper = startHelper(
        directory,
        { refresh: "1", port: `${server.port}`, ...options },
        wrapped,
      );
      helpers.push(helper);
      return helper;
    });
  } finally {
    for (const { child } of helpers) child.kill("SIGKILL");
  }
}

async function keyCount(server: EtcdServer): Promise<number> {
  const range = await server.call("kv/range", { key: btoa("_locks/_ctdb/CLUSTER") });
  return Number(range["count"] ?? 0);
}

const etcd = test.skipIf(!etcdInstalled());

etcd(
  "ctdb_etcd_lock takes the lock for one, renews it, and gives it back on SIGTERM",
  async () => {
    await withEtcd(async (server, start) => {
      const first = start();
      expect(await first.status()).toBe("0");
      const takenMs = performance.now();
      const second = start();
      expect(await second.status()).toBe("1");
      expect(await endOf(second)).toBe(0);
      expect(await second.stderr()).toContain(`${first.child.pid}`);
      await until("the first lease would be over", LIMIT_MS, () =>
        when(performance.now() - takenMs > (TTL_SEC + 1) * 1000),
      );
      expect(first.child.exitCode).toBeNull();
      expect(await start().status()).toBe("1");
      first.child.kill("SIGTERM");
      expect(await endOf(first)).toBe(0);
      expect(await keyCount(server)).toBe(0);
      expect(await start().status()).toBe("0");
    });
  },
  120_000,
);

etcd(
  "ctdb_etcd_lock gives the lock back when its parent is killed",
  async () => {
    await withEtcd(async (server, start) => {
      const helper = start(true);
      expect(await helper.status()).toBe("0");
      helper.child.kill("SIGKILL");
      await endOf(helper);
      expect(await keyCount(server)).toBe(1);
      // Sooner than the lease would end: it is renewed until then.
      await until("the lock is free", LIMIT_MS, async () => when((await keyCount(server)) === 0));
    });
  },
  120_000,
);

etcd(
  "ctdb_etcd_lock loses the lock when its key is removed, or it was paused for too long",
  async () => {
    await withEtcd(async (server, start) => {
      const robbed = start();
      expect(await robbed.status()).toBe("0");
      await server.call("kv/deleterange", { key: btoa("_locks/_ctdb/CLUSTER") });
      expect(await endOf(robbed)).toBe(1);
      expect(await robbed.stderr()).toContain("lock lost");

      const paused = start();
      expect(await paused.status()).toBe("0");
      paused.child.kill("SIGSTOP");
      await until("its key is gone", LIMIT_MS, async () => when((await keyCount(server)) === 0));
      const next = start();
      expect(await next.status()).toBe("0");
      paused.child.kill("SIGCONT");
      expect(await endOf(paused)).toBe(1);
      expect(await paused.stderr()).toContain("lock lost");
      expect(await keyCount(server)).toBe(1);
      expect(next.child.exitCode).toBeNull();
    });
  },
  120_000,
);

etcd(
  "ctdb_etcd_lock ends before its lease does when etcd does not answer, and says that it does not",
  async () => {
    await withEtcd(
      async (server, start) => {
        const helper = start();
        expect(await helper.status()).toBe("0");
        server.signal("SIGSTOP");
        const stoppedMs = performance.now();
        expect(await endOf(helper)).toBe(1);
        expect(performance.now() - stoppedMs).toBeLessThan(TTL_SEC * 1000);
        expect(await start().status()).toBe("2");
        server.signal("SIGCONT");
        await server.stop();
        expect(await start().status()).toBe("3");
      },
      { read_timeout: "1" },
    );
  },
  120_000,
);
