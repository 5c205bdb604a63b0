/** Server-sent events: what comes, in which order, and what slow readers and many of them cost. */
import { expect, test } from "bun:test";
import { LOOK_INTERVAL_MS } from "../../src/admin/limits.ts";
import { ok } from "../../src/base/result.ts";
import { bytesText } from "../../src/wire/codec.ts";
import { AdminBench, clusterFacts, UNIX } from "./bench.ts";

const LINK = (peer: number) => ({ kind: "link_up", peer }) as const;

/** A reader of one stream that takes what is there when it is told to. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";
  ended = false;

  private constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  static async open(bench: AdminBench, lastEventId?: string): Promise<Reader> {
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const response = await bench.ask("/api/v1/events", { headers });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream",
    ]);
    return new Reader(response.body as ReadableStream<Uint8Array>);
  }

  /** Until a text has come. */
  async until(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      const { value, done } = await this.#reader.read();
      if (done) {
        this.ended = true;
        break;
      }
      this.#text += bytesText(value);
    }
    return this.#text;
  }

  async end(): Promise<string> {
    return await this.until("\u0000 never");
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** One after the other, as they come over a network. */
async function openMany(bench: AdminBench, count: number): Promise<readonly Reader[]> {
  const readers: Reader[] = [];
  while (readers.length < count) readers.push(await Reader.open(bench));
  return readers;
}

const idsIn = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
const kindsIn = (text: string) => [...text.matchAll(/^event: (\w+)$/gm)].map(([, kind]) => kind);

test("a stream begins with the cluster, and tells events as they are kept", async () => {
  const bench = new AdminBench();
  const reader = await Reader.open(bench);
  await reader.until("event: cluster");
  bench.happen(LINK(1), LINK(2));
  const text = await reader.until("id: 2");
  expect([kindsIn(text), idsIn(text)]).toEqual([
    ["cluster", "journal", "journal"],
    [1, 2],
  ]);
  const data = /event: journal\ndata: (.*)\n/.exec(text)?.[1] ?? "";
  expect(JSON.parse(data)).toMatchObject({ id: 1, node: 0, event: { kind: "link_up", peer: 1 } });
});

test("a reader that comes back gets what it has missed, then what happens, each once", async () => {
  const bench = new AdminBench();
  for (let i = 1; i <= 300; i++) bench.happen(LINK(i));
  const reader = await Reader.open(bench, "100");
  await reader.until("id: 150");
  bench.happen(LINK(301), LINK(302));
  await reader.until("id: 302");
  bench.happen(LINK(303));
  const text = await reader.until("id: 303");
  expect(idsIn(text)).toEqual(Array.from({ length: 203 }, (_, i) => 101 + i));
});

test("a cursor that is none begins with what happens now", async () => {
  const bench = new AdminBench();
  bench.happen(LINK(1));
  for (const cursor of ["", "x", "-1", "1e3", "9".repeat(30)]) {
    const reader = await Reader.open(bench, cursor);
    await reader.until("event: cluster");
    bench.happen(LINK(2));
    expect(idsIn(await reader.until("id: "))).toEqual([bench.events.length]);
    await reader.leave();
  }
});

test("a changed cluster is told, an unchanged one is not", async () => {
  const bench = new AdminBench();
  const reader = await Reader.open(bench);
  await reader.until("event: cluster");
  const before = bench.looks;
  await bench.time.advance(3 * LOOK_INTERVAL_MS);
  expect(bench.looks).toBe(before + 3);
  bench.facts = ok(clusterFacts({ leader: 0 }));
  await bench.time.advance(LOOK_INTERVAL_MS);
  const text = await reader.until('"leader":0');
  expect(kindsIn(text)).toEqual(["cluster", "cluster"]);
});

test("an event lets the cluster be looked at soon, once for many", async () => {
  const bench = new AdminBench();
  const reader = await Reader.open(bench);
  await reader.until("event: cluster");
  const before = bench.looks;
  for (let i = 0; i < 50; i++) bench.happen(LINK(i));
  await bench.time.advance(101);
  expect(bench.looks).toBe(before + 1);
  await reader.leave();
});

test("without a stream nobody looks at the cluster", async () => {
  const bench = new AdminBench();
  const reader = await Reader.open(bench);
  await reader.until("event: cluster");
  await reader.leave();
  const { looks } = bench;
  bench.happen(LINK(1));
  await bench.time.advance(60_000);
  expect([bench.looks, bench.time.waiting]).toEqual([looks, 0]);
});

test("a stream on which nothing happens has a heartbeat", async () => {
  const bench = new AdminBench();
  const reader = await Reader.open(bench);
  await reader.until("event: cluster");
  const beat = reader.until(": still here");
  await bench.time.advance(15_000);
  expect(await beat).toContain(": still here\n\n");
});

test("a reader that is too slow gets a last event and is let go", async () => {
  const bench = new AdminBench();
  const slow = await Reader.open(bench);
  const other = await Reader.open(bench);
  await other.until("event: cluster");
  const text = "x".repeat(100_000);
  for (let i = 0; i < 12; i++) {
    bench.happen({ kind: "election", reason: text });
    await other.until(`id: ${i + 1}\n`);
  }
  const seen = await slow.end();
  expect(slow.ended).toBe(true);
  expect(kindsIn(seen)).toEqual(["dropped"]);
  expect(bench.api.counts().streams).toBe(1);
  await other.leave();
});

test("a reader that takes nothing at all is cut off after a while", async () => {
  const bench = new AdminBench();
  await Reader.open(bench);
  await bench.time.advance(16_000);
  expect(bench.api.counts().streams).toBe(1);
  await bench.time.advance(120_000);
  expect(bench.api.counts()).toMatchObject({ streams: 0, streamsDropped: 1 });
  expect(bench.time.waiting).toBe(0);
});

test("who asks for the head of a stream gets that, and no stream is left", async () => {
  const bench = new AdminBench();
  const response = await bench.ask("/api/v1/events", { method: "HEAD" });
  expect([response.status, response.body]).toEqual([200, null]);
  expect(bench.api.counts().streams).toBe(0);
});

test("the end of ctdb-admind is told", async () => {
  const bench = new AdminBench();
  const reader = await Reader.open(bench);
  bench.api.close();
  const text = await reader.end();
  expect([kindsIn(text), reader.ended]).toEqual([["ending"], true]);
});

test("a thousand streams get everything, for one look a second", async () => {
  const bench = new AdminBench();
  const readers = await openMany(bench, 1000);
  await Promise.all(readers.map((reader) => reader.until("event: cluster")));
  const { looks } = bench;
  bench.happen(LINK(1), LINK(2), LINK(3));
  await bench.time.advance(1000);
  const texts = await Promise.all(readers.map((reader) => reader.until("id: 3")));
  expect(texts.every((text) => idsIn(text).join() === "1,2,3")).toBe(true);
  expect(bench.looks - looks).toBeLessThanOrEqual(2);
  expect(bench.api.counts().streams).toBe(1000);
  await Promise.all(readers.map((reader) => reader.leave()));
  expect(bench.api.counts().streams).toBe(0);
});

test("more streams than may be are refused, and others are answered", async () => {
  const bench = new AdminBench();
  const readers = await openMany(bench, 2048);
  const [status] = await bench.json("/api/v1/events", {}, UNIX);
  expect(status).toBe(503);
  expect((await bench.ask("/livez")).status).toBe(200);
  await readers[0]?.leave();
  expect((await bench.ask("/api/v1/events")).status).toBe(200);
});
