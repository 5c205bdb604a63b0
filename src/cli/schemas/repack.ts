/** The document of `ctdb db repack`. */
import * as v from "valibot";
import { databaseId, type Facts, pnn } from "./facts.ts";

/** Of the own node's file. */
const file = v.strictObject({ bytes: v.number(), free_pieces: v.number() });

export const repackFacts = v.strictObject({
  action: v.literal("repack"),
  database: v.strictObject({ id: databaseId, name: v.string(), path: v.string() }),
  /** "database": this one alone; "recovery": a recovery of the cluster, which writes all anew. */
  method: v.picklist(["database", "recovery"]),
  nodes: v.array(pnn),
  dry_run: v.boolean(),
  before: file,
  /** null: nothing was done. */
  after: v.nullable(file),
});
export type RepackFacts = Facts<typeof repackFacts>;
