/**
 * Registrations, tunnels, freezes and statistics: our nodes and a stock one side by side, and between each
 * other.
 */
import { expect, test } from "bun:test";
import { type U64, u64 } from "../../src/base/u64.ts";
import { type ConnectedClient, TUNNEL_FLAGS } from "../../src/client/ctdb_client.ts";
import { attachDatabase } from "../../src/client/database.ts";
import type { RecordDatabase } from "../../src/client/record_database.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { bytesText, textBytes } from "../../src/wire/codec.ts";
import type { ControlName, ControlRequestOf } from "../../src/wire/controls.ts";
import { MAX_STAT_HISTORY } from "../../src/wire/structs/statistics.ts";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { localFile, openRecords, storeRecord } from "../support/records.ts";
import { until, when } from "../support/until.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 120_000;
const TIMEOUT_MS = 20_000;
const MIXED = { nodes: 3, stock: [2] };
const [OURS, STOCK] = [0, 2];
const UNKNOWN_DB = 5;

async function connect(cluster: TestCluster, pnn: number): Promise<ConnectedClient> {
  const client = await cluster.connect(pnn);
  return client as ConnectedClient;
}

interop(
  "the same controls get the same answers from our node and a stock one",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      const answers = new Map<number, unknown[]>();
      for (const pnn of [OURS, STOCK]) {
        const seen: unknown[] = [];
        answers.set(pnn, seen);
        const client = await connect(cluster, pnn);
        const id = must(await attachDatabase(client, "controls.tdb", 0, TIMEOUT_MS)).id;
        const ask = async <N extends ControlName>(
          name: N,
          request: ControlRequestOf<N>,
          srvid?: U64,
        ) => {
          const answer = await client.control(name, request, srvid === undefined ? {} : { srvid });
          seen.push([name, answer.ok ? answer.value.status : answer.error.status]);
          return answer.ok ? answer.value.data : undefined;
        };
        const { pid } = process;
        for (let twice = 0; twice < 2; twice++) {
          await ask("REGISTER_NOTIFY", { srvid: u64(5, 6), data: textBytes("gone") });
        }
        for (let twice = 0; twice < 2; twice++) await ask("DEREGISTER_NOTIFY", u64(5, 6));
        await ask("CHECK_PID_SRVID", { pid, srvid: u64(5, 7) });
        for (let twice = 0; twice < 2; twice++) await ask("REGISTER_SRVID", undefined, u64(5, 7));
        await ask("CHECK_PID_SRVID", { pid, srvid: u64(5, 7) });
        await ask("CHECK_PID_SRVID", { pid: 1, srvid: u64(5, 7) });
        for (let i = 0; i < 3; i++) await ask("DEREGISTER_SRVID", undefined, u64(5, 7));
        for (let twice = 0; twice < 2; twice++) await ask("TUNNEL_REGISTER", undefined, u64(5, 8));
        for (let twice = 0; twice < 2; twice++)
          await ask("TUNNEL_DEREGISTER", undefined, u64(5, 8));
        seen.push(await ask("DB_OPEN_FLAGS", id));
        for (const which of [id, id, UNKNOWN_DB]) await ask("ENABLE_SEQNUM", which);
        seen.push(await ask("DB_OPEN_FLAGS", id));
        seen.push(await ask("GET_DB_SEQNUM", { db_id: id }));
        for (const which of [id, UNKNOWN_DB]) await ask("UPDATE_SEQNUM", which);
        for (const which of [id, id, UNKNOWN_DB]) await ask("DB_FREEZE", which);
        for (const which of [id, id, UNKNOWN_DB]) await ask("DB_THAW", which);
        for (const which of [id, UNKNOWN_DB]) await ask("GET_DB_STATISTICS", which);
        await ask("DUMP_MEMORY", undefined);
        await ask("STATISTICS_RESET", undefined);
        const after = await ask("STATISTICS", undefined);
        seen.push([after?.client.req_control, after?.client.req_call, after?.num_recoveries]);
        const history = await ask("GET_STAT_HISTORY", undefined);
        seen.push([history?.num, history?.entries.length]);
      }
      expect(answers.get(OURS)).toEqual(answers.get(STOCK) ?? []);
    });
  },
  LIMIT_MS,
);

interop(
  "the history of statistics grows by one interval a second, newest first",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      for (const pnn of [OURS, STOCK]) {
        const client = await connect(cluster, pnn);
        let used: { start: number; end: number; received: number }[] = [];
        const look = async () => {
          const { data } = must(await client.control("GET_STAT_HISTORY", undefined));
          expect(data.num).toBe(MAX_STAT_HISTORY);
          used = data.entries
            .filter((entry) => entry.statistics_start_time.sec !== 0)
            .map((entry) => ({
              start: seconds(entry.statistics_start_time),
              end: seconds(entry.statistics_current_time),
              received: entry.client_packets_recv,
            }));
        };
        await until("four intervals are kept", TIMEOUT_MS, async () => {
          await look();
          return when(used.length >= 4);
        });
        for (const [index, { start, end }] of used.entries()) {
          expect(end - start).toBeGreaterThan(0.9);
          expect(used[index + 1]?.end ?? start).toBeCloseTo(start, 1);
        }
        // Intervals count for themselves: what was asked just now is in the newest ones.
        expect(used[0]?.received).toBeGreaterThan(0);
      }
    });
  },
  LIMIT_MS,
);

function seconds(time: { readonly sec: number; readonly usec: number }): number {
  return time.sec + time.usec / 1e6;
}

interop(
  "the notification of a client that leaves is heard on all nodes, one that was taken back is not",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      const heard: string[] = [];
      const srvid = u64(0x11, 0x22);
      for (const pnn of cluster.pnns) {
        const listener = await connect(cluster, pnn);
        must(
          await listener.registerSrvid(srvid, (data) => {
            heard.push(`${bytesText(data)} at ${pnn}`);
          }),
        );
      }
      for (const pnn of cluster.pnns) {
        for (const kept of [false, true]) {
          const leaving = await connect(cluster, pnn);
          const data = textBytes(`${kept ? "kept" : "taken back"} of ${pnn}`);
          must(await leaving.control("REGISTER_NOTIFY", { srvid, data }));
          if (!kept) must(await leaving.control("DEREGISTER_NOTIFY", srvid));
          leaving.close();
        }
        await until(
          `all three have heard of node ${pnn}`,
          TIMEOUT_MS,
          () => when(heard.filter((text) => text.includes(`of ${pnn} `)).length === 3),
          () => heard.join(", "),
        );
      }
      const all = cluster.pnns.flatMap((from) =>
        cluster.pnns.map((at) => `kept of ${from} at ${at}`),
      );
      expect(heard.sort()).toEqual(all.sort());
    });
  },
  LIMIT_MS,
);

interop(
  "tunnels carry requests and replies between all pairs of nodes",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      const id = u64(0x7, 0x9);
      const clients = await Promise.all(cluster.pnns.map((pnn) => connect(cluster, pnn)));
      const replies: string[] = [];
      for (const [pnn, client] of clients.entries()) {
        must(
          await client.registerTunnel(id, (data, { reqid, flags }) => {
            if ((flags & TUNNEL_FLAGS.REPLY) !== 0) {
              replies.push(`${bytesText(data)} at ${pnn}`);
            } else {
              // A stock node writes its own number into what it hands to its clients.
              const asker = Number(bytesText(data).split(" ")[0]);
              const answer = textBytes(`${bytesText(data)} through ${pnn}`);
              client.sendTunnel(asker, id, TUNNEL_FLAGS.REPLY, answer, reqid);
            }
          }),
        );
      }
      const expected: string[] = [];
      for (const [from, client] of clients.entries()) {
        for (const to of cluster.pnns) {
          client.sendTunnel(to, id, TUNNEL_FLAGS.REQUEST, textBytes(`${from} to ${to}`));
          expected.push(`${from} to ${to} through ${to} at ${from}`);
        }
      }
      await until(
        "every tunnel has answered",
        TIMEOUT_MS,
        () => when(replies.length === expected.length),
        () => replies.join(", "),
      );
      expect(replies.sort()).toEqual(expected.sort());
    });
  },
  LIMIT_MS,
);

interop(
  "a sequence number that moves on one node moves on the others",
  async () => {
    await withCluster({ ...MIXED, tunables: { SeqnumInterval: 100 } }, async (cluster) => {
      const name = "numbered.tdb";
      const databases = await Promise.all(
        cluster.pnns.map(async (pnn) => {
          const client = await connect(cluster, pnn);
          const { id } = must(await attachDatabase(client, name, 0, TIMEOUT_MS));
          must(await client.control("ENABLE_SEQNUM", id));
          return { client, database: must(await attachDatabase(client, name, 0, TIMEOUT_MS)) };
        }),
      );
      const files = databases.map(({ database }) => {
        expect(database.openFlags & TDB_FLAGS.SEQNUM).toBe(TDB_FLAGS.SEQNUM);
        return localFile(database);
      });
      for (const pnn of cluster.pnns) {
        const before = files.map((file) => file.sequenceNumber());
        must((files[pnn] ?? files[0])?.store(textBytes("record"), new Uint8Array(30)) ?? fail());
        await until("the sequence number rises in every file", TIMEOUT_MS, () =>
          when(files.every((file, i) => file.sequenceNumber() > (before[i] ?? Number.MAX_VALUE))),
        );
      }
      for (const file of files) file.close();
    });
  },
  LIMIT_MS,
);

function fail(): never {
  throw new Error("there is a file for each node");
}

interop(
  "a frozen database keeps calls until its thaw, others do not wait",
  async () => {
    await withCluster(MIXED, async (cluster) => {
      for (const pnn of [OURS, STOCK]) {
        const client = await connect(cluster, pnn);
        const frozen = await openRecords(client, `frozen${pnn}.tdb`);
        const other = await openRecords(client, `other${pnn}.tdb`);
        const write = (database: RecordDatabase) =>
          storeRecord(database, textBytes("key"), textBytes("value"));
        must(await client.control("DB_FREEZE", frozen.database.id));
        let done = false;
        const writing = write(frozen).then(() => {
          done = true;
        });
        await write(other);
        expect(done).toBe(false);
        must(await client.control("DB_THAW", frozen.database.id));
        await writing;
        frozen.close();
        other.close();
      }
    });
  },
  LIMIT_MS,
);
