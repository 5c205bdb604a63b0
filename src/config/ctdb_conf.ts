/**
 * Loads ctdb.conf: text → checked configuration, or every problem of the file at once (option_reader.ts). A missing
 * file is an empty file.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { OptionReader, type OptionText } from "./option_reader.ts";
import type { OptionContext } from "./option_table.ts";
import { CTDB_CONF, OPTIONS } from "./options.ts";
import { hasErrors } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import type { ConfigProblem, CtdbConfig, CtdbPaths } from "./types.ts";

export interface LoadedConfig {
  readonly config: CtdbConfig;
  /** Every option, in the order of the table. */
  readonly options: readonly OptionText[];
  readonly warnings: readonly ConfigProblem[];
}

/** On failure: all problems, warnings included. */
export type ConfigOutcome = Result<LoadedConfig, readonly ConfigProblem[]>;

/** Loads `<etcDirectory>/ctdb.conf`. */
export function loadCtdbConfig(files: FileSystem, paths: CtdbPaths): ConfigOutcome {
  return usable(readCtdbConfig(files, paths));
}

export interface ReadConfig {
  /** With defaults where the file is wrong: for checks, never to run with. */
  readonly config: CtdbConfig;
  readonly options: readonly OptionText[];
  readonly problems: readonly ConfigProblem[];
}

export function readCtdbConfig(files: FileSystem, paths: CtdbPaths): ReadConfig {
  const file = `${paths.etcDirectory}/ctdb.conf`;
  const text = readConfigFile(files, file);
  const read = readText(text.ok ? (text.value ?? "") : "", file, { files, paths });
  return text.ok ? read : { ...read, problems: text.error };
}

function usable({ config, options, problems }: ReadConfig): ConfigOutcome {
  return hasErrors(problems) ? err(problems) : ok({ config, options, warnings: problems });
}

function readText(text: string, file: string, context: OptionContext): ReadConfig {
  const reader = new OptionReader(CTDB_CONF, file, context);
  reader.read(text);
  return {
    config: assemble(reader, context.paths),
    options: reader.texts(),
    problems: reader.problems(),
  };
}

function assemble(reader: OptionReader, paths: CtdbPaths): CtdbConfig {
  const o = OPTIONS;
  return {
    logging: { logLevel: reader.get(o.logLevel), location: reader.get(o.location) },
    cluster: {
      transport: reader.get(o.transport),
      nodeAddress: reader.get(o.nodeAddress),
      clusterLock: reader.get(o.clusterLock) ?? reader.get(o.recoveryLock),
      nodesList: reader.get(o.nodesList) ?? `${paths.etcDirectory}/nodes`,
      leaderTimeoutSec: reader.get(o.leaderTimeoutSec),
      leaderCapability: reader.get(o.leaderCapability),
    },
    database: {
      volatileDirectory: reader.get(o.volatileDirectory),
      persistentDirectory: reader.get(o.persistentDirectory),
      stateDirectory: reader.get(o.stateDirectory),
      lockDebugScript: reader.get(o.lockDebugScript),
      tdbMutexes: reader.get(o.tdbMutexes),
    },
    event: { debugScript: reader.get(o.eventDebugScript) },
    failover: {
      disabled: reader.get(o.failoverDisabled),
      shutdownExtraTimeoutSec: reader.get(o.shutdownExtraTimeoutSec),
      shutdownFailoverTimeoutSec: reader.get(o.shutdownFailoverTimeoutSec),
    },
    legacy: {
      realtimeScheduling: reader.get(o.realtimeScheduling),
      lmasterCapability: reader.get(o.lmasterCapability),
      startAsStopped: reader.get(o.startAsStopped),
      startAsDisabled: reader.get(o.startAsDisabled),
      scriptLogLevel: reader.get(o.scriptLogLevel),
    },
  };
}
