/**
 * The configuration of a running process: what it started with, and what it has taken since.
 *
 * 1. A file that is wrong changes nothing, whatever else has changed.
 * 2. Options that only a start reads keep the value of the start, and are told again at each reload until a start
 *    has read them.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { isOfAdmind } from "./admin_options.ts";
import {
  APPLIANCE_CONF,
  type ApplianceConfig,
  type ReadApplianceConfig,
  readApplianceConfig,
} from "./appliance_conf.ts";
import { assembleConfig, type ReadConfig, readCtdbConfig } from "./ctdb_conf.ts";
import type { OptionReader } from "./option_reader.ts";
import { type AnyOption, type OptionTable, optionPath } from "./option_table.ts";
import { CTDB_CONF } from "./options.ts";
import { hasErrors } from "./problems.ts";
import type { ConfigProblem, CtdbConfig, CtdbPaths } from "./types.ts";

export interface ChangedOption {
  readonly option: AnyOption;
  /** `[cluster] leader timeout`. */
  readonly path: string;
  /** As a file would say it; empty for none. */
  readonly from: string;
  readonly to: string;
}

export interface Reloaded {
  readonly config: CtdbConfig;
  readonly appliance: ApplianceConfig;
  readonly applied: readonly ChangedOption[];
  readonly needRestart: readonly ChangedOption[];
  readonly warnings: readonly ConfigProblem[];
}

export interface GivenOption {
  /** `[cluster] leader timeout`. */
  readonly path: string;
  readonly text: string;
}

interface ReadOptions {
  readonly conf: OptionReader;
  readonly appliance: OptionReader;
}

export class LiveConfig {
  readonly #files: FileSystem;
  readonly #paths: CtdbPaths;
  readonly #started: ReadOptions;
  #taken: ReadOptions;
  #current: CtdbConfig;
  #appliance: ApplianceConfig;

  /** What a start has read, without errors. */
  constructor(
    files: FileSystem,
    paths: CtdbPaths,
    conf: ReadConfig,
    appliance: ReadApplianceConfig,
  ) {
    this.#files = files;
    this.#paths = paths;
    this.#started = { conf: conf.reader, appliance: appliance.reader };
    this.#taken = this.#started;
    this.#current = conf.config;
    this.#appliance = appliance.config;
  }

  get current(): CtdbConfig {
    return this.#current;
  }

  /** Of ctdb-appliance.conf. */
  get appliance(): ApplianceConfig {
    return this.#appliance;
  }

  /** What this process runs with where that is not the default, of options that all nodes should have the same of. */
  given(): readonly GivenOption[] {
    const [started, taken] = [this.#started, this.#taken];
    return [
      ...givenIn(CTDB_CONF, started.conf, taken.conf),
      ...givenIn(APPLIANCE_CONF, started.appliance, taken.appliance),
    ];
  }

  /** On failure: all problems of the files. */
  reload(): Result<Reloaded, readonly ConfigProblem[]> {
    const conf = readCtdbConfig(this.#files, this.#paths);
    const appliance = readApplianceConfig(this.#files, this.#paths);
    const problems = [...conf.problems, ...appliance.problems];
    if (hasErrors(problems)) return err(problems);
    const started = this.#started;
    const applied = [
      ...changed(CTDB_CONF, "now", this.#taken.conf, conf.reader),
      ...changed(APPLIANCE_CONF, "now", this.#taken.appliance, appliance.reader),
    ];
    const needRestart = [
      ...changed(CTDB_CONF, "restart", started.conf, conf.reader),
      ...changed(APPLIANCE_CONF, "restart", started.appliance, appliance.reader),
    ];
    this.#taken = { conf: conf.reader, appliance: appliance.reader };
    const { announcedSambaVersion, nodeTransport, tlsDirectory } = this.#appliance;
    const kept = { announcedSambaVersion, nodeTransport, tlsDirectory };
    this.#appliance = { ...appliance.config, ...kept };
    this.#current = assembleConfig(
      (option) => (option.reload === "now" ? conf.reader : started.conf).get(option),
      this.#paths,
    );
    return ok({
      config: this.#current,
      appliance: this.#appliance,
      applied,
      needRestart,
      warnings: problems,
    });
  }
}

function givenIn(
  table: OptionTable,
  started: OptionReader,
  taken: OptionReader,
): readonly GivenOption[] {
  return table.options.flatMap((option) => {
    const reader = option.reload === "now" ? taken : started;
    const path = optionPath(option);
    const isShared = option.perNode !== true && !isOfAdmind(option);
    return isShared && reader.isGiven(option) ? [{ path, text: reader.textOf(option) }] : [];
  });
}

function changed(
  table: OptionTable,
  reload: AnyOption["reload"],
  before: OptionReader,
  after: OptionReader,
): readonly ChangedOption[] {
  return table.options
    .filter((option) => option.reload === reload)
    .map((option) => {
      const [from, to] = [before.textOf(option), after.textOf(option)];
      return { option, path: optionPath(option), from, to };
    })
    .filter(({ from, to }) => from !== to);
}
