/** `ctdb top` against a scripted daemon, on lines and on a screen, with time that the test moves. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import type { ScreenWatch } from "../../src/cli/host.ts";
import { topFacts } from "../../src/cli/schemas/top.ts";
import { encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { Reader } from "../../src/wire/reader.ts";
import { nodeTurns, TURNS_MAGIC } from "../../src/wire/structs/cluster.ts";
import { dbStatistics, statistics } from "../../src/wire/structs/statistics.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { until, when } from "../support/until.ts";
import { daemon, GONE, nodeAt, runCtdb, type ToolRun } from "./tool_harness.ts";

const PATIENCE_MS = 2000;
const LATENCY = { num: 0, min: 0, max: 0, total: 0 };

/** Node 0 is ours and busier with each question; node 1 hangs; node 2 is gone. */
function cluster(): FakeCtdbd {
  const zeros = statistics.decode(new Reader(new Uint8Array(statistics.minSize)));
  const noLocks = dbStatistics.decode(new Reader(new Uint8Array(dbStatistics.minSize)));
  let round = 0;
  const ctdbd = daemon([nodeAt(0), nodeAt(1), nodeAt(2, GONE)])
    .on("STATISTICS", (_, pnn) => {
      if (pnn !== 0) return "silent";
      round += 1;
      return {
        data: {
          ...zeros,
          total_calls: 100 * round,
          pending_calls: 3,
          node: { ...zeros.node, reply_dmaster: 40 * round },
          call_latency: { ...LATENCY, num: 10 * round, total: 0.02 * round },
          statistics_start_time: { sec: 1000, usec: 0 },
          statistics_current_time: { sec: 1010, usec: 0 },
        },
      };
    })
    .on("GET_DBMAP", (_, pnn) => (pnn === 0 ? { data: [{ db_id: 7, flags: 0 }] } : "silent"))
    .on("GET_DBNAME", () => ({ data: "locking\x1b[2J.tdb" }))
    .on("GET_DB_STATISTICS", () => ({
      data: {
        ...noLocks,
        locks: {
          ...noLocks.locks,
          num_pending: 2,
          latency: { num: 2, min: 0, max: 0.5, total: 1 },
        },
        hot_keys: [{ count: 9, key: textBytes("hot") }],
      },
    }))
    .on("PING", (_, pnn) => {
      if (pnn !== 0) return "silent";
      const turns = { magic: TURNS_MAGIC, longest_us: 12_500, buckets: [1, 1, 1, 1, 5 * round] };
      return { status: 1, data: encode(nodeTurns, turns) };
    })
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 0)));
      return {};
    });
  return ctdbd;
}

async function ended(running: Promise<ToolRun>, time: ManualTime): Promise<ToolRun> {
  let run: ToolRun | undefined;
  void running.then((value) => {
    run = value;
  });
  return await until("the end of ctdb top", PATIENCE_MS, async () => {
    await time.advance(1000);
    return run;
  });
}

test("top shows rates between its rounds, and a peer that hangs as silent", async () => {
  const time = new ManualTime();
  const running = runCtdb({ ctdbd: cluster(), time }, "top", "--iterations", "2", "--json");
  const { status, out, err } = await ended(running, time);
  expect([status, err]).toEqual([0, ""]);
  const [first, second] = out
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { schema_version: _, ...facts } = JSON.parse(line);
      return v.parse(topFacts, facts);
    });
  // Since the counters began, ten seconds ago.
  expect(first?.nodes[0]).toMatchObject({ calls_per_second: 10 });
  expect(second?.nodes[0]?.calls_per_second).toBeGreaterThan(45);
  expect(second?.nodes[0]?.calls_per_second).toBeLessThan(55);
  expect(second?.nodes[0]).toMatchObject({
    leader: true,
    pending_calls: 3,
    call_latency_ms: 2,
    longest_turn_ms: 12.5,
    silent: false,
  });
  expect(second?.nodes[0]?.slow_turns_per_second).toBeGreaterThan(0);
  expect(second?.nodes[1]).toMatchObject({ silent: true, calls_per_second: null });
  expect(second?.nodes[2]).toMatchObject({ silent: false, clients: null });
  expect(second?.databases[0]).toMatchObject({ locks_pending: 2, lock_latency_max_ms: 500 });
  expect(second?.hot_keys[0]).toMatchObject({ count: 9, key_hex: "686f74" });
});

test("top without a terminal prints blocks, in which no name moves a cursor", async () => {
  const time = new ManualTime();
  const { out } = await ended(runCtdb({ ctdbd: cluster(), time }, "top", "--once"), time);
  expect(out).not.toContain("\x1b");
  expect(out).toContain("locking?[2J.tdb");
  expect(out).toMatch(/^1 +OK \(silent\) +- /m);
});

test("top on a terminal of 20 columns stays within it, follows its size, and ends with q", async () => {
  const time = new ManualTime();
  const texts: string[] = [];
  let size = { columns: 20, rows: 5 };
  let watch: ScreenWatch | undefined;
  let closed = 0;
  const tty = {
    draws: true,
    size: () => size,
    openScreen: (given: ScreenWatch) => {
      watch = given;
      return {
        close() {
          closed += 1;
        },
      };
    },
  };
  const running = runCtdb({ ctdbd: cluster(), time, tty, terminal: texts }, "top", "1");
  await until("a screen", PATIENCE_MS, async () => {
    await time.advance(100);
    return when(texts.length > 0);
  });
  const lines = linesOf(texts.at(-1));
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
  size = { columns: 200, rows: 50 };
  watch?.resized();
  expect(linesOf(texts.at(-1)).join("\n")).toContain("locking?[2J.tdb");
  watch?.key("q");
  expect((await ended(running, time)).status).toBe(0);
  expect(closed).toBe(1);
});

/** Without what moves the cursor. */
function linesOf(screen: string | undefined): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is sent.
  return (screen ?? "").replace(/\x1b\[[0-9]*[A-Z]/g, "").split("\r\n");
}

test("top ends by -T with status 75, and names a wrong interval", async () => {
  const time = new ManualTime();
  const { status, err } = await ended(runCtdb({ ctdbd: cluster(), time }, "top", "-T", "3"), time);
  expect({ status, err }).toEqual({ status: 75, err: "Maximum runtime exceeded - exiting\n" });
  const wrong = await runCtdb({ ctdbd: cluster() }, "top", "often");
  expect(wrong).toMatchObject({ status: 64, out: "" });
});
