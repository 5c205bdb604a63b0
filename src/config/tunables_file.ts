/**
 * Tunables files: `ctdb.tunables` and then `tunables.d/*.tunables` in the order of their names, lines
 * `Name=value`. A missing file is no problem; every other problem is reported, all of them at once,
 * and what could be read is set all the same (the caller decides whether that is enough to start).
 */
import { parseWhole } from "../base/c_number.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { parseIni } from "./ini.ts";
import { TUNABLE_VALUE_MAX, type TunableSet, tunableByName } from "./tunables.ts";
import type { ConfigProblem, CtdbPaths } from "./types.ts";

/** Loads all tunables files of a node. */
export function loadTunables(
  files: FileSystem,
  paths: Pick<CtdbPaths, "etcDirectory">,
  tunables: TunableSet,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const load = (path: string) => {
    const text = files.readText(path);
    if (text.ok) {
      problems.push(...setTunablesFromText(text.value, path, tunables));
    } else if (text.error.code !== "ENOENT") {
      problems.push(fileProblem(path, `cannot be read: ${text.error.code}`));
    }
  };
  load(`${paths.etcDirectory}/ctdb.tunables`);
  const directory = `${paths.etcDirectory}/tunables.d`;
  const names = files.list(directory);
  if (names.ok) {
    for (const name of names.value) {
      if (name.endsWith(".tunables")) load(`${directory}/${name}`);
    }
  } else if (names.error.code !== "ENOENT") {
    problems.push(fileProblem(directory, `cannot be read: ${names.error.code}`));
  }
  return problems;
}

/** Sets what the text says; `file` is for the problems. */
function setTunablesFromText(
  text: string,
  file: string,
  tunables: TunableSet,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const line of parseIni(text)) {
    const reason = setFromLine(line, tunables);
    if (reason !== undefined) problems.push({ file, line: line.line, reason, severity: "error" });
  }
  return problems;
}

function setFromLine(
  line: ReturnType<typeof parseIni>[number],
  tunables: TunableSet,
): string | undefined {
  if (line.kind === "malformed") return line.reason;
  if (line.kind === "section") return `expected "name = value", got the section "[${line.name}]"`;
  const tunable = tunableByName(line.name);
  if (tunable === undefined) return `expected the name of a tunable, got "${line.name}"`;
  if (tunable.obsolete) return `tunable "${tunable.name}" is obsolete: remove this line`;
  const value = parseWhole(line.value, TUNABLE_VALUE_MAX);
  if (value === undefined) {
    return `tunable "${tunable.name}": expected a number from 0 to ${TUNABLE_VALUE_MAX}, got "${line.value}"`;
  }
  tunables.set(tunable.name, value);
  return undefined;
}

function fileProblem(file: string, reason: string): ConfigProblem {
  return { file, line: 0, reason, severity: "error" };
}
