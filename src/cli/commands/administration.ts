/** Commands that change a node's part in the cluster and wait until that shows. */
import { EINVAL } from "../../base/errno.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { ControlName, ControlRequestOf } from "../../wire/controls.ts";
import type { Command, CommandContext } from "../command.ts";
import { expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { parseUnsigned32 } from "../numbers.ts";
import type { ChangedFacts } from "../schemas/acted.ts";
import type { Session } from "../session.ts";
import { reallocate } from "../takeover_runs.ts";

const POLL_MS = 100;

interface FlagChange {
  readonly flag: number;
  readonly set: boolean;
  /** What a node with the flag is called. */
  readonly word: string;
}

async function flagIsSet(session: Session, flag: number, fresh: boolean): Promise<boolean> {
  const nodes = fresh ? await session.freshNodes() : await session.nodes();
  const node = nodes.find((entry) => entry.pnn === session.target);
  return node !== undefined && (node.flags & flag) !== 0;
}

/** Says so and is true when there is nothing to do. */
async function alreadySo(session: Session, change: FlagChange): Promise<boolean> {
  if ((await flagIsSet(session, change.flag, false)) !== change.set) return false;
  const state = change.set ? `already ${change.word}` : `not ${change.word}`;
  session.host.err(`Node ${session.target} is ${state}\n`);
  return true;
}

async function waitForFlag(session: Session, change: FlagChange): Promise<void> {
  while ((await flagIsSet(session, change.flag, true)) !== change.set) {
    await session.pause(POLL_MS);
  }
}

/** Sends the control that changes the flag, waits for it in the node map, then moves addresses. */
async function changeFlag<N extends ControlName>(
  session: Session,
  change: FlagChange,
  control: N,
  request: ControlRequestOf<N>,
  failure: string,
): Promise<Done> {
  const message = `Failed to ${failure} node ${session.target}`;
  await session.ask(control, request, session.target, message);
  await waitForFlag(session, change);
  return { status: await reallocate(session), changed: true };
}

/** What came of a change. */
interface Done {
  /** The exit status. */
  readonly status: number;
  /** false: it was so already. */
  readonly changed: boolean;
}

const NOTHING_TO_DO: Done = { status: 0, changed: false };

function answerDone({ session, host, options }: CommandContext, done: Done): number {
  const { status, changed } = done;
  const facts: ChangedFacts = { node: session.target, changed };
  if (options.json && status === 0) answerFacts(host, facts);
  return status;
}

const DISABLED = { flag: NODE_FLAGS.PERMANENTLY_DISABLED, word: "disabled" };
const STOPPED = { flag: NODE_FLAGS.STOPPED, word: "stopped" };
const BANNED = { flag: NODE_FLAGS.BANNED, word: "banned" };

function flagCommand(
  change: FlagChange,
  control: "ENABLE_NODE" | "STOP_NODE" | "CONTINUE_NODE",
  failure: string,
): Command {
  return async (context, args) => {
    expectArguments(args, 0);
    const { session } = context;
    const done = (await alreadySo(session, change))
      ? NOTHING_TO_DO
      : await changeFlag(session, change, control, undefined, failure);
    return answerDone(context, done);
  };
}

export async function disableTarget(session: Session): Promise<Done> {
  const change = { ...DISABLED, set: true };
  if (await alreadySo(session, change)) return NOTHING_TO_DO;
  return await changeFlag(session, change, "DISABLE_NODE", undefined, "disable");
}

export const disable: Command = async (context, args) => {
  expectArguments(args, 0);
  return answerDone(context, await disableTarget(context.session));
};
export const enable = flagCommand({ ...DISABLED, set: false }, "ENABLE_NODE", "enable");
export const stop = flagCommand({ ...STOPPED, set: true }, "STOP_NODE", "stop");
export const continueNode = flagCommand(
  { ...STOPPED, set: false },
  "CONTINUE_NODE",
  "continue stopped",
);

export const ban: Command = async (context, args) => {
  expectArguments(args, 1);
  const { session, host } = context;
  const change = { ...BANNED, set: true };
  if (await alreadySo(session, change)) return answerDone(context, NOTHING_TO_DO);
  const time = parseUnsigned32(args[0] as string);
  if (!time.ok) return time.error;
  if (time.value === 0) {
    host.err("Ban time cannot be zero\n");
    return EINVAL;
  }
  const request = { pnn: session.target, time: time.value };
  const done = await changeFlag(session, change, "SET_BAN_STATE", request, "ban");
  return answerDone(context, done);
};

export const unban: Command = async (context, args) => {
  expectArguments(args, 0);
  const { session } = context;
  const change = { ...BANNED, set: false };
  if (await alreadySo(session, change)) return answerDone(context, NOTHING_TO_DO);
  const request = { pnn: session.target, time: 0 };
  const done = await changeFlag(session, change, "SET_BAN_STATE", request, "unban");
  return answerDone(context, done);
};

/** Of our own node: waits until the connection ends, which is when it is down. */
export const shutdown: Command = async ({ session }, args) => {
  expectArguments(args, 0);
  const down = Promise.withResolvers<void>();
  session.client.onDisconnect(() => down.resolve());
  session.client.controlNoReply("SHUTDOWN", undefined, { pnn: session.target });
  if (session.target === session.pnn) await down.promise;
  return 0;
};

export const ipreallocate: Command = async ({ session }, args) => {
  expectArguments(args, 0);
  return reallocate(session);
};
