/**
 * Recovery of one database of a gigabyte. The records are written into the file of node 0, as a client's would be that
 * has them all there: the first recovery brings them to all nodes, and the second one collects them from all. A kind of
 * node that cannot do it in the time that is given has no number, and its log says why.
 */

import { attachDatabase } from "../../src/client/database.ts";
import { whileBusy } from "../../src/client/local_file.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { encode } from "../../src/wire/codec.ts";
import { LTDB_HEADER_BYTES, ltdbHeader } from "../../src/wire/structs/records.ts";
import { must } from "../support/must.ts";
import { localFile } from "../support/records.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import { connect, recordKey, TIMEOUT_MS } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";
import { oncePerCluster } from "./once.ts";
import { type Peaks, peakFigures, unknownPeaks } from "./peak_memory.ts";
import { type WatchedRecovery, watchedRecovery } from "./recovery.ts";

const NAME = "bench_gigabyte.tdb";
const VALUE_BYTES = 1000;
const RECORDS = 1024 * 1024;
/** Several attempts of the leader, each of which may take RecoverTimeout for one of its steps. */
const WAIT_MS = 180_000;
/** The daemon works on the file, too: a vacuum has the lock of a chain for a moment. */
const BUSY_MS_MAX = 10_000;
/** Turns of the clients of this process. */
const RECORDS_AT_ONCE = 5000;

async function fill(client: CtdbClient): Promise<void> {
  const attached = must(await attachDatabase(client, NAME, 0, TIMEOUT_MS));
  const file = localFile(attached);
  const environment = recordEnvironment();
  const value = new Uint8Array(LTDB_HEADER_BYTES + VALUE_BYTES).fill(0x61);
  value.set(encode(ltdbHeader, { rsn: { hi: 0, lo: 1 }, dmaster: 0, reserved1: 0, flags: 0 }));
  for (let i = 0; i < RECORDS; i++) {
    must(await whileBusy(environment, BUSY_MS_MAX, () => file.store(recordKey(i), value)));
    if (i % RECORDS_AT_ONCE === 0) await Bun.sleep(0);
  }
  file.close();
}

const FAILED: WatchedRecovery = { elapsedMs: Number.NaN, peaks: unknownPeaks };

const recoveries = oncePerCluster(async (cluster) => {
  const client = await connect(cluster, 0);
  await fill(client);
  client.close();
  const first = await attempt(cluster);
  const second = Number.isNaN(first.elapsedMs) ? FAILED : await attempt(cluster);
  return { first, second };
});

async function attempt(cluster: BenchCluster): Promise<WatchedRecovery> {
  try {
    return await watchedRecovery(cluster, WAIT_MS);
  } catch (error) {
    process.stderr.write(`  ${cluster.kind}: no recovery: ${(error as Error).message}\n`);
    return FAILED;
  }
}

const WHAT = {
  first: "recovery of 1 GiB that one node has",
  second: "recovery of 1 GiB that all nodes have",
} as const;

export const gigabyteFigures: readonly Figure[] = (["first", "second"] as const).flatMap(
  (which) => [
    {
      name: WHAT[which],
      unit: "ms",
      better: "lower" as const,
      measure: async (cluster: BenchCluster) => (await recoveries(cluster))[which].elapsedMs,
    },
    ...peakFigures(
      WHAT[which],
      async (cluster): Promise<Peaks> => (await recoveries(cluster))[which].peaks,
    ),
  ],
);
