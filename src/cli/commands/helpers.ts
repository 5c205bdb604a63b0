/** Commands that are programs of their own, in the directory of helpers. */
import { EINTR } from "../../base/errno.ts";
import type { CommandContext, OfflineCommand, OfflineContext } from "../command.ts";
import { expectArguments } from "../failure.ts";

/** Helpers say errors of their own start as this and the errno. */
const FAILED_TO_START = 64;
const FAILED_TO_START_MAX = 254;

/** What the helper's exit status becomes; `what` is what messages call it. */
async function runHelper(
  { host }: Pick<OfflineContext, "host">,
  what: string,
  name: string,
  args: readonly string[],
): Promise<number> {
  const end = await host.runHelper(name, args);
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

const EVENT_HELPER = ["event daemon helper", "ctdb-event"] as const;

export const event: OfflineCommand = (context, args) => runHelper(context, ...EVENT_HELPER, args);

/** Scripts look at what it prints: its status says nothing. */
export const scriptstatus: OfflineCommand = async (context, args) => {
  expectArguments(args, 0, 1);
  await runHelper(context, ...EVENT_HELPER, ["status", "legacy", args[0] ?? "monitor"]);
  return 0;
};

export async function natgw(context: CommandContext, args: readonly string[]): Promise<number> {
  expectArguments(args, 1);
  return await runHelper(context, "NAT gateway helper", "ctdb_natgw", args);
}

export async function lvs(context: CommandContext, args: readonly string[]): Promise<number> {
  expectArguments(args, 1);
  return await runHelper(context, "LVS helper", "ctdb_lvs", args);
}
