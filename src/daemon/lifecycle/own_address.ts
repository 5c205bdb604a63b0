/**
 * Which node of the nodes file we are: the configured node address, or the first address of the file
 * that this machine has and that can be bound.
 */
import type { Logger } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { ConfiguredNode } from "../../config/types.ts";
import type { Network } from "../../platform/types/network.ts";
import type { NodeLinks } from "../../transport/node_links.ts";
import { CTDB_PORT } from "../../wire/constants.ts";

export interface OwnAddressParts {
  readonly nodes: readonly ConfiguredNode[];
  readonly nodeAddress: string | undefined;
  readonly network: Network;
  readonly links: NodeLinks;
  readonly log: Logger;
}

/** Listens and gives our pnn; the reason when there is none for us. */
export function listenOnOwnAddress(parts: OwnAddressParts): Result<number> {
  const { nodes, nodeAddress, links, log } = parts;
  if (nodes.every((node) => node.deleted)) {
    return err(
      `Cannot find our node: expected an address in the nodes file, all of its ${nodes.length} lines are comments`,
    );
  }
  if (nodeAddress !== undefined) {
    const own = nodes.find((node) => !node.deleted && node.address === nodeAddress);
    if (own === undefined) {
      return err(
        `Cannot find our node: node address "${nodeAddress}" is not in the nodes file, ` +
          `expected one of ${addressList(nodes)}`,
      );
    }
    const listening = links.listen(own.address);
    return listening.ok
      ? ok(own.pnn)
      : err(`Cannot listen on ${own.address} port ${CTDB_PORT}: ${listening.error.message}`);
  }
  const failures: string[] = [];
  for (const node of candidates(parts)) {
    const listening = links.listen(node.address);
    if (listening.ok) {
      log.info(`ctdb chose network address ${node.address}:${CTDB_PORT}`);
      return ok(node.pnn);
    }
    failures.push(listening.error.message);
  }
  const why = failures.length > 0 ? failures.join("; ") : "this machine has none of them";
  return err(
    `Cannot find our node: expected to listen on one of ${addressList(nodes)} from the nodes file: ${why}`,
  );
}

/** Without the list of interfaces every address is tried: binding tells. */
function candidates(parts: OwnAddressParts): readonly ConfiguredNode[] {
  const live = parts.nodes.filter((node) => !node.deleted);
  const interfaces = parts.network.interfaces();
  if (!interfaces.ok) {
    parts.log.warning(`Cannot list local addresses, trying all nodes: ${interfaces.error.message}`);
    return live;
  }
  const local = new Set(
    interfaces.value.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
  );
  return live.filter((node) => local.has(node.address));
}

function addressList(nodes: readonly ConfiguredNode[]): string {
  return nodes
    .filter((node) => !node.deleted)
    .map((node) => node.address)
    .join(", ");
}
