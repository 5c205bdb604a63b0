/**
 * `ctdb reloadnodes`: checks that every node has the same nodes file and that it only adds, deletes or
 * brings back nodes, then has all nodes read it while recoveries are disabled.
 */
import { ETIMEDOUT } from "../../base/errno.ts";
import type { ConfiguredNode } from "../../config/types.ts";
import { decodeExact, encode, i32Codec } from "../../wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../wire/constants.ts";
import { disableMessage, type NodeAndFlags } from "../../wire/structs/cluster.ts";
import type { Command } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { readNodes } from "../nodes_file.ts";
import type { reloadnodesFacts } from "../schemas/cluster.ts";
import type { Facts } from "../schemas/facts.ts";
import { okOrThrow, type Session } from "../session.ts";

export const reloadnodes: Command = async ({ session, host, options }) => {
  const known = await session.nodes();
  const file = await readNodes(host);
  if (file === undefined) return 1;
  await checkOtherFiles(session, known, file);
  const plan = compareNodes(known, file);
  const said = plan.lines.filter(({ change }) => !options.json || change === undefined);
  for (const { text, change } of said) host[change === undefined ? "err" : "out"](`${text}\n`);
  if (plan.failed) {
    throw new CommandFailure(1, "ERROR: Nodes will not be reloaded due to previous error");
  }
  const changes = plan.lines.flatMap(({ change }) => (change === undefined ? [] : [change]));
  const facts: Facts<typeof reloadnodesFacts> = { node: session.pnn, changes };
  if (changes.length === 0) {
    host.err("No change in nodes file, skipping unnecessary reload\n");
    if (options.json) answerFacts(host, facts);
    return 0;
  }
  const pnns = connectedOf(known);
  await reloadOn(session, pnns);
  if (options.json) answerFacts(host, facts);
  return 0;
};

export function connectedOf(known: readonly NodeAndFlags[]): readonly number[] {
  const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
  return known.filter(({ flags }) => (flags & gone) === 0).map(({ pnn }) => pnn);
}

/**
 * No recovery begins while some nodes know the new list and others do not. One that is under way is waited for as long
 * as `patienceMs` says.
 */
export async function reloadOn(
  session: Session,
  pnns: readonly number[],
  patienceMs = 0,
): Promise<void> {
  const disabledSec = 2 * (session.timeoutMs / 1000);
  const { clock } = session.host;
  const endMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    const status = await askRecoverds(session, pnns, disabledSec);
    if (status === 0) break;
    if (clock.monotonicMs() >= endMs) {
      throw new CommandFailure(status, "Failed to disable recoveries");
    }
    await session.pause(BUSY_PAUSE_MS);
  }
  await reloadEverywhere(session, pnns);
  const status = await askRecoverds(session, pnns, 0);
  if (status !== 0) throw new CommandFailure(status, "Failed to enable recoveries");
}

const BUSY_PAUSE_MS = 500;

async function checkOtherFiles(
  session: Session,
  known: readonly NodeAndFlags[],
  file: readonly ConfiguredNode[],
): Promise<void> {
  for (const { pnn, flags } of known) {
    if ((flags & NODE_FLAGS.DISCONNECTED) !== 0) continue;
    const message = `ERROR: Failed to get nodes file from node ${pnn}`;
    const theirs = await session.ask("GET_NODES_FILE", undefined, pnn, message);
    if (sameNodes(file, theirs)) continue;
    throw new CommandFailure(
      1,
      `ERROR: Nodes file on node ${pnn} differs from current node (${session.pnn})`,
    );
  }
}

/** Deleted lines have no address to compare. */
export function sameNodes(
  file: readonly ConfiguredNode[],
  theirs: readonly NodeAndFlags[],
): boolean {
  if (file.length !== theirs.length) return false;
  return file.every((node, i) => {
    const other = theirs[i];
    if (other === undefined || other.pnn !== node.pnn) return false;
    const deleted = (other.flags & NODE_FLAGS.DELETED) !== 0;
    return deleted === node.deleted && (deleted || other.addr.address === node.address);
  });
}

export interface ReloadPlan {
  /**
   * In the order of the nodes: what changes goes to standard output, warnings and errors, which are no change, to
   * standard error.
   */
  readonly lines: readonly PlanLine[];
  readonly failed: boolean;
}

interface PlanLine {
  readonly text: string;
  readonly change: Facts<typeof reloadnodesFacts>["changes"][number] | undefined;
}

/** Compares the running cluster with the nodes file. */
export function compareNodes(
  known: readonly NodeAndFlags[],
  file: readonly ConfiguredNode[],
): ReloadPlan {
  const lines: PlanLine[] = [];
  let failed = false;
  const change = (pnn: number, word: "new" | "deleted" | "undeleted") => {
    const text = `Node ${pnn} is ${word.toUpperCase()}`;
    lines.push({ text, change: { pnn, change: word } });
  };
  const warn = (text: string) => lines.push({ text, change: undefined });
  const fail = (text: string) => {
    warn(text);
    failed = true;
  };
  for (const [index, node] of known.entries()) {
    const line = file[index];
    const { pnn, flags, addr } = node;
    const deleted = (flags & NODE_FLAGS.DELETED) !== 0;
    const connected = (flags & NODE_FLAGS.DISCONNECTED) === 0;
    if (line === undefined) {
      fail(`Node ${pnn} (${addr.address}) missing from nodes file`);
    } else if (line.deleted && !deleted) {
      change(pnn, "deleted");
      if (connected) fail(`ERROR: Node ${pnn} is still connected`);
    } else if (!line.deleted && deleted) {
      change(pnn, "undeleted");
    } else if (!line.deleted && addr.address !== line.address) {
      const was = `was ${addr.address}, now ${line.address}`;
      fail(`Node ${pnn} has changed IP address (${was})`);
    } else if (!line.deleted && !connected) {
      warn(`WARNING: Node ${pnn} is disconnected. You MUST fix this node manually!`);
    }
  }
  if (!failed) {
    for (const { pnn } of file.slice(known.length)) change(pnn, "new");
  }
  return { lines, failed };
}

/** Has the recovery daemon of each node run none for so long; each answers with its pnn. The exit status. */
async function askRecoverds(
  session: Session,
  pnns: readonly number[],
  timeoutSec: number,
): Promise<number> {
  const srvid = session.nextSrvid();
  const missing = new Set(pnns);
  const answered = Promise.withResolvers<number>();
  const registered = await session.client.registerSrvid(srvid, (data) => {
    const answer = decodeExact(i32Codec, data);
    if (!answer.ok) return;
    missing.delete(answer.value);
    if (answer.value < 0) answered.resolve(1);
    else if (missing.size === 0) answered.resolve(0);
  });
  const registration = okOrThrow(registered);
  const message = encode(disableMessage, { pnn: session.pnn, srvid, timeout: timeoutSec });
  for (const pnn of pnns) session.client.sendMessage(pnn, SRVID.DISABLE_RECOVERIES, message);
  const timer = session.host.timers.after(session.timeoutMs, () => {
    session.host.err("Timed out waiting to disable recoveries\n");
    answered.resolve(ETIMEDOUT);
  });
  const status = await answered.promise;
  timer.cancel();
  registration.remove();
  return status;
}

async function reloadEverywhere(session: Session, pnns: readonly number[]): Promise<void> {
  const { timeoutMs } = session;
  const outcomes = await session.client.controlEach("RELOAD_NODES_FILE", undefined, pnns, {
    timeoutMs,
  });
  const failed = pnns.filter((pnn) => outcomes.get(pnn)?.ok !== true);
  for (const pnn of failed) session.host.err(`Node ${pnn} failed to reload nodes\n`);
  if (failed.length > 0) session.host.err("You MUST fix failed nodes manually!\n");
}
