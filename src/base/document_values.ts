/**
 * Values of documents that are the same everywhere, as valibot schemas. Programs import types of schemas only, so that
 * valibot is not loaded with them; tests hold the documents against the schemas.
 */
import * as v from "valibot";

/** What a document is made of, without the version of its schema. */
export type Facts<S extends v.GenericSchema> = v.InferOutput<S>;

/** Seconds since 1970. */
export const time = v.pipe(v.number(), v.minValue(0));
/** A duration. */
export const seconds = v.pipe(v.number(), v.minValue(0));
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** An errno or a status of a process. */
export const integer = v.pipe(v.number(), v.integer());
