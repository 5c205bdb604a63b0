import { expect, test } from "bun:test";
import { openSqlite } from "#sqlite";
import { ManualTime } from "../../../test/support/manual_time.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { textBytes } from "../../base/byte_text.ts";
import { silentLogger } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type U64, u64, u64Equal } from "../../base/u64.ts";
import type { ClientFailure, MessageHandler } from "../../client/types.ts";
import { JournalFeed } from "../../daemon/journal/journal_feed.ts";
import { JournalRing } from "../../daemon/journal/journal_ring.ts";
import { RING_EVENTS_MAX } from "../../daemon/journal/limits.ts";
import { SystemFiles } from "../../platform/node/file_system.ts";
import { SRVID } from "../../wire/constants.ts";
import type { JournalBatch } from "../../wire/journal_messages.ts";
import { ASK_AGAIN_MS, KEEP_AGAIN_MS, RECONNECT_MS } from "../limits.ts";
import { SqliteStore } from "../store/sqlite_store.ts";
import type { KeptEvent } from "../types.ts";
import { JournalReader } from "./journal_reader.ts";

const PNN = 3;
const READER: U64 = u64(SRVID.OUR_ANSWERS.hi, 77);

/** A ctdbd's ring and feed, and a reader on a connection that may break. */
class Bench {
  readonly time = new ManualTime();
  readonly directory = new TemporaryDirectory("reader");
  readonly heard: string[] = [];
  store = this.#open();
  ring = new JournalRing("r1", this.time);
  #feed: JournalFeed | undefined;
  #listeners = new Map<string, MessageHandler>();
  #disconnect: ((reason: string) => void) | undefined;
  #deliver: MessageHandler | undefined;
  reader: JournalReader | undefined;
  /** Of the next ones: what is lost on the way. */
  losing = false;
  refused: string | undefined;
  requests = 0;

  #open(): SqliteStore {
    const retention = { ageMaxMs: 1e12, bytesMax: 1e9 };
    const files = new SystemFiles();
    const path = this.directory.file("journal");
    return new SqliteStore({ open: openSqlite, files, path, retention, log: silentLogger });
  }

  startCtdbd(name: string): void {
    this.ring = new JournalRing(name, this.time);
    this.#feed = new JournalFeed({
      ring: this.ring,
      messages: {
        listen: (srvid, handler) => {
          const key = `${srvid.hi}`;
          this.#listeners.set(key, (data, from) => handler(data, from));
          return () => this.#listeners.delete(key);
        },
        send: (_, srvid, data) => {
          if (this.losing) return;
          const copy = data.slice();
          this.time.soon(() => this.#deliver?.(copy, PNN, srvid));
        },
      },
      timers: this.time,
      ownPnn: PNN,
      log: silentLogger,
    });
  }

  stopCtdbd(): void {
    this.#feed?.close();
    this.#feed = undefined;
    this.#deliver = undefined;
    const disconnect = this.#disconnect;
    this.#disconnect = undefined;
    disconnect?.("ctdbd closed the connection");
  }

  startReader(): JournalReader {
    const { store } = this;
    this.reader = new JournalReader({
      connect: () => this.#connect(),
      store: {
        position: () => store.position(),
        keep: (batch: JournalBatch) =>
          this.refused === undefined ? store.keep(batch) : err(this.refused),
      },
      timers: this.time,
      log: silentLogger,
      reader: READER,
    });
    this.reader.onEvents((events) => this.heard.push(...events.map(shortly)));
    return this.reader;
  }

  async #connect(): Promise<Result<never, ClientFailure>> {
    if (this.#feed === undefined) {
      return err({ kind: "disconnected", reason: "nobody listens", status: 0 });
    }
    const client = {
      pnn: PNN,
      registerSrvid: async (srvid: U64, handler: MessageHandler) => {
        expect(u64Equal(srvid, READER)).toBe(true);
        this.#deliver = handler;
        return ok({ remove() {} });
      },
      sendMessage: (pnn: number, srvid: U64, data: Uint8Array) => {
        expect(pnn).toBe(PNN);
        this.requests += 1;
        if (!this.losing) this.#listeners.get(`${srvid.hi}`)?.(data, PNN, srvid);
      },
      onDisconnect: (action: (reason: string) => void) => {
        this.#disconnect = action;
      },
      close: () => {
        this.#deliver = undefined;
      },
    };
    return ok(client as never);
  }

  deliver(text: string): void {
    this.#deliver?.(textBytes(text), PNN, READER);
  }

  record(...peers: readonly number[]): void {
    for (const peer of peers) this.ring.record({ kind: "link_up", peer });
  }

  kept(): readonly string[] {
    const kept = this.store.query({ limit: 1000 });
    return kept.ok ? kept.value.map(shortly) : [kept.error];
  }

  [Symbol.dispose](): void {
    this.reader?.close();
    this.store.close();
    this.directory.remove();
  }
}

function shortly({ ring, number, event }: KeptEvent): string {
  return `${ring}:${number} ${event.kind === "gap" ? `gap ${event.missing}` : event.kind}`;
}

test("JournalReader keeps what happens, and acknowledges it afterwards", async () => {
  using bench = new Bench();
  bench.startCtdbd("r1");
  bench.record(1, 2);
  bench.startReader();
  await bench.time.advance(100);
  expect(bench.kept()).toEqual(["r1:1 link_up", "r1:2 link_up"]);
  expect([bench.ring.size, bench.reader?.problem]).toEqual([0, undefined]);
  bench.record(3);
  await bench.time.advance(100);
  expect(bench.kept()).toEqual(bench.heard);
  expect(bench.heard.length).toBe(3);
});

test("JournalReader asks again into silence, and hears of nothing twice", async () => {
  using bench = new Bench();
  bench.startCtdbd("r1");
  bench.startReader();
  await bench.time.advance(10);
  bench.losing = true;
  bench.record(1);
  await bench.time.advance(ASK_AGAIN_MS);
  expect(bench.heard).toEqual([]);
  bench.losing = false;
  await bench.time.advance(ASK_AGAIN_MS);
  expect(bench.heard).toEqual(["r1:1 link_up"]);
  const before = bench.requests;
  await bench.time.advance(10 * ASK_AGAIN_MS);
  expect(bench.requests - before).toBe(10);
});

test("JournalReader connects again when ctdbd restarts, and marks what is lost with it", async () => {
  using bench = new Bench();
  bench.startReader();
  await bench.time.advance(3 * RECONNECT_MS);
  expect(bench.reader?.problem).toContain("nobody listens");
  bench.startCtdbd("r1");
  bench.record(1);
  await bench.time.advance(2 * RECONNECT_MS);
  bench.record(2);
  bench.stopCtdbd();
  bench.startCtdbd("r2");
  bench.record(3);
  await bench.time.advance(2 * RECONNECT_MS);
  expect(bench.kept()).toEqual(["r1:1 link_up", "r2:0 gap null", "r2:1 link_up"]);
  expect(bench.heard).toEqual([...bench.kept()]);
});

test("JournalReader acknowledges nothing that cannot be kept, and goes on when it can", async () => {
  using bench = new Bench();
  bench.startCtdbd("r1");
  bench.startReader();
  await bench.time.advance(10);
  bench.refused = "the disk is full";
  bench.record(1, 2, 3);
  await bench.time.advance(3 * KEEP_AGAIN_MS);
  expect([bench.ring.size, bench.reader?.problem]).toEqual([3, "the disk is full"]);
  bench.refused = undefined;
  await bench.time.advance(KEEP_AGAIN_MS);
  expect([bench.ring.size, bench.heard.length]).toEqual([0, 3]);
  expect(bench.reader?.problem).toBeUndefined();
});

test("JournalReader marks an overflow as a gap with its count", async () => {
  using bench = new Bench();
  bench.startCtdbd("r1");
  bench.startReader();
  await bench.time.advance(10);
  bench.refused = "the disk is full";
  bench.record(1);
  await bench.time.advance(100);
  for (let peer = 2; peer <= RING_EVENTS_MAX + 11; peer++) bench.record(peer);
  bench.refused = undefined;
  await bench.time.advance(2 * KEEP_AGAIN_MS);
  expect(bench.kept().slice(0, 2)).toEqual(["r1:1 gap 11", "r1:12 link_up"]);
  expect(bench.store.facts().events).toBe(RING_EVENTS_MAX + 1);
});

test("JournalReader takes batches of its own node's ctdbd only, and survives what is none", async () => {
  using bench = new Bench();
  bench.startCtdbd("r1");
  bench.startReader();
  await bench.time.advance(10);
  for (const text of ["", "{", "[]", '{"ring":"","first":1}', '{"ring":"x","node":1,"first":0}']) {
    bench.deliver(text);
  }
  expect(bench.reader?.problem).toContain("events that are none");
  bench.record(1);
  await bench.time.advance(100);
  expect(bench.heard).toEqual(["r1:1 link_up"]);
  expect(bench.reader?.problem).toBeUndefined();
});

test("JournalReader.close() ends it in every state", async () => {
  using bench = new Bench();
  bench.startReader().close();
  await bench.time.advance(10 * RECONNECT_MS);
  expect(bench.time.waiting).toBe(0);
  bench.startCtdbd("r1");
  const reader = bench.startReader();
  await bench.time.advance(10);
  reader.close();
  bench.record(1);
  await bench.time.advance(10 * ASK_AGAIN_MS);
  expect(bench.heard).toEqual([]);
});
