/**
 * The databases to recover: the union of what the nodes have attached. Flags must agree, except
 * READONLY and STICKY, which a node learns only when a client sets them there.
 */
import { err, ok, type Result } from "../base/result.ts";
import { DB_FLAGS } from "../wire/constants.ts";

export interface RecoveredDatabase {
  readonly db_id: number;
  readonly flags: number;
  /** Nodes that have it, in the order of the nodes. */
  readonly pnns: readonly number[];
}

export interface DatabasesOfNode {
  readonly pnn: number;
  readonly databases: readonly { readonly db_id: number; readonly flags: number }[];
}

export function databaseUnion(
  nodes: readonly DatabasesOfNode[],
): Result<readonly RecoveredDatabase[]> {
  const union = new Map<number, { flags: number; pnns: number[] }>();
  for (const { pnn, databases } of nodes) {
    for (const database of databases) {
      const flags = database.flags & ~(DB_FLAGS.READONLY | DB_FLAGS.STICKY);
      const known = union.get(database.db_id);
      if (known === undefined) {
        union.set(database.db_id, { flags, pnns: [pnn] });
        continue;
      }
      const id = database.db_id.toString(16).padStart(8, "0");
      if (known.flags !== flags) {
        return err(
          `Database 0x${id} has flags 0x${flags.toString(16)} on node ${pnn}, ` +
            `0x${known.flags.toString(16)} on node ${known.pnns[0]}: expected the same`,
        );
      }
      if (known.pnns.includes(pnn)) return err(`Node ${pnn} lists database 0x${id} twice`);
      known.pnns.push(pnn);
    }
  }
  return ok([...union].map(([dbId, { flags, pnns }]) => ({ db_id: dbId, flags, pnns })));
}
