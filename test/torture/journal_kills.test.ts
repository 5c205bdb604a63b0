/**
 * A reader of the journal that is killed with SIGKILL again and again, over a real ctdbd, while events flow: what was
 * acknowledged is there, nothing is there twice, and what had to go is a gap with its count. The ctdbd is killed once too.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { openSqlite } from "#sqlite";
import { silentLogger } from "../../src/base/log.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { RING_EVENTS_MAX } from "../../src/daemon/journal/limits.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import type { KeptEvent } from "../../src/journal/types.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { encodeReport } from "../../src/wire/journal_messages.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { withCluster } from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { until, when, within } from "../support/until.ts";

const KILLS = Number(process.env["JOURNAL_KILLS"] ?? 200);
/** A reader may live for so long after the first batch that it kept. */
const LIFE_MS_MAX = 60;
const REPORT_EVENTS = 20;
/** Slow enough for a machine that is busy: nothing overflows before it is to. */
const REPORT_PAUSE_MS = 20;
const WAIT_MS = 30_000;
const LIMIT_MS = 600_000;
const PROGRAM = join(import.meta.dir, "journal_reader.ts");

/** Events with numbers of their own, one after the other. */
class Source {
  sent = 0;
  readonly #client: CtdbClient;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(client: CtdbClient) {
    this.#client = client;
  }
  send(count: number): void {
    const entries = Array.from({ length: count }, () => {
      this.sent += 1;
      const event = { kind: "election", reason: `${this.sent}` };
      return { time_us: Date.now() * 1000, monotonic_ms: performance.now(), event };
    });
    const report = encodeReport({ process: "recoverd", entries });
    this.#client.sendMessage(this.#client.pnn, SRVID.JOURNAL_REPORT, report);
  }
  /** Until ctdbd has all of it. */
  async answered(): Promise<void> {
    must(await this.#client.control("PING", undefined), "PING");
  }
  flow(): void {
    this.#timer = setInterval(() => this.send(REPORT_EVENTS), REPORT_PAUSE_MS);
  }
  stop(): void {
    clearInterval(this.#timer);
  }
}

class Reader {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;
  #text = "";

  constructor(socket: string, path: string) {
    this.#process = Bun.spawn([process.execPath, PROGRAM, socket, path], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    void this.#read();
  }
  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stdout) this.#text += decoder.decode(chunk);
  }
  get lines(): readonly string[] {
    return this.#text.split("\n").slice(0, -1);
  }
  async keeps(): Promise<void> {
    await until("the reader keeps events", WAIT_MS, () =>
      when(this.lines.some((line) => line.startsWith("kept"))),
    );
  }
  /** What it has said that is no "kept". */
  async kill(): Promise<readonly string[]> {
    this.#process.kill("SIGKILL");
    await within("the reader has ended", WAIT_MS, this.#process.exited);
    return this.lines.filter((line) => !line.startsWith("kept"));
  }
}

/** Every event that is kept, in order. */
function* everything(path: string): Generator<KeptEvent> {
  const retention = { ageMaxMs: 1e12, bytesMax: 1e12 };
  const files = new SystemFiles();
  const store = new SqliteStore({ open: openSqlite, files, path, retention, log: silentLogger });
  expect(store.facts().setAside).toEqual([]);
  let afterId = 0;
  for (;;) {
    const page = must(store.query({ afterId, limit: 1000 }));
    if (page.length === 0) break;
    yield* page;
    afterId = page.at(-1)?.id ?? afterId;
  }
  store.close();
}

interface Checked {
  readonly rings: number;
  readonly kept: number;
  /** Of which the count is known. */
  readonly missing: number;
  readonly reported: number;
}

/** Numbers of each ring without a hole that is no gap, none twice; reported events in the order in which they were sent. */
function check(path: string): Checked {
  let [rings, kept, missing, reported, last] = [0, 0, 0, 0, 0];
  let ring = "";
  let next = 1;
  for (const { ring: name, number, event } of everything(path)) {
    if (name !== ring) {
      rings += 1;
      ring = name;
      next = 1;
    }
    if (event.kind === "gap" && event.missing === null) {
      expect([rings, number]).toEqual([2, 0]);
      continue;
    }
    expect([name, number]).toEqual([name, next]);
    if (event.kind === "gap") {
      next += event.missing ?? 0;
      missing += event.missing ?? 0;
      continue;
    }
    next += 1;
    kept += 1;
    if (event.kind !== "election" || !/^\d+$/.test(event.reason)) continue;
    expect(Number(event.reason)).toBeGreaterThan(last);
    last = Number(event.reason);
    reported += 1;
  }
  return { rings, kept, missing, reported };
}

test(
  `${KILLS} kills of the reader lose nothing that was acknowledged, and keep nothing twice`,
  async () => {
    const seed = Date.now() >>> 0;
    console.log(`seed ${seed}`);
    const random = new SeededRandom(seed);
    await withCluster({ nodes: 1 }, async (cluster) => {
      const path = join(cluster.base(0), "journal");
      const socket = cluster.socket(0);
      const problems: string[] = [];
      const lives = async (source: Source, kills: number) => {
        source.flow();
        for (let round = 0; round < kills; round++) {
          const reader = new Reader(socket, path);
          await reader.keeps();
          await Bun.sleep(random.u32() % LIFE_MS_MAX);
          problems.push(...(await reader.kill()));
        }
        source.stop();
      };
      const caughtUp = async (source: Source) => {
        const reader = new Reader(socket, path);
        source.send(1);
        await until("the reader has caught up", WAIT_MS, () => {
          const [last] = [...everything(path)].slice(-1);
          const { event } = last ?? {};
          return when(event?.kind === "election" && event.reason === `${source.sent}`);
        });
        problems.push(...(await reader.kill()));
      };
      const first = new Source(await cluster.connect(0));
      await lives(first, KILLS / 2);
      await caughtUp(first);
      const calm = check(path);
      console.log(`killed ${KILLS / 2} times: ${JSON.stringify(calm)} of ${first.sent}`);
      expect([calm.rings, calm.missing, calm.reported]).toEqual([1, 0, first.sent]);

      // Nobody reads for a while: an overflow.
      for (let sent = 0; sent < 2 * RING_EVENTS_MAX; sent += 512) first.send(512);
      await first.answered();
      await caughtUp(first);
      const overflown = check(path);
      console.log(`after an overflow: ${JSON.stringify(overflown)} of ${first.sent}`);
      expect(overflown.missing).toBeGreaterThan(RING_EVENTS_MAX / 2);
      expect(overflown.reported + overflown.missing).toBeGreaterThanOrEqual(first.sent);

      await cluster.kill(0);
      await cluster.start(0);
      await cluster.waitReady(0);
      const second = new Source(await cluster.connect(0));
      second.sent = first.sent;
      await lives(second, KILLS / 2);
      await caughtUp(second);
      const all = check(path);
      console.log(`after all: ${JSON.stringify(all)} of ${second.sent}`);
      expect([all.rings, all.missing]).toEqual([2, overflown.missing]);
      expect(all.reported - overflown.reported).toBe(second.sent - first.sent);
      expect(problems).toEqual([]);
    });
  },
  LIMIT_MS,
);
