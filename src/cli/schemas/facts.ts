/**
 * What documents of --json have in common. Commands import the types of this folder only, so that valibot is not loaded
 * with the tool; tests hold the outputs against the schemas, and docs/schemas/ has them as JSON Schema.
 */
import * as v from "valibot";

/** What `answerFacts` is given: the document without the version of its schema. */
export type Facts<S extends v.GenericSchema> = v.InferOutput<S>;

export const pnn = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));
export const databaseId = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{8}$/));
