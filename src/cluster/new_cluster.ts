/** A cluster that begins: all its nodes are here, and none of them was ever part of one. */
import type { CtdbClient } from "../client/types.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import { INVALID_GENERATION } from "../wire/packet.ts";
import { connectedNodes, type LocalSnapshot } from "./snapshot.ts";

/** All configured nodes are connected, and this one was never part of a cluster. */
export function isNewWithAllNodes(local: LocalSnapshot): boolean {
  if (local.vnnMap.generation !== INVALID_GENERATION) return false;
  return local.nodes.every(
    ({ flags }) => (flags & NODE_FLAGS.DELETED) !== 0 || (flags & NODE_FLAGS.DISCONNECTED) === 0,
  );
}

/** What the other nodes say of themselves; one that does not answer may have been. */
export async function nobodyWasRecovered(
  client: CtdbClient,
  local: LocalSnapshot,
  timeoutMs: number,
): Promise<boolean> {
  const others = connectedNodes(local.nodes).filter((pnn) => pnn !== client.pnn);
  const outcomes = await client.controlEach("GETVNNMAP", undefined, others, { timeoutMs });
  return [...outcomes.values()].every(
    (outcome) => outcome.ok && outcome.value.data.generation === INVALID_GENERATION,
  );
}
