import { expect, test } from "bun:test";
import { FakeCtdbd, type SeenMessage } from "../../test/support/fake_ctdbd.ts";
import { ManualTime, settle } from "../../test/support/manual_time.ts";
import { must } from "../../test/support/must.ts";
import type { U64 } from "../base/u64.ts";
import {
  API_PART_CHARACTERS,
  type ApiAnswerPart,
  decodeApiRequest,
  encodeApiAnswerPart,
} from "../wire/api_messages.ts";
import { encode, textBytes, u32Codec } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import { PING_LISTENERS } from "../wire/controls.ts";
import { type ApiOutcome, ApiRequests } from "./api_request.ts";
import { connectClient } from "./ctdb_client.ts";

const START_US = 1_700_000_000_000_000;
const PEER = 2;

/** A node 0 that knows node PEER, and what the latter's ctdb-admind would do is up to the test. */
class Bench {
  readonly time = new ManualTime();
  readonly ctdbd = new FakeCtdbd(0);
  readonly asked: { readonly id: number; readonly answer: U64; readonly path: string }[] = [];
  listeners: number | undefined = 1;
  requests!: ApiRequests;

  static async open(): Promise<Bench> {
    const bench = new Bench();
    const { ctdbd, time } = bench;
    ctdbd.on("PING", () =>
      bench.listeners === undefined ? {} : { data: encode(u32Codec, bench.listeners) },
    );
    ctdbd.onMessage = (message) => bench.#keep(message);
    const client = must(await connectClient(ctdbd.network, time, "/run/ctdbd.socket"));
    const random = { u32: () => 0xffffffff };
    bench.requests = must(await ApiRequests.open({ client, clock: time, timers: time, random }));
    return bench;
  }

  #keep({ destnode, srvid, data }: SeenMessage): void {
    expect([destnode, srvid]).toEqual([PEER, SRVID.API_REQUEST]);
    this.asked.push(must(decodeApiRequest(data)));
  }

  /** Asks, and returns when the question is on its way. */
  async ask(timeoutMs = 1000): Promise<{ readonly outcome: Promise<ApiOutcome> }> {
    const outcome = this.requests.ask(PEER, "/api/v1/journal", timeoutMs);
    await settle();
    return { outcome };
  }

  answer(part: Partial<ApiAnswerPart>, from = PEER, at = -1): void {
    const { id, answer } = this.asked.at(at) as Bench["asked"][number];
    const usual = { status: 200, content_type: "application/json", part: 0, parts: 1, text: "" };
    const times = { received_us: START_US, sent_us: START_US };
    this.ctdbd.sendMessage(answer, encodeApiAnswerPart({ id, ...usual, ...times, ...part }), from);
  }
}

function kindOf(outcome: ApiOutcome): string {
  return outcome.ok ? "an answer" : outcome.error.kind;
}

test("ApiRequests.ask() looks for a listener, then asks, and joins the parts", async () => {
  const bench = await Bench.open();
  const { outcome } = await bench.ask();
  const ping = bench.ctdbd.controls.find(({ name }) => name === "PING");
  expect(ping).toMatchObject({ destnode: PEER, srvid: SRVID.API_REQUEST, flags: PING_LISTENERS });
  expect(bench.asked.map(({ path }) => path)).toEqual(["/api/v1/journal"]);
  const long = "é".repeat(API_PART_CHARACTERS);
  bench.answer({ part: 0, parts: 2, text: long });
  bench.answer({ part: 1, parts: 2, text: "end" });
  expect(await outcome).toMatchObject({
    ok: true,
    value: { node: PEER, status: 200, contentType: "application/json", text: `${long}end` },
  });
  expect(bench.time.waiting).toBe(0);
});

test("ApiRequests.ask() says so where nobody listens, and where the daemon is of another kind", async () => {
  const bench = await Bench.open();
  bench.listeners = 0;
  const none = await bench.requests.ask(PEER, "/x", 1000);
  expect(none).toMatchObject({ error: { kind: "no journal" } });
  bench.listeners = undefined;
  expect(kindOf(await bench.requests.ask(PEER, "/x", 1000))).toBe("no journal");
  expect(bench.asked).toEqual([]);
});

test("ApiRequests.ask() names a node that ctdbd cannot send to", async () => {
  const bench = await Bench.open();
  bench.ctdbd.on("PING", () => ({ status: -1, error: "node is disconnected" }));
  const outcome = await bench.requests.ask(PEER, "/x", 1000);
  expect(outcome).toMatchObject({
    error: { kind: "unreachable", reason: expect.stringContaining("node is disconnected") },
  });
});

test("ApiRequests.ask() has one limit for the look and the answer", async () => {
  const bench = await Bench.open();
  bench.ctdbd.answerLater = (answer) => bench.time.after(600, answer);
  const asking = bench.requests.ask(PEER, "/x", 1000);
  await bench.time.advance(600);
  expect(bench.asked).toHaveLength(1);
  await bench.time.advance(399);
  expect(await Promise.race([asking, settle()])).toBeUndefined();
  await bench.time.advance(1);
  expect(kindOf(await asking)).toBe("timeout");
  bench.answer({});
  expect(bench.time.waiting).toBe(0);
});

test("ApiRequests.ask() estimates how far the other clock is ahead, without the time that the answer took", async () => {
  const bench = await Bench.open();
  const { outcome } = await bench.ask();
  await bench.time.advance(300);
  // Five seconds ahead; 50 ms there, 200 ms of work, 50 ms back.
  const receivedUs = START_US + 5_000_000 + 50_000;
  bench.answer({ received_us: receivedUs, sent_us: receivedUs + 200_000 });
  expect(await outcome).toMatchObject({
    value: { clock: { aheadUs: 5_000_000, errorUs: 50_000 } },
  });
});

test("ApiRequests drops parts of other nodes and of other questions", async () => {
  const bench = await Bench.open();
  const { outcome } = await bench.ask();
  bench.answer({ text: "forged" }, PEER + 1);
  bench.answer({ id: 7, text: "of another" });
  bench.ctdbd.sendMessage(bench.asked[0]?.answer as U64, textBytes("{"), PEER);
  bench.answer({ text: "right" });
  expect(await outcome).toMatchObject({ value: { text: "right" } });
});

test.each<[string, readonly Partial<ApiAnswerPart>[]]>([
  ["a part that is not the next", [{ part: 1, parts: 2 }]],
  ["parts of two answers", [{ parts: 2 }, { part: 1, parts: 3 }]],
  ["another status", [{ parts: 2 }, { part: 1, parts: 2, status: 500 }]],
])("ApiRequests.ask() fails at %s", async (_name, parts) => {
  const bench = await Bench.open();
  const { outcome } = await bench.ask();
  for (const part of parts) bench.answer(part);
  expect(kindOf(await outcome)).toBe("malformed");
});

test("ApiRequests.ask() ends an answer that grows without end", async () => {
  const bench = await Bench.open();
  const { outcome } = await bench.ask();
  const text = "x".repeat(900_000);
  for (let part = 0; part < 19; part++) bench.answer({ part, parts: 1000, text });
  expect(await outcome).toMatchObject({
    error: { kind: "malformed", reason: expect.stringContaining("characters") },
  });
});

test("ApiRequests keeps questions apart that are under way together", async () => {
  const bench = await Bench.open();
  const first = await bench.ask();
  const second = await bench.ask();
  bench.answer({ text: "second" }, PEER, 1);
  bench.answer({ text: "first" }, PEER, 0);
  expect(await first.outcome).toMatchObject({ value: { text: "first" } });
  expect(await second.outcome).toMatchObject({ value: { text: "second" } });
});

test("ApiRequests fails what is asked when the connection ends, or the asker", async () => {
  const bench = await Bench.open();
  const { outcome } = await bench.ask();
  bench.ctdbd.drop();
  expect(kindOf(await outcome)).toBe("unreachable");
  const other = await Bench.open();
  const asked = await other.ask();
  other.requests.close();
  expect(kindOf(await asked.outcome)).toBe("unreachable");
});
