/**
 * Traverse figures: a client reads a volatile database whose records are spread over the three nodes.
 *
 * The records are written straight into the nodes' files, each with its node as data master: filling is
 * not what is measured.
 */
import { attachDatabase, traverseDatabase } from "../../src/client/database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { encode } from "../../src/wire/codec.ts";
import { ltdbHeader } from "../../src/wire/structs/records.ts";
import { must } from "../support/must.ts";
import { localFile } from "../support/records.ts";
import { connectAll, recordKey, TIMEOUT_MS, VALUE_BYTES } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";

const NAME = "bench_traverse.tdb";
const RECORDS = 100_000;
const PASSES = 3;

/** Every third record belongs to this node. */
async function fillNode(client: CtdbClient, pnn: number): Promise<number> {
  const database = must(await attachDatabase(client, NAME, 0, TIMEOUT_MS));
  const tdb = localFile(database);
  const value = new Uint8Array(VALUE_BYTES).fill(0x61);
  const head = encode(ltdbHeader, {
    rsn: { hi: 0, lo: 1 },
    dmaster: pnn,
    reserved1: 0,
    flags: 0x10000,
  });
  for (let i = pnn; i < RECORDS; i += 3) {
    must(tdb.storeParts(recordKey(i), head, value));
  }
  tdb.close();
  return database.id;
}

async function recordsPerSecond(cluster: BenchCluster): Promise<number> {
  const clients = await connectAll(cluster);
  let id = 0;
  for (const [pnn, client] of clients.entries()) id = await fillNode(client, pnn);
  const client = clients[0] as CtdbClient;
  let elapsedMs = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const started = performance.now();
    let seen = 0;
    const count = must(
      await traverseDatabase(client, id, process.pid + pass, TIMEOUT_MS, () => {
        seen += 1;
      }),
    );
    elapsedMs += performance.now() - started;
    if (count !== RECORDS || seen !== RECORDS) {
      throw new Error(`the traverse showed ${count} records, expected ${RECORDS}`);
    }
  }
  for (const each of clients) each.close();
  return (PASSES * RECORDS * 1000) / elapsedMs;
}

export const traverseFigures: readonly Figure[] = [
  {
    name: `traverse of ${RECORDS} records of ${VALUE_BYTES} bytes`,
    unit: "records/s",
    better: "higher",
    measure: recordsPerSecond,
  },
];
