/**
 * ctdb-appliance.conf: the options that are ours, in the form of ctdb.conf. They have a file of their own because the
 * original, which may run on this node again tomorrow, never reads it. A missing file is an empty one.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { OptionReader } from "./option_reader.ts";
import { define, OptionTable } from "./option_table.ts";
import { sambaVersion } from "./option_values.ts";
import { hasErrors } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import type { ConfigProblem, CtdbPaths } from "./types.ts";

const APPLIANCE_CONF_FILE = "ctdb-appliance.conf";

export interface ApplianceConfig {
  /** Major × 65536 + minor. */
  readonly announcedSambaVersion: number | undefined;
}

const OPTIONS = {
  announcedSambaVersion: define<number | undefined>({
    section: "cluster",
    name: "announced samba version",
    schema: sambaVersion,
    defaultValue: () => undefined,
    reload: "restart",
  }),
} as const;

export const APPLIANCE_CONF = new OptionTable(OPTIONS);

export interface LoadedApplianceConfig {
  readonly config: ApplianceConfig;
  readonly warnings: readonly ConfigProblem[];
}

/** On failure: all problems of the file, warnings included. */
export function loadApplianceConfig(
  files: FileSystem,
  paths: CtdbPaths,
): Result<LoadedApplianceConfig, readonly ConfigProblem[]> {
  const file = `${paths.etcDirectory}/${APPLIANCE_CONF_FILE}`;
  const text = readConfigFile(files, file);
  if (!text.ok) return text;
  const reader = new OptionReader(APPLIANCE_CONF, file, { files, paths });
  reader.read(text.value ?? "");
  const problems = reader.problems();
  if (hasErrors(problems)) return err(problems);
  const config = { announcedSambaVersion: reader.get(OPTIONS.announcedSambaVersion) };
  return ok({ config, warnings: problems });
}
