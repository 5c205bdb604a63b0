/**
 * Loads ctdb.conf: text → checked configuration, or every problem of the file at once (option_reader.ts). A missing
 * file is an empty file.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { OptionReader, type OptionText } from "./option_reader.ts";
import type { ConfigOption, OptionContext } from "./option_table.ts";
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
  readonly reader: OptionReader;
  readonly problems: readonly ConfigProblem[];
}

export function readCtdbConfig(files: FileSystem, paths: CtdbPaths): ReadConfig {
  const file = `${paths.etcDirectory}/ctdb.conf`;
  const text = readConfigFile(files, file);
  const read = readText(text.ok ? (text.value ?? "") : "", file, { files, paths });
  return text.ok ? read : { ...read, problems: text.error };
}

function usable({ config, reader, problems }: ReadConfig): ConfigOutcome {
  if (hasErrors(problems)) return err(problems);
  return ok({ config, options: reader.texts(), warnings: problems });
}

function readText(text: string, file: string, context: OptionContext): ReadConfig {
  const reader = new OptionReader(CTDB_CONF, file, context);
  reader.read(text);
  return {
    config: assembleConfig((option) => reader.get(option), context.paths),
    reader,
    problems: reader.problems(),
  };
}

export function assembleConfig(
  get: <T>(option: ConfigOption<T>) => T,
  paths: CtdbPaths,
): CtdbConfig {
  const o = OPTIONS;
  return {
    logging: { logLevel: get(o.logLevel), location: get(o.location) },
    cluster: {
      transport: get(o.transport),
      nodeAddress: get(o.nodeAddress),
      clusterLock: get(o.clusterLock) ?? get(o.recoveryLock),
      nodesList: get(o.nodesList) ?? `${paths.etcDirectory}/nodes`,
      leaderTimeoutSec: get(o.leaderTimeoutSec),
      leaderCapability: get(o.leaderCapability),
    },
    database: {
      volatileDirectory: get(o.volatileDirectory),
      persistentDirectory: get(o.persistentDirectory),
      stateDirectory: get(o.stateDirectory),
      lockDebugScript: get(o.lockDebugScript),
      tdbMutexes: get(o.tdbMutexes),
    },
    event: { debugScript: get(o.eventDebugScript) },
    failover: {
      disabled: get(o.failoverDisabled),
      shutdownExtraTimeoutSec: get(o.shutdownExtraTimeoutSec),
      shutdownFailoverTimeoutSec: get(o.shutdownFailoverTimeoutSec),
    },
    legacy: {
      realtimeScheduling: get(o.realtimeScheduling),
      lmasterCapability: get(o.lmasterCapability),
      startAsStopped: get(o.startAsStopped),
      startAsDisabled: get(o.startAsDisabled),
      scriptLogLevel: get(o.scriptLogLevel),
    },
  };
}
