/**
 * A node whose ctdbd, recovery daemon and helpers run under Deno, in one cluster with a node of the compiled
 * executable and one of Debian's: a member, a leader, killed, back again, ended in order. Its tool prints what the
 * executable's prints.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync } from "node:fs";
import { join } from "node:path";
import { attachDatabase } from "../../src/client/database.ts";
import { openPersistentDatabase } from "../../src/client/persistent_database.ts";
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { bytesText, textBytes } from "../../src/wire/codec.ts";
import { runCommand } from "../support/command.ts";
import { type DenoCluster, withDenoCluster } from "../support/deno_cluster.ts";
import { stockInstalled } from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { lockEnvironment } from "../support/tdbs.ts";
import { until, when, within } from "../support/until.ts";
import { checkKept, checkVolatile, fillKept, fillVolatile } from "./mixed/contents.ts";
import { copiesAreLentAndTakenBack } from "./mixed/copies.ts";
import { MixedCluster, PERSISTENT, REPLICATED } from "./mixed/mixed_cluster.ts";
import { step } from "./mixed/steps.ts";
import { countTogether, messageRing, recordsGoEverywhere, withDatabases } from "./mixed/traffic.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 420_000;
const WAIT_MS = 60_000;

const [BUN, DENO, STOCK] = [0, 1, 2];
const STOCK_LOCK_HELPER = "/usr/libexec/ctdb/ctdb_lock_helper";
const STOCK_MUTEX_HELPER = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper";
const CTDBD = "ctdbd";
const RECOVERD = "ctdb-recoverd";
const MUTEX_HELPER = "ctdb_mutex_fcntl_helper";
const RECOVERY_HELPER = "ctdb_recovery_helper";

/**
 * A record of the Deno node is locked by another process, so that the node waits for it on a thread: it comes to
 * the others when that process ends.
 */
async function waitsForALockedChain(mixed: MixedCluster): Promise<void> {
  const name = "deno_locked.tdb";
  await withDatabases(mixed, name, mixed.pnns, async (databases) => {
    for (const pnn of [BUN, STOCK]) {
      const key = `wanted by ${pnn}`;
      const at = (node: number) => databases.get(node) as RecordDatabase;
      await mixed.update(at(DENO), key, () => "first");
      const client = await mixed.client(DENO);
      const { path, openFlags } = must(await attachDatabase(client, name, 0, WAIT_MS));
      const hex = Buffer.from(textBytes(key)).toString("hex");
      const words = [`${process.pid}`, "1", "RECORD", path, `${openFlags}`, hex];
      const holder = Bun.spawn([STOCK_LOCK_HELPER, ...words], {
        env: { ...process.env, CTDB_NOSETSCHED: "1" },
        stdout: "pipe",
        stderr: "inherit",
      });
      try {
        const first = await within(
          "the chain is locked",
          WAIT_MS,
          holder.stdout.getReader().read(),
        );
        expect(first.value?.[0]).toBe(0);
        const wanted = mixed.update(at(pnn), key, (value) => `${value} second`);
        const current = async () =>
          must(await client.control("STATISTICS", undefined)).data.locks.num_current;
        await until("the Deno node waits for the lock", WAIT_MS, async () =>
          when((await current()) > 0),
        );
        holder.kill("SIGTERM");
        expect(await wanted).toBe("first second");
        expect(await current()).toBe(0);
      } finally {
        holder.kill("SIGKILL");
        await holder.exited;
      }
      for (const node of mixed.pnns) expect(await mixed.read(at(node), key)).toBe("first second");
    }
  });
}

const TRANSACTED = [
  { name: "deno_persistent.tdb", flags: PERSISTENT },
  { name: "deno_replicated.tdb", flags: REPLICATED },
] as const;
const INCREMENTS = 10;

/** A transaction of clients on all nodes at once; every node's file has their sum. */
async function transactionsFromEverywhere(mixed: MixedCluster, total: number): Promise<void> {
  for (const { name, flags } of TRANSACTED) {
    for (const pnn of mixed.pnns) {
      must(await attachDatabase(await mixed.client(pnn), name, flags, WAIT_MS));
    }
    await Promise.all(
      mixed.pnns.map(async (pnn) => {
        const client = await mixed.cluster.connect(pnn);
        const environment = lockEnvironment();
        const opening = openPersistentDatabase(client, environment, name, flags, WAIT_MS);
        const database = must(await opening, `open "${name}" on node ${pnn}`);
        for (let i = 0; i < INCREMENTS; i++) {
          const done = await database.transact(WAIT_MS, async (transaction) => {
            const found = await transaction.fetch(textBytes("sum"), WAIT_MS);
            if (!found.ok) return found;
            const next = textBytes(String(Number(bytesText(found.value)) + 1));
            return await transaction.store(textBytes("sum"), next, WAIT_MS);
          });
          must(done, `transaction on node ${pnn}`);
        }
        database.close();
      }),
    );
    const writers = mixed.pnns.filter((pnn) => pnn !== STOCK);
    for (const pnn of mixed.pnns) {
      const stored = await mixed.cluster.stockCtdb(pnn, "pstore", name, `tool-${pnn}`, `${total}`);
      expect([stored.stderr, stored.code]).toEqual(["", 0]);
    }
    for (const pnn of writers) {
      const read = await mixed.cluster.stockCtdb(pnn, "pfetch", name, `tool-${STOCK}`);
      expect(read.stdout).toContain(`${total}`);
    }
  }
  await checkTransacted(mixed, mixed.pnns, total);
}

async function checkTransacted(
  mixed: MixedCluster,
  pnns: readonly number[],
  total: number,
): Promise<void> {
  for (const { name, flags } of TRANSACTED) {
    for (const pnn of pnns) {
      const records = await mixed.localRecords(pnn, name, flags);
      expect({ pnn, name, sum: records.get("sum")?.value }).toEqual({ pnn, name, sum: `${total}` });
      for (const writer of mixed.pnns)
        expect(records.get(`tool-${writer}`)?.value).toBe(`${total}`);
    }
  }
}

/** The recovery helper runs under Deno, as does what holds the cluster lock, which Debian's helper finds held. */
async function leads(mixed: MixedCluster, cluster: DenoCluster): Promise<void> {
  await step("the Deno node becomes leader", () => mixed.moveLeader(DENO));
  await step("a recovery by its helper", async () => {
    const helper = until("its recovery helper runs under Deno", WAIT_MS, () =>
      when(cluster.pidsOf(RECOVERY_HELPER).length > 0),
    );
    await Promise.all([helper, mixed.recover()]);
  });
  expect(await mixed.leaders()).toEqual(mixed.pnns.map(() => String(DENO)));
  await step("its helper holds the cluster lock", async () => {
    await until("its mutex helper runs under Deno", WAIT_MS, () =>
      when(cluster.pidsOf(MUTEX_HELPER).length > 0),
    );
    // Nor has it more of the recovery daemon's descriptors than it was given.
    const [recoverd, helper] = [RECOVERD, MUTEX_HELPER].map((role) => cluster.pidsOf(role)[0] ?? 0);
    const pipes = [0, 1, 2].map((descriptor) => readlinkSync(`/proc/${recoverd}/fd/${descriptor}`));
    expect(pipes.every((path) => path.startsWith("pipe:"))).toBe(true);
    expect(openFiles(helper ?? 0).filter((path) => pipes.includes(path))).toEqual([]);
    const { lockFile } = cluster.local.directory;
    expect(await runCommand([STOCK_MUTEX_HELPER, lockFile])).toMatchObject({ stdout: "1" });
  });
}

/** Open files of a process. */
function openFiles(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(join(directory, name))];
    } catch {
      return [];
    }
  });
}

/** SIGHUP to ctdbd, and through it to the recovery daemon. */
async function reopensItsLog(cluster: DenoCluster): Promise<void> {
  const log = cluster.local.directory.log(DENO);
  const old = `${log}.1`;
  const pids = [CTDBD, RECOVERD].flatMap((role) => cluster.pidsOf(role));
  expect(pids.length).toBe(2);
  renameSync(log, old);
  cluster.signal(cluster.denoPid() as number, "SIGHUP");
  await until(
    "ctdbd and the recovery daemon have the new file open and the old one no more",
    WAIT_MS,
    () => {
      const all = pids.map(openFiles);
      return when(all.every((files) => files.includes(log) && !files.includes(old)));
    },
    () => pids.map((pid) => openFiles(pid).filter((path) => path.startsWith(log))).join("; "),
  );
  expect(readFileSync(old, "utf8")).not.toBe("");
}

/** The tool under Deno prints what the executable's tool prints; each restores what the other has backed up. */
async function toolsPrintTheSame(mixed: MixedCluster, cluster: DenoCluster): Promise<void> {
  for (const line of [
    "status",
    "-X status",
    "nodestatus all",
    "getdbmap",
    "-Y getdbmap",
    "getdbstatus deno_persistent.tdb",
    "listnodes",
    "listvars",
    "leader",
    "pfetch deno_persistent.tdb sum",
    "readkey mixed_everywhere.tdb library-0",
    "frobnicate",
    "pfetch absent.tdb sum",
  ]) {
    const args = line.split(" ");
    for (const pnn of [DENO, STOCK]) {
      const expected = await cluster.ctdb(pnn, ...args);
      expect({ line, ...(await cluster.denoCtdb(pnn, ...args)) }).toEqual({ line, ...expected });
      expect(expected.stdout + expected.stderr).not.toBe("");
    }
  }
  await backUpAndRestore(mixed, cluster);
}

async function backUpAndRestore(mixed: MixedCluster, cluster: DenoCluster): Promise<void> {
  const name = "deno_backup.tdb";
  const records = Array.from({ length: 300 }, (_, i) => [`key ${i}`, "v".repeat(i)] as const);
  const tools = {
    executable: (...args: readonly string[]) => cluster.ctdb(DENO, ...args),
    deno: (...args: readonly string[]) => cluster.denoCtdb(DENO, ...args),
  };
  for (const [saves, restores] of [
    ["deno", "executable"],
    ["executable", "deno"],
  ] as const) {
    const file = join(cluster.local.directory.path, `by-${saves}`);
    await withDatabases(mixed, name, mixed.pnns, async (databases) => {
      const at = (pnn: number) => databases.get(pnn) as RecordDatabase;
      // A backup is of the node's own file.
      for (const [key, value] of records) await mixed.update(at(DENO), key, () => value);
      const saved = await tools[saves]("backupdb", name, file);
      expect([saved.stderr, saved.code]).toEqual(["", 0]);
      for (const [i, [key]] of records.entries()) {
        await mixed.update(at(i % mixed.pnns.length), key, () => "overwritten");
      }
      const restored = await tools[restores]("restoredb", file);
      expect([restored.stderr, restored.code]).toEqual(["", 0]);
      for (const [i, [key, value]] of records.entries()) {
        expect(await mixed.read(at(i % mixed.pnns.length), key)).toBe(value);
      }
    });
  }
}

interop(
  "a node under Deno is a healthy member beside one of the executable and one of Debian's",
  () =>
    withDenoCluster(DENO, { nodes: 3, stock: [STOCK], lock: "file" }, async (cluster) => {
      const mixed = new MixedCluster(cluster);
      const { pnns } = mixed;
      const perRound = INCREMENTS * pnns.length;
      await step("start, in the background", () => mixed.start(...pnns));
      await step("all settle", () => mixed.settled(pnns));
      expect(cluster.denoPid()).toBeNumber();
      expect(cluster.pidsOf(RECOVERD).length).toBe(1);
      await step("records everywhere", () => recordsGoEverywhere(mixed, pnns, "first"));
      await step("one counter", () => countTogether(mixed, pnns));
      await step("message ring", () => messageRing(mixed, pnns));
      await step("copies", () => copiesAreLentAndTakenBack(mixed));
      await step("a locked chain", () => waitsForALockedChain(mixed));
      await step("transactions", () => transactionsFromEverywhere(mixed, perRound));
      await step("kept databases", () => fillKept(mixed));
      await step("10 000 records", () => fillVolatile(mixed));

      await leads(mixed, cluster);
      const everything = async (where: readonly number[], total: number) => {
        await checkVolatile(mixed, where);
        await checkKept(mixed, where);
        await checkTransacted(mixed, where, total);
      };
      await step("contents after its recovery", () => everything(pnns, perRound));
      await step("SIGHUP", () => reopensItsLog(cluster));
      await step("the tool", () => toolsPrintTheSame(mixed, cluster));

      const others = mixed.others(DENO);
      await step("kill it", () => cluster.kill(DENO));
      await step("its children end by themselves", () => cluster.allGone());
      await step("survivors recover", () => mixed.settled(others));
      await step("contents on survivors", () => everything(others, perRound));
      const { exitStatus } = cluster.startInForeground();
      await step("it comes back, in the foreground", () => mixed.settled(pnns));
      await step("records everywhere", () => recordsGoEverywhere(mixed, pnns, "back"));
      await step("transactions", () => transactionsFromEverywhere(mixed, 2 * perRound));
      await step("kept databases", () => checkKept(mixed, pnns));

      await step("SIGTERM ends it", async () => {
        cluster.signal(cluster.denoPid() as number, "SIGTERM");
        expect(await within("it has ended", WAIT_MS, exitStatus)).toBe(0);
        await cluster.allGone();
        expect(existsSync(cluster.local.directory.pidFile(DENO))).toBe(false);
        expect(existsSync(cluster.socket(DENO))).toBe(false);
        await mixed.settled(others);
      });
    }),
  LIMIT_MS,
);
