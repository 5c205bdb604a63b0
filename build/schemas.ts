/**
 * JSON Schemas of the documents of --json, in docs/schemas/: says where they differ from the sources' and exits 1;
 * --rewrite writes them.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { documentNames, jsonSchema } from "../src/cli/json_schema.ts";
import { PROJECT } from "./stage.ts";

const FOLDER = join(PROJECT, "docs/schemas");

/** Names and texts of the files as they should be. */
export function generatedSchemas(): ReadonlyMap<string, string> {
  return new Map(
    documentNames().map((name) => [
      `${name}.json`,
      `${JSON.stringify(jsonSchema(name), null, 2)}\n`,
    ]),
  );
}

/** As they are. */
export function committedSchemas(): ReadonlyMap<string, string> {
  const names = readdirSync(FOLDER).sort();
  return new Map(names.map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]));
}

if (import.meta.main) {
  const generated = generatedSchemas();
  const committed = committedSchemas();
  const names = [...new Set([...generated.keys(), ...committed.keys()])].sort();
  const different = names.filter((name) => generated.get(name) !== committed.get(name));
  const rewrite = process.argv.includes("--rewrite");
  for (const name of different) {
    const text = generated.get(name);
    console.log(`${rewrite ? "rewritten" : "differs"}: ${name}`);
    if (!rewrite) continue;
    if (text === undefined) rmSync(join(FOLDER, name));
    else writeFileSync(join(FOLDER, name), text);
  }
  process.exitCode = different.length > 0 && !rewrite ? 1 : 0;
}
