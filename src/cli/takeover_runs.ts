/**
 * Takeover runs, in which the leader distributes public addresses: asking for one, and keeping them off
 * while addresses are changed by hand.
 *
 * Invariants:
 * 1. Runs are off for a limited time: a tool that dies leaves nothing off for good.
 * 2. Whoever turned them off turns them on again, also when what it did in between failed.
 */
import { ETIME } from "../base/errno.ts";
import type { Timer } from "../platform/types/time.ts";
import { decodeExact, encode, i32Codec } from "../wire/codec.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE, SRVID } from "../wire/constants.ts";
import { BROADCAST_CONNECTED } from "../wire/packet.ts";
import { disableMessage, type NodeAndFlags, srvidMessage } from "../wire/structs/cluster.ts";
import { CommandFailure } from "./failure.ts";
import { connectionLost, okOrThrow, type Session } from "./session.ts";

const ASK_AGAIN_MS_MIN = 100;
/** A node refuses while a run is under way there, which is over soon. */
const REFUSED_AGAIN_MS = 250;
const DISABLED_SECONDS_PER_TIMELIMIT = 2;

/** Asks the leader, whoever it is, for a takeover run and waits for its answer. */
export async function reallocate(session: Session): Promise<number> {
  const { client, host } = session;
  const srvid = session.nextSrvid();
  const answer = Promise.withResolvers<number>();
  client.onDisconnect((reason) => answer.reject(connectionLost({ reason })));
  const registered = await client.registerSrvid(srvid, (data) => {
    const status = decodeExact(i32Codec, data);
    if (status.ok) answer.resolve(Math.min(status.value, 0));
  });
  const registration = okOrThrow(registered);
  const message = encode(srvidMessage, { pnn: client.pnn, srvid });
  const send = () => client.sendMessage(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, message);
  send();
  // Asked again until somebody leads; the run time limit of the tool ends it.
  const again = host.timers.every(Math.max(session.timeoutMs, ASK_AGAIN_MS_MIN), send);
  try {
    return await answer.promise;
  } finally {
    again.cancel();
    registration.remove();
  }
}

/** Those that the leader's runs and our messages reach. */
export function connectedNodes(nodes: readonly NodeAndFlags[]): readonly number[] {
  return nodes.filter(({ flags }) => (flags & NODE_FLAGS.DISCONNECTED) === 0).map(({ pnn }) => pnn);
}

/** Those that may host addresses. */
export function activeNodes(nodes: readonly NodeAndFlags[]): readonly number[] {
  return nodes.filter(({ flags }) => (flags & NODE_FLAGS_INACTIVE) === 0).map(({ pnn }) => pnn);
}

/** Does `change` while no takeover run begins on any of `pnns`. */
export async function withoutTakeoverRuns<T>(
  session: Session,
  pnns: readonly number[],
  change: () => Promise<T>,
): Promise<T> {
  const seconds = DISABLED_SECONDS_PER_TIMELIMIT * Math.trunc(session.timeoutMs / 1000);
  let changed: T;
  try {
    await tellEach(session, pnns, seconds, "Failed to disable takeover runs");
    changed = await change();
  } catch (error) {
    // Its answers are not waited for: the command has failed with more to say than these.
    if (session.client.connected) sendDisable(session, pnns, 0, session.nextSrvid());
    throw error;
  }
  await tellEach(session, pnns, 0, "Failed to enable takeover runs");
  return changed;
}

function sendDisable(
  session: Session,
  pnns: readonly number[],
  timeout: number,
  srvid: ReturnType<Session["nextSrvid"]>,
): void {
  const message = encode(disableMessage, { pnn: session.pnn, srvid, timeout });
  for (const pnn of pnns) session.client.sendMessage(pnn, SRVID.DISABLE_TAKEOVER_RUNS, message);
}

/**
 * Turns runs off for `seconds`, or on with 0, and waits until every node has said that it did. Those that refuse are
 * asked again within the time limit.
 */
async function tellEach(
  session: Session,
  pnns: readonly number[],
  seconds: number,
  failure: string,
): Promise<void> {
  const { client, host } = session;
  const srvid = session.nextSrvid();
  const missing = new Set(pnns);
  const told = Promise.withResolvers<number>();
  /** Set from a refusal until the nodes are asked again. */
  let refused: Timer | undefined;
  const askAgain = () => {
    refused = undefined;
    sendDisable(session, [...missing], seconds, srvid);
  };
  client.onDisconnect((reason) => told.reject(connectionLost({ reason })));
  const registered = await client.registerSrvid(srvid, (data) => {
    const answer = decodeExact(i32Codec, data);
    if (!answer.ok) return;
    if (answer.value < 0) refused ??= host.timers.after(REFUSED_AGAIN_MS, askAgain);
    missing.delete(answer.value);
    if (missing.size === 0) told.resolve(0);
  });
  const registration = okOrThrow(registered);
  sendDisable(session, pnns, seconds, srvid);
  const deadline = host.timers.after(session.timeoutMs, () => {
    if (refused === undefined) host.err("Timed out waiting to disable takeover runs\n");
    told.resolve(refused === undefined ? ETIME : 1);
  });
  try {
    const status = await told.promise;
    if (status !== 0) throw new CommandFailure(status, failure);
  } finally {
    deadline.cancel();
    refused?.cancel();
    registration.remove();
  }
}
