/**
 * What a route is: a row of the table (routes.ts). Requests are taken apart, checked and answered by one function
 * (serve.ts), and the OpenAPI document is made of the same rows (openapi.ts).
 */
import * as v from "valibot";
import type { Result } from "../../base/result.ts";
import type { Caller, Right } from "../auth/callers.ts";
import type { Origin } from "../parts.ts";
import type { Problem } from "./problem.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

export type AnswerForm =
  /** A document of ours: it gets the version of the schema in front. */
  | { readonly kind: "document"; readonly schema: v.GenericSchema }
  /** The document of somebody else, as it is. */
  | { readonly kind: "foreign"; readonly schema: () => Promise<JsonSchema> }
  | { readonly kind: "text"; readonly contentTypes: readonly string[] }
  | { readonly kind: "nothing" };

export type Answer =
  | { readonly document: object; readonly headers?: Headers }
  | { readonly text: string; readonly contentType: string; readonly status?: number }
  | { readonly stream: ReadableStream<Uint8Array>; readonly contentType: string }
  | { readonly nothing: true; readonly headers: Headers };

export interface Asked<Query, Body> {
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  readonly origin: Origin;
  readonly headers: Headers;
}

export type Outcome = Result<Answer, Problem>;

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly summary: string;
  readonly right: Right;
  readonly query: v.StrictObjectSchema<v.ObjectEntries, undefined>;
  readonly body: v.GenericSchema | undefined;
  readonly answer: AnswerForm;
  /** Statuses beside 200 or 204, and those that every route has. */
  readonly statuses: readonly number[];
  handle(asked: Asked<never, never>): Promise<Outcome> | Outcome;
}

interface Row<Entries extends v.ObjectEntries, Body> {
  readonly method?: Route["method"];
  readonly path: string;
  readonly summary: string;
  readonly right?: Right;
  readonly query?: Entries;
  readonly body?: v.GenericSchema<unknown, Body>;
  readonly answer: AnswerForm;
  readonly statuses?: readonly number[];
  readonly handle: (
    asked: Asked<v.InferOutput<v.StrictObjectSchema<Entries, undefined>>, Body>,
  ) => Promise<Outcome> | Outcome;
}

export function route<Entries extends v.ObjectEntries = Record<never, never>, Body = undefined>(
  row: Row<Entries, Body>,
): Route {
  return {
    method: row.method ?? "GET",
    path: row.path,
    summary: row.summary,
    right: row.right ?? "read",
    query: v.strictObject(row.query ?? {}),
    body: row.body,
    answer: row.answer,
    statuses: row.statuses ?? [],
    handle: row.handle as Route["handle"],
  };
}

/** What stands in a query is text: the schemas of its parameters. */
const U32_MAX = 0xffffffff;

export const numberText = v.pipe(
  v.string(),
  v.regex(/^\d{1,16}$/, "expected a number"),
  v.transform(Number),
  v.safeInteger("expected a smaller number"),
);

export const pnnText = v.pipe(
  v.string(),
  v.regex(/^\d{1,10}$/, "expected the number of a node"),
  v.transform(Number),
  v.maxValue(U32_MAX, "expected the number of a node"),
);

export function countText(max: number): v.GenericSchema<string, number> {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, "expected a number"),
    v.transform(Number),
    v.minValue(1, "expected at least 1"),
    v.maxValue(max, `expected at most ${max}`),
  );
}

/** A parameter that may come several times. */
export function manyOf<T extends v.GenericSchema<string, unknown>>(
  each: T,
  max: number,
): v.GenericSchema<string | string[], readonly v.InferOutput<T>[]> {
  return v.pipe(
    v.union([v.string(), v.array(v.string())]),
    v.transform((value) => (typeof value === "string" ? [value] : value)),
    v.array(each),
    v.maxLength(max, `expected at most ${max} of them`),
  ) as unknown as v.GenericSchema<string | string[], readonly v.InferOutput<T>[]>;
}
