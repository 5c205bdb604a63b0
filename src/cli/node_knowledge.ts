/** What a node of ours has last heard of the others, asked of it. */
import { decodePadded } from "../wire/codec.ts";
import { PING_KNOWLEDGE } from "../wire/controls.ts";
import { type NodeKnowledge, nodeKnowledge, type PeerProblem } from "../wire/structs/cluster.ts";
import type { Session } from "./session.ts";

/** Undefined of a node that does not tell: one of another make, say. */
export async function knowledgeOf(
  session: Session,
  pnn: number,
): Promise<NodeKnowledge | undefined> {
  const said = await session.attempt("PING", undefined, pnn, { flags: PING_KNOWLEDGE });
  const known = said.ok ? decodePadded(nodeKnowledge, said.value.data) : undefined;
  return known?.ok === true ? known.value : undefined;
}

/** All that it says of nodes, in sentences. */
export function problemsIn(known: NodeKnowledge | undefined): readonly PeerProblem[] {
  return known === undefined ? [] : [...known.problems, ...known.missing_links];
}
