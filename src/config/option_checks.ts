/** What may be wrong with a well-formed value on this machine. */
import { parseLogLocation } from "../base/log_format.ts";
import type { OptionContext } from "./option_table.ts";

export function directoryExists(path: string, { files }: OptionContext): string | undefined {
  return files.kindOf(path) === "directory" ? undefined : "expected a directory that exists";
}

/** Scripts are looked for in the configuration directory, whatever directory the value names. */
export function scriptExists(script: string | undefined, { files, paths }: OptionContext) {
  if (script === undefined) return undefined;
  const path = `${paths.etcDirectory}/${script.slice(script.lastIndexOf("/") + 1)}`;
  return files.kindOf(path) === "executable"
    ? undefined
    : `expected an executable script "${path}"`;
}

export function logDirectoryExists(location: string, { files }: OptionContext): string | undefined {
  const parsed = parseLogLocation(location);
  const path = parsed.ok && parsed.value.kind === "file" ? parsed.value.path : "";
  if (!path.includes("/")) return undefined;
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  return files.kindOf(directory) === "directory"
    ? undefined
    : `expected the directory "${directory}" to exist`;
}
