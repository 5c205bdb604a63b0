/**
 * Rolling replacement on loopback: the nodes of a cluster become those of another kind one after the other while clients
 * of all nodes count, in records and in transactions; then they become what they were. No count is lost.
 */
import { openPersistentDatabase } from "../../../src/client/persistent_database.ts";
import { bytesText, textBytes } from "../../../src/wire/codec.ts";
import { DB_FLAGS } from "../../../src/wire/constants.ts";
import { must } from "../../support/must.ts";
import { lockEnvironment } from "../../support/tdbs.ts";
import { until, when } from "../../support/until.ts";
import { type Layout, withKinds } from "./kinds.ts";
import { MixedCluster } from "./mixed_cluster.ts";

const RECORDS = "rolling_records.tdb";
const KEPT = "rolling_kept.tdb";
const KEY = "counter";
const REQUEST_TIMEOUT_MS = 40_000;
const PROGRESS_TIMEOUT_MS = 60_000;
/** What a worker leaves to the daemons between two counts. */
const PAUSE_MS = 5;

/** What was acknowledged to workers of all nodes. */
interface Counts {
  records: number;
  transactions: number;
}

class Worker {
  readonly #running: Promise<void>;
  #stopping = false;
  readonly #counts: Counts;
  readonly own: Counts = { records: 0, transactions: 0 };
  failure: unknown;

  constructor(mixed: MixedCluster, pnn: number, counts: Counts) {
    this.#counts = counts;
    this.#running = this.#run(mixed, pnn).catch((error: unknown) => {
      this.failure = error;
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    if (this.failure !== undefined) throw this.failure;
  }

  async #run(mixed: MixedCluster, pnn: number): Promise<void> {
    const records = await mixed.open(pnn, RECORDS);
    const client = await mixed.client(pnn);
    const opening = openPersistentDatabase(
      client,
      lockEnvironment(),
      KEPT,
      DB_FLAGS.PERSISTENT,
      REQUEST_TIMEOUT_MS,
    );
    const kept = must(await opening, `open ${KEPT} on node ${pnn}`);
    try {
      while (!this.#stopping) {
        await mixed.update(records, KEY, (value) => String(Number(value) + 1));
        this.#counts.records += 1;
        this.own.records += 1;
        const done = await kept.transact(REQUEST_TIMEOUT_MS, async (transaction) => {
          const before = await transaction.fetch(textBytes(KEY), REQUEST_TIMEOUT_MS);
          if (!before.ok) return before;
          const next = textBytes(String(Number(bytesText(before.value)) + 1));
          return await transaction.store(textBytes(KEY), next, REQUEST_TIMEOUT_MS);
        });
        must(done, `transaction on node ${pnn}`);
        this.#counts.transactions += 1;
        this.own.transactions += 1;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } finally {
      records.close();
      kept.close();
    }
  }
}

export async function replacedAndBack(first: MixedCluster, to: Layout): Promise<void> {
  const { pnns, cluster } = first;
  const from = pnns.map((pnn) => (first.kindOf(pnn) === "stock" ? "S" : "O")).join("");
  const counts: Counts = { records: 0, transactions: 0 };
  const workers = new Map<number, Worker>();
  const begin = (mixed: MixedCluster, pnn: number) =>
    workers.set(pnn, new Worker(mixed, pnn, counts));
  await first.start(...pnns);
  await first.settled(pnns);
  for (const pnn of pnns) begin(first, pnn);
  let mixed = first;
  let layout = from;
  try {
    for (const target of [to, from]) {
      for (const pnn of pnns) {
        await everybodyCounts(workers);
        // Clients leave a node before it ends, as smbd does; the newest record must not be the one that goes with it.
        await workers.get(pnn)?.stop();
        workers.delete(pnn);
        await everybodyCounts(workers);
        await mixed.cluster.stop(pnn);
        layout = layout.slice(0, pnn) + target.charAt(pnn) + layout.slice(pnn + 1);
        mixed = new MixedCluster(withKinds(cluster, layout));
        await mixed.start(pnn);
        await mixed.settled(pnns);
        begin(mixed, pnn);
      }
    }
    await everybodyCounts(workers);
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.stop()));
  }
  await sameCounts(mixed, counts);
}

async function everybodyCounts(workers: ReadonlyMap<number, Worker>): Promise<void> {
  const before = [...workers].map(([pnn, worker]) => ({ pnn, worker, was: { ...worker.own } }));
  await until(
    "the worker of every node has counted once more",
    PROGRESS_TIMEOUT_MS,
    () => {
      for (const { worker } of before) if (worker.failure !== undefined) throw worker.failure;
      return when(before.every(({ worker, was }) => worker.own.transactions > was.transactions));
    },
    () => before.map(({ pnn, worker }) => `${pnn}: ${worker.own.transactions}`).join(", "),
  );
}

async function sameCounts(mixed: MixedCluster, counts: Counts): Promise<void> {
  for (const pnn of mixed.pnns) {
    const records = await mixed.open(pnn, RECORDS);
    const value = await mixed.read(records, KEY);
    records.close();
    const kept = await mixed.localRecords(pnn, KEPT, DB_FLAGS.PERSISTENT);
    const found = `${value} and ${kept.get(KEY)?.value}`;
    const expected = `${counts.records} and ${counts.transactions}`;
    if (found === expected) continue;
    throw new Error(
      `node ${pnn}: expected ${expected} counts in record and transactions, ${found}`,
    );
  }
}
