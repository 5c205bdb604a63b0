/**
 * Transactions in a cluster of our nodes and Debian's: our library and the stock tool on nodes of both
 * kinds, one after the other under the same g_lock, and the files that python3-tdb reads afterwards.
 */
import { expect, test } from "bun:test";
import {
  openPersistentDatabase,
  type PersistentDatabase,
} from "../../../src/client/persistent_database.ts";
import { textBytes } from "../../../src/wire/codec.ts";
import { DB_FLAGS } from "../../../src/wire/constants.ts";
import { runCommand } from "../../support/command.ts";
import { stockInstalled, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { lockEnvironment } from "../../support/tdbs.ts";

const interop = test.skipIf(!stockInstalled());
const TIMEOUT_MS = 60_000;
const INCREMENTS = 25;
const STOCK_STORES = 8;
const KINDS = [
  { name: "mixed_p.tdb", flags: DB_FLAGS.PERSISTENT, attachAs: "persistent" },
  { name: "mixed_r.tdb", flags: DB_FLAGS.REPLICATED, attachAs: "replicated" },
] as const;

const READ_WITH_PYTHON = `
import sys, os, tdb
db = tdb.open(sys.argv[1], 0, int(sys.argv[2]), os.O_RDONLY)
for key in sorted(db.keys()):
    value = db.get(key)
    if len(value) > 24: print(key.decode().replace(chr(0), ""), value[24:].hex())
`;
const INCOMPATIBLE_HASH = 2048;

/** Adds one to both keys, which are always equal. */
async function increment(database: PersistentDatabase): Promise<void> {
  const done = await database.transact(TIMEOUT_MS, async (transaction) => {
    const first = await transaction.fetch(textBytes("one"), TIMEOUT_MS);
    const second = await transaction.fetch(textBytes("two"), TIMEOUT_MS);
    if (!first.ok) return first;
    if (!second.ok) return second;
    const [one, two] = [first.value, second.value].map((data) => Buffer.from(data).toString());
    expect(one).toBe(two as string);
    const next = textBytes(String(Number(one) + 1));
    const stored = await transaction.store(textBytes("one"), next, TIMEOUT_MS);
    return stored.ok ? await transaction.store(textBytes("two"), next, TIMEOUT_MS) : stored;
  });
  must(done);
}

async function incrementOn(cluster: TestCluster, pnn: number, kind: (typeof KINDS)[number]) {
  const client = await cluster.connect(pnn);
  const database = must(
    await openPersistentDatabase(client, lockEnvironment(), kind.name, kind.flags, TIMEOUT_MS),
  );
  for (let i = 0; i < INCREMENTS; i++) await increment(database);
  database.close();
}

async function storeWithStockTool(cluster: TestCluster, pnn: number, name: string): Promise<void> {
  for (let i = 0; i < STOCK_STORES; i++) {
    const stored = await cluster.stockCtdb(pnn, "pstore", name, `tool-${pnn}`, `${i}`);
    expect([stored.stderr, stored.code]).toEqual(["", 0]);
  }
}

/** The node was told of the attach, and has done it. */
async function knows(cluster: TestCluster, pnn: number, name: string): Promise<void> {
  const endMs = performance.now() + TIMEOUT_MS;
  while ((await cluster.stockCtdb(pnn, "getdbstatus", name)).code !== 0) {
    if (performance.now() > endMs) throw new Error(`node ${pnn} does not know ${name}`);
  }
}

/** What python3-tdb finds in the file of a node. */
async function readWithPython(cluster: TestCluster, pnn: number, name: string): Promise<string> {
  const path = (await cluster.stockCtdb(pnn, "getdbstatus", name)).stdout;
  const file = /^path: (.*)$/m.exec(path)?.[1] ?? "";
  const flags = name === "mixed_p.tdb" ? 0 : INCOMPATIBLE_HASH;
  const read = await runCommand(["/usr/bin/python3", "-c", READ_WITH_PYTHON, file, String(flags)]);
  expect(read.stderr).toBe("");
  return read.stdout;
}

for (const stock of [[2], [0, 1]]) {
  interop(
    `transactions from everywhere with Debian's ctdbd on ${stock.length} of three nodes`,
    () =>
      withCluster({ nodes: 3, stock }, async (cluster) => {
        for (const kind of KINDS) {
          const attached = await cluster.stockCtdb(0, "attach", kind.name, kind.attachAs);
          expect(attached.code).toBe(0);
          for (const pnn of cluster.pnns) await knows(cluster, pnn, kind.name);
          await Promise.all([
            ...cluster.pnns.map((pnn) => incrementOn(cluster, pnn, kind)),
            ...cluster.pnns.map((pnn) => storeWithStockTool(cluster, pnn, kind.name)),
          ]);
          const total = INCREMENTS * cluster.pnns.length;
          const seen = await Promise.all(
            cluster.pnns.map((pnn) => readWithPython(cluster, pnn, kind.name)),
          );
          const hex = (text: string) => Buffer.from(text).toString("hex");
          const [first = ""] = seen;
          expect(seen).toEqual(seen.map(() => first));
          expect(first).toContain(`one ${hex(String(total))}\ntool-0 ${hex("7")}\n`);
          expect(first).toContain(`two ${hex(String(total))}\n`);
        }
      }),
    240_000,
  );
}
