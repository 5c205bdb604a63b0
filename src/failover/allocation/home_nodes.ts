/**
 * The file `home_nodes` beside ctdb.conf: a line `ADDRESS PNN` gives an address a home node of its own in
 * deterministic allocation. Words are separated by blanks and tabs; a line of fewer than two words says
 * nothing, and words behind the second are ignored. As with the original one wrong line makes the whole file count
 * for nothing: half of a placement would move more addresses than none.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { parseAddress, type SockAddr } from "../../wire/structs/socket_address.ts";

export interface HomeNode {
  readonly addr: SockAddr;
  /** Not checked against the number of nodes. */
  readonly pnn: number;
}

/** The reason names the line, and what was expected there. */
export function parseHomeNodes(text: string): Result<readonly HomeNode[]> {
  const homes: HomeNode[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [address, node] = line.split(/[ \t]+/).filter((word) => word !== "");
    if (address === undefined || node === undefined) continue;
    const addr = parseAddress(address);
    if (!addr.ok) return err(`line ${index + 1}: ${addr.error}`);
    if (!/^[0-9]{1,10}$/.test(node)) {
      return err(`line ${index + 1}: expected a node number, got "${node}"`);
    }
    homes.push({ addr: addr.value, pnn: Number(node) });
  }
  return ok(homes);
}
