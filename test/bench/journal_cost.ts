/**
 * What an event costs the loop of a ctdbd: to be recorded, with nobody who reads and with one who does, and to be sent. And
 * what a turn costs, which is counted by the name of its span. `bun test/bench/journal_cost.ts`; the goal is a microsecond.
 */
import type { JournalEvent } from "../../src/base/journal_event.ts";
import { silentLogger } from "../../src/base/log.ts";
import { TracedTurns } from "../../src/base/trace.ts";
import { u64 } from "../../src/base/u64.ts";
import { JournalFeed } from "../../src/daemon/journal/journal_feed.ts";
import { JournalRing } from "../../src/daemon/journal/journal_ring.ts";
import { SystemClock, threadProcessorMs } from "../../src/platform/node/clock.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { BATCH_EVENTS_MAX, decodeBatch, encodeRead } from "../../src/wire/journal_messages.ts";

const ROUNDS = 20;
const EVENTS = 50_000;
const READER = u64(0xdc20_0000, 1);

function event(peer: number): JournalEvent {
  const by = { node: peer & 3, pid: peer };
  return { kind: "flags", target: peer & 3, before: 0, after: 2, reason: "it says so", by };
}

/** The best and the middle of some rounds, in nanoseconds each. */
function measured(name: string, count: number, round: () => void): void {
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const startMs = performance.now();
    round();
    times.push(((performance.now() - startMs) * 1e6) / count);
  }
  times.sort((a, b) => a - b);
  const best = Math.round(times[0] ?? 0);
  const middle = Math.round(times[ROUNDS / 2] ?? 0);
  process.stdout.write(
    `${name.padEnd(48)} ${String(best).padStart(6)} ns best, ${middle} ns middle\n`,
  );
}

const clock = new SystemClock();
const alone = new JournalRing("alone", clock);
measured("an event is recorded, nobody reads", EVENTS, () => {
  for (let i = 0; i < EVENTS; i++) alone.record(event(i));
});

const read = new JournalRing("read", clock);
measured("an event is recorded and acknowledged", EVENTS, () => {
  for (let i = 0; i < EVENTS; i++) {
    read.record(event(i));
    if (i % BATCH_EVENTS_MAX === 0) read.acknowledge(read.last);
  }
});

const sent = new JournalRing("sent", clock);
const handlers = new Map<number, (data: Uint8Array, srcnode: number) => void>();
let batch = new Uint8Array(0);
new JournalFeed({
  ring: sent,
  messages: {
    listen: (srvid, handler) => {
      handlers.set(srvid.hi, handler);
      return () => undefined;
    },
    send: (_pnn, _srvid, data) => {
      batch = new Uint8Array(data);
    },
  },
  timers: {
    after: () => ({ cancel() {} }),
    every: () => ({ cancel() {} }),
    soon: () => undefined,
    nextTurn: () => undefined,
  },
  ownPnn: 0,
  log: silentLogger,
});
const ask = (kept: number) =>
  handlers.get(SRVID.JOURNAL_READ.hi)?.(encodeRead({ reader: READER, ring: "sent", kept }), 0);
measured("an event is recorded and sent in a batch of 512", 20 * BATCH_EVENTS_MAX, () => {
  for (let batches = 0; batches < 20; batches++) {
    for (let i = 0; i < BATCH_EVENTS_MAX; i++) sent.record(event(i));
    ask(sent.last - BATCH_EVENTS_MAX);
  }
});
const last = decodeBatch(batch);
if (!last.ok || last.value.entries.length !== BATCH_EVENTS_MAX)
  throw new Error("no batch was sent");

const turns = new TracedTurns(clock, () => undefined, threadProcessorMs);
const NAMES = ["node-packets", "client-packets"];
measured("a turn without work", EVENTS, () => {
  for (let i = 0; i < EVENTS; i++) {
    turns.end(NAMES[i & 1] as string, turns.begin());
  }
});
