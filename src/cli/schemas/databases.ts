/** Documents of commands about databases. */
import * as v from "valibot";
import { databaseId, databaseName, type Facts, pnn, u64 } from "./facts.ts";

const database = v.strictObject({
  id: databaseId,
  name: v.string(),
  path: v.string(),
  persistent: v.boolean(),
  replicated: v.boolean(),
  sticky: v.boolean(),
  readonly: v.boolean(),
  /** Why it is unhealthy. */
  problem: v.nullable(v.string()),
});

export type DatabaseFacts = Facts<typeof database>;

export const getdbmapFacts = v.strictObject({ node: pnn, databases: v.array(database) });
export const getdbstatusFacts = v.strictObject({ node: pnn, database });
export const getdbseqnumFacts = v.strictObject({
  node: pnn,
  database: databaseName,
  sequence_number: u64,
});
