/** `ctdb checktcpport`: does a service have the port? The exit status is the errno of binding to it. */
import type { OfflineCommand } from "../command.ts";
import { expectArguments } from "../failure.ts";
import { parseLeadingInteger } from "../numbers.ts";

export const checktcpport: OfflineCommand = async ({ host }, args) => {
  expectArguments(args, 1);
  const port = parseLeadingInteger(args[0] as string) >>> 0;
  const bound = await host.tryTcpPort(port & 0xffff);
  if (bound.ok) return 0;
  host.err(`Failed to bind to TCP port ${port}\n`);
  return bound.error;
};
