/**
 * The OpenAPI 3.1 document, made of the table of routes: what a route takes and answers is said once. Loaded when it is
 * asked for.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { SCHEMA_VERSION } from "../../base/json_document.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import type { AnswerForm, JsonSchema, Route } from "./route.ts";

/** Every route may be answered so. */
const ALWAYS = [400, 401, 429, 500, 503, 504];
const WITH_RIGHT = [403];
const WITH_BODY = [413, 415];

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "detail"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "detail"],
        properties: { path: { type: "string" }, detail: { type: "string" } },
      },
    },
  },
};

export async function openApiText(routes: readonly Route[], version: string): Promise<string> {
  const paths: Record<string, Record<string, unknown>> = {};
  const shared: Record<string, unknown> = { Problem: PROBLEM };
  for (const route of routes) {
    const methods = paths[route.path] ?? {};
    paths[route.path] = methods;
    methods[route.method.toLowerCase()] = withoutOwn(
      await operation(route),
      operationId(route),
      shared,
    );
  }
  const document = {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: {
      title: "ctdb-admind",
      version,
      description: "What a node of a CTDB cluster and its neighbours do, and why.",
      license: { name: "GPL-3.0-or-later", identifier: "GPL-3.0-or-later" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: shared,
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "ctdb_session" },
      },
    },
  };
  return `${JSON.stringify(document)}\n`;
}

const OWN_REFERENCE = /"#\/\$defs\/([^"]+)"/g;

/** Schemas that name parts of themselves do so from the root of the document: those parts go there. */
function withoutOwn(made: object, name: string, shared: Record<string, unknown>): unknown {
  const reference = (part: string) => `${name}_${part}`;
  const text = JSON.stringify(made, (key, value) => {
    if (key !== "$defs") return value;
    for (const [part, schema] of Object.entries(value as object)) shared[reference(part)] = schema;
    return undefined;
  });
  const moved = (json: string): unknown =>
    JSON.parse(
      json.replaceAll(
        OWN_REFERENCE,
        (_, part: string) => `"#/components/schemas/${reference(part)}"`,
      ),
    );
  for (const part of Object.keys(shared)) {
    if (part.startsWith(`${name}_`)) shared[part] = moved(JSON.stringify(shared[part]));
  }
  return moved(text);
}

async function operation(route: Route): Promise<object> {
  const { summary, right, query, body, answer } = route;
  const statuses = new Set([
    ...ALWAYS,
    ...(right === "none" ? [] : WITH_RIGHT),
    ...(body === undefined ? [] : WITH_BODY),
    ...route.statuses,
  ]);
  const problems = [...statuses].map((status) => [String(status), problemAnswer(route, status)]);
  const [status, success] = await successAnswer(answer);
  return {
    operationId: operationId(route),
    summary,
    ...(right === "none" ? { security: [] } : { security: [{ token: [] }, { session: [] }] }),
    parameters: Object.entries(query.entries).map(parameter),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: inputSchema(body) } },
          },
        }),
    responses: Object.fromEntries([[status, success], ...problems]),
  };
}

function operationId({ method, path }: Route): string {
  return [method.toLowerCase(), ...path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "")].join(
    "_",
  );
}

function parameter([name, schema]: [string, v.ObjectEntries[string]]): object {
  const isRequired = schema.type !== "optional";
  const made = inputSchema(schema);
  // Once, or several times with the same name.
  const many = (made["anyOf"] as readonly JsonSchema[] | undefined)?.find(
    ({ type }) => type === "array",
  );
  return { name, in: "query", required: isRequired, schema: many ?? made };
}

/** As it comes in, before anything is made of it. */
function inputSchema(schema: v.ObjectEntries[string] | v.GenericSchema): JsonSchema {
  const { $schema: _, ...made } = toJsonSchema(schema as v.GenericSchema, {
    errorMode: "ignore",
    target: "draft-2020-12",
    typeMode: "input",
  });
  return made;
}

async function successAnswer(form: AnswerForm): Promise<[string, object]> {
  switch (form.kind) {
    case "nothing":
      return ["204", { description: "Done" }];
    case "text": {
      const text = { schema: { type: "string" } };
      const content = Object.fromEntries(form.contentTypes.map((type) => [type, text]));
      return ["200", { description: "Text", content }];
    }
    case "foreign":
      return ["200", jsonAnswer(withoutNames(await form.schema()))];
    case "document":
      return ["200", jsonAnswer(withVersion(outputSchema(form.schema)))];
  }
}

function jsonAnswer(schema: JsonSchema): object {
  return { description: "A document", content: { "application/json": { schema } } };
}

function outputSchema(schema: v.GenericSchema): JsonSchema {
  const { $schema: _, ...made } = toJsonSchema(schema, {
    errorMode: "throw",
    target: "draft-2020-12",
  });
  return made;
}

function withVersion(schema: JsonSchema): JsonSchema {
  const { anyOf, properties, required } = schema as {
    readonly anyOf?: readonly JsonSchema[];
    readonly properties?: object;
    readonly required?: readonly string[];
  };
  if (anyOf !== undefined) return { ...schema, anyOf: anyOf.map(withVersion) };
  return {
    ...schema,
    properties: { schema_version: { const: SCHEMA_VERSION }, ...properties },
    required: ["schema_version", ...(required ?? [])],
  };
}

/** Inside of a document a schema has no name and no dialect of its own. */
function withoutNames({ $schema: _, $id: __, ...rest }: JsonSchema): JsonSchema {
  return rest;
}

function problemAnswer({ path, answer }: Route, status: number): object {
  // Health says "no" as it says "yes".
  const text = { "text/plain; charset=utf-8": { schema: { type: "string" } } };
  const isHealth = answer.kind === "text" && path.endsWith("z") && status === 503;
  const content = {
    ...(isHealth ? text : {}),
    [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } },
  };
  return { description: "A problem (RFC 9457)", content };
}
