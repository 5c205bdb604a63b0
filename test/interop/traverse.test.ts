/**
 * Traverses in a cluster of our nodes and a stock one: whoever asks sees every record once, with tools of
 * both kinds; empty records where they are asked for; and a traverse that nobody waits for any more, or
 * that meets a recovery, ends.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { u64 } from "../../src/base/u64.ts";
import { attachDatabase, traverseDatabase } from "../../src/client/database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { decodePadded, encode, textBytes } from "../../src/wire/codec.ts";
import { RECOVERY_ACTIVE } from "../../src/wire/constants.ts";
import { LTDB_HEADER_BYTES, ltdbHeader, recData } from "../../src/wire/structs/records.ts";
import { DIST } from "../support/executables.ts";
import {
  STOCK_CTDB,
  stockInstalled,
  type TestCluster,
  withCluster,
} from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { localFile } from "../support/records.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 240_000;
const NAME = "traversed.tdb";
const RECORDS = 10_000;
const EMPTY_RECORDS = 100;
const TIMEOUT_MS = 20_000;
const OURS = join(DIST, "ctdb");
const MIXED = { nodes: 3, stock: [2] };

/** Records into each node's file, with that node as data master, and older copies of others' records. */
async function fill(cluster: TestCluster, valueBytes = 100): Promise<number> {
  let id = 0;
  for (const pnn of cluster.pnns) {
    const client = await cluster.connect(pnn);
    const database = must(await attachDatabase(client, NAME, 0, TIMEOUT_MS));
    id = database.id;
    const tdb = localFile(database);
    const store = (key: string, dmaster: number, rsn: number, data: Uint8Array) => {
      const head = { rsn: u64(0, rsn), dmaster, reserved1: 0, flags: 0x10000 };
      must(tdb.storeParts(textBytes(key), encode(ltdbHeader, head), data));
    };
    for (let i = 0; i < RECORDS; i++) {
      const owner = i % 3;
      if (owner === pnn) store(`key ${i}`, pnn, 5, textBytes(`${i}`.padEnd(valueBytes, "x")));
      else if (i % 10 === 0) store(`key ${i}`, owner, 4, textBytes("old"));
    }
    for (let i = pnn; i < EMPTY_RECORDS; i += 3) store(`empty ${i}`, pnn, 5, new Uint8Array(0));
    tdb.close();
  }
  return id;
}

const EXPECTED = Array.from({ length: RECORDS }, (_, i) => `key ${i}`).sort();

function keysOf(dump: string): readonly string[] {
  return [...dump.matchAll(/^key\(\d+\) = "(.*)"$/gm)].map((match) => match[1] ?? "").sort();
}

interop(
  "catdb of either tool on either kind of node shows 10 000 records once, from all nodes",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      await fill(cluster);
      for (const pnn of cluster.pnns) {
        for (const tool of [STOCK_CTDB, OURS]) {
          const { stdout, stderr, code } = await cluster.run(pnn, [tool, "catdb", NAME]);
          expect({ pnn, tool, code, stderr }).toEqual({ pnn, tool, code: 0, stderr: "" });
          expect(stdout).toEndWith(`Dumped ${RECORDS} records\n`);
          expect(stdout).not.toContain('"old"');
          expect(keysOf(stdout)).toEqual(EXPECTED);
        }
      }
    });
  },
  LIMIT_MS,
);

/** What TRAVERSE_START or its EXT form shows; keys only. */
async function traverse(
  client: CtdbClient,
  id: number,
  form: "TRAVERSE_START" | "TRAVERSE_START_EXT",
  emptyRecords: boolean,
  low: number,
): Promise<{ keys: string[]; empty: string[] }> {
  const srvid = u64(0xbe000000, low);
  const keys: string[] = [];
  const empty: string[] = [];
  const ended = Promise.withResolvers<void>();
  const registered = must(
    await client.registerSrvid(srvid, (message) => {
      const record = must(named(decodePadded(recData, message)));
      if (record.key.length === 0) return ended.resolve();
      const key = Buffer.from(record.key).toString();
      (record.data.length === LTDB_HEADER_BYTES ? empty : keys).push(key);
    }),
  );
  const base = { db_id: id, reqid: low, srvid };
  must(
    form === "TRAVERSE_START"
      ? await client.control(form, base)
      : await client.control(form, { ...base, with_empty_records: emptyRecords }),
  );
  await ended.promise;
  registered.remove();
  return { keys: keys.sort(), empty: empty.sort() };
}

function named<T>(decoded: { ok: true; value: T } | { ok: false; error: string }) {
  return decoded.ok ? decoded : { ok: false as const, error: { reason: decoded.error } };
}

interop(
  "TRAVERSE_START_EXT shows empty records where it is told to, from all nodes",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      const id = await fill(cluster);
      const expected = Array.from({ length: EMPTY_RECORDS }, (_, i) => `empty ${i}`).sort();
      for (const pnn of cluster.pnns) {
        const client = await cluster.connect(pnn);
        const plain = await traverse(client, id, "TRAVERSE_START", false, 1);
        const without = await traverse(client, id, "TRAVERSE_START_EXT", false, 2);
        const all = await traverse(client, id, "TRAVERSE_START_EXT", true, 3);
        for (const { keys } of [plain, without, all]) expect(keys).toEqual(EXPECTED);
        expect([plain.empty, without.empty, all.empty]).toEqual([[], [], expected]);
      }
    });
  },
  LIMIT_MS,
);

interop(
  "a client that leaves in the middle of a traverse, and a recovery in the middle of another, harm nobody",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      const id = await fill(cluster, 2000);
      for (const pnn of cluster.pnns) {
        const leaving = await cluster.connect(pnn);
        const srvid = u64(0xbe000000, 9);
        const first = Promise.withResolvers<void>();
        must(await leaving.registerSrvid(srvid, () => first.resolve()));
        must(await leaving.control("TRAVERSE_START", { db_id: id, reqid: 9, srvid }));
        await first.promise;
        leaving.close();
      }
      for (const pnn of cluster.pnns) {
        const client = await cluster.connect(pnn);
        const { keys } = await traverse(client, id, "TRAVERSE_START", false, 1);
        expect(keys).toEqual(EXPECTED);
      }
      // Frozen databases hold a walk up; it goes on after the thaw, or ends with TraverseTimeout.
      for (const pnn of cluster.pnns) {
        const client = await cluster.connect(pnn);
        const walking = traverseDatabase(client, id, 77, TIMEOUT_MS, () => {});
        must(await client.control("SET_RECMODE", RECOVERY_ACTIVE));
        expect((await walking).ok).toBe(true);
        await cluster.waitReady();
      }
      for (const pnn of cluster.pnns) {
        const { stdout } = await cluster.run(pnn, [OURS, "catdb", NAME]);
        expect(keysOf(stdout)).toEqual(EXPECTED);
      }
    });
  },
  LIMIT_MS,
);

interop(
  "a client that does not read for a while gets every record, and the nodes keep little for it",
  async () => {
    await withCluster({ nodes: 3 }, async (cluster) => {
      const id = await fill(cluster, 25_000);
      const program = join(import.meta.dir, "slow_traverse_reader.ts");
      const before = memoryOf(cluster);
      const child = Bun.spawn(
        [process.execPath, "run", program, cluster.socket(0), `0x${id.toString(16)}`],
        { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
      );
      const reader = child.stdout.getReader();
      const word = async () => new TextDecoder().decode((await reader.read()).value).trim();
      expect(await word()).toBe("started");
      // It is stopped: nothing is read from its socket.
      const steady = await untilSteady(cluster);
      const grown = steady.map((bytes, pnn) => bytes - (before[pnn] ?? 0));
      for (const bytes of grown) expect(bytes).toBeLessThan(MEMORY_GROWTH_BYTES_MAX);
      child.stdin.write("go\n");
      child.stdin.end();
      expect(await word()).toBe(`${RECORDS}`);
      expect(await child.exited).toBe(0);
    });
  },
  LIMIT_MS,
);

/** All records together are 250 MB. */
const MEMORY_GROWTH_BYTES_MAX = 100_000_000;
const LOOK_MS = 250;
const LOOKS = 8;

/** Anonymous memory of each daemon: the mapped files are not what is looked for. */
function memoryOf(cluster: TestCluster): readonly number[] {
  return cluster.pnns.map((pnn) => {
    const pid = cluster.local.process(pnn).daemonPid();
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  });
}

/** The most that is seen until it has not grown for a while. */
async function untilSteady(cluster: TestCluster): Promise<readonly number[]> {
  let most = memoryOf(cluster);
  for (let quiet = 0; quiet < LOOKS; quiet++) {
    await Bun.sleep(LOOK_MS);
    const now = memoryOf(cluster);
    if (now.some((bytes, i) => bytes > (most[i] ?? 0) + 1_000_000)) quiet = 0;
    most = most.map((bytes, i) => Math.max(bytes, now[i] ?? 0));
  }
  return most;
}
