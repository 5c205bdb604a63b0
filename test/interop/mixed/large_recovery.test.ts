/**
 * Recoveries of more than a node sends ahead of an answer (PING_BACKLOG), in a cluster of our nodes and one of
 * Debian's: led by either kind, every record is on every node afterwards.
 */
import { expect, test } from "bun:test";
import { u64 } from "../../../src/base/u64.ts";
import { BACKLOG_ASK_BYTES } from "../../../src/database/traverse/limits.ts";
import { EMPTY } from "../../../src/wire/codec.ts";
import { CONTROLS, PING_BACKLOG } from "../../../src/wire/controls.ts";
import { stockInstalled, type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { RawClient } from "../../support/raw_client.ts";
import { MixedCluster } from "./mixed_cluster.ts";
import { step } from "./steps.ts";
import { withDatabases } from "./traffic.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 180_000;
const ANSWER_LIMIT_MS = 10_000;
const NAME = "large.tdb";
const [OURS, STOCK] = [0, 2];
const RECORDS = 60;
/** Together some times what is sent ahead. */
const VALUE_BYTES = Math.ceil((5 * BACKLOG_ASK_BYTES) / RECORDS);

const contentOf = (index: number) => String.fromCharCode(97 + (index % 26)).repeat(VALUE_BYTES);

/** What the node answers to the question how much waits. */
async function backlogOf(cluster: TestCluster, pnn: number): Promise<readonly number[]> {
  const client = await RawClient.connect(cluster.socket(pnn));
  const options = { srvid: u64(1, 2), timeoutMs: ANSWER_LIMIT_MS, flags: PING_BACKLOG };
  const answer = await client.control(CONTROLS.PING.opcode, EMPTY, options);
  client.close();
  if (answer.kind !== "reply") throw new Error(`PING to node ${pnn}: ${answer.kind}`);
  expect(answer.status).toBeGreaterThan(0);
  return [...answer.data];
}

interop(
  "records of ten megabytes are recovered by leaders of either kind",
  () =>
    withCluster({ nodes: 3, stock: [STOCK] }, async (cluster) => {
      const mixed = new MixedCluster(cluster);
      await step("PING_BACKLOG: only our node tells", async () => {
        expect(await backlogOf(cluster, OURS)).toEqual([0, 0, 0, 0]);
        expect(await backlogOf(cluster, STOCK)).toEqual([]);
      });
      await withDatabases(mixed, NAME, mixed.pnns, async (databases) => {
        for (let i = 0; i < RECORDS; i++) {
          const database = databases.get(i % mixed.pnns.length);
          if (database !== undefined) await mixed.update(database, `key ${i}`, () => contentOf(i));
        }
      });
      for (const leader of [STOCK, OURS]) {
        await step(`led by a ${mixed.kindOf(leader)} node`, async () => {
          await mixed.moveLeader(leader);
          await mixed.recover();
          for (const pnn of mixed.pnns) {
            const records = await mixed.localRecords(pnn, NAME, 0);
            expect(records.size).toBe(RECORDS);
            for (let i = 0; i < RECORDS; i++) {
              // Not toBe(): a failure would print a hundred kilobytes.
              expect(records.get(`key ${i}`)?.value === contentOf(i)).toBe(true);
            }
          }
        });
      }
    }),
  LIMIT_MS,
);
