import { expect, test } from "bun:test";
import { ManualTime } from "../../../test/support/manual_time.ts";
import { silentLogger } from "../../base/log.ts";
import { type U64, u64, u64Equal } from "../../base/u64.ts";
import { textBytes } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import {
  decodeBatch,
  encodeRead,
  encodeReport,
  type JournalBatch,
} from "../../wire/journal_messages.ts";
import { JournalFeed } from "./journal_feed.ts";
import { JournalRing } from "./journal_ring.ts";
import { BATCH_DELAY_MS, RING_EVENTS_MAX } from "./limits.ts";

const PNN = 2;
const READER = u64(0xdc20_0000, 7);

class Bench {
  readonly time = new ManualTime();
  readonly ring = new JournalRing("r1", this.time);
  readonly batches: JournalBatch[] = [];
  readonly #listeners: { srvid: U64; handler: (data: Uint8Array, srcnode: number) => void }[] = [];
  readonly feed = new JournalFeed({
    ring: this.ring,
    messages: {
      listen: (srvid, handler) => {
        this.#listeners.push({ srvid, handler });
        return () => {};
      },
      send: (pnn, srvid, data) => {
        expect([pnn, srvid]).toEqual([PNN, READER]);
        const batch = decodeBatch(data);
        if (batch.ok) this.batches.push(batch.value);
      },
    },
    timers: this.time,
    ownPnn: PNN,
    log: silentLogger,
  });

  deliver(srvid: U64, data: Uint8Array, from = PNN): void {
    for (const each of this.#listeners) {
      if (u64Equal(each.srvid, srvid)) each.handler(data, from);
    }
  }
  read(kept: number, ring = "r1"): void {
    this.deliver(SRVID.JOURNAL_READ, encodeRead({ reader: READER, ring, kept }));
  }
  record(...peers: readonly number[]): void {
    for (const peer of peers) this.ring.record({ kind: "link_up", peer });
  }
  /** Numbers of what was sent, and which peers it was about. */
  takeBatches(): readonly (readonly [first: number, peers: readonly unknown[]])[] {
    return this.batches
      .splice(0)
      .map(({ first, entries }) => [
        first,
        entries.map(({ event }) => (event.kind === "link_up" ? event.peer : event.kind)),
      ]);
  }
}

test("JournalFeed sends what waits, and then nothing until it is acknowledged", async () => {
  const bench = new Bench();
  bench.record(1, 2);
  bench.read(0, "");
  expect(bench.takeBatches()).toEqual([[1, [1, 2]]]);
  bench.record(3);
  await bench.time.advance(10 * BATCH_DELAY_MS);
  expect(bench.takeBatches()).toEqual([]);
  bench.read(2);
  expect(bench.takeBatches()).toEqual([[3, [3]]]);
  expect(bench.ring.size).toBe(1);
});

test("JournalFeed gathers what comes together while the reader waits", async () => {
  const bench = new Bench();
  bench.read(0, "");
  bench.record(1);
  bench.record(2);
  expect(bench.takeBatches()).toEqual([]);
  await bench.time.advance(BATCH_DELAY_MS);
  expect(bench.takeBatches()).toEqual([[1, [1, 2]]]);
});

test("JournalFeed sends again what a reader has not acknowledged", () => {
  const bench = new Bench();
  bench.record(1, 2, 3);
  bench.read(0, "");
  bench.read(0, "");
  bench.read(1);
  expect(bench.takeBatches()).toEqual([
    [1, [1, 2, 3]],
    [1, [1, 2, 3]],
    [2, [2, 3]],
  ]);
});

test("JournalFeed takes no acknowledgement that is about another ring, or about the future", () => {
  const bench = new Bench();
  bench.record(1, 2);
  bench.read(2, "of the ctdbd before");
  expect(bench.takeBatches()).toEqual([[1, [1, 2]]]);
  bench.read(50);
  bench.record(3);
  expect(bench.ring.first).toBe(3);
});

test("JournalFeed takes events of children of this node, and of nobody else", () => {
  const bench = new Bench();
  const event = { kind: "election", reason: "none leads" };
  const report = (process: string) =>
    encodeReport({ process, entries: [{ time_us: 1, monotonic_ms: 2, event }] });
  bench.deliver(SRVID.JOURNAL_REPORT, report("recoverd"));
  bench.deliver(SRVID.JOURNAL_REPORT, report("recoverd"), PNN + 1);
  bench.deliver(SRVID.JOURNAL_REPORT, report("somebody"));
  bench.deliver(SRVID.JOURNAL_REPORT, textBytes("{"));
  bench.deliver(SRVID.JOURNAL_REPORT, textBytes('{"process":"recoverd","entries":[null]}'));
  bench.read(0, "");
  expect(bench.batches[0]?.entries).toEqual([
    { time_us: 1, monotonic_ms: 2, process: "recoverd", event } as never,
  ]);
});

test("JournalFeed drops requests that are none, or of another node", () => {
  const bench = new Bench();
  bench.record(1);
  const read = encodeRead({ reader: READER, ring: "", kept: 0 });
  bench.deliver(SRVID.JOURNAL_READ, read, PNN + 1);
  for (const text of ["", "[]", "{}", '{"reader":"0","ring":"","kept":0}', "\u0000"]) {
    bench.deliver(SRVID.JOURNAL_READ, textBytes(text));
  }
  expect(bench.takeBatches()).toEqual([]);
});

test("JournalRing loses the oldest when nobody keeps them, and numbers go on", () => {
  const bench = new Bench();
  for (let peer = 0; peer < RING_EVENTS_MAX + 5; peer++) bench.record(peer);
  expect([bench.ring.size, bench.ring.first, bench.ring.lost]).toEqual([RING_EVENTS_MAX, 6, 5]);
  bench.read(2);
  const [batch] = bench.takeBatches();
  expect([batch?.[0], batch?.[1][0]]).toEqual([6, 5]);
});

test("JournalRing bounds what children report", () => {
  const bench = new Bench();
  const event = { kind: "election", reason: "x".repeat(500_000) };
  const entries = [{ time_us: 1, monotonic_ms: 2, event }];
  for (let round = 0; round < 20; round++) {
    bench.deliver(SRVID.JOURNAL_REPORT, encodeReport({ process: "recoverd", entries }));
  }
  expect(bench.ring.size).toBe(8);
  expect(bench.ring.last).toBe(20);
});
