/**
 * How long the death of a node is felt: ctdbd is killed (SIGKILL), and the survivors are asked all the time. Two
 * times, since they have nothing to do with each other: until all survivors have noticed, and from then until they
 * have recovered. Once for a node that does not lead and once for the leader, without and with a cluster lock, with
 * the tunables that nodes have by themselves.
 */
import type { CtdbClient } from "../../src/client/types.ts";
import type { LockKind } from "../../src/local/cluster_description.ts";
import { NODE_FLAGS, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { must } from "../support/must.ts";
import { connect } from "./clients.ts";
import { stockMissing, withBenchCluster } from "./cluster_group.ts";
import { type BenchCluster, type Heading, kindsInTurn } from "./figures.ts";
import type { Group } from "./group.ts";
import { leaderOf, milliseconds } from "./recovery.ts";

const ROUNDS = 5;
const DETECTION_MS_MAX = 60_000;
const RECOVERY_MS_MAX = 120_000;
/** Longer than RerecoveryTimeout: after a recovery the leader looks away for that time, which is a setting. */
const QUIET_MS = 13_000;
/** Between two questions to a survivor: it bounds how exact the times are. */
const ASK_MS = 5;

type Victim = "a node" | "the leader";

const LOCKS: readonly LockKind[] = ["none", "file"];
const VICTIMS: readonly Victim[] = ["a node", "the leader"];

function headings(victim: Victim, lock: LockKind): Readonly<Record<keyof Times, Heading>> {
  const where = lock === "none" ? "" : ", with a cluster lock";
  const common = { unit: "ms", better: "lower" } as const;
  return {
    detectedMs: { ...common, name: `kill -9 of ${victim}${where}: until it is noticed` },
    recoveredMs: { ...common, name: `kill -9 of ${victim}${where}: from there until recovered` },
  };
}

interface Times {
  readonly detectedMs: number;
  /** From the detection. */
  readonly recoveredMs: number;
}

export const deathsGroup: Group = {
  names: LOCKS.flatMap((lock) =>
    VICTIMS.flatMap((victim) => Object.values(headings(victim, lock)).map(({ name }) => name)),
  ),
  rounds: ROUNDS,
  missing: stockMissing,
  async measure({ rounds, wanted }, results) {
    for (const lock of LOCKS) {
      const victims = VICTIMS.filter((victim) =>
        Object.values(headings(victim, lock)).some(({ name }) => wanted(name)),
      );
      if (victims.length === 0) continue;
      await withBenchCluster("ours", { lock }, (ours) =>
        withBenchCluster("stock", { lock }, async (stock) => {
          for (let round = 1; round <= rounds; round++) {
            process.stderr.write(`round ${round} of ${rounds}\n`);
            await Bun.sleep(QUIET_MS);
            for (const victim of victims) {
              const rows = headings(victim, lock);
              for (const kind of kindsInTurn(round)) {
                const times = await measureDeath({ ours, stock }[kind], victim);
                for (const what of ["detectedMs", "recoveredMs"] as const) {
                  if (wanted(rows[what].name)) results.add(kind, rows[what], times[what]);
                }
              }
              await Bun.sleep(QUIET_MS);
            }
          }
        }),
      );
    }
  },
};

async function measureDeath(cluster: BenchCluster, victim: Victim): Promise<Times> {
  const pnns = Array.from({ length: cluster.nodes }, (_, pnn) => pnn);
  const clients = new Map<number, CtdbClient>();
  for (const pnn of pnns) clients.set(pnn, await connect(cluster, pnn));
  const leader = await leaderOf(clients.get(0) as CtdbClient);
  const dead = victim === "the leader" ? leader : pnns.findLast((pnn) => pnn !== leader);
  if (dead === undefined) throw new Error("expected a node that does not lead");
  clients.get(dead)?.close();
  clients.delete(dead);
  const survivors = [...clients.values()];

  const killedMs = Date.now();
  cluster.kill(dead);
  const detected = await Promise.all(
    survivors.map((client) => askOften(DETECTION_MS_MAX, () => seesDead(client, dead))),
  );
  const detectedMs = Math.max(...detected);
  const recovered = await Promise.all(
    survivors.map((client) => askOften(RECOVERY_MS_MAX, () => recoveredAt(client, killedMs))),
  );
  const recoveredMs = Math.max(...recovered);
  for (const client of survivors) client.close();
  await cluster.restart(dead);
  return { detectedMs: detectedMs - killedMs, recoveredMs: recoveredMs - detectedMs };
}

/** The wall clock: survivors tell when their recovery ended by it. */
async function seesDead(client: CtdbClient, dead: number): Promise<number | undefined> {
  const map = must(await client.control("GET_NODEMAP", undefined)).data;
  const flags = map.find(({ pnn }) => pnn === dead)?.flags ?? 0;
  return (flags & NODE_FLAGS.DISCONNECTED) === 0 ? undefined : Date.now();
}

/** When its last recovery since then ended, if it has one behind it and is in none. */
async function recoveredAt(client: CtdbClient, sinceMs: number): Promise<number | undefined> {
  const mode = must(await client.control("GET_RECMODE", undefined)).status;
  const times = must(await client.control("UPTIME", undefined)).data;
  const startedMs = milliseconds(times.last_recovery_started);
  const finishedMs = milliseconds(times.last_recovery_finished);
  const ended = mode === RECOVERY_NORMAL && startedMs > sinceMs && finishedMs > startedMs;
  return ended ? finishedMs : undefined;
}

async function askOften(
  timeoutMs: number,
  ask: () => Promise<number | undefined>,
): Promise<number> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for a survivor`);
    await Bun.sleep(ASK_MS);
  }
}
