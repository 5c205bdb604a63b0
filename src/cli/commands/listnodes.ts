/** `ctdb listnodes`: the nodes file, without asking a daemon. */
import type { OfflineCommand } from "../command.ts";
import { expectArguments } from "../failure.ts";
import { machineRow } from "../format.ts";
import { readNodes } from "../nodes_file.ts";

export const listnodes: OfflineCommand = async ({ host, options }, args) => {
  expectArguments(args, 0);
  const nodes = await readNodes(host);
  if (nodes === undefined) return 1;
  const lines = nodes
    .filter((node) => !node.deleted)
    .map(({ pnn, address }) =>
      options.machine ? machineRow(options.separator, [pnn, address]) : address,
    );
  host.out(lines.map((line) => `${line}\n`).join(""));
  return 0;
};
