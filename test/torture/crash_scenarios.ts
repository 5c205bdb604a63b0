/** Transactions of every kind for the crash loop: what lies in the file before, and what one changes. */
import type { Tdb } from "../../src/tdb/types.ts";
import { must } from "../support/must.ts";
import { bytes, dump, finish } from "../tdb/support.ts";

export interface Scenario {
  readonly name: string;
  prepare(tdb: Tdb): Promise<void>;
  /** Inside the transaction that is cut short. */
  change(tdb: Tdb): void;
}

function fill(tdb: Tdb, from: number, to: number, length: number): void {
  for (let i = from; i < to; i++)
    must(tdb.store(bytes(`key-${i}`), new Uint8Array(length).fill(i)));
}

/** The records before the change and after it; the transaction is open, and its commit may be cut short. */
export async function changeOf(scenario: Scenario, tdb: Tdb) {
  await scenario.prepare(tdb);
  const before = dump(tdb);
  must(tdb.startTransaction());
  scenario.change(tdb);
  return { before, after: dump(tdb) };
}

async function commit(tdb: Tdb, change: () => void): Promise<void> {
  must(tdb.startTransaction());
  change();
  must(await finish(tdb.commit()));
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "first transaction of an empty file",
    prepare: async () => undefined,
    change: (tdb) => fill(tdb, 0, 30, 700),
  },
  {
    name: "first transaction, no growth",
    prepare: async (tdb) => fill(tdb, 0, 40, 300),
    change: (tdb) => {
      for (let i = 0; i < 40; i += 3) must(tdb.store(bytes(`key-${i}`), bytes(`changed ${i}`)));
      must(tdb.delete(bytes("key-1")));
    },
  },
  {
    name: "the recovery area fits",
    prepare: async (tdb) => {
      fill(tdb, 0, 60, 300);
      await commit(tdb, () => fill(tdb, 0, 60, 280));
    },
    change: (tdb) => {
      for (let i = 0; i < 10; i++) must(tdb.delete(bytes(`key-${i}`)));
      must(tdb.store(bytes("new"), bytes("value")));
    },
  },
  {
    name: "the recovery area fits, the file grows",
    prepare: async (tdb) => {
      fill(tdb, 0, 60, 300);
      await commit(tdb, () => fill(tdb, 0, 60, 280));
    },
    change: (tdb) => fill(tdb, 40, 100, 1500),
  },
  {
    name: "the recovery area moves to the end, the file grows",
    prepare: async (tdb) => {
      fill(tdb, 0, 20, 100);
      await commit(tdb, () => must(tdb.store(bytes("a"), bytes("1"))));
      fill(tdb, 20, 400, 300);
    },
    change: (tdb) => {
      for (let i = 0; i < 400; i++)
        must(tdb.store(bytes(`key-${i}`), new Uint8Array(500).fill(i + 1)));
    },
  },
  {
    name: "the recovery area moves to the end, the records stay",
    prepare: async (tdb) => {
      fill(tdb, 0, 20, 100);
      await commit(tdb, () => must(tdb.store(bytes("a"), bytes("1"))));
      fill(tdb, 20, 600, 300);
    },
    change: (tdb) => fill(tdb, 20, 600, 290),
  },
  {
    name: "the recovery area at the end grows",
    prepare: async (tdb) => {
      fill(tdb, 0, 600, 300);
      await commit(tdb, () => must(tdb.store(bytes("key-1"), bytes("1"))));
    },
    change: (tdb) => {
      for (let i = 0; i < 600; i++)
        must(tdb.store(bytes(`key-${i}`), new Uint8Array(290).fill(i + 1)));
    },
  },
  {
    name: "everything wiped and written anew",
    prepare: async (tdb) => {
      fill(tdb, 0, 150, 200);
      await commit(tdb, () => fill(tdb, 150, 160, 200));
    },
    change: (tdb) => {
      must(tdb.wipe());
      fill(tdb, 100, 300, 210);
    },
  },
];
