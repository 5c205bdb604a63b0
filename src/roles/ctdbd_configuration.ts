/** Everything that files say to ctdbd, read at its start. */
import { err, ok, type Result } from "../base/result.ts";
import { type ApplianceConfig, readApplianceConfig } from "../config/appliance_conf.ts";
import { readCtdbConfig } from "../config/ctdb_conf.ts";
import { LiveConfig } from "../config/live_config.ts";
import { resolvePaths } from "../config/paths.ts";
import { hasErrors, problemText } from "../config/problems.ts";
import { TunableSet } from "../config/tunables.ts";
import { loadTunables } from "../config/tunables_file.ts";
import type { ConfigProblem, ConfiguredNode, CtdbConfig, CtdbPaths } from "../config/types.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import type { Processes } from "../platform/types/processes.ts";
import { loadNodes } from "./ctdbd_nodes.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";

export interface Configuration {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
  /** The same, and what becomes of it when it is read again. */
  readonly live: LiveConfig;
  readonly appliance: ApplianceConfig;
  readonly nodes: readonly ConfiguredNode[];
  readonly tunables: TunableSet;
  readonly warnings: readonly ConfigProblem[];
}

/** All problems at once. */
export async function readConfiguration(
  processes: Processes,
): Promise<Result<Configuration, readonly string[]>> {
  const files = new SystemFiles();
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return err([paths.error]);
  const conf = readCtdbConfig(files, paths.value);
  const appliance = readApplianceConfig(files, paths.value);
  const problems = [...conf.problems, ...appliance.problems];
  if (hasErrors(problems)) return err(problems.map(problemText));
  const { config } = conf;
  const nodes = await loadNodes(config, paths.value, files, processes);
  if (!nodes.ok) return err([nodes.error]);
  const tunables = new TunableSet();
  // A wrong tunable does not stop a node, as with the original; the log says which it was.
  const tunableProblems = loadTunables(files, paths.value, tunables);
  return ok({
    paths: paths.value,
    config,
    nodes: nodes.value,
    tunables,
    live: new LiveConfig(files, paths.value, conf, appliance),
    appliance: appliance.config,
    warnings: [...problems, ...tunableProblems],
  });
}
