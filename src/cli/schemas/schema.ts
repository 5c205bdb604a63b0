/** Documents about documents: the answer of `ctdb schema`, and what standard error gets. */
import * as v from "valibot";
import { integer } from "./facts.ts";

export const schemaFacts = v.strictObject({
  command: v.string(),
  /** JSON Schema. */
  schema: v.record(v.string(), v.unknown()),
});

/** On standard error: why there is no document, or what is to be known of the one there is. */
export const errorFacts = v.union([
  v.strictObject({
    error: v.strictObject({
      /** null: none that is known. */
      command: v.nullable(v.string()),
      kind: v.picklist(["usage", "no daemon", "timeout", "nothing recorded", "failed"]),
      /** The exit status. */
      status: integer,
      messages: v.array(v.string()),
    }),
  }),
  v.strictObject({ warnings: v.array(v.string()) }),
]);
