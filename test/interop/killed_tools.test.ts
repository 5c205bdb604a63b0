/**
 * A tool that writes a database anew and is killed in the middle leaves it frozen on all nodes: the daemon that it was
 * connected to sees it go, and has a recovery thaw it, without a loss. (With Debian's daemons nothing happens until the next
 * recovery: a `ctdb pstore` waits until then.)
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type AttachedDatabase, attachDatabase } from "../../src/client/database.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import type { Tdb } from "../../src/tdb/types.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import { DIST } from "../support/executables.ts";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { must } from "../support/must.ts";
import { localFile } from "../support/records.ts";
import { until, when } from "../support/until.ts";
import { step } from "./mixed/steps.ts";

const LIMIT_MS = 240_000;
const FROZEN_MS = 20_000;
/** A recovery waits for RerecoveryTimeout after the last one; elections are not needed. */
const THAWED_SEC = 30;
const DATABASE = "killed.tdb";
const [ASKED, OTHER, SLOW] = [0, 1, 2];

interface Attached {
  readonly client: CtdbClient;
  readonly attached: AttachedDatabase;
}

const freezes = (cluster: TestCluster, pnn: number) =>
  cluster.log(pnn).split(`Freeze db: ${DATABASE}`).length;

/** The record is there, and a new one can be written, within the time of a recovery. */
async function expectServed(cluster: TestCluster, round: string): Promise<void> {
  for (const pnn of cluster.pnns) {
    const limit = ["-t", `${THAWED_SEC}`];
    const kept = await cluster.ctdb(pnn, ...limit, "pfetch", DATABASE, "kept");
    expect([pnn, kept.code, kept.stdout.trim(), kept.stderr]).toEqual([pnn, 0, "value", ""]);
    const stored = await cluster.ctdb(pnn, ...limit, "pstore", DATABASE, `${round}${pnn}`, round);
    expect([pnn, stored.code, stored.stderr]).toEqual([pnn, 0, ""]);
  }
}

/** Kills the tool while one node of three has not answered yet: we have a lock on a chain of its file until then. */
async function killWhileFrozen(
  cluster: TestCluster,
  slow: Tdb,
  args: readonly string[],
): Promise<void> {
  const before = [ASKED, OTHER].map((pnn) => freezes(cluster, pnn));
  expect(slow.tryLockChain(0, "write")).toBe("granted");
  try {
    const env = cluster.environment(ASKED);
    const command = [join(DIST, "ctdb"), ...args];
    const tool = Bun.spawn(command, { env, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    await until(`"${args.join(" ")}" has frozen two nodes`, FROZEN_MS, () =>
      when([ASKED, OTHER].every((pnn, index) => freezes(cluster, pnn) > (before[index] ?? 0))),
    );
    expect(tool.exitCode).toBeNull();
    tool.kill("SIGKILL");
    await tool.exited;
  } finally {
    slow.unlockChain(0);
  }
}

test(
  "A tool that is killed while it has frozen a database costs a recovery, and no record",
  () =>
    withCluster({ nodes: 3, tunables: { RerecoveryTimeout: 1 } }, async (cluster) => {
      await cluster.waitReady();
      must(await cluster.ctdb(ASKED, "attach", DATABASE, "persistent").then(outcome));
      must(await cluster.ctdb(ASKED, "pstore", DATABASE, "kept", "value").then(outcome));
      const backup = join(cluster.base(ASKED), "backup");
      must(await cluster.ctdb(ASKED, "backupdb", DATABASE, backup).then(outcome));
      const [own, slow] = (await Promise.all(
        [OTHER, SLOW].map(async (pnn) => {
          const client = await cluster.connect(pnn);
          const attached = await attachDatabase(client, DATABASE, DB_FLAGS.PERSISTENT, FROZEN_MS);
          return { client, attached: must(attached, "attach") };
        }),
      )) as [Attached, Attached];
      const slowFile = localFile(slow.attached);
      for (const args of [
        ["wipedb", DATABASE],
        ["restoredb", backup],
        ["db", "repack", DATABASE],
      ]) {
        await step(args.join(" "), async () => {
          await killWhileFrozen(cluster, slowFile, args);
          await expectServed(cluster, args[0] ?? "");
        });
      }
      await step("a client that had wiped it on all nodes", async () => {
        const { client, attached } = own;
        const generation = must(await client.control("GETVNNMAP", undefined)).data.generation;
        const transaction = { db_id: attached.id, tid: generation };
        for (const [name, request] of [
          ["DB_FREEZE", attached.id],
          ["DB_TRANSACTION_START", transaction],
          ["WIPE_DATABASE", transaction],
        ] as const) {
          const answers = await client.controlEach(name, request as never, cluster.pnns, {});
          for (const answer of answers.values()) must(answer, name);
        }
        client.close();
        await expectServed(cluster, "client");
        slowFile.close();
      });
    }),
  LIMIT_MS,
);

function outcome({ code, stderr }: { readonly code: number; readonly stderr: string }) {
  return code === 0
    ? ({ ok: true, value: undefined } as const)
    : ({ ok: false, error: stderr } as const);
}
