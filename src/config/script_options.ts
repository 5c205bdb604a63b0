/**
 * script.options and NN.name.options: what a shell cannot read, values of another form than their script expects, and
 * names that are nearly ours. Other names are not ours to judge: third parties' scripts have their own.
 */
import * as v from "valibot";
import { didYouMean } from "../base/suggestion.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { ProblemList, quoted } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import { SCRIPT_VARIABLES, scriptVariableForm } from "./script_variables.ts";
import { shellStatements } from "./shell_assignments.ts";
import type { ConfigProblem, CtdbPaths } from "./types.ts";

const COMPONENT = "events/legacy";
const SCRIPT = ".script";
const OPTIONS = ".options";

/** All files of options that the scripts of this node read. */
export function checkScriptOptions(
  files: FileSystem,
  paths: Pick<CtdbPaths, "etcDirectory" | "dataDirectory">,
): readonly ConfigProblem[] {
  const problems = [...checkFile(files, `${paths.etcDirectory}/script.options`)];
  const directory = `${paths.etcDirectory}/${COMPONENT}`;
  const scripts = [
    ...namesIn(files, directory, SCRIPT),
    ...namesIn(files, `${paths.dataDirectory}/${COMPONENT}`, SCRIPT),
  ];
  for (const name of namesIn(files, directory, OPTIONS)) {
    const path = `${directory}/${name}${OPTIONS}`;
    problems.push(...checkFile(files, path));
    if (scripts.includes(name)) continue;
    const list = new ProblemList(path);
    const near = didYouMean(name, scripts);
    list.warning(0, `expected a script "${name}${SCRIPT}" that reads it, there is none${near}`);
    problems.push(...list.all());
  }
  return problems;
}

/** Without the ending; none when the directory cannot be read. */
function namesIn(files: FileSystem, directory: string, ending: string): readonly string[] {
  const names = files.list(directory);
  if (!names.ok) return [];
  return names.value
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
}

function checkFile(files: FileSystem, path: string): readonly ConfigProblem[] {
  const text = readConfigFile(files, path);
  if (!text.ok) return text.error;
  const problems = new ProblemList(path);
  const lineOf = new Map<string, number>();
  for (const statement of shellStatements(text.value ?? "")) {
    const { line } = statement;
    if (statement.kind === "malformed") problems.error(line, statement.reason);
    if (statement.kind !== "assignment") continue;
    const { name, value, expands, conditional } = statement;
    const wrong = wrongVariable(name, expands ? undefined : value);
    if (wrong?.unknown === true) problems.warning(line, wrong.reason);
    else if (wrong !== undefined) problems.error(line, wrong.reason, name);
    const earlier = lineOf.get(name);
    if (earlier !== undefined && !conditional) {
      problems.warning(line, `stands in line ${earlier} already; the last one counts`, name);
    }
    if (!conditional) lineOf.set(name, line);
  }
  return problems.all();
}

/** `value` is undefined when only a shell can know it; an empty one is none. */
function wrongVariable(
  name: string,
  value: string | undefined,
): { readonly unknown: boolean; readonly reason: string } | undefined {
  const form = scriptVariableForm(name);
  if (form === undefined) {
    if (!name.startsWith("CTDB_")) return undefined;
    const near = didYouMean(name, SCRIPT_VARIABLES);
    return {
      unknown: true,
      reason: `expected a variable that event scripts read, got ${quoted(name)}${near}`,
    };
  }
  if (value === undefined || value === "") return undefined;
  const parsed = v.safeParse(form, value, { abortPipeEarly: true });
  if (parsed.success) return undefined;
  return { unknown: false, reason: `${parsed.issues[0].message}, got ${quoted(value)}` };
}
