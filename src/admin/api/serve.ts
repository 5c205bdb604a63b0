/**
 * From a request to its answer, for every route.
 *
 * Invariants:
 * 1. Nothing of a request is used that its schema has not let through; bodies and waits are bounded.
 * 2. Who may not do it learns nothing of whether it could be done.
 * 3. Every refusal is a problem document, and every answer has the headers that keep browsers from guessing.
 */
import * as v from "valibot";
import { bytesText, isUtf8 } from "../../base/byte_text.ts";
import { documentLine } from "../../base/json_document.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Timers } from "../../platform/types/time.ts";
import type { Callers } from "../auth/callers.ts";
import { BODY_BYTES_MAX, REQUEST_MS_MAX } from "../limits.ts";
import type { Origin } from "../parts.ts";
import { PROBLEM_TYPE, type Problem, problem, problemDocument } from "./problem.ts";
import type { Answer, Asked, Outcome, Route } from "./route.ts";

const ALWAYS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export interface Serving {
  readonly callers: Callers;
  readonly timers: Timers;
}

export async function serveRoute(
  route: Route,
  request: Request,
  origin: Origin,
  serving: Serving,
): Promise<Response> {
  const asked = await takeApart(route, request, origin, serving.callers);
  const outcome = asked.ok ? await inTime(route, asked.value, serving.timers) : asked;
  if (!outcome.ok) return problemResponse(outcome.error);
  const response = answerResponse(route, outcome.value);
  if (request.method !== "HEAD") return response;
  // Nobody would take what is in the body, a stream's least of all.
  void response.body?.cancel();
  return new Response(null, response);
}

async function takeApart(
  route: Route,
  request: Request,
  origin: Origin,
  callers: Callers,
): Promise<Result<Asked<never, never>, Problem>> {
  const { headers } = request;
  const caller = callers.identify(origin, headers);
  if (!caller.ok) return caller;
  const refusal = callers.refuse(caller.value, route.right, headers);
  if (refusal !== undefined) return err(refusal);
  const query = parseQuery(route, request.url);
  if (!query.ok) return query;
  const body = route.body === undefined ? ok(undefined) : await parseBody(route.body, request);
  if (!body.ok) return body;
  return ok({
    query: query.value as never,
    body: body.value as never,
    caller: caller.value,
    origin,
    headers,
  });
}

function parseQuery(route: Route, url: string): Result<unknown, Problem> {
  const at = url.indexOf("?");
  const given = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(at < 0 ? "" : url.slice(at + 1))) {
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  const values = Object.fromEntries(
    [...given].map(([name, all]) => [name, all.length === 1 ? all[0] : all]),
  );
  return parse(route.query, values, "a parameter is wrong");
}

async function parseBody(
  schema: v.GenericSchema,
  request: Request,
): Promise<Result<unknown, Problem>> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return err(problem(415, "expected application/json"));
  const bytes = await readBody(request);
  if (!bytes.ok) return bytes;
  const text = bytesText(bytes.value);
  if (!isUtf8(text)) return err(problem(400, "the body is no UTF-8"));
  try {
    return parse(schema, JSON.parse(text), "the body is not as expected");
  } catch (error) {
    return err(problem(400, `the body is no JSON: ${(error as Error).message}`));
  }
}

async function readBody(request: Request): Promise<Result<Uint8Array, Problem>> {
  const tooLarge = err(problem(413, `expected at most ${BODY_BYTES_MAX} bytes`));
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) return tooLarge;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > BODY_BYTES_MAX) return tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    return err(problem(400, `the body ended early: ${(error as Error).message}`));
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return ok(whole);
}

function parse(schema: v.GenericSchema, value: unknown, what: string): Result<unknown, Problem> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return ok(parsed.output);
  const errors = parsed.issues.slice(0, 16).map((issue) => ({
    path: v.getDotPath(issue) ?? "",
    detail: shortened(issue.message),
  }));
  const names = errors.map(({ path, detail }) => (path === "" ? detail : `${path}: ${detail}`));
  return err(problem(400, `${what}: ${names.join("; ")}`, { errors }));
}

const DETAIL_CHARACTERS_MAX = 300;

/** Messages quote what came. */
function shortened(text: string): string {
  return text.length <= DETAIL_CHARACTERS_MAX ? text : `${text.slice(0, DETAIL_CHARACTERS_MAX)}…`;
}

async function inTime(route: Route, asked: Asked<never, never>, timers: Timers): Promise<Outcome> {
  const late = Promise.withResolvers<Outcome>();
  const deadline = timers.after(REQUEST_MS_MAX, () =>
    late.resolve(err(problem(504, `no answer within ${REQUEST_MS_MAX / 1000} s`))),
  );
  try {
    return await Promise.race([route.handle(asked), late.promise]);
  } finally {
    deadline.cancel();
  }
}

function answerResponse({ answer: form }: Route, answer: Answer): Response {
  const headers = new Headers(ALWAYS);
  const more = "headers" in answer ? (answer.headers ?? []) : [];
  for (const [name, value] of more) headers.append(name, value);
  if ("nothing" in answer) return new Response(null, { status: 204, headers });
  if ("document" in answer) {
    headers.set("content-type", "application/json");
    const text =
      form.kind === "document"
        ? documentLine(answer.document)
        : `${JSON.stringify(answer.document)}\n`;
    return new Response(text, { headers });
  }
  headers.set("content-type", answer.contentType);
  if ("stream" in answer) return new Response(answer.stream, { headers });
  return new Response(answer.text, { status: answer.status ?? 200, headers });
}

export function problemResponse(refusal: Problem): Response {
  const headers = new Headers({ ...ALWAYS, ...refusal.headers, "content-type": PROBLEM_TYPE });
  const text = `${JSON.stringify(problemDocument(refusal))}\n`;
  return new Response(text, { status: refusal.status, headers });
}

/** A file of the page, which is for everybody. */
export function fileResponse(text: string, contentType: string, policy?: string): Response {
  const headers = new Headers({ ...ALWAYS, "content-type": contentType });
  if (policy !== undefined) headers.set("content-security-policy", policy);
  return new Response(text, { headers });
}
