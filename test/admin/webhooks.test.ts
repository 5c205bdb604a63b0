/** Webhooks: what is sent, and what happens when nobody takes it. */
import { expect, test } from "bun:test";
import { Webhooks } from "../../src/admin/webhooks.ts";
import type { JournalEvent } from "../../src/base/journal_event.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { KeptEvent } from "../../src/journal/types.ts";
import { ManualTime, settle } from "../support/manual_time.ts";

const LEADER = { kind: "leader", before: 0, after: 1, reason: "r" } as const;
const LONG_TURN = { kind: "long_turn", duration_ms: 1, busy_ms: 1, spans: [] } as const;

class Bench {
  readonly time = new ManualTime();
  readonly posts: [url: string, id: number][] = [];
  readonly logged: string[] = [];
  answer: Result<number> = ok(200);
  /** It takes what is sent and never answers. */
  silent = "";
  #last = 0;
  readonly webhooks: Webhooks;

  constructor(...urls: readonly string[]) {
    this.webhooks = new Webhooks({
      urls,
      timers: this.time,
      log: { warning: (text) => this.logged.push(text) },
      document: ({ id, event }) => ({ id, event }),
      post: async (url, body) => {
        this.posts.push([url, (JSON.parse(body) as { readonly id: number }).id]);
        return url === this.silent ? await new Promise(() => {}) : this.answer;
      },
    });
  }

  happen(count: number, event: JournalEvent = LEADER): void {
    for (let i = 0; i < count; i++) {
      this.#last += 1;
      this.webhooks.publish([{ id: this.#last, node: 0, event } as KeptEvent]);
    }
  }

  get ids(): readonly number[] {
    return this.posts.map(([, id]) => id);
  }
}

const URL = "https://hooks.example/secret-path?key=secret";

test("changes of state are sent in order, what happens all the time is not", async () => {
  const bench = new Bench(URL);
  bench.happen(1);
  bench.happen(1, LONG_TURN);
  bench.happen(2);
  await bench.time.advance(10);
  expect(bench.ids).toEqual([1, 3, 4]);
  expect(bench.webhooks.counts).toEqual({ sent: 3, failed: 0, dropped: 0 });
  expect(bench.time.waiting).toBe(0);
});

test.each<[string, Result<number>]>([
  ["an error", err("connection refused")],
  ["a refusal", ok(500)],
  ["a place elsewhere", ok(302)],
])(
  "%s is tried again after longer and longer pauses, then the next has its turn",
  async (_n, answer) => {
    const bench = new Bench(URL);
    bench.answer = answer;
    bench.happen(2);
    await bench.time.advance(0);
    expect(bench.ids).toEqual([1]);
    await bench.time.advance(1000 + 4000 + 16_000 + 60_000);
    expect(bench.ids).toEqual([1, 1, 1, 1, 1, 2]);
    expect(bench.webhooks.counts.failed).toBe(1);
    bench.answer = ok(204);
    await bench.time.advance(1000);
    expect(bench.webhooks.counts).toEqual({ sent: 1, failed: 1, dropped: 0 });
    expect(bench.logged).toHaveLength(1);
    expect(bench.logged[0]).not.toContain("secret");
  },
);

test("an address that does not answer keeps no other waiting, and its queue is bounded", async () => {
  const bench = new Bench(URL, "http://other.example/");
  bench.silent = URL;
  for (let i = 0; i < 1500; i++) {
    bench.happen(1);
    await bench.time.advance(1);
  }
  const to = (wanted: string) => bench.posts.filter(([url]) => url === wanted).length;
  expect([to(URL), to("http://other.example/")]).toEqual([1, 1500]);
  expect(bench.webhooks.counts).toEqual({ sent: 1500, failed: 0, dropped: 500 });
});

test("nothing is sent after the end", async () => {
  const bench = new Bench(URL);
  bench.answer = err("away");
  bench.happen(3);
  await settle();
  bench.webhooks.close();
  await bench.time.advance(100_000);
  expect([bench.ids, bench.time.waiting]).toEqual([[1], 0]);
});
