/**
 * Transactions from every node of a cluster at once: our library and Debian's tool on nodes of all kinds, one after the
 * other under the same g_lock; then what each node's file holds, read by python3-tdb. Throws with what was expected.
 */
import {
  openPersistentDatabase,
  type PersistentDatabase,
} from "../../../src/client/persistent_database.ts";
import { textBytes } from "../../../src/wire/codec.ts";
import { DB_FLAGS } from "../../../src/wire/constants.ts";
import { runCommand } from "../../support/command.ts";
import type { TestCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { lockEnvironment } from "../../support/tdbs.ts";
import { until, when } from "../../support/until.ts";

const TIMEOUT_MS = 60_000;

export interface TransactionKind {
  readonly name: string;
  readonly flags: number;
  readonly attachAs: string;
}

export interface TransactionCounts {
  /** By the library, from each node. */
  readonly increments: number;
  /** By Debian's tool, from each node. */
  readonly stores: number;
}

export const TRANSACTION_KINDS: readonly TransactionKind[] = [
  { name: "mixed_p.tdb", flags: DB_FLAGS.PERSISTENT, attachAs: "persistent" },
  { name: "mixed_r.tdb", flags: DB_FLAGS.REPLICATED, attachAs: "replicated" },
];

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
    if (one !== two) throw new Error(`expected equal counters, got "${one}" and "${two}"`);
    const next = textBytes(String(Number(one) + 1));
    const stored = await transaction.store(textBytes("one"), next, TIMEOUT_MS);
    return stored.ok ? await transaction.store(textBytes("two"), next, TIMEOUT_MS) : stored;
  });
  must(done, "increment in a transaction");
}

async function incrementOn(
  cluster: TestCluster,
  pnn: number,
  kind: TransactionKind,
  increments: number,
): Promise<void> {
  const client = await cluster.connect(pnn);
  const database = must(
    await openPersistentDatabase(client, lockEnvironment(), kind.name, kind.flags, TIMEOUT_MS),
  );
  for (let i = 0; i < increments; i++) await increment(database);
  database.close();
}

async function tool(cluster: TestCluster, pnn: number, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.stockCtdb(pnn, ...args);
  if (code === 0 && stderr === "") return stdout;
  throw new Error(`ctdb ${args.join(" ")} on node ${pnn}: ${stderr || `exit status ${code}`}`);
}

async function storeWithStockTool(
  cluster: TestCluster,
  pnn: number,
  name: string,
  stores: number,
): Promise<void> {
  for (let i = 0; i < stores; i++) await tool(cluster, pnn, "pstore", name, `tool-${pnn}`, `${i}`);
}

/** What python3-tdb finds in the file of a node. */
async function readWithPython(
  cluster: TestCluster,
  pnn: number,
  { name, attachAs }: TransactionKind,
): Promise<string> {
  const status = await tool(cluster, pnn, "getdbstatus", name);
  const file = /^path: (.*)$/m.exec(status)?.[1] ?? "";
  const flags = attachAs === "persistent" ? 0 : INCOMPATIBLE_HASH;
  const read = await runCommand(["/usr/bin/python3", "-c", READ_WITH_PYTHON, file, String(flags)]);
  if (read.stderr !== "") throw new Error(`python3-tdb reads "${file}": ${read.stderr}`);
  return read.stdout;
}

/** In a database of this kind that nobody has written in before. */
export async function transactEverywhere(
  cluster: TestCluster,
  kind: TransactionKind,
  { increments, stores }: TransactionCounts,
): Promise<void> {
  await tool(cluster, 0, "attach", kind.name, kind.attachAs);
  for (const pnn of cluster.pnns) {
    await until(`node ${pnn} knows ${kind.name}`, TIMEOUT_MS, async () =>
      when((await cluster.stockCtdb(pnn, "getdbstatus", kind.name)).code === 0),
    );
  }
  await Promise.all([
    ...cluster.pnns.map((pnn) => incrementOn(cluster, pnn, kind, increments)),
    ...cluster.pnns.map((pnn) => storeWithStockTool(cluster, pnn, kind.name, stores)),
  ]);
  const hex = (text: string) => Buffer.from(text).toString("hex");
  const total = hex(String(increments * cluster.pnns.length));
  const last = hex(String(stores - 1));
  const lines = [
    `one ${total}`,
    ...cluster.pnns.map((pnn) => `tool-${pnn} ${last}`),
    `two ${total}`,
  ];
  let first: string | undefined;
  for (const pnn of cluster.pnns) {
    const found = await readWithPython(cluster, pnn, kind);
    const missing = lines.filter((line) => !found.split("\n").includes(line));
    first ??= found;
    if (missing.length === 0 && found === first) continue;
    throw new Error(`"${kind.name}" of node ${pnn}: expected ${lines.join(", ")}, got ${found}`);
  }
}
