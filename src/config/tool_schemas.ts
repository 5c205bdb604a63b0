/** Documents of `ctdb-config --json` and `ctdb-path --json`. */
import * as v from "valibot";
import { count, type Facts } from "../base/document_values.ts";

const option = v.strictObject({
  section: v.string(),
  name: v.string(),
  /** As the file has it, or the default; null: there is none. */
  value: v.nullable(v.union([v.string(), v.number(), v.boolean()])),
  /** The file says something else than the default. */
  given: v.boolean(),
});
export type OptionFacts = Facts<typeof option>;

const dump = v.strictObject({ file: v.string(), options: v.array(option) });

const problem = v.strictObject({
  file: v.string(),
  /** null: the problem is one of the whole file. */
  line: v.nullable(count),
  /** As `[section] option`; null: it is none of an option. */
  option: v.nullable(v.string()),
  /** Warnings leave the file valid; what is unknown stops no start, but makes it invalid. */
  severity: v.picklist(["error", "unknown", "warning"]),
  reason: v.string(),
});
export type ProblemFacts = Facts<typeof problem>;

const validation = v.strictObject({
  /** ctdb.conf; problems may be of the other files of options. */
  file: v.string(),
  valid: v.boolean(),
  problems: v.array(problem),
});

const migration = v.strictObject({
  dry_run: v.boolean(),
  /** The old files. */
  read: v.array(v.string()),
  /** Sentences about what has no place in the new files. */
  not_taken_over: v.array(v.string()),
  /** Event scripts to be enabled. */
  scripts: v.array(v.string()),
  files: v.array(
    v.strictObject({
      file: v.string(),
      /** Where it was written; null: it was not, since it is there already, or with --dry-run. */
      written: v.nullable(v.string()),
      /** A file is there that says something else, and stays; null with --dry-run. */
      differs: v.nullable(v.boolean()),
      text: v.string(),
    }),
  ),
});
export type MigrationFacts = Facts<typeof migration>;

export const configToolFacts = v.union([option, dump, validation, migration]);
export type ConfigToolFacts = Facts<typeof configToolFacts>;

export const pathToolFacts = v.strictObject({ path: v.string() });
export type PathToolFacts = Facts<typeof pathToolFacts>;
