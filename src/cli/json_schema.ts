/**
 * What --json gives, as JSON Schema: for `ctdb schema`, docs/schemas/ and the tests. Loaded by nothing else, since it takes
 * valibot with it.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { SCHEMA_VERSION } from "../base/json_document.ts";
import { COMMANDS, commandRow } from "./commands.ts";
import { actedFacts, everyNodeFacts } from "./schemas/acted.ts";
import { statusDocument, versionDocument } from "./schemas/cluster.ts";
import { errorFacts } from "./schemas/schema.ts";
import { FACTS } from "./schemas/table.ts";

/** No commands are called so: the document on standard error, that of commands that only act, that of many nodes. */
const ERROR = "error";
const ACTED = "acted";
/** Of any command with `-n all`. */
const EVERY_NODE = "all-nodes";

const ORIGINALS: Readonly<Record<string, v.GenericSchema>> = {
  status: statusDocument,
  version: versionDocument,
};

/** Commands with a document of their own, and the three that are none. */
export function documentNames(): readonly string[] {
  const own = COMMANDS.filter(({ json }) => json !== "acted").map(({ name }) => name);
  return [...own, ERROR, ACTED, EVERY_NODE].sort();
}

/** The document itself, with the version of its schema; undefined for what is no command. */
export function documentSchema(name: string): v.GenericSchema | undefined {
  if (name === ERROR) return withVersion(errorFacts);
  if (name === EVERY_NODE) return withVersion(everyNodeFacts);
  if (name === ACTED || commandRow(name)?.json === "acted") return withVersion(actedFacts);
  const facts = FACTS[name];
  return facts === undefined ? ORIGINALS[name] : withVersion(facts);
}

function withVersion(schema: v.GenericSchema): v.GenericSchema {
  if (v.isOfType("strict_object", schema)) {
    const { entries } = schema as v.StrictObjectSchema<v.ObjectEntries, undefined>;
    return v.strictObject({ schema_version: v.literal(SCHEMA_VERSION), ...entries });
  }
  const { options } = schema as v.UnionSchema<v.GenericSchema[], undefined>;
  return v.union(options.map(withVersion));
}

/** undefined for what is no command. */
export function jsonSchema(name: string): Readonly<Record<string, unknown>> | undefined {
  const schema = documentSchema(name);
  if (schema === undefined) return undefined;
  const { $schema, ...rest } = toJsonSchema(schema, { errorMode: "throw" });
  return {
    $schema,
    $id: `urn:ctdb-appliance:schema:${SCHEMA_VERSION}:${name}`,
    title: titleOf(name),
    ...rest,
  };
}

function titleOf(name: string): string {
  if (name === ERROR) return "What standard error gets from commands with --json";
  if (name === ACTED) return "ctdb COMMAND --json, of a command that only acts";
  if (name === EVERY_NODE) return "ctdb -n all COMMAND --json";
  return `ctdb ${name} --json: ${commandRow(name)?.summary ?? ""}`;
}
