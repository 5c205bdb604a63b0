/**
 * What nobody should write into databases, or do to them, against live nodes: the nodes go on serving, and
 * what was good stays as it was.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jenkinsHash } from "../../src/base/jenkins_hash.ts";
import { u64 } from "../../src/base/u64.ts";
import { attachDatabase } from "../../src/client/database.ts";
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { type Codec, EMPTY, encode, textBytes } from "../../src/wire/codec.ts";
import { CALL_FLAGS, NULL_FUNC } from "../../src/wire/constants.ts";
import { CONTROLS, type ControlName, type ControlRequestOf } from "../../src/wire/controls.ts";
import { newPacket, OPERATIONS } from "../../src/wire/packet.ts";
import { REQ_CALL_AT, REQ_CONTROL_AT } from "../../src/wire/packets/layouts.ts";
import { ltdbHeader } from "../../src/wire/structs/records.ts";
import {
  STOCK_CTDB,
  stockInstalled,
  type TestCluster,
  withCluster,
} from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { RawClient } from "../support/raw_client.ts";
import { fetchRecord, localFile, openRecords, storeRecord } from "../support/records.ts";
import { until, when } from "../support/until.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 240_000;
const TIMEOUT_MS = 30_000;

/** A stock node of 4.17 aborts when it meets a key of 1 MiB; in its own cluster, too. */
const LARGE_KEY = { key: new Uint8Array(1024 * 1024).fill(8), value: textBytes("large key") };
const LARGE = [
  { key: textBytes("large value"), value: new Uint8Array(64 * 1024 * 1024).fill(7) },
  { key: EMPTY, value: textBytes("no key") },
  { key: new Uint8Array([0]), value: textBytes("zero") },
];

for (const [stock, cases, where] of [
  [[], [...LARGE, LARGE_KEY], "our nodes"],
  [[2], LARGE, "our nodes and a stock one"],
] as const) {
  interop(
    `large records and empty keys move between ${where}, and survive a recovery`,
    async () => {
      await withCluster({ nodes: 3, stock }, async (cluster) => {
        const databases: RecordDatabase[] = [];
        for (const pnn of cluster.pnns) {
          databases.push(await openRecords(await cluster.connect(pnn), "large.tdb"));
        }
        for (const { key, value } of cases) {
          await storeRecord(databases[0] as RecordDatabase, key, value);
          for (const pnn of [1, 2, 0, 2, 1]) {
            const got = await fetchRecord(databases[pnn] as RecordDatabase, key);
            expect({ pnn, same: Buffer.compare(got, value) === 0 }).toEqual({ pnn, same: true });
          }
        }
        expect((await cluster.stockCtdb(0, "recover")).code).toBe(0);
        await cluster.waitReady();
        for (const { key, value } of cases) {
          for (const database of databases) {
            expect(Buffer.compare(await fetchRecord(database, key), value)).toBe(0);
          }
        }
        for (const database of databases) database.close();
      });
    },
    LIMIT_MS,
  );
}

/** Straight into a node's file, whatever it is. */
async function plant(
  cluster: TestCluster,
  pnn: number,
  name: string,
  records: readonly (readonly [string, Uint8Array])[],
): Promise<number> {
  const client = await cluster.connect(pnn);
  const database = must(await attachDatabase(client, name, 0, TIMEOUT_MS));
  const tdb = localFile(database);
  for (const [key, value] of records) must(tdb.store(textBytes(key), value));
  tdb.close();
  return database.id;
}

function header(dmaster: number): Uint8Array {
  return encode(ltdbHeader, { rsn: u64(0, 5), dmaster, reserved1: 0, flags: 0 });
}

interop(
  "short and header-only records are shown by nobody, and survive no recovery",
  async () => {
    await withCluster({ nodes: 3 }, async (cluster) => {
      const name = "short.tdb";
      const good = new Uint8Array([...header(0), ...textBytes("good")]);
      for (const pnn of cluster.pnns) {
        await plant(cluster, pnn, name, [
          ["nothing", EMPTY],
          ["one byte", new Uint8Array([1])],
          ["nearly", new Uint8Array(23)],
          ["header only", header(pnn)],
          ["nobody's", new Uint8Array([...header(99), ...textBytes("data")])],
          ...(pnn === 0 ? ([["good", good]] as const) : []),
        ]);
      }
      const check = async () => {
        for (const tool of ["ours", "stock"] as const) {
          const shown =
            tool === "ours"
              ? await cluster.ctdb(1, "catdb", name)
              : await cluster.stockCtdb(1, "catdb", name);
          expect(shown.stdout.match(/^key\(.*$/gm)).toEqual(['key(4) = "good"']);
          expect(shown.code).toBe(0);
        }
      };
      await check();
      const local = await cluster.ctdb(0, "cattdb", name);
      expect(local.code).toBe(0);
      expect(local.stdout).toContain('key(4) = "good"');
      expect(local.stdout).not.toContain('"nearly"');
      const backup = cluster.local.directory.path.concat("/short.backup");
      expect((await cluster.ctdb(0, "backupdb", name, backup)).code).toBe(0);
      for (const key of ["nothing", "one byte", "nearly", "header only"]) {
        const read = await cluster.ctdb(2, "readkey", name, key);
        expect({ key, ...read }).toEqual({
          key,
          code: 0,
          stdout: "Data: size:0 ptr:[]\n",
          stderr: "",
        });
      }
      expect((await cluster.stockCtdb(0, "recover")).code).toBe(0);
      await cluster.waitReady();
      for (const pnn of cluster.pnns) {
        const value = await cluster.ctdb(pnn, "readkey", name, "good");
        expect(value.stdout).toBe("Data: size:4 ptr:[good]\n");
      }
      for (const pnn of cluster.pnns) {
        const { stdout } = await cluster.stockCtdb(pnn, "cattdb", name);
        expect(stdout).toContain('key(4) = "good"');
        expect(stdout).not.toContain("nearly");
      }
    });
  },
  LIMIT_MS,
);

interop(
  "a file with foreign content is put aside or refused, and harms no other database",
  async () => {
    await withCluster({ nodes: 2 }, async (cluster) => {
      const contents: readonly (readonly [string, Uint8Array])[] = [
        ["text.tdb", textBytes("This is no database.\n".repeat(100))],
        ["random.tdb", crypto.getRandomValues(new Uint8Array(20_000))],
        ["header.tdb", textBytes("TDB file\n".padEnd(32, "\0"))],
        ["empty.tdb", EMPTY],
      ];
      const file = (kind: string, name: string) =>
        join(cluster.base(0), "db", kind, `${kind}_${name}.0`);
      for (const [name] of contents) {
        const database = `persistent_${name}`;
        expect((await cluster.stockCtdb(0, "attach", database, "persistent")).code).toBe(0);
      }
      await plantPersistent(cluster, 1, "persistent_text.tdb", "kept", "by node 1");
      await cluster.stop(0);
      for (const kind of ["volatile", "persistent"]) {
        for (const [name, bytes] of contents) writeFileSync(file(kind, name), bytes);
      }
      await cluster.start(0);
      await cluster.waitReady();
      for (const [name] of contents) {
        const attached = await cluster.ctdb(0, "attach", `volatile_${name}`);
        if (name === "empty.tdb") expect(attached.code).toBe(0);
        expect((await cluster.stockCtdb(0, "ping")).code).toBe(0);
        // Healthy again, with what the other node had.
        const { stdout } = await cluster.stockCtdb(0, "getdbstatus", `persistent_${name}`);
        expect(stdout).toContain("HEALTH: OK");
      }
      const kept = await cluster.ctdb(0, "cattdb", "persistent_text.tdb");
      expect(kept.stdout).toContain('data(9) = "by node 1"');
      expect((await cluster.ctdb(0, "attach", "good.tdb")).code).toBe(0);
      expect((await cluster.ctdb(0, "writekey", "good.tdb", "a", "b")).code).toBe(0);
      expect((await cluster.ctdb(1, "readkey", "good.tdb", "a")).stdout).toContain("[b]");
    });
  },
  LIMIT_MS,
);

/** A record of a persistent database in one node's file, newer than the other nodes' nothing. */
async function plantPersistent(
  cluster: TestCluster,
  pnn: number,
  name: string,
  key: string,
  value: string,
): Promise<void> {
  const path = join(cluster.base(pnn), "db", "persistent", `${name}.${pnn}`);
  const sequence = Buffer.from("__db_sequence_number__\0").toString("hex");
  for (const [where, what] of [
    [key, value],
    [`0x${sequence}`, "0x0700000000000000"],
  ] as const) {
    expect((await cluster.ctdb(pnn, "tstore", path, where, what, "5", `${pnn}`)).code).toBe(0);
  }
}

/** Two names with the same Jenkins hash, NUL included: the ids of databases. */
function namesAlike(): readonly [string, string] {
  const names = new Map<number, string>();
  for (let i = 0; ; i++) {
    const name = `alike${i}.tdb`;
    const id = jenkinsHash(textBytes(`${name}\0`));
    const other = names.get(id);
    if (other !== undefined) return [other, name];
    names.set(id, name);
  }
}

interop(
  "of two databases whose names hash alike the second is refused, by us as by a stock node",
  async () => {
    const [first, second] = namesAlike();
    for (const stock of [[], [0, 1]]) {
      await withCluster({ nodes: 2, stock }, async (cluster) => {
        for (const args of [
          ["attach", first],
          ["writekey", first, "key", "value"],
        ]) {
          expect((await cluster.stockCtdb(0, ...args)).code).toBe(0);
        }
        for (const pnn of cluster.pnns) {
          expect((await cluster.stockCtdb(pnn, "attach", second)).code).not.toBe(0);
          const { stdout } = await cluster.stockCtdb(pnn, "readkey", first, "key");
          expect(stdout).toBe("Data: size:5 ptr:[value]\n");
          expect((await cluster.stockCtdb(pnn, "getdbmap")).stdout).not.toContain(second);
        }
      });
    }
  },
  LIMIT_MS,
);

function controlPacket<N extends ControlName>(name: N, request: ControlRequestOf<N>): Uint8Array {
  const codec = CONTROLS[name].request as Codec<ControlRequestOf<N>>;
  const data = request === undefined ? EMPTY : encode(codec, request);
  const fields = { generation: 0, operation: OPERATIONS.REQ_CONTROL, destnode: 0, srcnode: 0 };
  const packet = newPacket({ ...fields, reqid: 1 }, REQ_CONTROL_AT.DATA + data.length);
  packet.setU32(REQ_CONTROL_AT.OPCODE, CONTROLS[name].opcode);
  packet.setU32(REQ_CONTROL_AT.DATA_LENGTH, data.length);
  packet.set(REQ_CONTROL_AT.DATA, data);
  return packet.bytes();
}

function callPacket(dbId: number, key: Uint8Array, flags: number): Uint8Array {
  const fields = { generation: 0, operation: OPERATIONS.REQ_CALL, destnode: 0, srcnode: 0 };
  const packet = newPacket({ ...fields, reqid: 1 }, REQ_CALL_AT.KEY + key.length);
  packet.setU32(REQ_CALL_AT.FLAGS, flags);
  packet.setU32(REQ_CALL_AT.DB_ID, dbId);
  packet.setU32(REQ_CALL_AT.CALLID, NULL_FUNC);
  packet.setU32(REQ_CALL_AT.KEY_LENGTH, key.length);
  packet.set(REQ_CALL_AT.KEY, key);
  return packet.bytes();
}

interop(
  "a client that dies in the middle of any operation leaves nothing behind that waits",
  async () => {
    await withCluster({ nodes: 3 }, async (cluster) => {
      const name = "dying.tdb";
      const client = await cluster.connect(0);
      const other = await openRecords(await cluster.connect(1), name);
      const local = await openRecords(client, name);
      const id = local.database.id;
      const before = must(await client.control("STATISTICS", undefined)).data.num_clients;
      const held = textBytes("held elsewhere");
      const srvid = u64(0xae000000, 0x77);
      const stream = { db_id: id, lmaster: 0, srvid };
      const requests: readonly Uint8Array[] = [
        callPacket(id, held, CALL_FLAGS.IMMEDIATE_MIGRATION),
        callPacket(id, held, 0),
        callPacket(id, textBytes("new"), CALL_FLAGS.IMMEDIATE_MIGRATION),
        controlPacket("TRAVERSE_START", { db_id: id, reqid: 1, srvid }),
        controlPacket("TRAVERSE_START_EXT", {
          db_id: id,
          reqid: 2,
          srvid,
          with_empty_records: true,
        }),
        controlPacket("DB_ATTACH", "attached_by_the_dying.tdb"),
        controlPacket("DB_ATTACH_PERSISTENT", "kept_by_the_dying.tdb"),
        controlPacket("DB_ATTACH_REPLICATED", "replicated_by_the_dying.tdb"),
        controlPacket("DB_PULL", stream),
        controlPacket("DB_PUSH_START", stream),
        controlPacket("DB_PUSH_CONFIRM", id),
        controlPacket("GET_DB_SEQNUM", { db_id: id }),
        controlPacket("REGISTER_NOTIFY", { srvid, data: held }),
        controlPacket("REGISTER_SRVID", undefined),
        controlPacket("TUNNEL_REGISTER", undefined),
        controlPacket("DUMP_MEMORY", undefined),
        controlPacket("GET_STAT_HISTORY", undefined),
        controlPacket("SCHEDULE_FOR_DELETION", {
          db_id: id,
          header: { rsn: u64(0, 1), dmaster: 0, reserved1: 0, flags: 0 },
          key: held,
        }),
      ];
      // A record that is locked on the other node: calls for it wait there.
      const record = must(await other.fetchLock(held, { timeoutMs: TIMEOUT_MS }));
      for (const bytes of requests) {
        for (const length of [bytes.length, bytes.length - 1, 5]) {
          const dying = await RawClient.connect(cluster.socket(0));
          dying.send(bytes.slice(0, length));
          await untilSent();
          dying.close();
        }
      }
      must(await record.store(textBytes("value"), TIMEOUT_MS));
      record.release();
      const gauges = async () => must(await client.control("STATISTICS", undefined)).data;
      await until("the clients and their calls are forgotten", TIMEOUT_MS, async () => {
        const { num_clients, pending_calls } = await gauges();
        return when(num_clients <= before && pending_calls === 0);
      });
      expect(Buffer.from(await fetchRecord(local, held)).toString()).toBe("value");
      await storeRecord(local, textBytes("after"), textBytes("all"));
      expect(Buffer.from(await fetchRecord(other, textBytes("after"))).toString()).toBe("all");
      const shown = await cluster.run(2, [STOCK_CTDB, "catdb", name]);
      expect(shown.stdout).toContain("Dumped 2 records");
      expect((await cluster.stockCtdb(0, "recover")).code).toBe(0);
      await cluster.waitReady();
      expect(Buffer.from(await fetchRecord(other, held)).toString()).toBe("value");
      other.close();
      local.close();
    });
  },
  LIMIT_MS,
);

/** What was written has left this process. */
function untilSent(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
