/** `ctdb checktcpport`: does a service have the port? The exit status is the errno of binding to it. */
import type { OfflineCommand } from "../command.ts";
import { expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { parseLeadingInteger } from "../numbers.ts";
import type { Facts } from "../schemas/facts.ts";
import type { checktcpportFacts } from "../schemas/node.ts";

export const checktcpport: OfflineCommand = async ({ host, options }, args) => {
  expectArguments(args, 1);
  const port = parseLeadingInteger(args[0] as string) >>> 0;
  const bound = await host.tryTcpPort(port & 0xffff);
  if (options.json) {
    const errno = bound.ok ? null : bound.error;
    const facts: Facts<typeof checktcpportFacts> = { port, free: bound.ok, errno };
    answerFacts(host, facts);
    return errno ?? 0;
  }
  if (bound.ok) return 0;
  host.err(`Failed to bind to TCP port ${port}\n`);
  return bound.error;
};
