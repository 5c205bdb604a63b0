import { expect, test } from "bun:test";
import { createMemoryTdbOpener } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS, type Tdb } from "../../src/tdb/types.ts";
import { RECORD_FLAGS } from "../../src/wire/constants.ts";
import { type Content, RecordChecker } from "./record_checker.ts";
import { Scheduler } from "./scheduler.ts";
import { InvariantViolation, Judge } from "./violation.ts";

const NAME = "work.tdb";
const KEY = new TextEncoder().encode("key");

function header(dmaster: number, rsn: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, rsn, true);
  view.setUint32(8, dmaster, true);
  view.setUint32(16, flags, true);
  return bytes;
}

/** Two nodes with a database each, in these generations. */
function world() {
  const generations: (number | undefined)[] = [5, 5];
  const lmaster = { pnn: 0 };
  const checker = new RecordChecker(new Judge(new Scheduler()), {
    validGeneration: (pnn) => generations[pnn],
    lmaster: () => lmaster.pnn,
  });
  const tdbs = [0, 1].map((pnn) => {
    const opened = createMemoryTdbOpener().open({
      path: `/${NAME}.${pnn}`,
      flags: TDB_FLAGS.NOLOCK,
      hashSize: 3,
      create: true,
    });
    if (!opened.ok) throw new Error(opened.error.reason);
    checker.watch(opened.value, pnn, NAME);
    return opened.value;
  });
  const store = (pnn: number, dmaster: number, rsn: number, { flags = 0, bytes = 4 } = {}) =>
    (tdbs[pnn] as Tdb).storeParts(KEY, header(dmaster, rsn, flags), new Uint8Array(bytes));
  const remove = (pnn: number) => (tdbs[pnn] as Tdb).delete(KEY);
  return { checker, generations, lmaster, store, remove };
}

function content(dmaster: number, rsn: number, data: string): Content {
  return new Map([["key", { dmaster, rsn, flags: 0, data: new TextEncoder().encode(data) }]]);
}

test("RecordChecker takes a migration as it should be", () => {
  const { store, checker } = world();
  store(0, 0, 1);
  store(0, 1, 1);
  store(1, 1, 2);
  expect(checker.storesSeen).toBe(3);
});

test("RecordChecker finds two data masters in one generation", () => {
  const { store } = world();
  store(0, 0, 1);
  expect(() => store(1, 1, 2)).toThrow("two data masters");
});

test("RecordChecker leaves other generations and worthless content alone", () => {
  const { store, generations } = world();
  store(0, 0, 9);
  generations[1] = 6;
  store(1, 1, 2);
  generations[1] = 5;
  generations[0] = undefined;
  store(1, 1, 3);
});

test("RecordChecker finds a new data master whose RSN did not rise, and an RSN that goes back", () => {
  const first = world();
  first.store(0, 1, 4);
  expect(() => first.store(1, 1, 4)).toThrow("RSN does not rise");
  const second = world();
  second.store(0, 0, 4);
  expect(() => second.store(0, 0, 3)).toThrow("RSN goes back");
});

test("RecordChecker finds a read-only copy that outlives its revoke", () => {
  const { store } = world();
  const { RO_HAVE_DELEGATIONS, RO_HAVE_READONLY } = RECORD_FLAGS;
  store(0, 0, 4, { flags: RO_HAVE_DELEGATIONS });
  store(1, 0, 2, { flags: RO_HAVE_READONLY });
  store(0, 0, 5, { flags: RO_HAVE_DELEGATIONS });
  expect(() => store(0, 0, 6)).toThrow("outlives its revoke");
  store(1, 0, 3);
  store(0, 0, 7);
});

test("RecordChecker.thawed() finds what a recovery lost", () => {
  const brought = [content(0, 3, "old"), content(1, 4, "new")];
  const recover = (now: Content) => {
    const { checker } = world();
    for (const [pnn, had] of brought.entries()) {
      checker.joined(pnn, NAME, 6, { generation: 5, content: had });
    }
    checker.thawed(0, NAME, 6, now);
    return checker;
  };
  expect(recover(content(0, 5, "new")).thawsSeen).toBe(1);
  expect(() => recover(content(0, 5, "old"))).toThrow("lost update");
  expect(() => recover(content(0, 3, "new"))).toThrow("RSN goes back to 3");
  expect(() => recover(new Map())).toThrow("record lost");
});

test("RecordChecker.thawed() finds records of a node that counted for nothing", () => {
  const { checker } = world();
  checker.joined(0, NAME, 6, { generation: 5, content: new Map() });
  checker.joined(1, NAME, 6, { generation: 5, content: undefined });
  expect(() => checker.thawed(0, NAME, 6, content(0, 4, "new"))).toThrow("record from nowhere");
});

test("RecordChecker.thawed() takes either copy of two sides of a partition", () => {
  for (const data of ["left", "right"]) {
    const { checker } = world();
    checker.joined(0, NAME, 7, { generation: 5, content: content(0, 4, "left") });
    checker.joined(1, NAME, 7, { generation: 6, content: content(1, 4, "right") });
    checker.thawed(0, NAME, 7, content(0, 5, data));
  }
});

test("Judge.violated() keeps the first violation for the scheduler", () => {
  const scheduler = new Scheduler();
  const judge = new Judge(scheduler);
  expect(() => judge.violated("one")).toThrow(InvariantViolation);
  expect(() => judge.violated("two")).toThrow("two");
  expect(scheduler.failure?.message).toBe("one");
});

test("RecordChecker takes a deletion when all other copies are gone or empty", () => {
  const { store, remove, checker } = world();
  store(1, 0, 1);
  store(0, 0, 2, { bytes: 0 });
  checker.askedToDelete(1, NAME, KEY, 2);
  remove(1);
  remove(0);
  expect(checker.deletesSeen).toBe(2);
});

test("RecordChecker finds what must not be deleted", () => {
  const live = world();
  live.store(0, 0, 1);
  expect(() => live.remove(0)).toThrow("live record");

  const resurrected = world();
  resurrected.store(1, 0, 1);
  resurrected.store(0, 0, 2, { bytes: 0 });
  expect(() => resurrected.remove(0)).toThrow("may come back");

  const newer = world();
  newer.store(1, 2, 7);
  newer.checker.askedToDelete(1, NAME, KEY, 6);
  expect(() => newer.remove(1)).toThrow("newer copy");

  const forgotten = world();
  forgotten.store(0, 1, 1);
  forgotten.store(1, 1, 2);
  expect(() => forgotten.remove(0)).toThrow("forgets");
  forgotten.lmaster.pnn = 1;
  forgotten.store(0, 1, 1);
});

test("RecordChecker does not judge deletions in content that counts for nothing", () => {
  const { store, remove, generations } = world();
  store(1, 1, 1);
  generations[1] = undefined;
  remove(1);
});

test("RecordChecker knows which recovery has written a node's content, until the node dies", () => {
  const { checker } = world();
  checker.committed(0, NAME, 7);
  checker.committed(1, NAME, 7);
  checker.committed(0, NAME, 8);
  checker.forget(1);
  expect([0, 1].map((pnn) => checker.lastCommit(pnn, NAME))).toEqual([8, undefined]);
});
