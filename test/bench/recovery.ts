/** A recovery that somebody asks for, and how long it took. */
import type { CtdbClient } from "../../src/client/types.ts";
import { decodeExact, u32Codec } from "../../src/wire/codec.ts";
import { RECOVERY_ACTIVE, RECOVERY_NORMAL, SRVID } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { must } from "../support/must.ts";
import { until, within } from "../support/until.ts";
import { connectAll } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";
import { PeakMemory, type Peaks } from "./peak_memory.ts";

const RECOVERY_WAIT_MS = 90_000;
const LEADER_WAIT_MS = 10_000;

/**
 * Milliseconds of a recovery as the daemon saw it, from START_RECOVERY to END_RECOVERY, with what the
 * databases hold: what waits before it (the leader's rounds, RerecoveryTimeout) is a setting and not speed.
 */
export async function measureRecovery(
  cluster: BenchCluster,
  waitMs = RECOVERY_WAIT_MS,
): Promise<number> {
  const clients = await connectAll(cluster);
  const first = clients[0] as CtdbClient;
  const before = must(await first.control("UPTIME", undefined)).data;
  must(await first.control("SET_RECMODE", RECOVERY_ACTIVE));
  const elapsedMs = await until("a recovery has ended", waitMs, async () => {
    const times = must(await first.control("UPTIME", undefined)).data;
    const startedMs = milliseconds(times.last_recovery_started);
    const finishedMs = milliseconds(times.last_recovery_finished);
    const renewed = startedMs > milliseconds(before.last_recovery_started);
    const ended = renewed && finishedMs > startedMs && (await allNormal(clients));
    return ended ? finishedMs - startedMs : undefined;
  });
  for (const client of clients) client.close();
  return elapsedMs;
}

export interface WatchedRecovery {
  readonly elapsedMs: number;
  readonly peaks: Peaks;
}

/** The same, with the memory of every process meanwhile. */
export async function watchedRecovery(
  cluster: BenchCluster,
  waitMs = RECOVERY_WAIT_MS,
): Promise<WatchedRecovery> {
  const memory = new PeakMemory(cluster);
  try {
    const elapsedMs = await measureRecovery(cluster, waitMs);
    return { elapsedMs, peaks: memory.peaks() };
  } finally {
    memory.end();
  }
}

export function milliseconds(time: { readonly sec: number; readonly usec: number }): number {
  return time.sec * 1000 + time.usec / 1000;
}

/** Whom the nodes follow: the leader says so once a second. */
export async function leaderOf(client: CtdbClient): Promise<number> {
  const heard = Promise.withResolvers<number>();
  const listening = await client.registerSrvid(SRVID.LEADER, (data) => {
    const leader = decodeExact(u32Codec, data);
    if (leader.ok && leader.value !== UNKNOWN_PNN) heard.resolve(leader.value);
  });
  const leader = await within("a leader is heard", LEADER_WAIT_MS, heard.promise);
  must(listening).remove();
  return leader;
}

async function allNormal(clients: readonly CtdbClient[]): Promise<boolean> {
  const modes = await Promise.all(
    clients.map((client) => client.control("GET_RECMODE", undefined)),
  );
  return modes.every((mode) => mode.ok && mode.value.status === RECOVERY_NORMAL);
}
