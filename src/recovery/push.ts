/**
 * Sending the merged records of one database to all nodes: DB_PUSH_START, record buffers as
 * messages, DB_PUSH_CONFIRM with the number that each node stored.
 *
 * Messages are not acknowledged. So that a slow node does not make the daemons queue a whole
 * database, each buffer is followed by a PING on the same path; only so many buffers are sent
 * ahead of its answer. Each buffer is made in a turn of its own. Usually a buffer goes to our daemon once,
 * as a broadcast: sent for each node, the leader's two processes would carry every byte three times and more.
 */
import { ok } from "../base/result.ts";
import { u64 } from "../base/u64.ts";
import { SRVID } from "../wire/constants.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import { PUSH_BUFFERS_UNCONFIRMED_MAX } from "./limits.ts";
import type { PulledDatabase } from "./pull.ts";
import type { PushBuffers } from "./push_buffers.ts";
import { askEach, type RecoveryContext, type StepResult, stepFailure } from "./recovery_context.ts";

export async function pushToAll(
  context: RecoveryContext,
  database: PulledDatabase,
  buffers: PushBuffers,
): Promise<StepResult<number>> {
  const { client, pnns } = context;
  const srvid = u64(SRVID.RECOVERY_PREFIX.hi, context.nextStream());
  const start = { db_id: database.db_id, lmaster: UNKNOWN_PNN, srvid };
  const started = await askEach(context, "DB_PUSH_START", start, pnns);
  if (!started.ok) return started;

  const unconfirmed: Promise<StepResult<unknown>>[] = [];
  for (let buffer = buffers.next(); buffer !== undefined; buffer = buffers.next()) {
    for (const destination of context.toAll) client.sendMessage(destination, srvid, buffer);
    unconfirmed.push(askEach(context, "PING", undefined, pnns));
    if (unconfirmed.length >= PUSH_BUFFERS_UNCONFIRMED_MAX) {
      const arrived = await unconfirmed.shift();
      if (arrived?.ok === false) return arrived;
    }
    await turnEnd(context);
  }

  const confirmed = await askEach(context, "DB_PUSH_CONFIRM", database.db_id, pnns);
  if (!confirmed.ok) return confirmed;
  for (const [pnn, { data }] of confirmed.value) {
    if (data === buffers.recordsSent) continue;
    const reason = `Node ${pnn} stored ${data} of ${buffers.recordsSent} records of ${database.name}`;
    return stepFailure(reason, pnn);
  }
  return ok(buffers.recordsSent);
}

function turnEnd(context: RecoveryContext): Promise<void> {
  return new Promise((resolve) => context.timers.soon(resolve));
}
