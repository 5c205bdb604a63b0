/** Three real nodes over mutual TLS (docs/tls.md). */
import { expect, test } from "bun:test";
import { withCluster } from "../support/local_cluster.ts";
import { useTls } from "../support/tls_cluster.ts";

const TIMEOUT_MS = 90_000;

test(
  "nodes over TLS are a cluster",
  async () => {
    await withCluster({ nodes: 3, startNothing: true }, async (cluster) => {
      await useTls(cluster);
      await cluster.start();
      await cluster.waitReady();
      const attached = await cluster.ctdb(0, "attach", "over.tdb", "persistent");
      expect([attached.code, attached.stderr]).toEqual([0, ""]);
      await cluster.ctdb(1, "pstore", "over.tdb", "key", "/etc/hostname");
      const recovered = await cluster.ctdb(2, "recover");
      expect([recovered.code, recovered.stderr]).toEqual([0, ""]);
      await cluster.waitReady();
      const dump = await cluster.ctdb(2, "cattdb", "over.tdb");
      expect(dump.stdout).toContain('data(13) = "/etc/hostname"');
    });
  },
  TIMEOUT_MS,
);
