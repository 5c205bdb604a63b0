/** Statistics as text and rows; the layout was recorded from Debian's ctdb 4.17. */
import { expect, test } from "bun:test";
import { textBytes } from "../../src/wire/codec.ts";
import { Reader } from "../../src/wire/reader.ts";
import {
  type DbStatistics,
  type Statistics,
  statistics,
} from "../../src/wire/structs/statistics.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const LATENCY = { num: 3, min: 0.000025, max: 0.000306, total: 0.00063 };
const NONE = { num: 0, min: 0, max: 0, total: 0 };
const BUCKETS = [1, 2, ...Array.from({ length: 14 }, () => 0)];

/** All zeros but for what the test shows. */
function recorded(): Statistics {
  const zeros = statistics.decode(new Reader(new Uint8Array(statistics.minSize)));
  return {
    ...zeros,
    num_clients: 2,
    client_packets_sent: 2206,
    node: { ...zeros.node, reply_control: 2111 },
    locks: { ...zeros.locks, num_calls: 7, latency: NONE, buckets: BUCKETS },
    memory_used: 91081,
    hop_count_bucket: BUCKETS,
    call_latency: LATENCY,
    statistics_start_time: { sec: 1_795_240_266, usec: 0 },
    statistics_current_time: { sec: 1_795_240_346, usec: 0 },
  };
}

test("statistics groups the counters under their headings", async () => {
  const ctdbd = daemon([nodeAt(0)]).on("STATISTICS", () => ({ data: recorded() }));
  const lines = (await runCtdb({ ctdbd }, "statistics")).out.split("\n");
  expect(lines[0]).toBe("CTDB version 1");
  expect(lines[2]).toMatch(/^Statistics collected since {2}: \(000 00:01:20\) \w{3} \w{3} /);
  expect(lines.slice(3, 4)).toEqual([" num_clients                        2"]);
  expect(lines).toContain(" client_packets_sent             2206");
  expect(lines.slice(13, 15)).toEqual([" node", "     req_call                       0"]);
  expect(lines).toContain("     reply_control               2111");
  expect(lines).toContain(" pending_childwrite_calls             0");
  expect(lines.filter((line) => /^ \w+$/.test(line))).toEqual([
    " node",
    " client",
    " timeouts",
    " locks",
  ]);
  expect(lines.slice(-8)).toEqual([
    " hop_count_buckets: 1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    " lock_buckets: 1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    " locks_latency      MIN/AVG/MAX     0.000000/0.000000/0.000000 sec out of 0",
    " reclock_ctdbd      MIN/AVG/MAX     0.000000/0.000000/0.000000 sec out of 0",
    " reclock_recd       MIN/AVG/MAX     0.000000/0.000000/0.000000 sec out of 0",
    " call_latency       MIN/AVG/MAX     0.000025/0.000210/0.000306 sec out of 3",
    " childwrite_latency MIN/AVG/MAX     0.000000/0.000000/0.000000 sec out of 0",
    "",
  ]);
});

test("statistics -X gives as many values as columns, without a separator in front", async () => {
  const ctdbd = daemon([nodeAt(0)]).on("STATISTICS", () => ({ data: recorded() }));
  const { out } = await runCtdb({ ctdbd }, "-X", "statistics");
  const [columns = [], values = []] = out.split("\n").map((line) => line.split("|"));
  expect(columns.length).toBe(values.length);
  const at = (name: string) => values[columns.indexOf(name)];
  expect(columns.slice(0, 4)).toEqual([
    "CTDB version",
    "Current time of statistics",
    "Statistics collected since",
    "num_clients",
  ]);
  expect(at("Current time of statistics")).toBe("1795240346");
  expect(at("node.reply_control")).toBe("2111");
  expect(at("locks.num_calls")).toBe("7");
  expect(at("avg_call_latency")).toBe("0.000210");
});

test("stats shows the history's entries that have begun, one more than asked for", async () => {
  const empty = statistics.decode(new Reader(new Uint8Array(statistics.minSize)));
  const entries = [recorded(), recorded(), empty, recorded()];
  const history = { num: 4, entries: [...entries, ...Array.from({ length: 96 }, () => empty)] };
  const ctdbd = daemon([nodeAt(0)]).on("GET_STAT_HISTORY", () => ({ data: history }));
  const shown = async (...args: string[]) =>
    (await runCtdb({ ctdbd }, ...args)).out.split("CTDB version 1\n").length - 1;
  expect(await shown("stats")).toBe(3);
  expect(await shown("stats", "1")).toBe(2);
});

test("dbstatistics shows the hot keys in hex", async () => {
  const { locks, hop_count_bucket } = recorded();
  const data: DbStatistics = {
    locks,
    vacuum_latency: NONE,
    db_ro_delegations: 1,
    db_ro_revokes: 0,
    hop_count_bucket,
    hot_keys: [{ count: 9, key: textBytes("k\u0001") }],
  };
  const ctdbd = daemon([nodeAt(0)])
    .on("GET_DBMAP", () => ({ data: [{ db_id: 5, flags: 0 }] }))
    .on("GET_DBNAME", () => ({ data: "test.tdb" }))
    .on("GET_DB_STATISTICS", () => ({ data }));
  const lines = (await runCtdb({ ctdbd }, "dbstatistics", "test.tdb")).out.split("\n");
  expect(lines[0]).toBe("DB Statistics test.tdb");
  expect(lines).toContain(
    " vacuum_latency     MIN/AVG/MAX     0.000000/0.000000/0.000000 sec out of 0",
  );
  expect(lines).toContain(" Num Hot Keys:     10");
  expect(lines).toContain("     Count:9 Key:6b01");
});
