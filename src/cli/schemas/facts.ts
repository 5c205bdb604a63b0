/**
 * What documents of --json have in common. Commands import the types of this folder only, so that valibot is not loaded
 * with the tool; tests hold the outputs against the schemas, and docs/schemas/ has them as JSON Schema.
 */
import * as v from "valibot";
import type { Facts } from "../../base/document_values.ts";

export { count, type Facts, integer, seconds, time } from "../../base/document_values.ts";

/** An unsigned 32-bit number. */
export const u32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));
export const pnn = u32;
export const databaseId = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{8}$/));
/** 64 bits, more than numbers of JSON have everywhere. */
export const u64 = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{16}$/));
/** Bytes, two digits each. */
export const hex = v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/));
/** An IP address. */
export const address = v.pipe(v.string(), v.nonEmpty());
export const databaseName = v.strictObject({ id: databaseId, name: v.string() });
export type DatabaseNameFacts = Facts<typeof databaseName>;
