/** A recovery that somebody asks for, and how long it took. */
import type { CtdbClient } from "../../src/client/types.ts";
import { RECOVERY_ACTIVE, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { must } from "../support/must.ts";
import { until } from "../support/until.ts";
import { connectAll } from "./clients.ts";
import type { BenchCluster } from "./figures.ts";

const RECOVERY_WAIT_MS = 90_000;

/**
 * Milliseconds of a recovery as the daemon saw it, from START_RECOVERY to END_RECOVERY, with what the
 * databases hold: what waits before it (the leader's rounds, RerecoveryTimeout) is a setting and not speed.
 */
export async function measureRecovery(cluster: BenchCluster): Promise<number> {
  const clients = await connectAll(cluster);
  const first = clients[0] as CtdbClient;
  const before = must(await first.control("UPTIME", undefined)).data;
  must(await first.control("SET_RECMODE", RECOVERY_ACTIVE));
  const elapsedMs = await until("a recovery has ended", RECOVERY_WAIT_MS, async () => {
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

function milliseconds(time: { readonly sec: number; readonly usec: number }): number {
  return time.sec * 1000 + time.usec / 1000;
}

async function allNormal(clients: readonly CtdbClient[]): Promise<boolean> {
  const modes = await Promise.all(
    clients.map((client) => client.control("GET_RECMODE", undefined)),
  );
  return modes.every((mode) => mode.ok && mode.value.status === RECOVERY_NORMAL);
}
