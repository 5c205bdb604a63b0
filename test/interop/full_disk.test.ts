/**
 * A full disk under the persistent databases of one node: a commit for which it has no room is refused
 * everywhere and costs nothing else, whichever node coordinates it.
 */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";

const LIMIT_MS = 120_000;
const DISK_BYTES = 4 * 1024 * 1024;
/** More than a commit of little has reserved. */
const LARGE = "x".repeat(100_000);

const ENOSPC = 28;
const isRoot = process.getuid?.() === 0;

async function run(cluster: TestCluster, pnn: number, ...args: string[]) {
  const { code, stdout, stderr } = await cluster.ctdb(pnn, ...args);
  return { code, text: `${stdout}${stderr}` };
}

async function expectValue(cluster: TestCluster, value: string): Promise<void> {
  for (const pnn of cluster.pnns) {
    const fetched = await run(cluster, pnn, "pfetch", "p.tdb", "key");
    expect([pnn, fetched.code, fetched.text.trim()]).toEqual([pnn, 0, value]);
    const { text } = await run(cluster, pnn, "getdbstatus", "p.tdb");
    expect(text).toContain("HEALTH: OK");
  }
}

async function generation(cluster: TestCluster): Promise<string> {
  const { text } = await run(cluster, 0, "status");
  return /Generation:\d+/.exec(text)?.[0] ?? text;
}

test.skipIf(!isRoot)(
  "a commit that does not fit on one node's disk is refused everywhere",
  async () => {
    await withCluster({ nodes: 3, startNothing: true }, async (cluster) => {
      const disk = join(cluster.base(1), "db", "persistent");
      const mounted = spawnSync("mount", [
        "-t",
        "tmpfs",
        "-o",
        `size=${DISK_BYTES}`,
        "tmpfs",
        disk,
      ]);
      expect(mounted.status).toBe(0);
      try {
        await cluster.start();
        await cluster.waitReady();
        expect((await run(cluster, 0, "attach", "p.tdb", "persistent")).code).toBe(0);
        expect((await run(cluster, 0, "pstore", "p.tdb", "key", "first")).code).toBe(0);
        const before = await generation(cluster);
        const filler = join(disk, "filler");
        const { bsize, bfree } = statfsSync(disk);
        writeFileSync(filler, new Uint8Array(bsize * bfree));
        for (const pnn of [0, 1]) {
          const refused = await run(cluster, pnn, "pstore", "p.tdb", "key", LARGE);
          expect([pnn, refused.code]).toEqual([pnn, ENOSPC]);
          expect(refused.text).toContain("Node 1 has no disk space");
          await expectValue(cluster, "first");
        }
        // There is still room for this one: it was reserved.
        expect((await run(cluster, 2, "pstore", "p.tdb", "key", "second")).code).toBe(0);
        await expectValue(cluster, "second");
        expect(await generation(cluster)).toBe(before);
        rmSync(filler);
        expect((await run(cluster, 0, "pstore", "p.tdb", "key", LARGE)).code).toBe(0);
        await expectValue(cluster, LARGE);
      } finally {
        await cluster.stop();
        spawnSync("umount", [disk]);
      }
    });
  },
  LIMIT_MS,
);
