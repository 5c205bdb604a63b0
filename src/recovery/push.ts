/**
 * Sending the merged records of one database to all nodes: DB_PUSH_START, record buffers as
 * messages, DB_PUSH_CONFIRM with the number that each node stored.
 *
 * Messages are not acknowledged. So that a slow node does not make the daemons queue a whole
 * database, each buffer is followed by a PING on the same path; only so many buffers are sent
 * ahead of its answer. A node of ours stores in slices, and says in that answer how much it has not stored yet: one
 * that is behind is waited for. (The original stores before it answers.) Each buffer is made in a turn of its own.
 * Usually a buffer goes to our daemon once, as a broadcast: sent for each node, the leader's two processes would carry
 * every byte three times and more.
 */
import { ok } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";
import { decodeExact, u32Codec } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import { PING_BACKLOG } from "../wire/controls.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import {
  PUSH_BEHIND_BYTES_MAX,
  PUSH_BEHIND_PAUSE_MS,
  PUSH_BUFFERS_UNCONFIRMED_MAX,
} from "./limits.ts";
import type { PulledDatabase } from "./pull.ts";
import type { PushBuffers } from "./push_buffers.ts";
import {
  askEach,
  askEachBlaming,
  failedThere,
  type RecoveryContext,
  type StepResult,
} from "./recovery_context.ts";

export async function pushToAll(
  context: RecoveryContext,
  database: PulledDatabase,
  buffers: PushBuffers,
): Promise<StepResult<number>> {
  const { client, pnns } = context;
  const srvid = u64(SRVID.RECOVERY_PREFIX.hi, context.nextStream());
  const start = { db_id: database.db_id, lmaster: UNKNOWN_PNN, srvid };
  const started = await askEachBlaming(context, "DB_PUSH_START", start);
  if (!started.ok) return started;

  const unconfirmed: Promise<StepResult<Waiting>>[] = [];
  for (let buffer = buffers.next(); buffer !== undefined; buffer = buffers.next()) {
    for (const destination of context.toAll) client.sendMessage(destination, srvid, buffer);
    unconfirmed.push(askWaiting(context, srvid, pnns));
    if (unconfirmed.length >= PUSH_BUFFERS_UNCONFIRMED_MAX) {
      const waited = await waitForThoseBehind(context, srvid, unconfirmed.shift());
      if (!waited.ok) return waited;
    }
    await turnEnd(context);
  }

  const confirmed = await askEachBlaming(context, "DB_PUSH_CONFIRM", database.db_id);
  if (!confirmed.ok) return confirmed;
  const sent = buffers.recordsSent;
  const short = [...confirmed.value]
    .filter(([, { data }]) => data !== sent)
    .map(([pnn, { data }]) => ({
      pnn,
      reason: `Node ${pnn} stored ${data} of ${sent} records of ${database.name}`,
    }));
  return failedThere(context, short, sent);
}

/** By node: bytes that it has and has not stored. */
type Waiting = ReadonlyMap<number, number>;

async function askWaiting(
  context: RecoveryContext,
  srvid: U64,
  pnns: readonly number[],
): Promise<StepResult<Waiting>> {
  const answers = await askEach(context, "PING", undefined, pnns, { flags: PING_BACKLOG, srvid });
  if (!answers.ok) return answers;
  return ok(new Map([...answers.value].map(([pnn, { data }]) => [pnn, waitingBytes(data)])));
}

/** A node that does not know the question answers without data. */
function waitingBytes(data: Uint8Array): number {
  const told = decodeExact(u32Codec, data);
  return told.ok ? told.value : 0;
}

async function waitForThoseBehind(
  context: RecoveryContext,
  srvid: U64,
  asked: Promise<StepResult<Waiting>> | undefined,
): Promise<StepResult<void>> {
  const endMs = context.clock.monotonicMs() + context.timeoutMs;
  let waiting = await asked;
  while (waiting?.ok === true) {
    const behind = [...waiting.value].filter(([, bytes]) => bytes > PUSH_BEHIND_BYTES_MAX);
    if (behind.length === 0) return ok(undefined);
    if (context.clock.monotonicMs() > endMs) {
      return failedThere(
        context,
        behind.map(([pnn, bytes]) => ({
          pnn,
          reason: `Node ${pnn} does not store its records: ${bytes} bytes wait there`,
        })),
        undefined,
      );
    }
    await new Promise<void>((resolve) => context.timers.after(PUSH_BEHIND_PAUSE_MS, resolve));
    const pnns = behind.map(([pnn]) => pnn);
    waiting = await askWaiting(context, srvid, pnns);
  }
  return waiting ?? ok(undefined);
}

function turnEnd(context: RecoveryContext): Promise<void> {
  return new Promise((resolve) => context.timers.soon(resolve));
}
