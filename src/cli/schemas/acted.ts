/** The document of commands that only act. */
import * as v from "valibot";
import { count, type Facts, pnn } from "./facts.ts";

export const actedFacts = v.strictObject({
  /** That was told or asked; null: none was, the command works without a daemon. */
  node: v.nullable(pnn),
  /** What the command said that it did; most say nothing. */
  messages: v.array(v.string()),
});
export type ActedFacts = Facts<typeof actedFacts>;

/** Of those that find out whether there was something to do. */
export const changedFacts = v.strictObject({
  node: pnn,
  /** false: it was so already. */
  changed: v.boolean(),
});
export type ChangedFacts = Facts<typeof changedFacts>;

/** Of `addip` and `delip`. */
export const changedIpFacts = v.strictObject({
  ...changedFacts.entries,
  /** With --write; null: the file was not to be changed. */
  file_changed: v.nullable(v.boolean()),
});
export type ChangedIpFacts = Facts<typeof changedIpFacts>;

/** Of any command with `-n all`. */
export const everyNodeFacts = v.strictObject({
  nodes: v.array(
    v.strictObject({
      node: pnn,
      /** That of the command for this node. */
      status: count,
      /** That of the command; null: there is none. */
      document: v.nullable(v.record(v.string(), v.unknown())),
      messages: v.array(v.string()),
    }),
  ),
});
export type EveryNodeFacts = Facts<typeof everyNodeFacts>;
