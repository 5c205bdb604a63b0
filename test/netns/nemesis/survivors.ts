/** Which nodes kept their records through a round, from the journals of all nodes. */
import { NODE_FLAGS } from "../../../src/wire/constants.ts";
import type { NodeEvent } from "./node_journals.ts";

/** A node with one of these takes no part in a recovery, and what it alone has is not asked for. */
const OUT_OF_IT = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.BANNED | NODE_FLAGS.STOPPED;

/** Whose ctdbd ran throughout, and that took part in each recovery since then that succeeded, or got as far as a database. */
export function survivorsOf(
  nodes: readonly number[],
  events: readonly NodeEvent[],
  fromMs: number,
): ReadonlySet<number> {
  const isLost = new Set<number>();
  /** Flags of nodes as each node sees them, by "seer target". */
  const seen = new Map<string, number>();
  /** Those that run: the leader by generation. */
  const running = new Map<number, { readonly leader: number; readonly left: Set<number> }>();
  /** Recoveries that have given some database new content, whatever came of the rest. */
  const merged = new Set<number>();
  const isOut = (leader: number, pnn: number) =>
    ((seen.get(`${leader} ${pnn}`) ?? 0) & OUT_OF_IT) !== 0;
  for (const event of events) {
    if (event.kind === "flags") {
      seen.set(`${event.node} ${event.target}`, event.after);
      if ((event.after & OUT_OF_IT) === 0) continue;
      for (const { leader, left } of running.values()) {
        if (leader === event.node) left.add(event.target);
      }
    } else if (event.kind === "process_started" && event.process === "ctdbd") {
      for (const pnn of nodes) seen.delete(`${event.node} ${pnn}`);
      if (event.atMs >= fromMs) isLost.add(event.node);
    } else if (event.kind === "recovery_started") {
      const left = nodes.filter((pnn) => !event.nodes.includes(pnn) || isOut(event.node, pnn));
      running.set(event.generation, { leader: event.node, left: new Set(left) });
    } else if (event.kind === "recovery_database") {
      merged.add(event.generation);
    } else if (event.kind === "recovery_ended") {
      const recovery = running.get(event.generation);
      running.delete(event.generation);
      const hasMerged = event.succeeded || merged.has(event.generation);
      if (!hasMerged || event.atMs < fromMs) continue;
      // A journal that has its beginning no more says nothing of who was there.
      for (const pnn of recovery?.left ?? nodes) isLost.add(pnn);
    }
  }
  return new Set(nodes.filter((pnn) => !isLost.has(pnn)));
}
