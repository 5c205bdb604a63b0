/**
 * Tunables files: `ctdb.tunables` and then `tunables.d/*.tunables` in the order of their names, lines
 * `Name=value`. A missing file is no problem; every other problem is reported, all of them at once,
 * and what could be read is set all the same (the caller decides whether that is enough to start).
 */
import { parseWhole } from "../base/c_number.ts";
import { didYouMean } from "../base/suggestion.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { parseIni } from "./ini.ts";
import { ProblemList, quoted } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import { LISTED_TUNABLES, TUNABLE_VALUE_MAX, type TunableSet, tunableByName } from "./tunables.ts";
import type { ConfigProblem, CtdbPaths } from "./types.ts";

/** Loads all tunables files of a node. */
export function loadTunables(
  files: FileSystem,
  paths: Pick<CtdbPaths, "etcDirectory">,
  tunables: TunableSet,
): readonly ConfigProblem[] {
  const load = (path: string): readonly ConfigProblem[] => {
    const text = readConfigFile(files, path);
    if (!text.ok) return text.error;
    return setTunablesFromText(text.value ?? "", path, tunables);
  };
  const problems = [...load(`${paths.etcDirectory}/ctdb.tunables`)];
  const directory = `${paths.etcDirectory}/tunables.d`;
  const names = files.list(directory);
  if (names.ok) {
    for (const name of names.value) {
      if (name.endsWith(".tunables")) problems.push(...load(`${directory}/${name}`));
    }
  } else if (names.error.code !== "ENOENT") {
    const wrong = new ProblemList(directory);
    wrong.error(0, `expected a directory that can be read: ${names.error.code}`);
    problems.push(...wrong.all());
  }
  return problems;
}

/** Sets what the text says; `file` is for the problems. */
function setTunablesFromText(
  text: string,
  file: string,
  tunables: TunableSet,
): readonly ConfigProblem[] {
  const problems = new ProblemList(file);
  const lineOf = new Map<string, number>();
  for (const { line, ...content } of parseIni(text)) {
    if (content.kind === "malformed") {
      problems.error(line, content.reason);
    } else if (content.kind === "section") {
      problems.error(line, `expected "name = value", got the section ${quoted(content.name)}`);
    } else {
      const outcome = setTunable(content.name, content.value, tunables);
      if (outcome.reason !== undefined) problems.error(line, outcome.reason, outcome.name);
      if (outcome.name === undefined) continue;
      const earlier = lineOf.get(outcome.name);
      if (earlier !== undefined) {
        problems.warning(
          line,
          `stands in line ${earlier} already; the last one counts`,
          outcome.name,
        );
      }
      lineOf.set(outcome.name, line);
    }
  }
  return problems.all();
}

/** `name` as the table has it, `reason` when it was not set. */
function setTunable(
  name: string,
  text: string,
  tunables: TunableSet,
): { readonly name?: string; readonly reason?: string } {
  const tunable = tunableByName(name);
  if (tunable === undefined) {
    const near = didYouMean(name, LISTED_TUNABLES);
    return { reason: `expected the name of a tunable, got ${quoted(name)}${near}` };
  }
  if (tunable.obsolete) {
    return { name: tunable.name, reason: "expected no obsolete tunable: remove this line" };
  }
  const value = parseWhole(text, TUNABLE_VALUE_MAX);
  if (value === undefined) {
    const reason = `expected a whole number from 0 to ${TUNABLE_VALUE_MAX}, got ${quoted(text)}`;
    return { name: tunable.name, reason };
  }
  tunables.set(tunable.name, value);
  return { name: tunable.name };
}
