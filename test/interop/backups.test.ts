/** Files of database backups between the stock tool and ours, in a cluster with a stock node. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { DIST } from "../support/executables.ts";
import {
  STOCK_CTDB,
  stockInstalled,
  type TestCluster,
  withCluster,
} from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 120_000;
const OURS = join(DIST, "ctdb");
const RECORDS = 3000;

async function run(cluster: TestCluster, pnn: number, ...argv: readonly string[]): Promise<string> {
  const result = await cluster.run(pnn, argv);
  expect({ argv, code: result.code, stderr: result.stderr }).toEqual({ argv, code: 0, stderr: "" });
  return result.stdout;
}

/** Keys and values of a dump, whatever headers and order. */
function contents(dump: string): readonly string[] {
  const records = dump.split("\n\n").map((record) => {
    const lines = record.split("\n").filter((line) => /^(key|data)\(/.test(line));
    return lines.join(" ");
  });
  return records.filter((record) => record.startsWith("key")).sort();
}

/** Commands are refused while the leader recovers after a failure. */
async function settled(cluster: TestCluster): Promise<void> {
  await until("the recovery has ended", LIMIT_MS, async () => {
    const { stdout } = await cluster.stockCtdb(0, "status");
    return when(stdout.includes("NORMAL (0)"));
  });
}

interop(
  "each tool restores what the other has backed up, on our nodes and a stock one",
  async () => {
    await withCluster({ nodes: 3, stock: [2] }, async (cluster) => {
      for (const [name, kind] of [
        ["volatile.tdb", undefined],
        ["kept.tdb", "persistent"],
        ["replicated.tdb", "replicated"],
      ] as const) {
        const attach = ["attach", name, ...(kind === undefined ? [] : [kind])];
        await run(cluster, 0, STOCK_CTDB, ...attach);
        const files = kind === "persistent" ? "persistent" : "volatile";
        const path = join(cluster.base(0), "db", files, `${name}.0`);
        await fill(path);
        const backups = [STOCK_CTDB, OURS].map(
          (tool, i) => [tool, cluster.local.directory.path.concat(`/${name}${i}`)] as const,
        );
        const dumps: (readonly string[])[] = [];
        for (const [tool, file] of backups) {
          expect(await run(cluster, 0, tool, "backupdb", name, file)).toBe(
            `Database backed up to ${file}\n`,
          );
          for (const reader of [STOCK_CTDB, OURS]) {
            dumps.push(contents(await run(cluster, 0, reader, "dumpdbbackup", file)));
          }
        }
        expect(dumps[0]?.length).toBe(RECORDS);
        for (const dump of dumps) expect(dump).toEqual(dumps[0] as readonly string[]);
        for (const [index, restorer] of [OURS, STOCK_CTDB].entries()) {
          const file = backups[index]?.[1] ?? "";
          await settled(cluster);
          await run(cluster, 0, OURS, "wipedb", name);
          expect(contents(await run(cluster, 1, OURS, "catdb", name))).toEqual([]);
          const said = await run(cluster, 0, restorer, "restoredb", file);
          expect(said).toEndWith(`Database ${name} restored\n`);
          for (const pnn of cluster.pnns) {
            const shown = contents(await run(cluster, pnn, STOCK_CTDB, "cattdb", name));
            expect(shown).toEqual(dumps[0] as readonly string[]);
          }
        }
      }
    });
  },
  LIMIT_MS,
);

/** Many records at once, with the headers that the node itself writes. */
async function fill(path: string): Promise<void> {
  const script = `
import os, struct, sys, tdb
db = tdb.Tdb(sys.argv[1], 0, int(sys.argv[3], 0), os.O_RDWR)
for i in range(int(sys.argv[2])):
    db.store(b"key %d" % i, struct.pack("<QIIII", 1, 0, 0, 0x10000, 0) + b"value %d" % i * (i % 50 + 1))
db.close()
`;
  const flags = path.includes("/persistent/")
    ? "0"
    : path.includes("replicated")
      ? "0xc41"
      : "0x1c41";
  const child = Bun.spawn(["/usr/bin/python3", "-c", script, path, `${RECORDS}`, flags]);
  expect(await child.exited).toBe(0);
}
