/** Commands that are programs of their own, in the directory of helpers. */
import { EINTR } from "../../base/errno.ts";
import { bytesText } from "../../wire/codec.ts";
import type { CommandContext, OfflineCommand, OfflineContext } from "../command.ts";
import { expectArguments } from "../failure.ts";
import type { HelperEnd } from "../host.ts";

/** Helpers say errors of their own start as this and the errno. */
const FAILED_TO_START = 64;
const FAILED_TO_START_MAX = 254;

type Helper = readonly [what: string, name: string];

/** What the helper's exit status becomes; `what` is what messages call it. */
async function runHelper(
  { host }: Pick<OfflineContext, "host">,
  [what, name]: Helper,
  args: readonly string[],
): Promise<number> {
  return statusOf({ host }, what, await host.runHelper(name, args));
}

function statusOf({ host }: Pick<OfflineContext, "host">, what: string, end: HelperEnd): number {
  switch (end.kind) {
    case "signal":
      host.err(`${what} terminated with signal ${end.signal}\n`);
      return EINTR;
    case "not started":
      host.err(`${what} failed with error ${end.errno}\n`);
      return end.errno;
    case "status": {
      const { status } = end;
      if (status < FAILED_TO_START || status > FAILED_TO_START_MAX) return status;
      host.err(`${what} failed with error ${status - FAILED_TO_START}\n`);
      return status - FAILED_TO_START;
    }
  }
}

/** What a helper printed, and what its status becomes. */
export interface HelperAnswer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** As `runHelper`, for --json: what the helper says is the result, and said nowhere. */
async function askHelper(
  { host }: Pick<OfflineContext, "host">,
  [what, name]: Helper,
  args: readonly string[],
): Promise<HelperAnswer> {
  const said: { out: Uint8Array[]; err: Uint8Array[] } = { out: [], err: [] };
  const end = await host.runHelper(name, args, {
    out: (bytes) => said.out.push(bytes.slice()),
    err: (bytes) => said.err.push(bytes.slice()),
  });
  const text = (parts: Uint8Array[]) => bytesText(concatenate(parts));
  return { status: statusOf({ host }, what, end), out: text(said.out), err: text(said.err) };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const EVENT_HELPER: Helper = ["event daemon helper", "ctdb-event"];

export const event: OfflineCommand = async (context, args) => {
  if (!context.options.json) return await runHelper(context, EVENT_HELPER, args);
  const answer = await askHelper(context, EVENT_HELPER, ["--json", ...args]);
  const { passOn } = await import("../helper_facts.ts");
  passOn(context.host, answer);
  return answer.status;
};

/** Scripts look at what it prints: its status says nothing. */
export const scriptstatus: OfflineCommand = async (context, args) => {
  expectArguments(args, 0, 1);
  const { host, options } = context;
  const asked = args[0] ?? "monitor";
  const words = ["status", "legacy", asked];
  if (options.json) {
    const answer = await askHelper(context, EVENT_HELPER, ["--json", ...words]);
    const { passOn, unknownStatus } = await import("../helper_facts.ts");
    if (!passOn(host, answer)) unknownStatus(host, "legacy", asked);
  } else {
    await runHelper(context, EVENT_HELPER, words);
  }
  return 0;
};

export async function natgw(context: CommandContext, args: readonly string[]): Promise<number> {
  const helper: Helper = ["NAT gateway helper", "ctdb_natgw"];
  expectArguments(args, 1);
  if (!context.options.json) return await runHelper(context, helper, args);
  const answer = await askHelper(context, helper, args);
  const { answerNatgw } = await import("../helper_facts.ts");
  answerNatgw(context.host, args[0] as string, answer);
  return answer.status;
}

export async function lvs(context: CommandContext, args: readonly string[]): Promise<number> {
  const helper: Helper = ["LVS helper", "ctdb_lvs"];
  expectArguments(args, 1);
  if (!context.options.json) return await runHelper(context, helper, args);
  const answer = await askHelper(context, helper, args);
  const { answerLvs } = await import("../helper_facts.ts");
  answerLvs(context.host, args[0] as string, answer);
  return answer.status;
}
