/** What a run of the vacuum leaves behind goes back in slices, or whole: never entry by entry in one turn. */
import { expect, test } from "bun:test";
import { at, calledNode } from "../../../test/database/called_node.ts";
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { err } from "../../base/result.ts";
import { textBytes } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { FetchCollapse } from "../calls/fetch_collapse.ts";
import { PendingCalls } from "../calls/pending_calls.ts";
import { Replies } from "../calls/replies.ts";
import { RecordHeader } from "../record/record_header.ts";
import { Budget } from "../slices.ts";
import { VacuumFetch } from "./fetch_offered.ts";
import { LostHolders } from "./holders.ts";
import { VACUUM_SLICE_MS } from "./limits.ts";
import { VacuumOffer } from "./offer_to_lmasters.ts";
import { VacuumWork } from "./vacuum_work.ts";

const COUNT = 3000;
const key = (i: number) => textBytes(`key ${i}`);

function setUp() {
  const world = calledNode(1);
  const { host, database } = world;
  for (let i = 0; i < COUNT; i++) {
    database.deleteQueue.schedule(jenkinsHash(key(i)), key(i), new RecordHeader());
    database.fetchQueue.add(key(i));
  }
  const pending = new PendingCalls(host, new Replies(host), new FetchCollapse(host, () => {}));
  const parts = { host, pending, holders: new LostHolders(host) };
  let resumed = 0;
  const work = new VacuumWork(parts, database, () => {
    resumed += 1;
  });
  const budget = new Budget(host, VACUUM_SLICE_MS);
  const slice = (): Budget => {
    budget.restart();
    return budget;
  };
  return { ...world, work, slice, resumed: () => resumed };
}

test("VacuumOffer keeps what it cannot offer in slices", () => {
  for (const connected of [false, true]) {
    const { host, database, work, slice, asked, resumed } = setUp();
    work.toOffer.set(
      1,
      Array.from({ length: work.table.slots }, (_, slot) => slot),
    );
    const offer = new VacuumOffer(work);
    if (connected) {
      expect(offer.step(slice())).toBe("wait");
      at(asked(), 0).finished(err("no answer"));
      expect([resumed(), database.deleteQueue.size]).toEqual([1, 0]);
    } else host.flags.set(1, NODE_FLAGS.DISCONNECTED);
    host.time.tickPerLookMs = 1;
    expect(offer.step(slice())).toBe("more");
    expect(database.deleteQueue.size).toBeWithin(1, COUNT / 10);
    host.time.tickPerLookMs = 0;
    let steps = 0;
    while (offer.step(slice()) !== "done") expect(++steps).toBeLessThan(COUNT);
    expect([work.table.size, database.deleteQueue.size, work.counts.kept]).toEqual([
      0,
      COUNT,
      COUNT,
    ]);
  }
});

test("VacuumFetch gives back whole what it has not looked at, and the next run gets it", () => {
  const { host, database, work, slice } = setUp();
  host.map = [0];
  const fetch = new VacuumFetch(work, false);
  expect(database.fetchQueue.size).toBe(0);
  host.time.tickPerLookMs = 1;
  expect(fetch.step(slice())).toBe("more");
  fetch.cancel();
  fetch.cancel();
  const left = database.fetchQueue.size;
  expect(left).toBeWithin(COUNT * 0.9, COUNT);
  expect(database.fetchQueue.memoryBytes).toBeGreaterThan(left * 16);
  database.fetchQueue.add(textBytes("offered meanwhile"));
  expect(database.fetchQueue.size).toBe(left + 1);
  expect(database.fetchQueue.take().size).toBe(left);
  expect(database.fetchQueue.take().size).toBe(1);
  database.fetchQueue.giveBackAll(database.fetchQueue.take());
  expect(database.fetchQueue.size).toBe(0);
});

test("FetchQueue.clear() forgets what runs have left, too", () => {
  const { database } = setUp();
  database.fetchQueue.giveBackAll(database.fetchQueue.take());
  expect(database.fetchQueue.size).toBe(COUNT);
  database.fetchQueue.clear();
  expect([database.fetchQueue.size, database.fetchQueue.take().size]).toEqual([0, 0]);
});
