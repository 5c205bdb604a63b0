/**
 * The directory of a component: `NN.name.script`, in the order of their names. A script is enabled when its owner may
 * execute what the name leads to (docs/operations.md, "Event scripts").
 */
import { EINVAL, ENOENT, errnoOf } from "../../base/errno.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { ScriptFiles } from "../../platform/types/script_files.ts";
import { SCRIPTS_MAX } from "../limits.ts";

const SUFFIX = ".script";
const SCRIPT_NAME = /^[0-9][0-9]\..*\.script$/s;

export interface Script {
  /** Without the suffix. */
  readonly name: string;
  readonly path: string;
  readonly enabled: boolean;
}

/** The error is an errno; ENOENT when there is no such directory. */
export function listScripts(
  files: ScriptFiles,
  directory: string,
): Result<readonly Script[], number> {
  const names = files.list(directory);
  if (!names.ok) return err(errnoOf(names.error));
  const scripts = names.value
    .filter((name) => SCRIPT_NAME.test(name))
    .slice(0, SCRIPTS_MAX)
    .map((name) => {
      const path = `${directory}/${name}`;
      return { name: withoutSuffix(name), path, enabled: files.isExecutable(path) };
    });
  return ok(scripts);
}

/** `script` with or without the suffix. A link is no script to be changed: EINVAL. The result is an errno or 0. */
export function setScriptEnabled(
  files: ScriptFiles,
  directory: string,
  script: string,
  enabled: boolean,
): number {
  const names = files.list(directory);
  if (!names.ok) return errnoOf(names.error);
  const isWhole = script.length > SUFFIX.length && script.endsWith(SUFFIX);
  const name = isWhole ? script : `${script}${SUFFIX}`;
  if (!names.value.includes(name)) return ENOENT;
  if (!SCRIPT_NAME.test(name)) return EINVAL;
  const changed = files.setExecutable(`${directory}/${name}`, enabled);
  if (changed.ok) return 0;
  return changed.error.code === "ELOOP" ? EINVAL : errnoOf(changed.error);
}

/** The name of a component is that of a directory, and of no other place. */
export function isComponentName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/");
}

function withoutSuffix(name: string): string {
  return name.slice(0, -SUFFIX.length);
}
