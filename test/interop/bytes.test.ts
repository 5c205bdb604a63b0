/** Keys, values, names and files that are no UTF-8: the stock tool and ours, on our node and a stock one. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesText, textBytes } from "../../src/base/byte_text.ts";
import { DIST } from "../support/executables.ts";
import {
  STOCK_CTDB,
  stockInstalled,
  type TestCluster,
  withCluster,
} from "../support/local_cluster.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 180_000;
const OURS = join(DIST, "ctdb");
const TOOLS = [STOCK_CTDB, OURS] as const;

const text = (...bytes: number[]) => bytesText(Uint8Array.from(bytes));
const K_FF = text(0x6b, 0xff);
const K_FE = text(0x6b, 0xfe);
const MARK = text(0xef, 0xbb, 0xbf, 0x6d);
const VALUE = text(0xc3, 0x28, 0xed, 0xa0, 0x80);

async function outcome(
  cluster: TestCluster,
  pnn: number,
  argv: readonly string[],
  input?: string,
): Promise<{ code: number; stdout: string }> {
  const options = input === undefined ? {} : { input };
  const { code, stdout } = await cluster.run(pnn, argv, options);
  return { code, stdout };
}

async function dump(cluster: TestCluster, pnn: number, tool: string, command: string, db: string) {
  const { stdout, code } = await outcome(cluster, pnn, [tool, command, db]);
  expect(code).toBe(0);
  const records = stdout.split("\n\n").map((record) => {
    return record
      .split("\n")
      .filter((line) => /^(key|data)\(/.test(line))
      .join(" ");
  });
  // Deleted records are kept in the files for a while.
  const kept = (record: string) => !/^$|__db_sequence_number__|data\(0\)/.test(record);
  return records.filter(kept).sort();
}

/** Into a directory whose name is no UTF-8 either. */
function moveDatabases(base: string): void {
  const path = join(base, "ctdb.conf");
  const moved = readFileSync(path, "utf8").replace("/db/persistent", `/db/${text(0xe9)}`);
  writeFileSync(path, textBytes(moved));
  mkdirSync(Buffer.from(textBytes(`${base}/db/${text(0xe9)}`)));
}

interop(
  "records, databases and files have the same bytes with either tool on either node",
  async () => {
    await withCluster({ nodes: 2, stock: [1], startNothing: true }, async (cluster) => {
      moveDatabases(cluster.base(0));
      await cluster.start();
      const stored: Record<string, unknown>[] = [];
      for (const pnn of cluster.pnns) {
        for (const [index, tool] of TOOLS.entries()) {
          const database = `${text(0xe9, 0x30 + pnn, 0x30 + index)}.tdb`;
          stored.push(await persistentRecords(cluster, pnn, tool, database));
        }
      }
      const [first, ...others] = stored;
      expect(first).toMatchObject({
        fetched: { code: 0, stdout: `${VALUE}\n` },
        dumps: Array(8).fill(
          [
            'key(2) = "k\\FE" data(3) = "two"',
            `key(4) = "\\EF\\BB\\BFm" data(2) = "x\\80"`,
            'key(1) = "\\80" data(1) = "\\81"',
          ].sort(),
        ),
      });
      for (const other of others) expect(other).toEqual(first as Record<string, unknown>);
      await volatileRecords(cluster);
      await files(cluster);
      await unreadableInput(cluster, `${text(0xe9, 0x30, 0x30)}.tdb`);
    });
  },
  LIMIT_MS,
);

async function persistentRecords(
  cluster: TestCluster,
  pnn: number,
  tool: string,
  database: string,
): Promise<Record<string, unknown>> {
  const run = (...args: readonly string[]) => outcome(cluster, pnn, [tool, ...args]);
  const done = { code: 0, stdout: "" };
  expect(await run("attach", database, "persistent")).toEqual(done);
  expect(await run("pstore", database, K_FF, VALUE)).toEqual(done);
  expect(await run("pstore", database, K_FE, "two")).toEqual(done);
  const fetched = await run("pfetch", database, K_FF);
  expect(await run("pdelete", database, K_FF)).toEqual(done);
  const fromFile = `${cluster.local.directory.path}/${text(0xe9)}lines`;
  writeFileSync(Buffer.from(textBytes(fromFile)), textBytes(`"${MARK}" "x${text(0x80)}"\n`));
  expect(await run("ptrans", database, fromFile)).toEqual(done);
  const lines = `"${text(0x80)}" "${text(0x81)}"\n`;
  expect(await outcome(cluster, pnn, [tool, "ptrans", database], lines)).toEqual(done);
  const dumps = [];
  for (const reader of TOOLS) {
    for (const node of cluster.pnns) {
      for (const command of ["cattdb", "catdb"]) {
        dumps.push(await dump(cluster, node, reader, command, database));
      }
    }
  }
  return { fetched, dumps };
}

/** What one tool writes on one node the other reads on the other. */
async function volatileRecords(cluster: TestCluster): Promise<void> {
  const database = `${text(0xff)}volatile.tdb`;
  await outcome(cluster, 0, [OURS, "attach", database]);
  for (const [index, tool] of TOOLS.entries()) {
    const value = `${VALUE}${index}`;
    expect((await outcome(cluster, index, [tool, "writekey", database, K_FF, value])).code).toBe(0);
    for (const reader of TOOLS) {
      for (const node of cluster.pnns) {
        const read = await outcome(cluster, node, [reader, "readkey", database, K_FF]);
        expect(read.stdout).toBe(`Data: size:6 ptr:[${value}]\n`);
      }
    }
    expect((await outcome(cluster, index, [tool, "deletekey", database, K_FF])).code).toBe(0);
  }
}

/** A directory as standard input. */
async function unreadableInput(cluster: TestCluster, database: string): Promise<void> {
  const script = `exec ${OURS} ptrans '${database}' < /`;
  const { code, stderr } = await cluster.run(0, ["/bin/sh", "-c", script]);
  expect(stderr).toStartWith("Failed to read standard input: EISDIR");
  expect({ code, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 1, lines: 1 });
}

async function files(cluster: TestCluster): Promise<void> {
  const database = `${text(0xe9, 0x30, 0x30)}.tdb`;
  const directory = cluster.local.directory.path;
  for (const [index, tool] of TOOLS.entries()) {
    const path = `${directory}/${text(0x62, 0xe9, 0x30 + index)}`;
    const backup = await outcome(cluster, 0, [tool, "backupdb", database, path]);
    expect(backup).toEqual({ code: 0, stdout: `Database backed up to ${path}\n` });
    const shown = TOOLS.map((reader) => outcome(cluster, 0, [reader, "dumpdbbackup", path]));
    const [expected, got] = await Promise.all(shown);
    expect(expected?.stdout).toStartWith(`Dumping database ${database} from backup`);
    expect(got?.stdout.split("\n").sort()).toEqual(expected?.stdout.split("\n").sort() ?? []);
  }
  const path = `${directory}/${text(0x62, 0xe9, 0x30)}`;
  const restored = await outcome(cluster, 0, [OURS, "restoredb", path, `${text(0xfe)}.tdb`]);
  expect(restored.code).toBe(0);
  expect(restored.stdout).toEndWith(`Database ${text(0xfe)}.tdb restored\n`);
  const moved = await outcome(cluster, 0, [STOCK_CTDB, "getdbmap"]);
  expect(moved.stdout).toContain(
    `path:${cluster.base(0)}/db/${text(0xe9)}/${database}.0 PERSISTENT`,
  );
  const names = readdirSync(directory, { encoding: "buffer" }).map((name) => name.toString("hex"));
  expect(names.filter((name) => name.startsWith("62")).sort()).toEqual(["62e930", "62e931"]);
}
