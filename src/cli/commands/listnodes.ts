/** `ctdb listnodes`: the nodes file, without asking a daemon. */
import type { OfflineCommand } from "../command.ts";
import { expectArguments } from "../failure.ts";
import { machineRow } from "../format.ts";
import { answerFacts } from "../json.ts";
import { readNodes } from "../nodes_file.ts";
import type { listnodesFacts } from "../schemas/cluster.ts";
import type { Facts } from "../schemas/facts.ts";

export const listnodes: OfflineCommand = async ({ host, options }, args) => {
  expectArguments(args, 0);
  const file = await readNodes(host);
  if (file === undefined) return 1;
  const nodes = file.filter((node) => !node.deleted).map(({ pnn, address }) => ({ pnn, address }));
  if (options.json) {
    answerFacts(host, { nodes } satisfies Facts<typeof listnodesFacts>);
    return 0;
  }
  const lines = nodes.map(({ pnn, address }) =>
    options.machine ? machineRow(options.separator, [pnn, address]) : address,
  );
  host.out(lines.map((line) => `${line}\n`).join(""));
  return 0;
};
